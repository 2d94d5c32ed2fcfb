"""Small files are read several at a time; nobody gets another's bytes, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from asyncclient.flywheel._small_files import SMALL_BYTES, read_small


def _read(*paths: str | Path) -> list[bytes | BaseException | None]:
    async def run() -> list[bytes | BaseException | None]:
        return await asyncio.wait_for(
            asyncio.gather(*(read_small(str(path)) for path in paths), return_exceptions=True), 30
        )

    return asyncio.run(run())


def test_many_at_once_each_get_their_own(tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(100)]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([number]) * number)
    assert _read(*paths) == [bytes([number]) * number for number in range(100)]


def test_what_is_not_small_or_no_file(tmp_path: Path) -> None:
    least, most = tmp_path / "least", tmp_path / "most"
    least.write_bytes(b"x" * (SMALL_BYTES + 1))
    most.write_bytes(b"x" * SMALL_BYTES)
    found = _read(least, most, tmp_path, tmp_path / "nothing")
    assert found[:3] == [None, b"x" * SMALL_BYTES, None]
    assert isinstance(found[3], FileNotFoundError)
    assert found[3].filename == str(tmp_path / "nothing")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_a_pipe_that_nobody_writes_to_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"content")
    assert _read(tmp_path / "pipe", tmp_path / "file") == [None, b"content"]


def test_who_is_cancelled_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")

    async def run() -> list[bytes | None]:
        tasks = [asyncio.ensure_future(read_small(str(path))) for _ in range(40)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        found = await asyncio.wait_for(asyncio.gather(*tasks[1::2]), 30)
        assert all(task.cancelled() for task in tasks[::2])
        return found

    assert asyncio.run(run()) == [b"content"] * 20
