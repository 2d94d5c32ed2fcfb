"""Colours: names, the palette, conversions, and where random ones come from."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from asyncclient.lfview._colour_names import NAMES
from asyncclient.lfview._kinds import Kind, Locate, shown
from asyncclient.lfview.exceptions import ValidationError

__all__ = ["PALETTE", "Colour", "ColourKind", "parse_colour", "random_colour", "random_colours", "to_hex"]

Colour: TypeAlias = tuple[int, int, int]
"""Red, green, blue, each 0 to 255."""


class RandomSource(Protocol):
    """What ``random.Random`` has of it."""

    def randrange(self, stop: int, /) -> int:
        """Return an integer from 0 to ``stop`` - 1."""
        ...


def _rgb(digits: str) -> Colour:
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


_PALETTE: Final = """
1F77B4 AEC7E8 FF7F0E FFBB78 2CA02C 98DF8A D62728 FF9896 9467BD C5B0D5
8C564B C49C94 E377C2 F7B6D2 7F7F7F C7C7C7 BCBD22 DBDB8D 17BECF 9EDAE5
"""
PALETTE: Final[tuple[Colour, ...]] = tuple(map(_rgb, _PALETTE.split()))
"""The colours that ``"random"`` stands for."""

_HEX: Final = re.compile(r"#?(?:([0-9A-Fa-f]{3})|([0-9A-Fa-f]{6}))")
_source: ContextVar[RandomSource | None] = ContextVar("asyncclient_lfview_random", default=None)


@contextmanager
def random_colours(source: RandomSource) -> Iterator[None]:
    """Draw the random colours of this context from a source of one's own.

    ``with random_colours(random.Random(7)): ...`` gives the same colours again every time.
    """
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)


def random_colour() -> Colour:
    """Return one of the palette."""
    source: RandomSource = _source.get() or random
    return PALETTE[source.randrange(len(PALETTE))]


def parse_colour(value: object) -> Colour:
    """Return the colour that a name, hex digits or three integers stand for.

    Raises:
        ValidationError: None of these. Names are lower case; only ``random`` is not. Integers are Python's own.
    """
    if isinstance(value, str):
        colour = random_colour() if value.lower() == "random" else _named(value)
        if colour is not None:
            return colour
    elif isinstance(value, (list, tuple)) and len(value) == 3 and all(type(c) is int and 0 <= c <= 255 for c in value):
        return value[0], value[1], value[2]
    raise ValidationError(f"expected a colour (name, #RRGGBB, or three integers from 0 to 255), got {shown(value)}")


def _named(text: str) -> Colour | None:
    if (digits := NAMES.get(text)) is not None:
        return _rgb(digits)
    if (match := _HEX.fullmatch(text)) is None:
        return None
    return _rgb(match[2] or "".join(digit * 2 for digit in match[1]))


def to_hex(colour: Colour) -> str:
    """Return ``#RRGGBB``, upper case."""
    return "#{:02X}{:02X}{:02X}".format(*colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourKind(Kind):
    """A colour, kept as three integers, sent as hex digits or, where ``hex`` is false, as a list."""

    hex: bool = True

    def accept(self, value: Any) -> Colour:
        return parse_colour(value)

    def dump(self, value: Any, locate: Locate) -> Any:
        return to_hex(value) if self.hex else list(value)

    def schema(self) -> dict[str, Any]:
        if self.hex:
            return {"type": "string", "pattern": "^#[0-9A-F]{6}$"}
        component = {"type": "integer", "minimum": 0, "maximum": 255}
        return {"type": "array", "items": component, "minItems": 3, "maxItems": 3}
