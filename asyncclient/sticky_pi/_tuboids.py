"""The folders of tiled tuboids: ``DEVICE.START.END.VERSION.NUMBER`` with three files. Blocking, but for what is pure."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from asyncclient.errors import ArgumentTypeError
from asyncclient.sticky_pi.exceptions import InvalidTuboid
from asyncclient.sticky_pi.utils import string_to_datetime

__all__ = ["FILES", "Tuboid", "check_series", "read_tuboids"]

FILES: Final = {"metadata": "metadata.txt", "tuboid": "tuboid.jpg", "context": "context.jpg"}
_NEEDED: Final = ("algo_name", "algo_version", "start_datetime", "end_datetime", "device", "n_images")
_MAX_METADATA_BYTES: Final = 16 * 1024 * 1024


class Tuboid(NamedTuple):
    """One tuboid that is complete.

    Attributes:
        tuboid_id: Name of its folder.
        series_info: The series it belongs to.
        paths: Its files, by the name of the part of a request.
    """

    tuboid_id: str
    series_info: Mapping[str, Any]
    paths: Mapping[str, str]


def check_series(series_info: Any) -> dict[str, Any]:
    """Return the description of a series, if it has what every series needs.

    Raises:
        InvalidTuboid: Something is missing.
        ArgumentTypeError: It is no dict.
    """
    if not isinstance(series_info, Mapping):
        raise ArgumentTypeError(f"series_info must be a dict, not {type(series_info).__name__}", argument="series_info")
    if missing := [name for name in _NEEDED if name not in series_info]:
        raise InvalidTuboid(f"series_info lacks {', '.join(missing)}", argument="series_info")
    return dict(series_info)


def read_tuboids(directories: Any, series_info: Mapping[str, Any]) -> list[Tuboid]:
    """Check all folders, before anything of the first is sent.

    Raises:
        InvalidTuboid: A folder is not named as it must be, lacks a file, or its shots cannot be read.
    """
    if isinstance(directories, (str, bytes, os.PathLike)) or not isinstance(directories, Sequence):
        raise ArgumentTypeError(
            f"tuboid_directories must be a list of paths, not {type(directories).__name__}",
            argument="tuboid_directories",
        )
    return [_read(Path(os.fsdecode(directory)), series_info) for directory in directories]


def _read(folder: Path, series_info: Mapping[str, Any]) -> Tuboid:
    name = folder.name
    fields = name.split(".")
    if len(fields) != 5 or not all(fields) or not (fields[4].isascii() and fields[4].isdigit()):
        raise _invalid(f"{name}: the name of a tuboid is DEVICE.START.END.VERSION.NUMBER")
    paths = {part: folder / file for part, file in FILES.items()}
    if missing := [path.name for path in paths.values() if not path.is_file()]:
        raise _invalid(f"{folder} lacks {', '.join(missing)}")
    _check_shots(paths["metadata"])
    return Tuboid(name, series_info, {part: str(path) for part, path in paths.items()})


def _check_shots(path: Path) -> None:
    if path.stat().st_size > _MAX_METADATA_BYTES:
        raise _invalid(f"{path} has more than {_MAX_METADATA_BYTES} bytes")
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise _invalid(f"{path} is no text") from None
    shots = lines[: lines.index("")] if "" in lines else lines
    if not shots:
        raise _invalid(f"Empty tuboid sent (0 shots): {path}")
    for number, line in enumerate(shots, 1):
        _check_shot(f"{path}: line {number}", line)


def _check_shot(where: str, line: str) -> None:
    fields = line.split(",")
    if len(fields) != 4:
        raise _invalid(f"{where}: DEVICE.DATETIME,REAL,IMAG,SCALE is expected")
    _, dot, taken = fields[0].partition(".")
    try:
        string_to_datetime(taken if dot else "", is_filename=True)
        finite = all(math.isfinite(float(text)) for text in fields[1:])
    except ValueError:
        finite = False
    if not finite:
        raise _invalid(f"{where}: DEVICE.DATETIME,REAL,IMAG,SCALE is expected")


def _invalid(message: str) -> InvalidTuboid:
    return InvalidTuboid(message, argument="tuboid_directories")
