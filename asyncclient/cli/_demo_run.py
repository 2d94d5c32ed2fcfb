"""All services of the demo at the same time, through one hub, with small calls all the while."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from asyncclient import AsyncHub
from asyncclient.cli._demo_record import Call, Part, Run, Sample
from asyncclient.cli._demo_work import EXPECTED, SmallCall, Work
from asyncclient.cli._errors import words_of

__all__ = ["Display", "perform"]

_SAMPLE_S: Final = 0.1
_IDLE_GAP_S: Final = 0.02
_LOADED_GAP_S: Final = 0.1
_MEMORY: Final = Path("/proc/self/statm")


class Display(Protocol):
    """Where it is shown how far everything is."""

    def update(self, run: Run, hub: AsyncHub) -> None:
        """Show the present state; called often."""
        ...

    def ended(self, part: Part) -> None:
        """Show that a service is done with."""
        ...


async def perform(run: Run, hub: AsyncHub, works: Sequence[Work], display: Display, idle_s: float) -> None:
    """Do all the work, and note it in the run.

    Cancelling ends everything that is under way.

    Args:
        run: Where it is noted.
        hub: That everything goes through.
        works: What to do; all of it at the same time. What fails keeps none of the others.
        display: Where it is shown.
        idle_s: How long small calls are measured before.
    """
    async with AsyncExitStack() as stack:
        ready = [(work, call) for work in works if (call := await _opened(work, stack, display)) is not None]
        calling = [_keep_calling(run, work.part, call) for work, call in ready]
        async with _meanwhile(_keep_looking(run, hub, display), *calling):
            await asyncio.sleep(idle_s)
            began_s, run.loaded = run.now_s(), True
            async with asyncio.TaskGroup() as group:
                for work, _ in ready:
                    group.create_task(_work(run, work, display))
            run.loaded, run.load = False, (began_s, run.now_s())
        _look(run, hub)
        display.update(run, hub)
        run.statistics = hub.statistics()


async def _opened(work: Work, stack: AsyncExitStack, display: Display) -> SmallCall | None:
    """Make a client and let it call once, so that token and connection are there; None if that fails."""
    try:
        call = await work.open(stack)
        await call()
    except EXPECTED as error:
        work.part.problems.append(words_of(error))
        work.part.ended = True
        display.ended(work.part)
        return None
    return call


async def _work(run: Run, work: Work, display: Display) -> None:
    part, began_s = work.part, time.perf_counter()
    run.mark(part, "began")
    try:
        await work.run()
    except EXPECTED as error:
        part.problems.append(words_of(error))
    part.seconds = time.perf_counter() - began_s
    run.mark(part, "ended")
    part.ended = True
    display.ended(part)


@asynccontextmanager
async def _meanwhile(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines until the block is left; an error of theirs is raised there."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _keep_calling(run: Run, part: Part, call: SmallCall) -> None:
    """Make small calls, one after the other, and note how long each took."""
    while True:
        loaded, at_s = run.loaded, run.now_s()
        try:
            await call()
        except EXPECTED as error:
            part.problems.append(f"a small call failed: {words_of(error)}")
            return
        part.calls.append(Call(at_s, run.now_s() - at_s, loaded))
        await asyncio.sleep(_LOADED_GAP_S if run.loaded else _IDLE_GAP_S)


async def _keep_looking(run: Run, hub: AsyncHub, display: Display) -> None:
    while True:
        _look(run, hub)
        display.update(run, hub)
        await asyncio.sleep(_SAMPLE_S)


def _look(run: Run, hub: AsyncHub) -> None:
    now = hub.statistics()
    run.samples.append(
        Sample(
            at_s=run.now_s(),
            up=tuple(part.traffic.up for part in run.parts),
            down=tuple(part.traffic.down for part in run.parts),
            connections=now.connections_open,
            in_flight=now.in_flight,
            lanes=dict(now.lanes),
            memory_bytes=_resident_bytes(),
        )
    )


def _resident_bytes() -> int | None:
    """Return the resident memory of this process (proc(5), statm), where the system tells."""
    try:
        return int(_MEMORY.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
