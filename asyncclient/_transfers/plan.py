"""How a file is cut into parts. Pure.

The rule: part = size / 1000 rounded up to 1 MiB, not below 8 MiB and not above 64 MiB, then what the service demands:
alignment, least and largest part, number of parts. A few hundred parts keep a lost one cheap; 8 MiB keep the cost per
request small; 64 MiB keep a part's repetition bearable on slow links.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

from asyncclient.errors import ArgumentError

__all__ = ["GIB", "MIB", "Part", "Parts", "Plan", "missing", "plan_parts"]

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB

_SMALLEST_BYTES: Final = 8 * MIB
_LARGEST_BYTES: Final = 64 * MIB
_AIM_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a file: bytes ``[offset, offset + length)``; ``index`` counts from 0."""

    index: int
    offset: int
    length: int

    @property
    def stop(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Parts(Sequence[Part]):
    """The parts of a file in ascending order, made when they are looked at.

    They cover ``[0, size)`` without gaps; all but the last have ``part_size`` bytes. A file of 0 bytes has one part
    of 0 bytes, which is how every service wants to be told of it.
    """

    size: int
    part_size: int

    def __len__(self) -> int:
        return max(1, -(-self.size // self.part_size))

    @overload
    def __getitem__(self, index: int) -> Part: ...
    @overload
    def __getitem__(self, index: slice) -> list[Part]: ...
    def __getitem__(self, index: int | slice) -> Part | list[Part]:
        if isinstance(index, slice):
            return [self._part(at) for at in range(*index.indices(len(self)))]
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"part {index} of {len(self)}")
        return self._part(at)

    def __iter__(self) -> Iterator[Part]:
        return map(self._part, range(len(self)))

    def _part(self, index: int) -> Part:
        offset = index * self.part_size
        return Part(index, offset, min(self.part_size, self.size - offset))


@dataclass(frozen=True, slots=True)
class Plan:
    """How one file is cut.

    Attributes:
        part_size: Bytes of every part but the last.
        parts: The parts.
    """

    part_size: int
    parts: Parts

    @property
    def size(self) -> int:
        """Bytes in all."""
        return self.parts.size


def plan_parts(
    size: int,
    *,
    alignment: int = 1,
    min_part: int = 1,
    max_part: int = 5 * GIB,
    max_count: int = 10_000,
    preferred: int | None = None,
) -> Plan:
    """Cut a file into parts that a service accepts.

    Args:
        size: Bytes of the file.
        alignment: All parts but the last are multiples of it.
        min_part: Least bytes of all parts but the last.
        max_part: Most bytes of any part.
        max_count: Most parts.
        preferred: Bytes per part that the caller would like; raised and lowered to what the service accepts.

    Raises:
        ArgumentError: No such cut exists, or a number makes no sense.
    """
    _check(size, alignment, min_part, max_part, max_count, preferred)
    wanted = preferred if preferred is not None else _wanted(size)
    least = _round_up(max(min_part, -(-size // max_count)), alignment)
    most = max_part - max_part % alignment
    part_size = max(_round_up(wanted, alignment), least)
    if part_size > most:
        part_size = most
    if part_size >= least:
        return Plan(part_size, Parts(size, part_size))
    if size <= max_part:  # one part is the last one: neither alignment nor minimum bind it
        return Plan(max(size, 1), Parts(size, max(size, 1)))
    raise ArgumentError(
        f"{size} bytes cannot be cut into at most {max_count} parts of {min_part} to {max_part} bytes "
        f"in multiples of {alignment}",
        argument="size",
    )


def missing(plan: Plan, confirmed: Collection[int]) -> Iterator[Part]:
    """Yield the parts whose index is not confirmed, in ascending order; indices outside the plan mean nothing."""
    return (part for part in plan.parts if part.index not in confirmed)


def _wanted(size: int) -> int:
    return min(max(_round_up(-(-size // _AIM_PARTS), MIB), _SMALLEST_BYTES), _LARGEST_BYTES)


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _check(size: int, alignment: int, min_part: int, max_part: int, max_count: int, preferred: int | None) -> None:
    if size < 0:
        raise ArgumentError(f"size must not be negative, not {size}", argument="size")
    bounds = {"alignment": alignment, "min_part": min_part, "max_part": max_part, "max_count": max_count}
    if preferred is not None:
        bounds["preferred"] = preferred
    for name, value in bounds.items():
        if value < 1:
            raise ArgumentError(f"{name} must be at least 1, not {value}", argument=name)
