"""Where files lie: the same relative paths on disk and in a bucket; and which files of a bundle count. Pure."""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Mapping
from typing import Any, Final

from asyncclient.sticky_pi._refusals import BadInput
from asyncclient.sticky_pi.exceptions import UnsafeKey
from asyncclient.sticky_pi.utils import string_to_datetime

__all__ = [
    "BUNDLE_ENDINGS",
    "IMAGE_SUFFIXES",
    "TUBOID_FILES",
    "bundle_key",
    "check_bundle_name",
    "counts",
    "image_key",
    "image_name",
    "is_left_out",
    "is_newer",
    "tuboid_folder",
    "tuboid_keys",
]

IMAGE_SUFFIXES: Final[Mapping[str, str]] = {"image": "", "thumbnail": ".thumbnail", "thumbnail-mini": ".thumbnail-mini"}
TUBOID_FILES: Final[Mapping[str, str]] = {"tuboid": "tuboid.jpg", "metadata": "metadata.txt", "context": "context.jpg"}

BUNDLE_ENDINGS: Final = (".yaml", ".yml", "model_final.pth", ".svg", ".jpeg", ".jpg", ".txt", ".db")
_FOLDERS: Final = {"data": ("data", "config"), "model": ("output", "config")}
_MAX_NAME: Final = 240  # bytes; file systems take 255
_MAX_KEY: Final = 900  # bytes; S3 takes 1024 with what stands before


def image_name(image: Mapping[str, Any]) -> str:
    """Return the name of the file of an image, ``DEVICE.DATETIME.jpg``."""
    taken = image["datetime"]
    if isinstance(taken, str):
        taken = string_to_datetime(taken)
    assert isinstance(taken, dt.datetime)
    return f"{_segment(image['device'])}.{taken.strftime('%Y-%m-%d_%H-%M-%S')}.jpg"


def image_key(image: Mapping[str, Any], what: str = "image") -> str:
    """Return the key of one rendition of an image."""
    return f"raw_images/{_segment(image['device'])}/{image_name(image)}{IMAGE_SUFFIXES[what]}"


def tuboid_folder(tuboid_id: str) -> str:
    """Return the folder of a tuboid."""
    name = _segment(tuboid_id)
    return f"tiled_tuboids/{_segment(name.rpartition('.')[0] or name)}/{name}"


def tuboid_keys(tuboid_id: str) -> dict[str, str]:
    """Return the keys of the three files of a tuboid: ``tuboid``, ``metadata``, ``context``."""
    folder = tuboid_folder(tuboid_id)
    return {name: f"{folder}/{file}" for name, file in TUBOID_FILES.items()}


def check_bundle_name(name: Any) -> str:
    """Check the name of a bundle: one folder."""
    if not isinstance(name, str) or not name:
        raise BadInput(f"the name of a bundle must be text, not {type(name).__name__}", argument="bundle_name")
    return _segment(name)


def bundle_key(bundle_name: Any, key: Any = "") -> str:
    """Return the key of a file of a bundle; without ``key``, the prefix of all of its files.

    Raises:
        UnsafeKey: The file would lie elsewhere.
    """
    prefix = f"ml/{check_bundle_name(bundle_name)}/"
    if key == "":
        return prefix
    if not isinstance(key, str):
        raise BadInput(f"the key of a file must be text, not {type(key).__name__}")
    if key.startswith("/") or len(key.encode("utf-8", "surrogatepass")) > _MAX_KEY:
        raise UnsafeKey(f"not the path of a file in a bundle: {key[:100]!r}")
    return prefix + "/".join(_segment(part) for part in key.split("/"))


def _segment(name: Any) -> str:
    if not isinstance(name, str) or name in ("", ".", "..") or any(c in name for c in "/\\") or not _fits(name):
        raise UnsafeKey(f"not the name of a file or folder: {str(name)[:100]!r}")
    return name


def _fits(name: str) -> bool:
    """Tell whether file systems and storage take a name as it is."""
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME:
        return False
    return all(c >= " " and c != "\x7f" and not "\ud800" <= c <= "\udfff" for c in name)


def counts(key: str, what: str) -> bool:
    """Tell whether a file belongs to a bundle, and to the part of it that ``what`` names."""
    return key.endswith(BUNDLE_ENDINGS) and _is_part(key, what)


def is_left_out(key: str, what: str) -> bool:
    """Tell whether a file lies where the files of ``what`` do, and is of a kind that bundles do not hold."""
    return not key.endswith(BUNDLE_ENDINGS) and _is_part(key, what)


def _is_part(key: str, what: str) -> bool:
    return what == "all" or posixpath.dirname(key) in _FOLDERS.get(what, ())


def is_newer(candidate: Mapping[str, Any], stored: Mapping[str, Any] | None) -> bool:
    """Tell whether a file has to be sent: it is unknown, or another one and younger."""
    if stored is None:
        return True
    return candidate.get("md5") != stored["md5"] and float(candidate.get("mtime") or 0) > float(stored["mtime"])
