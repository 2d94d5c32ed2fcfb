"""How far a transfer is: snapshots for a callback, and bars that consume them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from asyncclient.types import Progress

if TYPE_CHECKING:
    from asyncclient._observe import TransferWatch

__all__ = ["Meter", "Report", "rich_progress", "tqdm_progress"]

Report = Callable[[Progress], None]

_EVERY_S: Final = 0.1
# Of the smoothed rate: it forgets half of what it knew in about 3 s.
_HALF_LIFE_S: Final = 3.0


class Meter:
    """Counts the bytes of one transfer and reports them, at most 10 times a second.

    *Sent* goes back when an attempt is given up; *confirmed* never does.

    Args:
        report: Called on the event loop; what it raises ends the transfer.
        name: Of the file.
        total: Bytes in all, or None.

    Attributes:
        sent: Bytes handed to the network or received from it.
        confirmed: Bytes the other side has acknowledged, or that are written.
        watch: Is told of phases, and of where it begins; or None.
    """

    def __init__(
        self,
        report: Report | None,
        *,
        name: str | None = None,
        total: int | None = None,
        phase: str = "sending",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._clock = clock
        self._name = name
        self._phase = phase
        self._reported = self._measured = clock()
        self._last = 0
        self._rate: float | None = None
        self.watch: TransferWatch | None = None
        self.total = total
        self.sent = 0
        self.confirmed = 0

    @property
    def name(self) -> str | None:
        """Of the file."""
        return self._name

    @property
    def phase_now(self) -> str:
        """What is being done."""
        return self._phase

    def phase(self, name: str) -> None:
        """Begin another phase, which is reported at once."""
        if name != self._phase:
            self._phase = name
            if self.watch is not None:
                self.watch.begins(name)
            self._emit()

    def move(self, count: int) -> None:
        """Take note of bytes sent or received; negative for those of an attempt that was given up."""
        self.sent += count
        self._tick()

    def confirm(self, upto: int) -> None:
        """Take note of how many bytes are confirmed in all."""
        self.confirmed = max(self.confirmed, upto)
        self._tick()

    def begin_at(self, count: int) -> None:
        """Start from bytes that an earlier run has moved; they do not count for the rate."""
        self.sent = self.confirmed = self._last = count
        if count and self.watch is not None:
            self.watch.resumed(count)

    def done(self) -> None:
        """Report the end."""
        if self.total is None:
            self.total = self.confirmed
        self._phase = "done"
        self._emit(files_done=1)

    def _tick(self) -> None:
        if self._report is not None and self._clock() - self._reported >= _EVERY_S:
            self._emit()

    def _emit(self, files_done: int = 0) -> None:
        if self._report is None:
            return
        self._reported = self._clock()
        self._measure()
        left = None if self.total is None else max(0, self.total - self.confirmed)
        self._report(
            Progress(
                phase=self._phase,
                bytes_done=self.confirmed,
                bytes_total=self.total,
                files_done=files_done,
                files_total=1,
                rate=self._rate,
                eta_s=left / self._rate if left is not None and self._rate else None,
                name=self._name,
                bytes_sent=max(self.sent, self.confirmed),
            )
        )

    def _measure(self) -> None:
        now = self._clock()
        passed_s = now - self._measured
        if passed_s <= 0:
            return
        now_rate = max(0, self.sent - self._last) / passed_s
        weight = 0.5 ** (passed_s / _HALF_LIFE_S)
        self._rate = now_rate if self._rate is None else weight * self._rate + (1 - weight) * now_rate
        self._measured, self._last = now, self.sent


def rich_progress(bar: Any = None) -> Report:
    """Return a callback that shows a bar per file with rich.

    Args:
        bar: A started ``rich.progress.Progress``. Default: one of its own, stopped when its last file is done.

    Raises:
        ImportError: rich is not installed; the extra ``progress`` brings it.
    """
    from rich import progress as rich

    own = bar is None
    if own:
        columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.DownloadColumn())
        bar = rich.Progress(*columns, rich.TransferSpeedColumn(), rich.TimeRemainingColumn())
        bar.start()
    tasks: dict[str | None, Any] = {}

    def report(event: Progress) -> None:
        if event.name not in tasks:
            tasks[event.name] = bar.add_task(event.name or "", total=event.bytes_total)
        label = event.name or "" if event.phase in ("sending", "receiving", "done") else f"{event.name} {event.phase}"
        bar.update(tasks[event.name], completed=event.bytes_done, total=event.bytes_total, description=label)
        if own and event.phase == "done" and bar.finished:
            bar.stop()

    return report


def tqdm_progress(**options: Any) -> Report:
    """Return a callback that shows a bar per file with tqdm, in notebooks as well.

    Args:
        options: For every ``tqdm`` bar.

    Raises:
        ImportError: tqdm is not installed; the extra ``progress`` brings it.
    """
    from tqdm.auto import tqdm

    bars: dict[str | None, Any] = {}

    def report(event: Progress) -> None:
        if event.name not in bars:
            made = {"desc": event.name, "total": event.bytes_total, "unit": "B", "unit_scale": True} | options
            bars[event.name] = tqdm(**made)
        bar = bars[event.name]
        bar.total = event.bytes_total
        bar.update(event.bytes_done - bar.n)
        if event.phase == "done":
            bars.pop(event.name).close()

    return report
