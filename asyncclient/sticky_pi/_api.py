"""The API as a whole: embedded in a process, and inside of the server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy.engine import URL

from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi._api_annotations import AnnotationsPart
from asyncclient.sticky_pi._api_images import ImagesPart
from asyncclient.sticky_pi._api_projects import ProjectsPart
from asyncclient.sticky_pi._api_tuboids import TuboidsPart
from asyncclient.sticky_pi._database import Database, database_url
from asyncclient.sticky_pi._inputs import choose, info_list
from asyncclient.sticky_pi._passwords import sign_token
from asyncclient.sticky_pi._refusals import BadInput, NotStored
from asyncclient.sticky_pi._spec import AsyncBaseAPISpec, ClientInfo, Info, Rows
from asyncclient.sticky_pi._storage_base import AsyncBaseStorage
from asyncclient.sticky_pi._storage_disk import AsyncDiskStorage
from asyncclient.sticky_pi._storage_keys import check_bundle_name
from asyncclient.sticky_pi._storage_s3 import AsyncS3Storage
from asyncclient.sticky_pi._storage_served import AsyncServedStorage

__all__ = ["AsyncBaseAPI", "AsyncLocalAPI", "AsyncRemoteAPI"]

_log: Final = logging.getLogger("asyncclient.sticky_pi")


class AsyncBaseAPI(ImagesPart, AnnotationsPart, TuboidsPart, ProjectsPart, AsyncBaseAPISpec):
    """The API on a database and a storage. Rules are checked here, whoever calls.

    Datetimes are naive and mean UTC. What is refused raises a ``Refusal``, which is also a ``ValueError``, a
    ``LookupError`` or a ``PermissionError``; nothing of the refused item is stored.

    Args:
        api_conf: The configuration.
    """

    async def _get_ml_bundle_file_list(
        self, info: str, what: str = "all", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the files of a bundle: ``key``, ``path``, ``md5``, ``mtime`` and ``url``.

        Args:
            info: Name of the bundle.
            what: ``all``, ``data`` or ``model``.
            client_info: Who asks.
        """
        name = check_bundle_name(info)
        await self._ready()
        return await self._storage.get_ml_bundle_file_list(name, what)

    async def _get_ml_bundle_upload_links(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Return the files of bundles that have to be sent, each with its target under ``url``.

        Args:
            info: Dicts with ``bundle_name``, ``key``, ``md5`` and ``mtime``; other keys come back as they are.
            client_info: Who asks.
        """
        by_bundle: dict[str, Info] = {}
        for entry in info_list(info):
            by_bundle.setdefault(check_bundle_name(choose(entry, "bundle_name")), []).append(_candidate(entry))
        await self._ready()
        found: Rows = []
        for name, entries in by_bundle.items():
            found += await self._storage.get_ml_bundle_upload_links(name, entries)
        return found


def _candidate(entry: dict[str, Any]) -> dict[str, Any]:
    for name in ("key", "md5"):
        if not isinstance(choose(entry, name), str):
            raise BadInput(f"{name} must be text, not {type(entry[name]).__name__}")
    mtime = choose(entry, "mtime")
    if isinstance(mtime, bool) or not isinstance(mtime, (int, float)):
        raise BadInput(f"mtime must be a number, not {type(mtime).__name__}")
    return entry


class AsyncLocalAPI(AsyncBaseAPI):
    """The API on SQLite and files, under the folder ``LOCAL_DIR``.

    ::

        async with AsyncLocalAPI(LocalAPIConf(LOCAL_DIR="data")) as api:
            rows = await api.get_projects()

    Args:
        api_conf: The configuration.

    Raises:
        ConfigurationError: No folder is configured.
    """

    _database_filename: ClassVar[str] = "database.db"
    _series_datetimes_as_text: ClassVar[bool] = True

    def _make_database(self) -> Database:
        return Database(_sqlite_in(self._configuration, self._database_filename))

    def _make_storage(self) -> AsyncBaseStorage:
        return AsyncDiskStorage(self._configuration)

    async def _get_ml_bundle_file_list(
        self, info: str, what: str = "all", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the files of a bundle, with a warning where there is none; see the base class.

        Args:
            info: Name of the bundle.
            what: ``all``, ``data`` or ``model``.
            client_info: Who asks.
        """
        found = await super()._get_ml_bundle_file_list(info, what, client_info)
        if not found and not await self._storage.get_ml_bundle_file_list(info):
            _log.warning("No such ML bundle: %s", info)
        return found

    async def get_token(self, client_info: ClientInfo | None = None) -> dict[str, Any]:
        """Return ``{"token": None, "expiration": 0}``: no token is needed here."""
        return {"token": None, "expiration": 0}


class AsyncRemoteAPI(AsyncBaseAPI):
    """The API inside of the server.

    The database is ``DATABASE_URL`` (SQLite, MariaDB, MySQL or PostgreSQL), else that of ``MYSQL_HOST``, ``MYSQL_USER``,
    ``MYSQL_PASSWORD`` and ``MYSQL_DATABASE``, else SQLite in ``LOCAL_DIR``. Files are in the bucket ``S3_BUCKET_NAME``
    if there is one, else in ``LOCAL_DIR``, with links to the server itself.

    Args:
        api_conf: The configuration.

    Raises:
        ConfigurationError: It lacks something.
    """

    _get_image_chunk_size: ClassVar[int] = 1024
    _database_filename: ClassVar[str] = "database.db"

    def _make_database(self) -> Database:
        conf = self._configuration
        if conf.get("DATABASE_URL"):
            return Database(database_url(str(conf["DATABASE_URL"])))
        if conf.get("MYSQL_HOST"):
            return Database(_mysql(conf))
        return Database(_sqlite_in(conf, self._database_filename))

    def _make_storage(self) -> AsyncBaseStorage:
        conf = self._configuration
        return AsyncS3Storage(conf) if conf.get("S3_BUCKET_NAME") else AsyncServedStorage(conf)

    async def get_token(self, client_info: ClientInfo | None = None) -> dict[str, Any]:
        """Sign a token for the user that ``client_info`` names; see :meth:`AsyncBaseAPISpec.get_token`."""
        name = choose(client_info or {}, "username")
        user = await self._user(username=name)
        if user is None:
            raise NotStored("there is no such user")
        return sign_token(str(self._configuration["SECRET_API_KEY"]), user["id"])

    async def put_images(self, files: Any, client_info: ClientInfo | None = None) -> Rows:
        """Store images, in order: those before a refused one stay.

        Args:
            files: A dict of open file and md5 (or None); a file has the name of the image.
            client_info: Who stores them.
        """
        return await self._put_new_images(files, client_info)


def _sqlite_in(conf: Mapping[str, Any], filename: str) -> URL:
    if not conf.get("LOCAL_DIR"):
        raise ConfigurationError("LOCAL_DIR is not set: there is no folder for the database")
    return URL.create("sqlite+aiosqlite", database=str(Path(conf["LOCAL_DIR"]).absolute() / filename))


def _mysql(conf: Mapping[str, Any]) -> URL:
    host, _, port = str(conf["MYSQL_HOST"]).partition(":")
    return database_url(
        URL.create(
            "mysql+asyncmy",
            username=conf.get("MYSQL_USER"),
            password=conf.get("MYSQL_PASSWORD"),
            host=host,
            port=int(port) if port else None,
            database=conf.get("MYSQL_DATABASE"),
        )
    )
