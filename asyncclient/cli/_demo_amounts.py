"""How much the demo moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["AMOUNTS", "Amounts"]

_KIB: Final = 1024
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Amounts:
    """Numbers and sizes in bytes.

    Attributes:
        documents: For las, if no folder is given: size and how many of it. The sizes are those of a folder of scanned
            papers, from a note to a large scan.
        view_side: Points along each side of the hill of the View; its content grows with the square.
        view_pixels: Along each side of its photograph.
        view_rate: Bytes per second of the upload that is killed, so that there is a half-way on any machine.
        clips: Films for Voxel51.
        clip_bytes: Of each.
        scans: Small files for Flywheel.
        scan_bytes: Of the largest of them.
        large_scans: Files that Flywheel gets part by part.
        large_bytes: Of each.
        pictures: Of the trap, for Sticky Pi.
        picture_size: Width and height in pixels.
        idle_s: How long small calls are measured before anything else runs.
        disk_bytes: That temporary files of both sides take at most, without those of a folder that is given.
    """

    documents: tuple[tuple[int, int], ...]
    view_side: int
    view_pixels: int
    view_rate: float
    clips: int
    clip_bytes: int
    scans: int
    scan_bytes: int
    large_scans: int
    large_bytes: int
    pictures: int
    picture_size: tuple[int, int]
    idle_s: float
    disk_bytes: int


_SMALL: Final = Amounts(
    documents=((1 * _KIB, 4), (20 * _KIB, 4), (200 * _KIB, 3)),
    view_side=400,
    view_pixels=300,
    view_rate=8e6,
    clips=4,
    clip_bytes=256 * _KIB,
    scans=6,
    scan_bytes=16 * _KIB,
    large_scans=1,
    large_bytes=2 * _MIB,
    pictures=8,
    picture_size=(324, 243),
    idle_s=0.3,
    disk_bytes=100 * _MIB,
)
_NORMAL: Final = Amounts(
    documents=((1 * _KIB, 250), (16 * _KIB, 400), (100 * _KIB, 300), (700 * _KIB, 30), (3 * _MIB, 8), (8 * _MIB, 2)),
    view_side=700,
    view_pixels=1200,
    view_rate=6e6,
    clips=16,
    clip_bytes=8 * _MIB,
    scans=600,
    scan_bytes=64 * _KIB,
    large_scans=2,
    large_bytes=16 * _MIB,
    pictures=160,
    picture_size=(1296, 972),
    idle_s=1.5,
    disk_bytes=1000 * _MIB,
)
_LARGE: Final = Amounts(
    documents=((1 * _KIB, 400), (16 * _KIB, 600), (100 * _KIB, 400), (700 * _KIB, 80), (3 * _MIB, 24), (8 * _MIB, 8)),
    view_side=900,
    view_pixels=1600,
    view_rate=8e6,
    clips=16,
    clip_bytes=16 * _MIB,
    scans=800,
    scan_bytes=64 * _KIB,
    large_scans=4,
    large_bytes=24 * _MIB,
    pictures=320,
    picture_size=(1296, 972),
    idle_s=2.0,
    disk_bytes=2500 * _MIB,
)

AMOUNTS: Final = {"small": _SMALL, "normal": _NORMAL, "large": _LARGE}
"""By what ``--size`` is called."""
