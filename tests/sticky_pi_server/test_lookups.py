"""Opening a database that is there already, and looking images up in it: with little work, and still right."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import event, insert, inspect, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.sql import quoted_name

from asyncclient._codec import decode_json
from asyncclient.sticky_pi._api import AsyncLocalAPI, AsyncRemoteAPI
from asyncclient.sticky_pi._api_base import _groups
from asyncclient.sticky_pi._database import Database, database_url
from asyncclient.sticky_pi._server_bodies import answer
from asyncclient.sticky_pi._tables import images, metadata
from tests.sticky_pi_server.places import DatabaseServers

pytestmark = pytest.mark.anyio

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
SHARED = {"datetime_created": T0, "md5": "0" * 32, "width": 4056, "height": 3040}


def keys(devices: int, moments: int) -> list[dict[str, Any]]:
    return [
        {"device": f"{device:08x}", "datetime": T0 + dt.timedelta(minutes=minute)}
        for device in range(0xA0, 0xA0 + devices)
        for minute in range(moments)
    ]


async def store(api: Any, entries: list[dict[str, Any]]) -> None:
    async with api._write() as connection:
        await connection.execute(insert(images), [{**SHARED, **entry} for entry in entries])


def found(rows: list[dict[str, Any]]) -> list[tuple[str, dt.datetime]]:
    return [(row["device"], row["datetime"]) for row in rows]


@pytest.mark.parametrize(("devices", "moments"), [(150, 2), (3, 700)])
async def test_many_images_and_devices(api: AsyncRemoteAPI, devices: int, moments: int) -> None:
    stored = keys(devices, moments)
    others = [{**entry, "datetime": entry["datetime"] + dt.timedelta(days=900)} for entry in stored]
    await store(api, [*stored, *others])
    rows = await api.get_images([*reversed(stored), {"device": "ffffffff", "datetime": T0}])
    assert found(rows) == [(entry["device"], entry["datetime"]) for entry in stored]
    assert await api.get_images([{**entry, "datetime": entry["datetime"] + dt.timedelta(1)} for entry in stored]) == []


async def test_device_and_datetime_belong_together(api: AsyncRemoteAPI) -> None:
    first, second = keys(1, 2)
    third = {**second, "device": "bbbbbbbb"}
    await store(api, [first, third])
    assert found(await api.get_images([first])) == [(first["device"], T0)]
    crossed = [{**first, "device": "bbbbbbbb"}, second]
    assert await api.get_images(crossed) == []
    assert await api._get_digests(crossed) == []


async def test_case_of_devices(api: AsyncRemoteAPI, kind: str) -> None:
    (entry,) = keys(1, 1)
    await store(api, [entry])
    both = [entry, {**entry, "device": entry["device"].upper()}]
    assert found(await api.get_images(both)) == [(entry["device"], T0)]
    assert len(await api.get_images(both[1:])) == (0 if kind == "sqlite" else 1)


async def test_digests_are_a_part_of_the_rows(api: AsyncRemoteAPI) -> None:
    stored = keys(2, 3)
    await store(api, stored)
    names = ("id", "device", "datetime", "md5")
    rows = await api.get_images(stored)
    assert await api._get_digests(stored) == [{name: row[name] for name in names} for row in rows]
    assert await api._get_digests([]) == []


async def test_sqlite_uses_an_index(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM images" in statement:
            seen.append((statement, parameters))

    async with AsyncLocalAPI({"LOCAL_DIR": str(tmp_path)}) as api:
        await store(api, keys(5, 3))
        event.listen(api._database._running().sync_engine, "before_cursor_execute", note)
        for asked in (keys(1, 3), keys(5, 3)):
            await api.get_images(asked)
            await api._get_digests(asked)
    with closing(sqlite3.connect(tmp_path / "database.db")) as raw:
        plans = [str(raw.execute(f"EXPLAIN QUERY PLAN {sql}", given).fetchall()) for sql, given in seen]
    assert len(plans) == 4
    assert all("SEARCH images USING" in plan and "SCAN images" not in plan for plan in plans), plans


def test_groups_are_small() -> None:
    wanted = [(f"{device:03}", T0 + dt.timedelta(seconds=n)) for device in range(200) for n in range(3)]
    groups = list(_groups(wanted, 100))
    assert [(device, taken) for group in groups for device, moments in group.items() for taken in moments] == wanted
    assert max(len(group) for group in groups) <= 64
    assert max(sum(map(len, group.values())) for group in groups) == 100
    assert list(_groups([], 100)) == []
    assert [len(group) for group in _groups([(str(n), T0) for n in range(130)], 1000)] == [64, 64, 2]


# --- opening -----------------------------------------------------------------------------------------------------------


async def test_a_table_that_is_missing_is_made(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    with database_servers.without_tables(kind, tmp_path) as url:
        for change in ("DROP TABLE storage_deletions", "DROP TABLE api_locks", "DELETE FROM api_locks", None):
            database = Database(database_url(url))
            await database.open()
            async with database.write() as connection:
                names = await connection.run_sync(lambda own: inspect(own).get_table_names())
                locks = (await connection.execute(text("SELECT name FROM api_locks"))).scalars().all()
                if change:
                    await connection.execute(text(change))
            assert set(names) == set(metadata.tables)
            assert locks == ["intents"]
            await database.aclose()


async def test_opening_does_not_wait_for_who_writes(tmp_path: Path) -> None:
    (entry,) = keys(1, 1)
    async with AsyncLocalAPI({"LOCAL_DIR": str(tmp_path)}) as api:
        await store(api, [entry])
    with closing(sqlite3.connect(tmp_path / "database.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with anyio.fail_after(20):  # SQLite would wait for a minute
            async with AsyncLocalAPI({"LOCAL_DIR": str(tmp_path)}) as api:
                assert found(await api.get_images([entry])) == [(entry["device"], T0)]


async def test_every_connection_of_sqlite_is_set_up(tmp_path: Path) -> None:
    database = Database(database_url(f"sqlite:///{tmp_path}/a.db"))
    await database.open()
    async with database.read() as first, database.read() as second:
        for connection in (first, second):
            settings = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("foreign_keys", "journal_mode", "synchronous")
            ]
            assert settings == [1, "wal", 1]
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            assert driver.isolation_level is None
    await database.aclose()


async def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "database.db").write_bytes(b"this is text, and long enough to be looked at as a header" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        await AsyncLocalAPI({"LOCAL_DIR": str(tmp_path)}).get_projects([{}])


# --- what is answered --------------------------------------------------------------------------------------------------


async def test_rows_have_plain_names(quick_api: AsyncRemoteAPI) -> None:
    await store(quick_api, keys(1, 1))
    (row,) = await quick_api.get_images(keys(1, 1))
    assert {type(name) for name in row} == {str}


def test_answers_take_any_kind_of_name() -> None:
    value = [{quoted_name("when", True): T0, "none": None, "part": {quoted_name("n", None): [1.5, True, T0]}}]
    shown = "2022-01-02T03:04:05Z"
    assert decode_json(bytes(answer(value).body)) == [{"when": shown, "none": None, "part": {"n": [1.5, True, shown]}}]
