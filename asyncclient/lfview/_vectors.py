"""Vectors of two or three numbers, by value or by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from asyncclient.lfview._kinds import Kind, Locate, shown
from asyncclient.lfview._numpy import np
from asyncclient.lfview.exceptions import ValidationError

__all__ = ["Vector", "VectorKind"]

Vector: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
"""A numpy array of two or three floats."""

_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_MINUS_X, _MINUS_Y, _MINUS_Z = (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)
_FLAT: Final = {
    "zero": (0.0, 0.0, 0.0),
    "x": _X,
    "y": _Y,
    "-x": _MINUS_X,
    "-y": _MINUS_Y,
    "east": _X,
    "west": _MINUS_X,
    "north": _Y,
    "south": _MINUS_Y,
}
_NAMED: Final = {2: _FLAT, 3: _FLAT | {"z": _Z, "-z": _MINUS_Z, "up": _Z, "down": _MINUS_Z}}
_NOT_FINITE: Final = ("nan", "inf", "-inf")
_UNIT_SLACK: Final = 1e-15
"""Vectors this near to length 1 are left alone: scaling again would change the last bit, and look like a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorKind(Kind):
    """A vector of ``size`` numbers; with ``unit`` it is scaled to length 1."""

    size: int
    unit: bool = False

    def accept(self, value: Any) -> Vector:
        kept = self._convert(value)
        return self._scaled(kept) if self.unit else kept

    def _convert(self, value: Any) -> Vector:
        if isinstance(value, str):
            named = _NAMED[self.size].get(value.lower())
            if named is not None:
                return np.array(named[: self.size])
        elif isinstance(value, (list, tuple, np.ndarray)):
            try:
                given = np.asarray(value)
                if given.shape == (self.size,) and given.dtype.kind in "biuf":
                    return given.astype(np.float64, copy=True)
            except (ValueError, OverflowError):  # rows of different lengths
                pass
        names = ", ".join(_NAMED[self.size])
        raise ValidationError(f"expected {self.size} numbers or one of {names}; got {shown(value)}")

    def _scaled(self, vector: Vector) -> Vector:
        length = math.sqrt(math.fsum(component * component for component in vector.tolist()))
        if not math.isfinite(length) or length == 0.0:
            raise ValidationError(f"expected a direction, got {vector.tolist()}")
        return vector if abs(length - 1.0) <= _UNIT_SLACK else vector * (1.0 / length)

    def read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [float(item) if isinstance(item, str) and item in _NOT_FINITE else item for item in value]
        return value

    def dump(self, value: Any, locate: Locate) -> Any:
        return [item if math.isfinite(item) else str(item) for item in np.asarray(value, np.float64).tolist()]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "number"}, "minItems": self.size, "maxItems": self.size}
