"""The platform's utilities: JSON files, folders, numbers for people, questions at the terminal."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51.tokens import StrPath

__all__ = [
    "Serializable",
    "copy_file",
    "ensure_basedir",
    "json_to_str",
    "load_json",
    "query_yes_no",
    "read_json",
    "to_human_bits_str",
    "to_human_bytes_str",
    "to_human_decimal_str",
    "to_human_time_str",
    "urljoin",
    "write_json",
]

_BYTES: Final = ("B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BITS: Final = ("b", "Kb", "Mb", "Gb", "Tb", "Pb", "Eb", "Zb", "Yb")
_DECIMALS: Final = ("", "K", "M", "B", "T")
_TIMES: Final = (
    ("ns", 1e-9),
    ("us", 1e-6),
    ("ms", 1e-3),
    (" second", 1.0),
    (" minute", 60.0),
    (" hour", 3600.0),
    (" day", 86400.0),
    (" week", 604800.0),
    (" month", 2629800.0),
    (" year", 31557600.0),
)
_ANSWERS: Final = {"y": True, "ye": True, "yes": True, "n": False, "no": False}
_log = logging.getLogger("asyncclient.voxel51")


def urljoin(*parts: str) -> str:
    """Join parts of a URL with one slash each."""
    return "/".join(part.strip("/") for part in parts)


def load_json(str_or_bytes: str | bytes) -> Any:
    """Read JSON from text."""
    return json.loads(str_or_bytes)


def read_json(path: StrPath) -> Any:
    """Read a JSON file in UTF-8."""
    return json.loads(Path(path).read_bytes())


def json_to_str(obj: Any) -> str:
    """Write JSON with an indent of four, escaping what is not ASCII.

    Raises:
        ArgumentTypeError: Something in it is no JSON value.
        ArgumentError: There is a NaN or an infinity, which JSON has no word for, or a circle.
    """
    try:
        return json.dumps(obj, indent=4, allow_nan=False)
    except TypeError as error:
        raise ArgumentTypeError(f"cannot be written as JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"cannot be written as JSON: {error}") from error


def write_json(obj: Any, path: StrPath) -> None:
    """Write a JSON file, making missing folders; what cannot be written leaves an existing file as it is."""
    text = json_to_str(obj)
    ensure_basedir(path)
    Path(path).write_text(text, encoding="utf-8")


def ensure_basedir(path: StrPath) -> None:
    """Make the folder that a file is to lie in."""
    folder = Path(path).parent
    if not folder.is_dir():
        _log.info("Making directory '%s'", folder)
        folder.mkdir(parents=True, exist_ok=True)


def copy_file(inpath: StrPath, outpath: StrPath) -> None:
    """Copy a file with its permissions, making missing folders."""
    ensure_basedir(outpath)
    shutil.copy(inpath, outpath)


def query_yes_no(question: str, default: str | None = None) -> bool:
    """Ask a question at the terminal until it is answered.

    Args:
        question: The question.
        default: ``yes`` or ``no``, the meaning of an empty answer; None to insist.
    """
    prompts = {None: "[y/n]", "yes": "[Y/n]", "no": "[y/N]"}
    if default not in prompts:
        raise ArgumentError(f"default must be 'yes', 'no' or None, not {default!r}", argument="default")
    while True:
        answer = input(f"{question} {prompts[default]} ").strip().lower() or default or ""
        if answer in _ANSWERS:
            return _ANSWERS[answer]
        sys.stdout.write("Please respond with 'y[es]' or 'n[o]'\n")


def to_human_bytes_str(num_bytes: float, decimals: int = 1, max_unit: str | None = None) -> str:
    """Write a number of bytes: 2560 is ``2.5KB``."""
    return _scaled(num_bytes, _BYTES, 1024.0, decimals, max_unit)


def to_human_bits_str(num_bits: float, decimals: int = 1, max_unit: str | None = None) -> str:
    """Write a number of bits, by 1024 too: 2560 is ``2.5Kb``."""
    return _scaled(num_bits, _BITS, 1024.0, decimals, max_unit)


def to_human_decimal_str(num: float, decimals: int = 1, max_unit: str | None = None) -> str:
    """Write a number: 45600 is ``45.6K``."""
    return _scaled(num, _DECIMALS, 1000.0, decimals, max_unit)


def to_human_time_str(num_seconds: float, decimals: int = 1, max_unit: str | None = None) -> str:
    """Write a time: 90 is ``1.5 minutes``."""
    if num_seconds == 0:
        return "0 seconds"
    names = [name.strip() for name, _ in _TIMES]
    last = _last_unit(names, max_unit)
    index = max((i for i, (_, size) in enumerate(_TIMES[: last + 1]) if abs(num_seconds) >= size), default=0)
    name, size = _TIMES[index]
    number = _trimmed(num_seconds / size, decimals)
    return f"{number}{name}{'s' if name[0] == ' ' and number != '1' else ''}"


def _scaled(number: float, units: tuple[str, ...], base: float, decimals: int, max_unit: str | None) -> str:
    last = _last_unit(units, max_unit)
    index = 0
    while index < last and abs(number) >= base:
        number /= base
        index += 1
    return f"{_trimmed(number, decimals)}{units[index]}"


def _last_unit(units: list[str] | tuple[str, ...], max_unit: str | None) -> int:
    if max_unit is None or max_unit in units:
        return len(units) - 1 if max_unit is None else units.index(max_unit)
    _log.warning("Unsupported max_unit = %s; ignoring", max_unit)
    return len(units) - 1


def _trimmed(number: float, decimals: int) -> str:
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Serializable:
    """An object that is its public attributes, as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes, objects of this kind within lists and dicts turned into dicts too."""
        return {name: _plain(value) for name, value in vars(self).items() if not name.startswith("_")}

    def to_str(self) -> str:
        """Return the JSON text, with an indent of four."""
        return json_to_str(self.to_dict())

    def to_json(self, path: StrPath) -> None:
        """Write the JSON file, making missing folders."""
        write_json(self.to_dict(), path)

    def __str__(self) -> str:
        return self.to_str()

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Make an object of a dict."""
        raise NotImplementedError

    @classmethod
    def from_str(cls, s: str | bytes) -> Self:
        """Make an object of JSON text."""
        return cls.from_dict(load_json(s))

    @classmethod
    def from_json(cls, path: StrPath) -> Self:
        """Make an object of a JSON file."""
        return cls.from_dict(read_json(path))


def _plain(value: Any) -> Any:
    if isinstance(value, Serializable):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
