"""The structure of a JPEG file: whether it is one, whether it is whole, how large its picture is. Pure.

Looking at the markers costs nothing beside decoding, and tells what must be known before decoding: a small file can
claim a picture that fills the memory (ITU-T T.81, annex B).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from asyncclient.sticky_pi.exceptions import NotAJPEG

__all__ = ["MAX_BYTES", "MAX_PIXELS", "Frame", "check_jpeg"]

MAX_BYTES: Final = 100 * 1000 * 1000
"""What the platform's server takes in one request."""
MAX_PIXELS: Final = 80_000_000
"""Six times the pixels of the camera; decoded, 240 MB."""
_MAX_SCANS: Final = 64  # a progressive picture has about ten; each costs a pass over the whole picture

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a segment
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class Frame(NamedTuple):
    """The picture that a file says it has.

    Attributes:
        width: Pixels.
        height: Pixels.
        scan: Where its first scan begins in the file.
    """

    width: int
    height: int
    scan: int


def check_jpeg(data: bytes, name: str) -> Frame:
    """Look at the markers of a file.

    Args:
        data: The whole file.
        name: Named in errors.

    Raises:
        NotAJPEG: It is none, it is cut off, or it is too large to be decoded safely.
    """
    if len(data) > MAX_BYTES:
        raise NotAJPEG(f"{name} has {len(data)} bytes, more than {MAX_BYTES}")
    if not data:
        raise NotAJPEG(f"Not a JPEG file: {name} is empty")
    if data[:2] != _START:
        first = " ".join(f"0x{byte:02x}" for byte in data[:2])
        raise NotAJPEG(f"Not a JPEG file: starts with {first}")
    frame = _frame(data, name)
    if not frame.width or not frame.height:
        raise NotAJPEG(f"{name}: a picture of {frame.width} x {frame.height} pixels")
    if frame.width * frame.height > MAX_PIXELS:
        raise NotAJPEG(
            f"{name}: a picture of {frame.width} x {frame.height} pixels is larger than {MAX_PIXELS} pixels; "
            "it is not decoded"
        )
    # Within a scan the byte 0xff is followed by 0 or a restart marker only, so these are markers and no pixels.
    if data.rfind(_END) < frame.scan:
        raise NotAJPEG(f"{name} is truncated: its picture has no end")
    if data.count(bytes((0xFF, _SCAN)), frame.scan) > _MAX_SCANS:
        raise NotAJPEG(f"{name} has more than {_MAX_SCANS} scans; it is not decoded")
    return frame


def _frame(data: bytes, name: str) -> Frame:
    """Walk from marker to marker up to the first scan."""
    position, size = 2, (0, 0)
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise NotAJPEG(f"{name} is no JPEG file: there is no marker at byte {position}")
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
        elif marker in _ALONE:
            position += 2
        elif marker == _SCAN:
            return Frame(*size, position)
        else:
            if marker in _FRAMES:
                size = _size(data, position)
            length = int.from_bytes(data[position + 2 : position + 4], "big")
            if length < 2:
                raise NotAJPEG(f"{name} is no JPEG file: the segment at byte {position} has the length {length}")
            position += 2 + length
    raise NotAJPEG(f"{name} is truncated: it ends before its picture begins")


def _size(data: bytes, position: int) -> tuple[int, int]:
    height, width = (int.from_bytes(data[position + at : position + at + 2], "big") for at in (5, 7))
    return width, height
