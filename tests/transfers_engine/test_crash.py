"""Processes that are killed at random moments: what was confirmed is not sent again, and not one byte is wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import sys
from pathlib import Path

import pytest

from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine.support import UNIT, content, journals, left_over

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DATA = content(12 * UNIT + 1000)
PARALLEL = 4


async def child(*args: str) -> asyncio.subprocess.Process:
    root = Path(__file__).parents[2]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.transfers_engine.transfer_child", *args, cwd=root, stdout=asyncio.subprocess.PIPE
    )


def holding(server: StorageServer, count: int) -> asyncio.Event:
    """Hold back the answers after ``count`` requests, and tell when that is so."""
    reached = asyncio.Event()

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        if len(server.asked) > count:
            reached.set()
            answer.hold = asyncio.Event()
        return None

    server.faults.append(fault)
    return reached


async def kill_after(server: StorageServer, count: int, *args: str) -> None:
    server.asked.clear()
    reached = holding(server, count)
    process = await child(*args)
    async with asyncio.timeout(30):
        await reached.wait()
        process.kill()
        await process.wait()
        await process.communicate()
    server.faults.clear()


async def finish(*args: str) -> int:
    process = await child(*args)
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return int(out)


@pytest.mark.parametrize("kind", ["session", "parts"])
async def test_uploads(kind: str, server: StorageServer, tmp_path: Path, folder: Path) -> None:
    draw = random.Random(7)
    for run in range(3):
        path = tmp_path / f"data{run}"
        path.write_bytes(DATA)
        args = (kind, str(server.origin), str(path), str(folder))
        sent = 0
        for _ in range(2):
            await kill_after(server, draw.randint(1, 5), *args)
            sent += server.sent_bytes()
        server.asked.clear()
        await finish(*args)
        sent += server.sent_bytes()
        assert server.objects.pop("file") == DATA
        # The server holds back answers after it has taken the part; of each kill, those in flight are sent again.
        assert sent <= len(DATA) + 2 * PARALLEL * UNIT
        assert journals(folder) == []


@pytest.mark.parametrize("expected", [None, hashlib.md5(DATA).hexdigest()])
async def test_downloads(expected: str | None, server: StorageServer, tmp_path: Path, folder: Path) -> None:
    server.put("file", DATA)
    draw = random.Random(8)
    extra = json.dumps({"expected_md5": expected, "fsync": "end"})
    for run in range(3):
        args = ("download", str(server.origin), str(tmp_path / f"out{run}"), str(folder), extra)
        asked = 0
        for _ in range(2):
            await kill_after(server, draw.randint(1, 5), *args)
            asked += len(server.asked)
            assert not (tmp_path / f"out{run}").exists()
        server.asked.clear()
        await finish(*args)
        asked += len(server.asked)
        assert (tmp_path / f"out{run}").read_bytes() == DATA
        assert asked <= 13 + 2 * PARALLEL
        assert left_over(tmp_path) == []
        assert journals(folder) == []
