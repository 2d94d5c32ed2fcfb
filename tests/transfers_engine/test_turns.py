"""What transfers ask of the scheduler: turns by job, costs in bytes, memory; and what the journal says of where."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asyncclient._budget import ByteBudget
from asyncclient._pipeline import Pipeline
from asyncclient._scheduler import CURRENT_JOB, Scheduler, Slot
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_whole import WholeBody
from asyncclient._transfers.transfers import download_file, list_jobs, upload_file
from asyncclient.errors import APIError
from asyncclient.types import Limits
from tests.support.storage_server import Answer, StorageServer
from tests.transfers_engine import support
from tests.transfers_engine.support import UNIT, content, options, parts_target, rules, session_target

pytestmark = pytest.mark.anyio

DATA = content(6 * UNIT + 1000)
WINDOW = 1024 * 1024


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Hashable, int | None, str]]:
    """Job, cost and lane of every slot that is asked for."""
    found: list[tuple[Hashable, int | None, str]] = []
    whole = Scheduler.acquire

    async def acquire(scheduler: Scheduler, service: str, lane: Any, origin: Any, **given: Any) -> Slot:
        job = given["job"] if given["job"] is not None else CURRENT_JOB.get()
        found.append((job, given["cost_bytes"], lane.value))
        return await whole(scheduler, service, lane, origin, **given)

    monkeypatch.setattr(Scheduler, "acquire", acquire)
    return found


def source(server: StorageServer) -> HttpDownload:
    return HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})


async def test_parts_cost_their_bytes_and_belong_to_one_job(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path, asked: list[Any]
) -> None:
    server.put("file", DATA)
    given = options(folder, part_size=UNIT, parallel=2)
    await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert sorted(cost for _, cost, _ in asked) == sorted([UNIT] * 6 + [1000])
    await upload_file(pipeline, rules(), tmp_path / "out", parts_target(str(server.origin)), given)
    down = {job for job, _, lane in asked[:7] if lane == "bulk"}
    up = {job for job, _, lane in asked[7:] if lane == "bulk"}
    assert [cost for _, cost, lane in asked[7:] if lane == "bulk"] == [UNIT] * 6 + [1000]
    assert len(down) == len(up) == 1
    assert down != up
    assert None not in down | up


async def test_a_job_that_is_named_already_keeps_its_turns(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path, asked: list[Any]
) -> None:
    server.put("file", DATA)
    given = options(folder, part_size=UNIT)
    await download_file(pipeline, replace(rules(), job="of the client"), source(server), tmp_path / "1", given)
    assert {job for job, *_ in asked} == {"of the client"}
    asked.clear()
    before = CURRENT_JOB.set("of the caller")
    try:
        await download_file(pipeline, rules(), source(server), tmp_path / "2", given)
    finally:
        CURRENT_JOB.reset(before)
    assert {job for job, *_ in asked} == {"of the caller"}


@pytest.fixture
def reserved(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    whole = ByteBudget.reserve

    async def reserve(budget: ByteBudget, size_bytes: int) -> Any:
        found.append(size_bytes)
        return await whole(budget, size_bytes)

    monkeypatch.setattr(ByteBudget, "reserve", reserve)
    return found


async def test_memory_is_reserved_and_given_back(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path, reserved: list[int]
) -> None:
    large = content(10 * WINDOW + 5)
    server.put("file", large)
    given = options(folder, part_size=4 * WINDOW)
    await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
    assert set(reserved) == {2 * WINDOW}
    base = str(server.origin)
    for target in (session_target(base), parts_target(base), WholeBody(f"{base}/o/whole")):
        reserved.clear()
        await upload_file(pipeline, rules(), tmp_path / "out", target, given)
        assert set(reserved) == {2 * WINDOW}
    reserved.clear()
    await upload_file(pipeline, rules(), b"small", WholeBody(f"{base}/o/small"), given)
    assert reserved == [5]
    assert pipeline.scheduler.budget.in_use_bytes == 0
    assert server.objects["whole"] == large


@pytest.mark.parametrize("kind", ["session", "parts", "whole", "download"])
async def test_memory_is_given_back_after_an_error(
    kind: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    (tmp_path / "data").write_bytes(DATA)
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) > 3 or kind == "whole" else None)
    given, base = options(folder, part_size=UNIT), str(server.origin)
    with pytest.raises(APIError):
        if kind == "download":
            await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
        else:
            made: Any = {"session": session_target, "parts": parts_target}.get(
                kind, lambda base: WholeBody(f"{base}/o/x")
            )
            await upload_file(pipeline, rules(), tmp_path / "data", made(base), given)
    assert pipeline.scheduler.budget.in_use_bytes == 0


@pytest.mark.parametrize("budget", [1, UNIT, 3 * WINDOW])
async def test_little_memory_makes_it_slow_and_no_deadlock(
    budget: int, server: StorageServer, tmp_path: Path, folder: Path
) -> None:
    """Copies through a stream, where what is received feeds what is sent, share the budget too."""
    server.put("file", DATA)
    async with support.pipeline(Limits(max_bytes_in_flight=budget, max_connections=16)) as sends:

        async def copy(number: int) -> None:
            queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)

            async def pieces() -> AsyncIterator[bytes]:
                while (piece := await queue.get()) is not None:
                    yield piece

            async def receive() -> None:
                await download_file(sends, rules(), source(server), queue.put, options(folder))
                await queue.put(None)

            name = f"copy{number}"
            target: Any = parts_target(str(server.origin), name=name)
            if number % 2:
                target = session_target(str(server.origin), name=name)
            async with asyncio.TaskGroup() as group:
                group.create_task(receive())
                group.create_task(upload_file(sends, rules(), pieces(), target, options(folder, part_size=UNIT)))

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(copy(number))
            group.create_task(
                download_file(sends, rules(), source(server), tmp_path / "out", options(folder, part_size=UNIT))
            )
    assert all(server.objects[f"copy{number}"] == DATA for number in range(4))
    assert (tmp_path / "out").read_bytes() == DATA


@pytest.mark.parametrize("kind", ["session", "parts", "download"])
async def test_the_journal_says_where(
    kind: str, server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    server.put("file", DATA)
    (tmp_path / "data").write_bytes(DATA)
    server.faults.append(lambda asked, answer: Answer(400) if len(server.asked) > 3 else None)
    with contextlib.suppress(APIError):
        given, base = options(folder, part_size=UNIT), str(server.origin)
        if kind == "download":
            await download_file(pipeline, rules(), source(server), tmp_path / "out", given)
        else:
            made = session_target if kind == "session" else parts_target
            await upload_file(pipeline, rules(), tmp_path / "data", made(base), given)
    (job,) = await list_jobs(folder)
    assert job.origin == str(server.origin)


async def test_an_upload_that_could_not_begin_leaves_no_journal(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    (tmp_path / "data").write_bytes(DATA)
    server.faults.append(lambda asked, answer: Answer(403))
    with pytest.raises(APIError) as raised:
        given = options(folder, part_size=UNIT)
        await upload_file(pipeline, rules(), tmp_path / "data", session_target(str(server.origin)), given)
    assert getattr(raised.value, "transfer_id", None) is None
    assert await list_jobs(folder) == []
