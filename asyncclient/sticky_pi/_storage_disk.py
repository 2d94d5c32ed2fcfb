"""Files under a folder, for those who can read it, and for those who are given links by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asyncclient._transfers.hops import DISK, run_hop, run_to_end
from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi._bundles import list_bundle_files
from asyncclient.sticky_pi._staging import DiskStaging, Staged
from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
from asyncclient.sticky_pi._storage_keys import bundle_key, tuboid_folder

__all__ = ["AsyncDiskStorage"]


class _OnDisk(Staged):
    def __init__(self, staging: DiskStaging, written: dict[str, Path]) -> None:
        self._staging, self._written = staging, written

    async def publish(self) -> None:
        await run_hop(self._staging.publish, self._written, crew=DISK)
        self._written = {}

    async def discard(self) -> None:
        if self._written:
            await run_to_end(self._staging.remove, self._written)
            self._written = {}


class AsyncDiskStorage(AsyncBaseStorage):
    """Files under the folder ``LOCAL_DIR``.

    Args:
        api_conf: The configuration; only ``LOCAL_DIR`` is used.

    Raises:
        ConfigurationError: No folder is configured.
    """

    def __init__(self, api_conf: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(api_conf)
        folder = api_conf.get("LOCAL_DIR")
        if not folder:
            raise ConfigurationError("LOCAL_DIR is not set: there is no folder for the files")
        self._root = str(Path(folder).absolute())
        self._staging = DiskStaging(self._root)

    async def open(self) -> None:
        """Make the folder if it is missing."""
        await run_hop(self._staging.clean, crew=DISK)

    async def aclose(self) -> None:
        """Do nothing: nothing is held."""

    async def _stage(self, files: Mapping[str, Any]) -> Staged:
        return _OnDisk(self._staging, await run_hop(self._staging.write, files, crew=DISK))

    async def _delete(self, keys: Sequence[str]) -> None:
        await run_hop(self._staging.delete, list(keys), crew=DISK)

    async def delete_tiled_tuboid_files(self, tuboid: Mapping[str, Any]) -> None:
        """Delete the folder of a tuboid; what is not there counts as deleted."""
        folder = tuboid_folder(tuboid["tuboid_id"])
        await run_hop(self._staging.delete_folder, folder, crew=DISK)

    def _url(self, key: str) -> str:
        return self._path(key)

    def _upload_target(self, key: str) -> Any:
        return self._url(key)

    async def _list_bundle(self, bundle_name: str, what: str) -> list[dict[str, Any]]:
        prefix = bundle_key(bundle_name)
        folder = self._path(prefix.rstrip("/"))
        rows = await run_hop(list_bundle_files, folder, what, crew=DISK)
        return [{**row, "url": self._url(prefix + row["key"])} for row in rows]

    def _path(self, key: str) -> str:
        return str(Path(self._root, *key.split("/")))
