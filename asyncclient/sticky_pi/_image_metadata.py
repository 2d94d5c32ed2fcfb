"""What the name and the EXIF data of an image say. Pure."""

from __future__ import annotations

import ast
import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncclient.sticky_pi.exceptions import InvalidImageMetadata, InvalidImageName
from asyncclient.sticky_pi.utils import string_to_datetime

__all__ = ["metadata_of_exif", "metadata_of_name"]

_BEGINNING: Final = dt.datetime(2019, 11, 1)  # naive datetimes mean UTC
_MAX_LITERAL: Final = 16 * 1024  # a real one has some 300 characters; deep ones bring the parser down


def metadata_of_name(name: str) -> dict[str, Any]:
    """Read device and datetime from the name of a file, ``DEVICE.DATETIME.EXTENSION``.

    Raises:
        InvalidImageName: It has another form.
    """
    fields = name.split(".")
    if len(fields) != 3:
        raise InvalidImageName(f"Wrong file name: {name}. Three dot-separated fields expected.")
    device, taken, _ = fields
    if len(device) != 8 or not _is_hexadecimal(device):
        raise InvalidImageName(f"Invalid device name field in file: {device}")
    try:
        when = string_to_datetime(taken, is_filename=True)
    except ValueError:
        raise InvalidImageName("Could not retrieve datetime from filename") from None
    if when < _BEGINNING:
        raise InvalidImageName("Image taken before the platform even existed")
    return {"device": device, "datetime": when}


def _is_hexadecimal(text: str) -> bool:
    try:
        int(text, 16)
    except ValueError:
        return False
    return text.isascii() and not any(sign.isspace() or sign in "+-/" for sign in text)


def metadata_of_exif(make: Any, comment: Any, name: str) -> tuple[dict[str, Any], bool]:
    """Read what the device has measured.

    Args:
        make: The tag ``Make``: in 2020 a Python literal that holds everything; None if it is missing.
        comment: The tag ``UserComment``, where devices of 2022 write a small table; None if it is missing.
        name: Named in errors.

    Returns:
        The metadata, and whether it is of the old kind.

    Raises:
        InvalidImageMetadata: It is missing, or cannot be read.
    """
    if make is None:
        raise InvalidImageMetadata(f"{name}: the EXIF data has no 'Make'")
    literal = _literal(str(make), name)
    if literal is None:
        return _table(comment, name), False
    try:
        return _legacy(literal), True
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InvalidImageMetadata(f"{name}: the EXIF data in 'Make' cannot be used: {error!r}") from error


def _literal(make: str, name: str) -> Any:
    """Return the literal in ``Make``, or None if it is a plain word."""
    if len(make) > _MAX_LITERAL:
        raise InvalidImageMetadata(f"{name}: the EXIF data in 'Make' has {len(make)} characters")
    try:
        return ast.literal_eval(make)
    except ValueError:
        return None
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise InvalidImageMetadata(f"{name}: the EXIF data in 'Make' is neither a word nor a literal") from error


_OURS: Final = ("device", "filename", "md5", "width", "height")
"""What the file itself shows; no text in it can say otherwise."""


def _legacy(literal: Any) -> dict[str, Any]:
    if not isinstance(literal, dict):
        raise TypeError(f"a dict is expected, not {type(literal).__name__}")
    found = {str(key): value for key, value in literal.items() if key not in _OURS}
    if found["lat"] == 0 and found["lng"] == 0 and found["alt"] == 0:
        found["lat"] = found["lng"] = found["alt"] = None
    if "no_flash_bv" in found:
        exposure, value = found["no_flash_exposure_time"], found.pop("no_flash_bv")
        found["no_flash_exposure_time"] = exposure[0] / exposure[1]
        found["no_flash_analog_gain"] = found.pop("no_flash_iso")
        found["no_flash_digital_gain"] = value[0] / value[1]
        del found["no_flash_shutter_speed"]
        del found["datetime"]
    return found


def _flag(text: str) -> bool:
    return bool(int(text))


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {text!r}")
    return value


_COLUMNS: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "v": ("device_version", str),
    "T": ("temp", _number),
    "H": ("hum", _number),
    "B": ("bat", _number),
    "L": ("lum", _number),
    "lat": ("lat", _number),
    "lng": ("lng", _number),
    "a": ("alt", _number),
    "b": ("but", _flag),
}


def _table(comment: Any, name: str) -> dict[str, Any]:
    if comment is None:
        raise InvalidImageMetadata(f"{name}: the EXIF data has no 'UserComment'")
    if not isinstance(comment, bytes):
        raise InvalidImageMetadata(f"{name}: 'UserComment' in the EXIF data is {type(comment).__name__}, not bytes")
    lines = comment.decode("utf-8", "replace").splitlines()
    if len(lines) != 2:
        raise InvalidImageMetadata("Metadata should have exactly two lines")
    found: dict[str, Any] = {}
    for column, text in zip(lines[0].split(","), lines[1].split(","), strict=False):
        if column in _COLUMNS:
            key, convert = _COLUMNS[column]
            try:
                found[key] = convert(text)
            except ValueError as error:
                raise InvalidImageMetadata(f"{name}: {column}: {error}") from error
    return found
