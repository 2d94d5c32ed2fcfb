"""From the type in an answer, or in a URL, to the class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from asyncclient.lfview import files, manifests, scene, spatial
from asyncclient.lfview._base import Resource
from asyncclient.lfview._urls import types_from_url
from asyncclient.lfview.exceptions import BadURL, UnknownType

__all__ = ["find_class_from_resp", "find_class_from_types", "read_resource"]


@cache
def _classes() -> Mapping[tuple[str, str | None], type[Resource]]:
    found: dict[tuple[str, str | None], type[Resource]] = {}
    for module in (files, manifests, spatial, scene):
        for name in module.__all__:
            cls = getattr(module, name)
            if isinstance(cls, type) and issubclass(cls, Resource):
                # Image comes before Thumbnail, which has its types but is no resource of its own.
                found.setdefault((cls.BASE_TYPE, cls.SUB_TYPE), cls)
    return found


def find_class_from_types(base_type: str, sub_type: str | None) -> type[Resource]:
    """Return the class of a type.

    Raises:
        UnknownType: There is none.
    """
    cls = _classes().get((base_type, sub_type or None))
    if cls is None:
        raise UnknownType(f"no class for the type {'/'.join(filter(None, (base_type, sub_type)))}")
    return cls


def find_class_from_resp(url: str, resp_type: str | None = None) -> type[Resource]:
    """Return the class of an answer.

    Args:
        url: Where it came from; looked at only without ``resp_type``.
        resp_type: Its member ``type``: ``base`` or ``base/sub``.

    Raises:
        UnknownType: There is none.
    """
    if resp_type:
        base, _, sub = resp_type.partition("/")
        return find_class_from_types(base, sub)
    try:
        return find_class_from_types(*types_from_url(url))
    except BadURL as error:
        raise UnknownType(str(error)) from error


def read_resource(url: str, data: Mapping[str, Any]) -> Resource:
    """Build the resource that was fetched from a URL; pointers stay URLs.

    Raises:
        UnknownType: There is no class for it.
        ValidationError: A value is not as its property needs it.
    """
    kind = data.get("type")
    return find_class_from_resp(url, kind if isinstance(kind, str) else None).from_json(data)
