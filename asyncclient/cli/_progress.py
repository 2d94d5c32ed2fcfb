"""How far the demo is: bars on a terminal, a line per stage elsewhere. Always on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from asyncclient.cli._report import Stage

__all__ = ["Progress", "make_progress"]


class Progress(Protocol):
    """Shows stages."""

    def __enter__(self) -> Progress: ...

    def __exit__(self, *_: object) -> None: ...

    def showing(self, stage: Stage, files: int, size_bytes: int) -> AbstractContextManager[None]:
        """Show a stage while the block runs."""
        ...

    def advance(self, stage: Stage, size_bytes: int) -> None:
        """Count one more file."""
        ...


def make_progress() -> Progress:
    """Return what suits standard error."""
    console = Console(stderr=True, highlight=False)
    return _Live(console) if console.is_terminal and not console.is_dumb_terminal else _Plain(console)


class _Plain:
    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @contextmanager
    def showing(self, stage: Stage, files: int, size_bytes: int) -> Iterator[None]:
        size = f", {size_bytes / 1e6:.1f} MB" if size_bytes else ""
        self._print(f"{stage.name}: {files} files{size} ...")
        yield
        self._print(f"{stage.name}: {stage.files} files in {stage.seconds:.2f} s")

    def advance(self, stage: Stage, size_bytes: int) -> None:
        stage.files += 1
        stage.bytes += size_bytes

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


class _Live:
    def __init__(self, console: Console) -> None:
        name, rate = TextColumn("{task.description:<22}"), TextColumn("{task.fields[size]}", justify="right")
        self._bars = Bars(name, BarColumn(), MofNCompleteColumn(), rate, TimeElapsedColumn(), console=console)
        self._task: TaskID | None = None

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    @contextmanager
    def showing(self, stage: Stage, files: int, size_bytes: int) -> Iterator[None]:
        self._task = self._bars.add_task(stage.name, total=files, size="")
        yield
        self._bars.stop_task(self._task)

    def advance(self, stage: Stage, size_bytes: int) -> None:
        stage.files += 1
        stage.bytes += size_bytes
        assert self._task is not None
        size = f"{stage.bytes / 1e6:.1f} MB" if stage.bytes else ""
        self._bars.update(self._task, completed=stage.files, size=size)
