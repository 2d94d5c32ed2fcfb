"""From the keywords of ``serve()`` and ``app()`` to the options of an emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

__all__ = ["options_from"]

OptionsT = TypeVar("OptionsT")


def options_from(kind: type[OptionsT], service: str, given: Mapping[str, Any]) -> OptionsT:
    """Make options from keywords.

    Args:
        kind: A dataclass.
        service: For the error.
        given: The keywords.

    Raises:
        ValueError: There is no such option.
    """
    made: Any = kind
    names = [item.name for item in fields(made)]
    for name in given:
        if name not in names:
            raise ValueError(f"the emulator of {service} has no option {name!r}; it has: {', '.join(names)}")
    return kind(**given)
