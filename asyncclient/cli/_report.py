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

__all__ = ["Outcome", "Stage", "print_report"]

_MB = 1e6


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
        connections: Connections opened for them; the others were there already.
    """

    name: str
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    connections: int = 0

    @property
    def mb_per_s(self) -> float | None:
        """Rate in 10**6 bytes per second; None where no bytes moved."""
        return self.bytes / _MB / self.seconds if self.bytes and self.seconds else None


@dataclass(slots=True)
class Outcome:
    """All that is reported.

    Attributes:
        source: Where the files came from.
        stages: In order.
        refused: Empty files, which the library refused as it should.
        problems: Everything that is not as it should be.
    """

    source: str
    stages: list[Stage] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

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
    for problem in outcome.problems:
        console.print(escape(f"NOT RIGHT: {problem}"), style="bold red", soft_wrap=True)
    files = max((stage.files for stage in outcome.stages), default=0)
    console.print("Something differs." if not outcome.ok else f"All {files} files came back the same, byte for byte.")


def _as_data(outcome: Outcome) -> dict[str, object]:
    stages = [{**asdict(stage), "mb_per_s": stage.mb_per_s} for stage in outcome.stages]
    return {
        "ok": outcome.ok,
        "source": outcome.source,
        "stages": stages,
        "refused": outcome.refused,
        "problems": outcome.problems,
    }


def _table(stages: list[Stage]) -> Table:
    table = Table("stage")
    for heading in ("files", "MB", "seconds", "MB/s", "requests", "new conns"):
        table.add_column(heading, justify="right")
    for stage in stages:
        size = f"{stage.bytes / _MB:.1f}" if stage.bytes else "-"
        rate = "-" if stage.mb_per_s is None else f"{stage.mb_per_s:.0f}"
        counts = str(stage.requests), str(stage.connections)
        table.add_row(stage.name, str(stage.files), size, f"{stage.seconds:.2f}", rate, *counts)
    return table
