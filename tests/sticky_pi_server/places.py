"""Where tests keep data, and the values they use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from asyncclient.sticky_pi._database import Database, database_url
from tests.support import databases

__all__ = ["ALWAYS", "SECRET", "DatabaseServers", "files_below", "user"]

SECRET = "a key that only these tests know"
ALWAYS = {"start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2055-12-31T00:00:00Z"}


class DatabaseServers:
    """Starts each server when it is first asked for."""

    def __init__(self, stack: ExitStack, folders: pytest.TempPathFactory) -> None:
        self._stack, self._folders = stack, folders
        self._urls: dict[str, str] = {}
        self._shared: dict[str, str] = {}

    def url(self, kind: str) -> str:
        if kind not in self._urls:
            start = {"mariadb": databases.mariadb, "postgresql": databases.postgresql}[kind]
            self._urls[kind] = self._stack.enter_context(start(self._folders.mktemp(kind)))
        return self._urls[kind]

    @contextmanager
    def without_tables(self, kind: str, folder: Path) -> Iterator[str]:
        """Yield the URL of a database without tables."""
        if kind == "sqlite":
            yield f"sqlite:///{folder}/new.db"
            return
        with databases.kept_database(self.url(kind)) as url:
            yield url

    async def empty(self, kind: str, folder: Path) -> str:
        """Return the URL of a database whose tables are empty: making them takes longer than most tests."""
        if kind == "sqlite":
            return f"sqlite:///{folder}/api.db"
        if kind not in self._shared:
            self._shared[kind] = self._stack.enter_context(databases.kept_database(self.url(kind)))
            database = Database(database_url(self._shared[kind]))
            await database.open()
            await database.aclose()
        else:
            await databases.clear(self._shared[kind], keep="api_locks")
        return self._shared[kind]


def files_below(folder: Path | str) -> list[str]:
    """List what is stored, without databases and what is on its way."""
    root = Path(folder)
    keys = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return sorted(key for key in keys if key.startswith(("raw_images/", "tiled_tuboids/", "ml/")))


def user(row: dict[str, Any]) -> dict[str, Any]:
    """Return the ``client_info`` of a row of ``users``."""
    return {name: row[name] for name in ("id", "username", "is_admin", "can_write")}
