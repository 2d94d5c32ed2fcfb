"""Who may read the database of the embedded API, and the folder it lies in."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from asyncclient.sticky_pi import AsyncLocalClient
from asyncclient.sticky_pi._database import Database, database_url
from asyncclient.sticky_pi._private import make_private_file, make_private_folder, others_may_read

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name != "posix", reason="permissions are of another kind there")]


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """Whatever the machine's habit: what is not asked for would be readable by all."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def store_a_user(folder: Path) -> dict[str, int]:
    """Store a password, and return the modes of the database and what SQLite keeps beside it."""
    async with AsyncLocalClient(folder) as client:
        await client.put_users([{"username": "ada", "password": "a long password"}])
        return {path.name: mode(path) for path in folder.glob("database.db*")}


async def test_a_new_database_is_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "of" / "ada"
    found = await store_a_user(folder)
    assert found == {"database.db": 0o600, "database.db-wal": 0o600, "database.db-shm": 0o600}
    assert mode(folder) == 0o700
    assert mode(tmp_path / "of") == 0o777


async def test_what_is_shared_stays_shared(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir(mode=0o770)
    await store_a_user(folder)
    assert mode(folder) == 0o770
    (folder / "database.db").chmod(0o664)
    async with AsyncLocalClient(folder) as client:
        assert [row["username"] for row in await client.get_users()] == ["ada"]
        await client.put_users([{"username": "bob", "password": "a long password"}])
        assert {path.name: mode(path) for path in folder.glob("database.db*")} == {
            "database.db": 0o664,
            "database.db-wal": 0o664,
            "database.db-shm": 0o664,
        }


async def test_a_database_by_its_url(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.db"
    database = Database(database_url(f"sqlite:///{path}"))
    await database.open()
    await database.aclose()
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


async def test_only_files_of_sqlite_have_a_path(tmp_path: Path) -> None:
    urls = (
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:a.db?uri=true",
        "mysql://host/name",
        "postgresql://host/a",
    )
    assert [Database(database_url(url)).path for url in urls] == [None] * 5


async def test_a_link_to_where_nothing_is_yet(tmp_path: Path) -> None:
    (tmp_path / "database.db").symlink_to(tmp_path / "elsewhere.db")
    await store_a_user(tmp_path)
    assert mode(tmp_path / "elsewhere.db") == 0o600


async def test_the_locks_of_others_stay(tmp_path: Path) -> None:
    """Closing a file drops the locks that the process has on it: one that is there must not be opened."""
    path = tmp_path / "database.db"
    make_private_file(path)
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('CREATE TABLE a (b)')"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        make_private_file(path)
        done = await anyio.run_process([sys.executable, "-c", code, str(path)], check=False)
    assert b"database is locked" in done.stderr


async def test_where_nothing_can_be_made(tmp_path: Path) -> None:
    make_private_file(tmp_path / "missing" / "database.db")
    assert not (tmp_path / "missing").exists()


async def test_who_may_read(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "a" / "b")
    path = tmp_path / "a" / "b" / "c"
    make_private_file(path)
    assert not others_may_read(path)
    path.chmod(0o644)
    assert others_may_read(path)
    assert not others_may_read(tmp_path / "none")
