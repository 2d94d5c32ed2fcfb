"""What may be given where a property keeps something narrower; for type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColourLike", "ImageFile", "VectorLike"]

ColourLike: TypeAlias = str | tuple[int, int, int] | list[int]
"""A name, hex digits, or three integers from 0 to 255."""
VectorLike: TypeAlias = "str | Sequence[float] | NDArray[Any]"
"""Numbers, or the name of a direction."""
ImageFile: TypeAlias = BinaryIO
"""A binary file that can seek."""
