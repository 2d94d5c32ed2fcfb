"""A process that is killed, or a storage that fails, leaves no row without its files; a second run repairs the rest."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from asyncclient.sticky_pi._api import AsyncLocalAPI, AsyncRemoteAPI
from asyncclient.sticky_pi._refusals import AlreadyStored
from asyncclient.sticky_pi._staging import DiskStaging
from asyncclient.sticky_pi._storage_s3 import AsyncS3Storage
from tests.sticky_pi import pictures
from tests.sticky_pi_server.buckets import Bucket
from tests.sticky_pi_server.places import ALWAYS, SECRET, DatabaseServers, files_below

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
ALL = [{"device": "%", **ALWAYS}]
ROOT = Path(__file__).parents[2]
START = 4  # steps that pass at the start, when nothing is left over from before


def run(folder: Path, step: int, act: str, *files: str) -> subprocess.CompletedProcess[str]:
    child = "tests.sticky_pi_server.crash_child"
    command = [sys.executable, "-m", child, str(folder), str(step), act, *files]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


async def check(folder: Path, most: int) -> int:
    """Check that every row has its files, and that they are whole; return the number of rows."""
    async with AsyncLocalAPI({"LOCAL_DIR": str(folder)}) as api:
        rows = await api.get_image_series(ALL, "image")
        for row in rows:
            image = Path(row["url"])
            assert hashlib.md5(image.read_bytes()).hexdigest() == row["md5"]
            for what in (".thumbnail", ".thumbnail-mini"):
                assert Path(f"{image}{what}").read_bytes().endswith(b"\xff\xd9")
        assert len(rows) <= most
    return len(rows)


@pytest.mark.parametrize("step", [1, 6, 9, 13])
async def test_killed_while_storing(tmp_path: Path, step: int) -> None:
    folder = tmp_path / "files"
    paths = [str(pictures.write(tmp_path, "0a5bb6f4", T0 + dt.timedelta(minutes=n), seed=n)) for n in range(2)]
    assert run(folder, step + START, "put", *paths).returncode == -9
    if await check(folder, 2) == 0:
        done = run(folder, 0, "put", *paths)
        assert done.returncode == 0, done.stderr
    assert await check(folder, 2) == 2
    assert len(files_below(folder)) == 6


@pytest.mark.parametrize("step", [1, 4, 8])
async def test_killed_while_deleting(tmp_path: Path, step: int) -> None:
    folder = tmp_path / "files"
    paths = [str(pictures.write(tmp_path, "0a5bb6f4", T0 + dt.timedelta(minutes=n), seed=n)) for n in range(2)]
    async with AsyncLocalAPI({"LOCAL_DIR": str(folder)}) as api:
        await api._put_new_images([(path, None) for path in paths])
    assert run(folder, step + START, "delete").returncode == -9
    await check(folder, 2)  # a new start finishes what was begun
    done = run(folder, 0, "delete")
    assert done.returncode == 0, done.stderr
    assert await check(folder, 2) == 0
    assert files_below(folder) == []


async def test_a_disk_that_fails(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    path = pictures.write(tmp_path, "0a5bb6f4", T0)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskStaging, "publish", full)
        with pytest.raises(OSError, match="No space"):
            await api._put_new_images([(path, None)])
    assert await api.get_image_series(ALL) == []
    assert not list(Path(conf["LOCAL_DIR"], ".incoming").iterdir())
    await api._put_new_images([(path, None)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DiskStaging, "delete", full)
        with pytest.raises(OSError, match="No space"):
            await api.delete_images([{"device": "0a5bb6f4", "datetime": T0}])
    assert await api.get_image_series(ALL) == []
    assert len(files_below(conf["LOCAL_DIR"])) == 3
    await api.aclose()
    assert await api.get_image_series(ALL) == []
    assert files_below(conf["LOCAL_DIR"]) == []


async def test_a_note_to_delete_does_not_outlive_a_new_upload(
    api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path
) -> None:
    path = pictures.write(tmp_path, "0a5bb6f4", T0)
    await api._put_new_images([(path, None)])
    async with api._write() as connection:
        await api._note_deletions(connection, "image", [path.name])  # as a process leaves it that died then
        await connection.exec_driver_sql("DELETE FROM images")
    await api._put_new_images([(path, None)])
    await api.aclose()
    assert len(await api.get_image_series(ALL)) == 1
    assert len(files_below(conf["LOCAL_DIR"])) == 3


async def test_object_storage_that_fails(
    database: str, bucket: Bucket, make_api: Callable[[dict[str, Any]], AsyncRemoteAPI], tmp_path: Path
) -> None:
    api = make_api({"SECRET_API_KEY": SECRET, "DATABASE_URL": database, **bucket.conf})
    paths = [pictures.write(tmp_path, "0a5bb6f4", T0 + dt.timedelta(minutes=n), seed=n) for n in range(3)]
    put = AsyncS3Storage._put_object

    async def failing(self: AsyncS3Storage, key: str, content: bytes) -> None:
        if paths[1].name in key and key.endswith("mini"):
            raise ConnectionError("the bucket has gone")
        await put(self, key, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncS3Storage, "_put_object", failing)
        with pytest.raises(ConnectionError, match="the bucket has gone"):
            await api._put_new_images([(path, None) for path in paths])
    assert await api.get_image_series(ALL) == []
    await api._put_new_images([(path, None) for path in paths])
    assert len(bucket.keys()) == 9
    with pytest.raises(AlreadyStored):
        await api._put_new_images([(paths[0], None)])
    await api.delete_images([{"device": "0a5bb6f4", "datetime": T0}])
    assert len(bucket.keys()) == 6


async def test_workers_that_start_at_the_same_time(
    kind: str, database_servers: DatabaseServers, make_api: Callable[[dict[str, Any]], AsyncRemoteAPI], tmp_path: Path
) -> None:
    with database_servers.without_tables(kind, tmp_path) as url:
        conf = {"SECRET_API_KEY": SECRET, "DATABASE_URL": url, "LOCAL_DIR": str(tmp_path / "files")}
        apis = [make_api(conf) for _ in range(4)]
        async with anyio.create_task_group() as tasks:
            for api in apis:
                tasks.start_soon(api.get_users)
        for api in apis:
            assert await api.get_users() == []
            await api.aclose()


async def test_what_was_abandoned_is_removed(api: AsyncRemoteAPI, conf: dict[str, Any]) -> None:
    incoming = Path(conf["LOCAL_DIR"], ".incoming")
    incoming.mkdir(parents=True)
    for name, age_s in (("old", 2 * 86400), ("new", 60)):
        (incoming / name).write_bytes(b"x")
        then = dt.datetime.now().timestamp() - age_s
        os.utime(incoming / name, (then, then))
    await api.get_users()
    assert [path.name for path in incoming.iterdir()] == ["new"]
