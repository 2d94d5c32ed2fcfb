"""Sending a card again: what is there is recognised, and nothing is that is not there."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient, LocalClient, RemoteClient
from asyncclient.sticky_pi import _statistics as statistics
from asyncclient.sticky_pi.client import Failure
from asyncclient.types import Progress
from tests.sticky_pi.pictures import jpeg, series
from tests.sticky_pi.serving import ADMIN, Running

pytestmark = pytest.mark.anyio

WHEN = dt.datetime(2022, 5, 17, 18, 34, 50)
ALL = {"device": "%", "start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2055-12-31T00:00:00Z"}
OLD = 1_600_000_000


@pytest.fixture(params=["local", "remote"])
async def client(request: pytest.FixtureRequest, tmp_path: Path, server: Running) -> AsyncIterator[Any]:
    if request.param == "local":
        async with AsyncLocalClient(tmp_path / "client") as local:
            yield local
    else:
        async with AsyncRemoteClient(tmp_path / "client", server.url, *ADMIN) as remote:
            await remote.delete_images(await remote.get_image_series([ALL]))
            yield remote


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read, in the order in which that begins."""
    found: list[str] = []
    read = statistics._read

    def noting(path: str) -> Any:
        found.append(Path(path).name)
        return read(path)

    monkeypatch.setattr(statistics, "_read", noting)
    return found


def card(folder: Path, count: int) -> list[Path]:
    """Make images that were taken long ago, so that they are remembered at once."""
    folder.mkdir(exist_ok=True)
    files = series(folder, "0a5bb6f4", count, start=WHEN)
    for path in files:
        os.utime(path, (OLD, OLD))
    return files


async def test_what_was_deleted_there_is_sent_again(client: Any, tmp_path: Path, reads: list[str]) -> None:
    files = card(tmp_path / "card", 4)
    await client.put_images(files)
    assert await client.put_images(files) == []
    lost = [{"device": "0a5bb6f4", "datetime": WHEN + dt.timedelta(minutes=20 * number)} for number in (1, 3)]
    await client.delete_images(lost)
    rows = await client.put_images(files)
    assert [row["datetime"] for row in rows] == [entry["datetime"] for entry in lost]
    assert await client.put_images(files) == []
    assert sorted(reads) == sorted(path.name for path in files)  # once, by the first call


async def test_another_device_of_the_same_moments_is_new(client: Any, tmp_path: Path) -> None:
    await client.put_images(card(tmp_path / "card", 3))
    rows = await client.put_images(series(tmp_path, "ffffffff", 3, start=WHEN))
    assert [row["device"] for row in rows] == ["ffffffff"] * 3


async def test_known_and_unknown_files_keep_their_order(client: Any, tmp_path: Path, reads: list[str]) -> None:
    files = card(tmp_path / "card", 9)
    known = files[1::2]
    await client.put_images(known)
    await client.delete_images([{"device": "0a5bb6f4", "datetime": WHEN + dt.timedelta(minutes=60)}])
    reads.clear()
    rows = await client.put_images(files)
    sent = [0, 2, 3, 4, 6, 8]
    assert [row["datetime"] for row in rows] == [WHEN + dt.timedelta(minutes=20 * number) for number in sent]
    assert sorted(reads) == sorted(path.name for path in files[::2])


async def test_what_changed_or_went_since(client: Any, tmp_path: Path, reads: list[str]) -> None:
    files = card(tmp_path / "card", 4)
    await client.put_images(files)
    reads.clear()
    files[1].write_bytes(jpeg(seed=99))
    os.utime(files[2], (OLD + 1, OLD + 1))
    files[3].unlink()
    failures: list[Failure] = []
    assert await client.put_images(files, failures=failures) == []  # the one that differs is stored otherwise
    assert sorted(reads) == [files[1].name, files[2].name]
    assert [failure.path for failure in failures] == [str(files[3])]
    with pytest.raises(FileNotFoundError):
        await client.put_images(files)


async def test_progress_counts_every_file_once(client: Any, tmp_path: Path) -> None:
    files = card(tmp_path / "card", 5)
    await client.put_images(files[:3])
    seen: list[Progress] = []
    await client.put_images(files, on_progress=seen.append)
    assert [event.files_done for event in seen if event.phase == "hashing"] == [3, 5]
    seen.clear()
    await client.put_images(files, on_progress=seen.append)
    assert [(event.phase, event.files_done) for event in seen] == [("hashing", 5)]


async def test_more_files_than_one_thread_takes(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    monkeypatch.setattr(statistics, "_RECALLED", 2)
    monkeypatch.setattr(statistics, "_READ", 1)
    files = card(tmp_path / "card", 7)
    assert len(await client.put_images(files)) == 7
    reads.clear()
    assert await client.put_images(files) == []
    assert reads == []


async def test_an_entry_that_lies_about_the_content_stores_nothing(client: Any, tmp_path: Path) -> None:
    """Who damages the cache is found out by the API, which looks at the file itself."""
    (path,) = card(tmp_path / "card", 1)
    await client.put_images([path])
    await client.delete_images(await client.get_image_series([ALL]))
    kept = Path(client.local_dir, "cache", "images.json")
    first, line = kept.read_bytes().splitlines()
    row = json.loads(line)
    row[-1] = "0" * 32
    kept.write_bytes(first + b"\n" + json.dumps(row).encode() + b"\n")
    client._cache = None
    failures: list[Failure] = []
    assert await client.put_images([path], failures=failures) == []
    assert "MD5" in str(failures[0].error)
    assert await client.get_image_series([ALL]) == []


@pytest.mark.parametrize("kind", ["local", "remote"])
def test_blocking_clients(kind: str, tmp_path: Path, server: Running) -> None:
    def made() -> Any:
        folder = tmp_path / "client"
        return LocalClient(folder) if kind == "local" else RemoteClient(folder, server.url, *ADMIN)

    files = card(tmp_path / "card", 3)
    with made() as client:
        client.delete_images(client.get_image_series([ALL]))
        assert len(client.put_images(files)) == 3
    with made() as client:
        assert client.put_images(files) == []
        client.delete_images([{"device": "0a5bb6f4", "datetime": WHEN}])
    with made() as client:
        assert [row["datetime"] for row in client.put_images(files)] == [WHEN]
