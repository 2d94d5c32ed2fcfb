"""Arrays: which stored type a numpy array becomes, and the content that is sent for it.

Content is the bytes of the elements, little-endian, in C order, without header.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from pydantic import PrivateAttr

from asyncclient.lfview._base import Resource
from asyncclient.lfview._kinds import shown
from asyncclient.lfview._numpy import np
from asyncclient.lfview.exceptions import Problem, ValidationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["INTEGER_TYPES", "NUMPY_TYPES", "ArrayContent", "ArrayLike", "stored"]

ArrayLike: TypeAlias = "list[Any] | tuple[Any, ...] | NDArray[Any]"
"""What an array may be made of."""

NUMPY_TYPES: Final[Mapping[str, str]] = {
    "Float32Array": "<f4",
    "Float64Array": "<f8",
    "Int8Array": "<i1",
    "Int16Array": "<i2",
    "Int32Array": "<i4",
    "Uint8Array": "<u1",
    "Uint16Array": "<u2",
    "Uint32Array": "<u4",
}
"""Name of a stored type to numpy's; the number is the size of an element in bytes."""
INTEGER_TYPES: Final = frozenset(name for name, code in NUMPY_TYPES.items() if code[1] in "iu")
_NAMES: Final[Mapping[str, str]] = {code: name for name, code in NUMPY_TYPES.items()}
_LARGEST: Final = {"f": 8, "i": 4, "u": 4}
_SMALLEST: Final = {"f": 4, "i": 1, "u": 1}


def stored(value: ArrayLike) -> NDArray[Any]:
    """Return a copy in the type it is stored in: the input's own where there is one, else the nearest.

    64-bit integers become 32-bit ones, half floats become single, long doubles become double.

    Raises:
        ValidationError: The input is no list, tuple or array, its elements are no real numbers, rows differ in length,
            or a value would not survive: integers must be kept exactly, floats within numpy's ``allclose``.
    """
    given = _given(value)
    kind, size = given.dtype.kind, given.dtype.itemsize
    if kind not in _LARGEST:
        raise ValidationError(f"expected real numbers, got elements of type {given.dtype}")
    target = np.dtype(f"<{kind}{min(max(size, _SMALLEST[kind]), _LARGEST[kind])}")
    if target.itemsize < size:
        _check_fit(given, target)
    with np.errstate(over="ignore"):
        kept = np.array(given, dtype=target, order="C", copy=True)
    if kind == "f" and target.itemsize < size and not np.allclose(kept, given, equal_nan=True):
        raise ValidationError("values are too large for Float64Array")
    return kept


def _given(value: object) -> NDArray[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise ValidationError("masked arrays have no stored form: fill the masked values first")
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise ValidationError(f"expected a list, a tuple or a numpy array, got {shown(value)}")
    try:
        given = np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise ValidationError(f"not an array: {error}") from error
    if given.ndim == 0:
        raise ValidationError("expected at least one dimension, got a single value")
    return given


def _check_fit(given: NDArray[Any], target: np.dtype[Any]) -> None:
    if target.kind == "f" or given.size == 0:
        return
    limits, least, greatest = np.iinfo(target), int(given.min()), int(given.max())
    if least < limits.min or greatest > limits.max:
        name = _NAMES[target.str]
        raise ValidationError(f"{name} holds {limits.min} to {limits.max}; the values are from {least} to {greatest}")


class ArrayContent(Resource):
    """What an array is beside its metadata: the values.

    ``Array([0.0, 1.0])`` or ``Array(array=...)`` gives values; they fill ``dtype``, ``shape`` and ``content_length``.
    ``array`` is a copy and may be changed in place; the next upload notices. Without values it is metadata only.
    """

    _array: NDArray[Any] | None = PrivateAttr(None)

    if TYPE_CHECKING:
        content_length: int | None
        dtype: str | None
        shape: list[int] | None

    def __init__(self, array: ArrayLike | None = None, **values: Any) -> None:
        super().__init__(**values)
        if array is not None:
            self.array = array

    @property
    def array(self) -> NDArray[Any] | None:
        """The values, or None."""
        return self._array

    @array.setter
    def array(self, value: ArrayLike | None) -> None:
        if value is None:
            self._array = None
            return
        try:
            kept = stored(value)
        except ValidationError as error:
            raise ValidationError([Problem("array", error.problems[0].message)], owner=type(self).__name__) from error
        self._keep(kept)

    def _keep(self, kept: NDArray[Any]) -> None:
        self.content_length = None  # or it would be compared with the shape before
        self._array = kept
        self.dtype, self.shape, self.content_length = _NAMES[_code(kept)], list(kept.shape), kept.nbytes

    def raw(self) -> memoryview:
        """Return the content as bytes, without copying; empty if there are no values."""
        if self._array is None or self._array.size == 0:
            return memoryview(b"")
        return np.ascontiguousarray(self._array).data.cast("B")

    def fill(self, content: bytes | bytearray | memoryview) -> None:
        """Take the values from content that belongs to the metadata.

        Raises:
            ValidationError: The metadata is incomplete, or the content has another length.
        """
        if self.dtype is None or self.shape is None:
            raise ValidationError("dtype and shape must be known first", owner=type(self).__name__)
        expected = _size_bytes(self.dtype, self.shape)
        if len(content) != expected:
            raise ValidationError(
                f"{self.dtype} of shape {self.shape} has {expected} bytes, the content {len(content)}",
                owner=type(self).__name__,
            )
        # A copy, because what is read from bytes could not be changed in place.
        self._keep(np.frombuffer(content, NUMPY_TYPES[self.dtype]).reshape(self.shape).copy())

    @classmethod
    def from_value(cls, value: Any) -> Self:
        return cls(value) if isinstance(value, (list, tuple, np.ndarray)) else super().from_value(value)

    def content_digest(self) -> bytes:
        """Return a digest of the values; empty if there are none. Reads them all."""
        if self._array is None:
            return b""
        return hashlib.blake2b(self.raw(), digest_size=16).digest()

    def _check_set(self, name: str, value: Any) -> None:
        if name == "content_length" and value is not None and self.dtype is not None and self.shape is not None:
            limit = _size_bytes(self.dtype, self.shape)
            if value > limit:
                raise ValidationError(f"at most {limit} for {self.dtype} of shape {self.shape}, got {value}")

    def _own_problems(self) -> Iterator[Problem]:
        if self._array is None or self.dtype is None or self.shape is None:
            return
        if _size_bytes(self.dtype, self.shape) != self._array.nbytes:
            yield Problem("array", f"has {self._array.nbytes} bytes; {self.dtype} of shape {self.shape} has others")


def _code(array: NDArray[Any]) -> str:
    return f"<{array.dtype.kind}{array.dtype.itemsize}"  # bytes have no byte order: numpy writes them as |u1


def _size_bytes(dtype: str, shape: list[int]) -> int:
    return np.dtype(NUMPY_TYPES[dtype]).itemsize * math.prod(shape)
