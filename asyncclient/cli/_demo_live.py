"""How far the demo is: bars on a terminal, a line per finished service elsewhere. Always on standard error."""

from __future__ import annotations

import sys
import time
from typing import Any, Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from asyncclient import AsyncHub
from asyncclient.cli._counts import counted
from asyncclient.cli._demo_data import percentile
from asyncclient.cli._demo_record import Part, Run
from asyncclient.cli._errors import one_line
from asyncclient.cli._settings import settings

__all__ = ["Shown", "make_display"]

_MB: Final = 1e6
_EVERY_S: Final = 0.25
_WINDOW_S: Final = 1.0  # of which rates are told
_RECENT: Final = 40  # small calls of all services, about what one second brings


class Shown(Protocol):
    """A display that is switched on and off."""

    def __enter__(self) -> Shown: ...

    def __exit__(self, *_: object) -> None: ...

    def say(self, line: str) -> None:
        """Show a line that stays."""
        ...

    def update(self, run: Run, hub: AsyncHub) -> None:
        """Show the present state; called often."""
        ...

    def ended(self, part: Part) -> None:
        """Show that a service is done with."""
        ...


def make_display() -> Shown:
    """Return bars if standard output and standard error are terminals and progress is wanted, else plain lines."""
    console = Console(stderr=True, highlight=False, quiet=settings().quiet)
    terminals = sys.stdout.isatty() and console.is_terminal and not console.is_dumb_terminal
    return _Bars(console) if terminals and settings().progress else _Lines(console)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, line: str) -> None:
        self._console.print(one_line(line), markup=False, soft_wrap=True, no_wrap=True, style=None)

    def update(self, run: Run, hub: AsyncHub) -> None:
        pass

    def ended(self, part: Part) -> None:
        self.say(line_of(part))


def line_of(part: Part) -> str:
    """Say in a line what came of a service."""
    if part.left_out:
        return f"{part.title}: left out"
    end = "all right" if part.ok else f"{len(part.problems)} not right, first: {part.problems[0]}"
    moved = f"{part.traffic.up / _MB:.1f} MB up, {part.traffic.down / _MB:.1f} MB down"
    return f"{part.title}: {counted(part.files, 'file')}, {moved}, {part.seconds:.1f} s, {end}"


class _Bars:
    def __init__(self, console: Console) -> None:
        self._console = console
        # Drawn when there is something new, by whoever brings it: no thread that takes turns with the loop.
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._drawn_s = 0.0

    def __enter__(self) -> Shown:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        self._live.update(Text(one_line(line)), refresh=True)

    def update(self, run: Run, hub: AsyncHub) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s >= _EVERY_S or all(part.ended for part in run.parts):
            self._drawn_s = now_s
            self._live.update(_picture(run, hub), refresh=True)

    def ended(self, part: Part) -> None:
        pass


def _picture(run: Run, hub: AsyncHub) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    for justify in ("left", "left", "left", "right", "right"):
        grid.add_column(justify=justify, no_wrap=True)
    for index, part in enumerate(run.parts):
        grid.add_row(*_row(run, index, part))
    return Group(grid, Text(_summary(run, hub), style="dim"))


def _row(run: Run, index: int, part: Part) -> tuple[Any, ...]:
    moved = part.traffic.moved
    total = max(part.expected_bytes, moved, 1)
    filled = total if part.ended and part.ok else moved
    style = "red" if part.problems else "green" if part.ended else "cyan"
    bar = ProgressBar(total=total, completed=filled, width=20, complete_style=style, finished_style=style)
    rate = "" if part.ended else f"{_rate(run, index) / _MB:.0f} MB/s"
    sizes = f"{moved / _MB:.0f}/{total / _MB:.0f} MB"
    return Text(part.title, style="bold"), Text(_phase(part), style=style), bar, sizes, rate


def _phase(part: Part) -> str:
    if part.left_out:
        return "left out"
    if part.ended:
        return f"done, {counted(part.files, 'file')}" if part.ok else f"{len(part.problems)} not right"
    return part.steps[-1].name if part.steps else "small calls"


def _rate(run: Run, index: int) -> float:
    """Return the bytes per second of a part over the last second or so."""
    if len(run.samples) < 2:
        return 0.0
    last = run.samples[-1]
    first = next((each for each in reversed(run.samples) if last.at_s - each.at_s >= _WINDOW_S), run.samples[0])
    moved = last.up[index] + last.down[index] - first.up[index] - first.down[index]
    return max(0.0, moved / max(last.at_s - first.at_s, 1e-9))


def _summary(run: Run, hub: AsyncHub) -> str:
    now = hub.statistics()
    overall = sum(_rate(run, index) for index in range(len(run.parts)))
    recent = sorted((call for part in run.parts for call in part.calls[-_RECENT:]), key=lambda call: call.at_s)
    p50 = percentile([call.seconds for call in recent[-_RECENT:]], 0.5)
    small = "" if p50 is None else f" · small calls {1000 * p50:.1f} ms"
    lanes = f"{now.lanes.get('bulk', 0)} bulk, {now.lanes.get('control', 0)} small"
    return (
        f"{overall / _MB:.0f} MB/s · {now.connections_open} connections · {now.in_flight} in flight ({lanes}), "
        f"{now.waiting} waiting{small}"
    )
