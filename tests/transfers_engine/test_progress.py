from __future__ import annotations

import io
from pathlib import Path

import pytest

from asyncclient._pipeline import Pipeline
from asyncclient._transfers.progress import Meter, rich_progress, tqdm_progress
from asyncclient._transfers.transfers import upload_file
from asyncclient.types import Progress
from tests.support.storage_server import StorageServer
from tests.transfers_engine.support import UNIT, content, options, rules, session_target


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_at_most_ten_times_a_second() -> None:
    events: list[Progress] = []
    clock = Clock()
    meter = Meter(events.append, name="a", total=1000, clock=clock)
    for _ in range(1000):
        clock.now += 0.001
        meter.move(1)
    assert 9 <= len(events) <= 10
    assert events[-1].rate == pytest.approx(1000, rel=0.05)
    assert events[-1].bytes_done == 0
    meter.confirm(1000)
    meter.done()
    assert events[-1].phase == "done"
    assert (events[-1].bytes_done, events[-1].eta_s, events[-1].files_done) == (1000, 0.0, 1)


def test_sent_goes_back_and_confirmed_does_not() -> None:
    events: list[Progress] = []
    clock = Clock()
    meter = Meter(events.append, clock=clock)
    meter.begin_at(50)
    clock.now = 1
    meter.move(100)
    meter.confirm(100)
    clock.now = 2
    meter.move(-100)
    meter.confirm(60)
    meter.done()
    assert [event.bytes_done for event in events] == [50, 100, 100]
    assert [event.bytes_sent for event in events] == [150, 100, 100]
    assert events[-1].bytes_total == 100
    assert events[0].rate == 100
    silent = Meter(None)
    silent.move(5)
    silent.phase("hashing")
    silent.done()


@pytest.mark.anyio
async def test_events_of_a_transfer(server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path) -> None:
    events: list[Progress] = []
    path = tmp_path / "data.bin"
    path.write_bytes(content(3 * UNIT))
    given = options(folder, part_size=UNIT, on_progress=events.append)
    await upload_file(pipeline, rules(), path, session_target(str(server.origin)), given)
    assert events[-1].phase == "done"
    assert events[-1].bytes_done == events[-1].bytes_total == 3 * UNIT
    assert {event.name for event in events} == {"data.bin"}
    done = [event.bytes_done for event in events]
    assert done == sorted(done)


@pytest.mark.anyio
async def test_a_callback_that_raises_ends_the_transfer(
    server: StorageServer, pipeline: Pipeline, tmp_path: Path, folder: Path
) -> None:
    def fail(event: Progress) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        await upload_file(
            pipeline, rules(), content(UNIT), session_target(str(server.origin)), options(folder, on_progress=fail)
        )


def test_rich() -> None:
    from rich.console import Console
    from rich.progress import Progress as Bars

    bars = Bars(console=Console(file=io.StringIO()), auto_refresh=False)
    report = rich_progress(bars)
    report(Progress("hashing", 0, 100, name="a"))
    assert bars.tasks[0].description == "a hashing"
    report(Progress("sending", 40, 100, name="a"))
    assert (bars.tasks[0].completed, bars.tasks[0].description) == (40, "a")
    own = rich_progress()
    own(Progress("sending", 1, 2, name="b"))
    own(Progress("done", 2, 2, name="b"))


def test_tqdm() -> None:
    out = io.StringIO()
    report = tqdm_progress(file=out)
    report(Progress("sending", 0, None, name="a"))
    report(Progress("sending", 40, 100, name="a"))
    report(Progress("done", 100, 100, name="a"))
    assert "a: 100%" in out.getvalue()
