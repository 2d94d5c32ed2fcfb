"""What a view does beyond its properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from asyncclient.lfview._base import Resource

__all__ = ["ElementBase", "ViewBase"]


class ElementBase(Resource):
    """Base of the five elements: what may stand in ``View.elements``."""


class ViewBase(Resource):
    """Base of ``View``."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Build a view of its JSON form; without ``elements`` they are those of its contents."""
        contents = data.get("contents")
        if data.get("elements") is None and isinstance(contents, list):
            found = [entry for entry in contents if isinstance(entry, str) and "/elements/" in entry]
            data = {**data, "elements": found}
        return super().from_json(data)
