"""Waiting for jobs: when is looked, what ends it, what it tells."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient import voxel51
from asyncclient.voxel51.waiting import Clock, is_past, next_pause
from tests.voxel51.cases import VirtualClock
from tests.voxel51.wire_server import WireServer

seconds = st.floats(0, 1e6)


@given(seconds, seconds, seconds)
def test_no_pause_leads_past_the_end(waited: float, sleep: float, most: float) -> None:
    pause = next_pause(waited, sleep, most)
    if waited >= most:
        assert pause is None
    else:
        assert pause is not None
        assert 0 <= pause <= min(sleep, most - waited)
    assert next_pause(waited, sleep, None) == sleep


def states(*names: str) -> list[dict[str, Any]]:
    return [{"json": {"job": {"id": "J", "state": name, "failure_type": "ANALYTIC"}}} for name in names]


@pytest.mark.anyio
async def test_progress_is_told_after_every_look(
    wire: WireServer, token: voxel51.Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    monkeypatch.setattr(voxel51.AsyncAPI, "_clock", Clock(clock.now, clock.sleep))
    wire.play(*states("READY", "QUEUED", "RUNNING", "COMPLETE"))
    seen: list[Any] = []
    async with voxel51.AsyncAPI(token) as api:
        await api.wait_until_job_completes("J", 2, None, on_progress=lambda job: seen.append(job["state"]))
    assert seen == ["READY", "QUEUED", "RUNNING", "COMPLETE"]
    assert clock.sleeps == [2, 2, 2]


@pytest.mark.anyio
async def test_a_job_that_fails(wire: WireServer, token: voxel51.Token) -> None:
    async with voxel51.AsyncAPI(token) as api:
        for call in (api.wait_until_job_completes, api.is_job_complete):
            wire.play(*states("FAILED"))
            with pytest.raises(voxel51.JobExecutionError) as caught:
                await call("J")
            error = caught.value
            assert str(error) == "Job 'J' failed"
            assert (error.job_id, error.state, error.failure_type, error.timed_out) == (
                "J",
                "FAILED",
                "ANALYTIC",
                False,
            )
        with pytest.raises(voxel51.JobExecutionError, match="Job 'K' failed"):
            await api.is_job_complete(job={"id": "K", "state": voxel51.JobState.FAILED})


@pytest.mark.anyio
async def test_the_end_of_the_wait_has_a_last_look(
    wire: WireServer, token: voxel51.Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    monkeypatch.setattr(voxel51.AsyncAPI, "_clock", Clock(clock.now, clock.sleep))
    async with voxel51.AsyncAPI(token) as api:
        wire.play(*states("RUNNING", "RUNNING", "COMPLETE"))
        await api.wait_until_job_completes("J", 5, 7)
        assert clock.sleeps == [5, 2]
        wire.play(*states("RUNNING"))
        with pytest.raises(voxel51.JobTimeout) as caught:
            await api.wait_until_job_completes("J", 5, 0)
    assert (caught.value.timed_out, caught.value.state) == (True, "RUNNING")


@pytest.mark.anyio
async def test_other_tasks_go_on_and_cancelling_ends_it(wire: WireServer, token: voxel51.Token) -> None:
    wire.play(respond=lambda request: states("RUNNING")[0])
    async with voxel51.AsyncAPI(token) as api:
        looked = asyncio.Event()
        wait = asyncio.create_task(api.wait_until_job_completes("J", 1000, None, on_progress=lambda job: looked.set()))
        await looked.wait()
        assert await api.get_job_state("J") == "RUNNING"
        wait.cancel()
        with pytest.raises(asyncio.CancelledError):
            await wait
        assert api._hub.statistics().in_flight == 0
    assert len(wire.received) == 2


@pytest.mark.parametrize(
    ("date", "past"),
    [
        ("2020-06-01T12:00:00.000Z", True),
        ("2020-06-01T13:59:59+02:00", True),
        ("2020-06-01T12:00:01", False),
        ("2020-06-01T12:00:01Z", False),
        ("2020-06-01T10:00:01-02:00", False),
        ("2020-05-31", True),
    ],
)
def test_offsets_count(date: str, past: bool) -> None:
    assert is_past(date, dt.datetime(2020, 6, 1, 12, tzinfo=dt.UTC)) is past


@pytest.mark.anyio
async def test_a_flag_of_the_platform_may_be_a_number(wire: WireServer, token: voxel51.Token) -> None:
    async with voxel51.AsyncAPI(token) as api:
        for flag in (True, 1, False, 0, None):
            wire.play({"json": {"job": {"expired": flag}}})
            assert await api.is_job_expired("J") is bool(flag)
