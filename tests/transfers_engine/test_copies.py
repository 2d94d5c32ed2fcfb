"""Many copies through streams at once, in a hub with few connections and little memory: slow, but never stuck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_whole import WholeBody
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient._transfers.windows import WINDOW_BYTES
from asyncclient.types import Limits
from tests.support.storage_server import StorageServer
from tests.transfers_engine import support
from tests.transfers_engine.support import UNIT, content, options, parts_target, rules, session_target

pytestmark = pytest.mark.anyio

DATA = content(4 * UNIT + 1000)
KINDS = ["session", "parts", "whole"]


def source(server: StorageServer) -> HttpDownload:
    return HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})


def target(kind: str, server: StorageServer, name: str) -> Any:
    base = str(server.origin)
    if kind == "whole":
        return WholeBody(f"{base}/o/{name}")
    return (parts_target if kind == "parts" else session_target)(base, name=name)


async def copy(pipeline: Pipeline, folder: Path, given: HttpDownload, taken: Any) -> None:
    """Send on what is received, one piece ahead."""
    queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)

    async def pieces() -> AsyncIterator[bytes]:
        while (piece := await queue.get()) is not None:
            yield piece

    async def receive() -> None:
        await download_file(pipeline, rules(), given, queue.put, options(folder))
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(receive())
        group.create_task(upload_file(pipeline, rules(), pieces(), taken, options(folder, part_size=UNIT)))


@pytest.mark.parametrize("limits", [(3, 1), (4, 1), (8, UNIT), (16, 3 * UNIT)], ids=str)
async def test_more_copies_than_connections(
    limits: tuple[int, int], server: StorageServer, tmp_path: Path, folder: Path
) -> None:
    connections, memory_bytes = limits
    bounds = Limits(max_connections=connections, control_reserve=1, max_bytes_in_flight=memory_bytes)
    async with StorageServer() as other, support.pipeline(bounds) as pipeline:
        servers = [server, other]
        for each in servers:
            each.put("file", DATA)
        async with asyncio.timeout(100), asyncio.TaskGroup() as group:
            for number in range(24):
                kind, receiver = KINDS[number % 3], servers[number % 2]
                giver = servers[number // 2 % 2]
                group.create_task(copy(pipeline, folder, source(giver), target(kind, receiver, f"copy{number}")))
                if number % 8 == 0:
                    path = tmp_path / f"out{number}"
                    group.create_task(
                        download_file(pipeline, rules(), source(giver), path, options(folder, part_size=UNIT))
                    )
        assert pipeline.scheduler.statistics().in_flight == pipeline.scheduler.budget.in_use_bytes == 0
    for number in range(24):
        found = servers[number % 2].objects
        assert found.get(f"copy{number}") == DATA, KINDS[number % 3]
    assert all((tmp_path / f"out{number}").read_bytes() == DATA for number in (0, 8, 16))


@pytest.mark.parametrize("reading", [False, True], ids=["with the rest arrived", "while more is awaited"])
async def test_a_function_that_waits_for_ever_can_be_cancelled(
    reading: bool, server: StorageServer, pipeline: Pipeline, folder: Path
) -> None:
    server.put("file", DATA)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait_for_ever(_: bytes) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    if reading:
        server.faults.append(lambda asked, answer: replace(answer, stall_at=WINDOW_BYTES + 500))
    task = asyncio.create_task(download_file(pipeline, rules(), source(server), wait_for_ever, options(folder)))
    await begun.wait()
    task.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended.is_set()
    assert pipeline.scheduler.statistics().in_flight == 0
