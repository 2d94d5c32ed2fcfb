"""What every storage offers."""

from __future__ import annotations

import abc
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from asyncclient._transfers.hops import CPU, DISK, run_hop
from asyncclient.sticky_pi._bundles import PART_BYTES, list_bundle_files
from asyncclient.sticky_pi._inputs import check_what, choose
from asyncclient.sticky_pi._staging import Staged, encode_image
from asyncclient.sticky_pi._storage_keys import IMAGE_SUFFIXES, bundle_key, image_key, is_newer, tuboid_keys

__all__ = ["AsyncBaseStorage"]

_WHAT = ("metadata", *IMAGE_SUFFIXES)
_EMPTY = "d41d8cd98f00b204e9800998ecf8427e"


class AsyncBaseStorage(abc.ABC):
    """Keeps images, tuboids and bundles.

    An image is a dict with ``device`` and ``datetime``; one that is stored is an ``ImageParser``. A tuboid is a dict
    with ``tuboid_id``; one that is stored has its files (paths, open files or bytes) under ``tuboid``, ``metadata`` and
    ``context``.

    Args:
        api_conf: The configuration.
    """

    _multipart_chunk_size: ClassVar[int] = PART_BYTES

    def __init__(self, api_conf: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        self._api_conf = api_conf

    async def open(self) -> None:  # noqa: B027  # not every storage has to
        """Get ready to be used."""

    async def aclose(self) -> None:  # noqa: B027  # not every storage holds anything
        """Give back what is held. May be repeated."""

    # --- for each kind of storage ------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def _stage(self, files: Mapping[str, Any]) -> Staged:
        """Take contents by key."""

    @abc.abstractmethod
    async def _delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there count as deleted."""

    @abc.abstractmethod
    def _url(self, key: str) -> str:
        """Return where an object can be read."""

    @abc.abstractmethod
    def _upload_target(self, key: str) -> Any:
        """Return where an object of a bundle is to be sent."""

    @abc.abstractmethod
    async def _list_bundle(self, bundle_name: str, what: str) -> list[dict[str, Any]]:
        """List the files of a bundle."""

    # --- images ------------------------------------------------------------------------------------------------------

    async def stage_image(self, image: Any) -> Staged:
        """Take an image and its thumbnails, without showing them yet."""
        thumbnail, mini = await run_hop(_thumbnails, image, crew=CPU)
        contents = {"image": image.file_blob, "thumbnail": thumbnail, "thumbnail-mini": mini}
        return await self._stage({image_key(image, what): content for what, content in contents.items()})

    async def store_image_files(self, image: Any) -> None:
        """Write an image (an ``ImageParser``) and its two thumbnails."""
        await _put(await self.stage_image(image))

    async def delete_image_files(self, image: Mapping[str, Any]) -> None:
        """Delete the three files of an image; those that are not there count as deleted."""
        await self._delete([image_key(image, what) for what in IMAGE_SUFFIXES])

    def get_url_for_image(self, image: Mapping[str, Any], what: str = "metadata") -> str:
        """Return the URL or path of one rendition of an image; empty for ``metadata``.

        Args:
            image: Its device and datetime.
            what: ``metadata``, ``image``, ``thumbnail`` or ``thumbnail-mini``.
        """
        check_what(what, _WHAT)
        return "" if what == "metadata" else self._url(image_key(image, what))

    # --- tuboids -----------------------------------------------------------------------------------------------------

    async def stage_tuboid(self, data: Mapping[str, Any]) -> Staged:
        """Take the files of a tuboid, without showing them yet."""
        keys = tuboid_keys(data["tuboid_id"])
        return await self._stage({key: choose(data, name) for name, key in keys.items()})

    async def store_tiled_tuboid(self, data: Mapping[str, Any]) -> None:
        """Write the three files of a tuboid."""
        await _put(await self.stage_tuboid(data))

    async def delete_tiled_tuboid_files(self, tuboid: Mapping[str, Any]) -> None:
        """Delete the three files of a tuboid; those that are not there count as deleted."""
        await self._delete(list(tuboid_keys(tuboid["tuboid_id"]).values()))

    def get_urls_for_tiled_tuboids(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the URLs or paths of the files of a tuboid: ``tuboid``, ``metadata`` and ``context``."""
        return {name: self._url(key) for name, key in tuboid_keys(data["tuboid_id"]).items()}

    # --- bundles -----------------------------------------------------------------------------------------------------

    async def get_ml_bundle_file_list(self, bundle_name: str, what: str = "all") -> list[dict[str, Any]]:
        """List the files of a bundle: ``key``, ``path``, ``md5``, ``mtime`` and ``url``.

        Args:
            bundle_name: The bundle; an unknown one has no files.
            what: ``all``, ``data`` or ``model``.
        """
        return await self._list_bundle(bundle_name, what)

    async def get_ml_bundle_upload_links(
        self, bundle_name: str, info: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return the files of a bundle that have to be sent, each with its target under ``url``.

        Args:
            bundle_name: The bundle.
            info: Dicts as :meth:`local_bundle_files_info` returns them.

        Raises:
            UnsafeKey: A file would lie outside of the bundle.
        """
        keys = [bundle_key(bundle_name, choose(candidate, "key")) for candidate in info]
        stored = {row["key"]: row for row in await self.get_ml_bundle_file_list(bundle_name)}
        found = []
        for candidate, key in zip(info, keys, strict=True):
            known = stored.get(candidate["key"])
            if not (known and _same_empty(candidate, known)) and is_newer(candidate, known):
                found.append({**candidate, "url": self._upload_target(key)})
        return found

    @classmethod
    async def local_bundle_files_info(
        cls, bundle_dir: str | os.PathLike[str], what: str = "all", ignored_dir_names: Collection[str] = (".cache",)
    ) -> list[dict[str, Any]]:
        """List the files of a bundle in a folder: ``key``, ``path``, ``md5`` and ``mtime``.

        Args:
            bundle_dir: The folder.
            what: ``all``, ``data`` (folders ``data`` and ``config``) or ``model`` (``output`` and ``config``).
            ignored_dir_names: Folders whose own files do not count.
        """
        return await run_hop(list_bundle_files, bundle_dir, what, ignored_dir_names, crew=DISK)


def _same_empty(candidate: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    return {candidate.get("md5"), stored["md5"]} <= {"", _EMPTY}


def _thumbnails(image: Any) -> tuple[bytes, bytes]:
    return encode_image(image.thumbnail), encode_image(image.thumbnail_mini)


async def _put(staged: Staged) -> None:
    try:
        await staged.publish()
    finally:
        await staged.discard()
