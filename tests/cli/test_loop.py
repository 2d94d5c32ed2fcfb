"""Commands on their event loop, interrupted at every line of what starts and ends it."""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from asyncclient.cli._loop import run_async

END = "end"


class Work:
    """Works in three steps, and says what became of it."""

    def __init__(self) -> None:
        self.events: list[str] = []

    async def __call__(self) -> str:
        self.events.append("begun")
        try:
            for _ in range(3):
                await asyncio.sleep(0)
        finally:
            self.events.append("cleaned up")
        return END


def interrupted_at(line: int, work: Callable[[], Any]) -> tuple[bool, object]:
    """Return whether that many lines were run before the end, and what came of it: a result, or the interruption."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        file = frame.f_code.co_filename
        if "asyncio" not in file and not file.endswith("_loop.py"):
            return None
        if event == "line":
            count += 1
            if count == line:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        outcome: object = run_async(work)
    except KeyboardInterrupt:
        outcome = KeyboardInterrupt
    finally:
        sys.settrace(before)
    return count >= line, outcome


def test_the_result_and_errors_go_through() -> None:
    assert run_async(Work()) == END

    async def fail() -> None:
        raise LookupError("this")

    with pytest.raises(LookupError, match="this"):
        run_async(fail)


def test_an_interruption_at_any_line_ends_it_without_a_word(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = set()
    for line in itertools.count(1):
        work = Work()
        within, outcome = interrupted_at(line, work)
        assert work.events in ([], ["begun", "cleaned up"])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if not within:
            assert outcome == END
            break
        assert outcome is KeyboardInterrupt, line
        outcomes.add(bool(work.events))
    gc.collect()
    assert outcomes == {False, True}  # before the work was begun too
    assert caplog.records == []
    assert capsys.readouterr().err == ""


def test_the_second_interruption_does_not_wait_for_the_clean_up() -> None:
    async def stubborn() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run_async(stubborn)


def test_a_cancellation_of_its_own_is_no_interruption() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_async(cancelled)
