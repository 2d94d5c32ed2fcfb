"""What the demo found, as a table and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from asyncclient.cli._progress import Progress
    from asyncclient.types import HubStatistics

__all__ = ["Outcome", "Resumption", "Stage", "print_report"]

_MB = 1e6
_FILE_STAGES = 5  # what follows them is about the View, the jobs and the tree


class _Counting(Protocol):
    def statistics(self) -> HubStatistics: ...


@dataclass(slots=True)
class Stage:
    """One stage: so many files moved in so much time.

    Attributes:
        name: What was done.
        files: Files it is done with.
        bytes: Bytes of these files.
        seconds: Wall time.
        requests: Requests sent, those for tokens and repeated ones included.
        connections: Connections opened for them, the others were there already; None if nobody counted.
    """

    name: str
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    connections: int | None = 0

    @property
    def mb_per_s(self) -> float | None:
        """Rate in 10**6 bytes per second; None where no bytes moved."""
        return self.bytes / _MB / self.seconds if self.bytes and self.seconds else None


@dataclass(frozen=True, slots=True)
class Resumption:
    """What came of an upload that was killed and gone on with by another process.

    Attributes:
        total_bytes: Of all contents, in the form they are sent in.
        total_parts: Requests it takes to send them.
        before_bytes: That arrived before the kill, of parts cut off by it as well.
        before_parts: Requests that brought them.
        sent_later_bytes: That the other process sent.
        sent_later_parts: Requests it sent them in.
    """

    total_bytes: int
    total_parts: int
    before_bytes: int
    before_parts: int
    sent_later_bytes: int
    sent_later_parts: int

    @property
    def saved_bytes(self) -> int:
        """Bytes that were not sent again."""
        return self.total_bytes - self.sent_later_bytes

    @property
    def saved_parts(self) -> int:
        """Parts that were not sent again."""
        return self.total_parts - self.sent_later_parts

    @property
    def sent_twice_bytes(self) -> int:
        """Bytes that arrived before the kill and were sent again all the same."""
        return self.before_bytes - self.saved_bytes

    @property
    def sent_twice_parts(self) -> int:
        """Parts of which something arrived before the kill, and that were sent again."""
        return self.before_parts - self.saved_parts


@dataclass(slots=True)
class Outcome:
    """All that is reported.

    Attributes:
        source: Where the files came from.
        stages: In order.
        refused: Empty files, which the library refused as it should.
        problems: Everything that is not as it should be.
        resumption: What came of the upload that was killed; None if there was none.
        left_out: What was not done, and what it would need; "" if everything was.
        jobs: Jobs that went from upload to an output that is right.
        tree_files: Files that came back from a tree of containers as they were.
    """

    source: str
    stages: list[Stage] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    resumption: Resumption | None = None
    left_out: str = ""
    jobs: int = 0
    tree_files: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything is as it should be."""
        return not self.problems

    @contextmanager
    def stage(self, name: str, hub: _Counting, progress: Progress, files: int, size_bytes: int) -> Iterator[Stage]:
        """Measure one stage and show how far it is.

        Args:
            name: What is done.
            hub: Whose requests and connections are counted.
            progress: Where it is shown.
            files: Files to come.
            size_bytes: Bytes to come, 0 if none are moved.
        """
        stage = Stage(name)
        before, started_s = hub.statistics(), time.perf_counter()
        with progress.showing(stage, files, size_bytes):
            yield stage
            after = hub.statistics()
            stage.seconds = time.perf_counter() - started_s
            stage.requests = after.requests - before.requests
            stage.connections = after.connections_opened - before.connections_opened
        self.stages.append(stage)


def print_report(outcome: Outcome, *, as_json: bool) -> None:
    """Write the outcome to standard output."""
    if as_json:
        print(json.dumps(_as_data(outcome), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(_table(outcome.stages))
    for name in outcome.refused:
        console.print(escape(f"{name}: refused (empty), as it should be"), soft_wrap=True)
    if outcome.resumption is not None:
        console.print(_story(outcome.resumption), soft_wrap=True)
    if outcome.jobs:
        console.print(f"{outcome.jobs} jobs ran on uploaded files; their outputs are right.", soft_wrap=True)
    if outcome.tree_files:
        console.print(f"{outcome.tree_files} files of a tree came back the same.", soft_wrap=True)
    if outcome.left_out:
        console.print(escape(outcome.left_out), soft_wrap=True)
    for problem in outcome.problems:
        console.print(escape(f"NOT RIGHT: {problem}"), style="bold red", soft_wrap=True)
    files = max((stage.files for stage in outcome.stages[:_FILE_STAGES]), default=0)
    view = " and the View" if outcome.resumption is not None else ""
    console.print(
        "Something differs." if not outcome.ok else f"All {files} files{view} came back the same, byte for byte."
    )


def _story(found: Resumption) -> str:
    return (
        f"The upload of the View was killed after {found.before_bytes / _MB:.1f} of {found.total_bytes / _MB:.1f} MB "
        f"({found.before_parts} of {found.total_parts} parts). Another process went on: {found.saved_bytes / _MB:.1f} MB "
        f"({found.saved_parts} parts) were not sent again, {found.sent_twice_bytes / _MB:.1f} MB "
        f"({found.sent_twice_parts} parts) were."
    )


def _as_data(outcome: Outcome) -> dict[str, object]:
    stages = [{**asdict(stage), "mb_per_s": stage.mb_per_s} for stage in outcome.stages]
    return {
        "ok": outcome.ok,
        "source": outcome.source,
        "stages": stages,
        "resumption": None if outcome.resumption is None else _resumption(outcome.resumption),
        "jobs": outcome.jobs,
        "tree_files": outcome.tree_files,
        "left_out": outcome.left_out,
        "refused": outcome.refused,
        "problems": outcome.problems,
    }


def _resumption(found: Resumption) -> dict[str, int]:
    derived = ("saved_bytes", "saved_parts", "sent_twice_bytes", "sent_twice_parts")
    return {**asdict(found), **{name: getattr(found, name) for name in derived}}


def _table(stages: list[Stage]) -> Table:
    table = Table("stage")
    for heading in ("files", "MB", "seconds", "MB/s", "requests", "new conns"):
        table.add_column(heading, justify="right")
    for stage in stages:
        size = f"{stage.bytes / _MB:.1f}" if stage.bytes else "-"
        rate = "-" if stage.mb_per_s is None else f"{stage.mb_per_s:.0f}"
        counts = str(stage.requests), "-" if stage.connections is None else str(stage.connections)
        table.add_row(stage.name, str(stage.files), size, f"{stage.seconds:.2f}", rate, *counts)
    return table
