"""Images of the platform: metadata from name and EXIF data, digest, thumbnails."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from asyncclient._transfers.hops import CPU, run_hop
from asyncclient.errors import ArgumentTypeError
from asyncclient.sticky_pi._image_metadata import metadata_of_exif, metadata_of_name
from asyncclient.sticky_pi._jpeg import MAX_BYTES, check_jpeg
from asyncclient.sticky_pi.exceptions import InvalidImageMetadata, NotAJPEG
from asyncclient.sticky_pi.utils import URLOrFileOpen

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

__all__ = ["ImageParser", "parse_image", "read_metadata"]

_log: Final = logging.getLogger(__name__)
_MAKE: Final = 0x010F
_EXIF_FOLDER: Final = 0x8769
_COMMENT: Final = 0x9286
_THUMBNAIL: Final = (512, 384)
_MINI: Final = (128, 96)


class ImageParser(dict[str, Any]):
    """The metadata of one image, as a dict; blocking, so use :func:`parse_image` in async code.

    Keys are ``device``, ``datetime``, ``filename``, ``md5``, ``width``, ``height``, and what the device has written.
    The picture is decoded, at the scale that its thumbnails need.

    Args:
        file: A path, a URL, or an open binary file whose ``name`` is that of the image; that stands at its start
            afterwards.

    Raises:
        InvalidImageName: The name is not ``DEVICE.DATETIME.EXTENSION``.
        NotAJPEG: The content is no JPEG picture, is cut off, or has more pixels than can be decoded safely.
        InvalidImageMetadata: The EXIF data is missing or cannot be read.
        ArgumentTypeError: It is no file.
    """

    def __init__(self, file: Any) -> None:
        self._filename, self._file_blob = _read(file)
        super().__init__(read_metadata(self._filename, self._file_blob))
        self._thumbnail = _reduced(self._file_blob, self._filename)
        self._thumbnail_mini = self._thumbnail.copy()
        self._thumbnail_mini.thumbnail(_MINI)

    @property
    def file_blob(self) -> bytes:
        """The whole file."""
        return self._file_blob

    @property
    def filename(self) -> str:
        """The name of the file, without folders."""
        return self._filename

    @property
    def thumbnail(self) -> Image:
        """The picture reduced to fit 512 x 384 pixels; a ``PIL.Image.Image``."""
        return self._thumbnail

    @property
    def thumbnail_mini(self) -> Image:
        """The picture reduced to fit 128 x 96 pixels; a ``PIL.Image.Image``."""
        return self._thumbnail_mini


async def parse_image(file: Any) -> ImageParser:
    """Make an :class:`ImageParser` in a worker thread; as many work at a time as there are processors, at most four."""
    return await run_hop(ImageParser, file, crew=CPU)


def read_metadata(filename: str, data: bytes) -> dict[str, Any]:
    """Return what :class:`ImageParser` does, without decoding the picture; blocking.

    Args:
        filename: Name of the file, without folders.
        data: The whole file.

    Raises:
        InvalidImage: As there; damage within the picture is not found.
    """
    found = metadata_of_name(filename)
    frame = check_jpeg(data, filename)
    exif = _exif(data, filename)
    custom, legacy = metadata_of_exif(*exif, filename)
    if legacy:
        _log.warning("Parsing legacy image %s", filename)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {**found, "filename": filename, "md5": digest, "width": frame.width, "height": frame.height, **custom}


def _read(file: Any) -> tuple[str, bytes]:
    """Return name and content; no more than a server would take is read."""
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(file)
        with URLOrFileOpen(path, "rb") as opened:
            return PurePath(opened.name).name, opened.read(MAX_BYTES + 1)
    if not hasattr(file, "read"):
        raise ArgumentTypeError(
            f"Unexpected type for file. Should be either a path or a file-like. file is {type(file)}", argument="file"
        )
    name = getattr(file, "name", None)
    if not isinstance(name, str):
        raise ArgumentTypeError("an open file must have the name of the image in its attribute 'name'", argument="file")
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    file.seek(0)
    if not isinstance(data, bytes):
        raise ArgumentTypeError("a file must be opened in binary mode", argument="file")
    return PurePath(name).name, data


def _open(data: bytes, name: str) -> Image:
    from PIL import Image  # with the extra "sticky-pi" only

    try:
        return Image.open(io.BytesIO(data), formats=("JPEG",))
    except Exception as error:  # whatever broken data does to the reader, it is the data
        raise NotAJPEG(f"{name} is no JPEG file that can be decoded") from error


def _exif(data: bytes, name: str) -> tuple[Any, Any]:
    """Return the tags ``Make`` and ``UserComment``, None for what is missing."""
    with _open(data, name) as image:
        if not image.info.get("exif"):
            raise InvalidImageMetadata(f"{name} has no EXIF data")
        try:
            exif: Exif = image.getexif()
            return exif.get(_MAKE), exif.get_ifd(_EXIF_FOLDER).get(_COMMENT)
        except Exception as error:  # whatever broken data does to the reader, it is the data
            raise InvalidImageMetadata(f"{name}: the EXIF data is broken") from error


def _reduced(data: bytes, name: str) -> Image:
    """Decode at the smallest scale that is enough, and reduce the rest of the way."""
    image = _open(data, name)
    try:
        image.thumbnail(_THUMBNAIL)
        image.load()
    except Exception as error:  # as above
        raise NotAJPEG(f"{name} cannot be decoded: {error}") from error
    return image if image.mode in ("RGB", "L") else image.convert("RGB")
