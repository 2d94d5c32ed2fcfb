"""Commands about many files or things: which files are meant, all of them several at a time, failures said at the end."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from asyncclient.cli._errors import Missing, Problem, complain, exit_code, one_line, words_of
from asyncclient.cli._output import Output, progress_console, status_of
from asyncclient.errors import AsyncClientError, ConfigurationError

__all__ = ["confirm", "each", "files_of", "show_outcomes"]

T = TypeVar("T")

_AT_A_TIME: Final = 8


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Return files: those that are named, and all in folders that are named, with their subfolders.

    Hidden files in folders are left out.

    Raises:
        Missing: One of the paths does not exist.
        Problem: A folder holds no files.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
            if not inside:
                raise Problem(f"{path}: holds no files")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise Missing(f"{path}: there is no such file or folder")
    return list(found)


async def each(
    items: Iterable[T], work: Callable[[T], Awaitable[Mapping[str, Any]]], words: Callable[[T], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Do work on items, several at a time, and return a row for each, in order.

    Args:
        items: What the work is about.
        work: Returns what the row says, or fails.
        words: What the row says in any case.

    Returns:
        Rows; those that failed have ``error``, and ``kind``.

    Raises:
        ConfigurationError: It would be the same for all.
    """
    from asyncclient._map import run_map

    todo = list(items)
    with _counting(len(todo)) as count:

        async def one(item: T) -> dict[str, Any]:
            try:
                return {**words(item), **await work(item)}
            except ConfigurationError:
                raise
            except (AsyncClientError, OSError) as error:
                return {
                    **words(item),
                    "error": words_of(error),
                    "kind": type(error).__name__,
                    "exit_code": exit_code(error),
                }
            finally:
                count()

        return [row async for row in run_map(one, todo, _AT_A_TIME, ordered=True)]


@contextlib.contextmanager
def _counting(total: int) -> Iterator[Callable[[], None]]:
    console = progress_console() if total > 1 else None
    if console is None:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False) as bars:
        task = bars.add_task("", total=total)
        yield lambda: bars.advance(task)


def show_outcomes(rows: Sequence[Mapping[str, Any]], line: Callable[[Mapping[str, Any]], str], name: str) -> int:
    """Write what came of many items, failures to standard error; return the exit code.

    Args:
        rows: As :func:`each` returns them.
        line: Makes a line of a row that did not fail.
        name: The member of a row that tells it from others.

    Returns:
        0 if nothing failed; if everything did, and in the same way, the code of that; else 1.
    """
    done = [row for row in rows if "error" not in row]
    Output().result(list(rows), "\n".join(one_line(line(row)) for row in done) or None)
    for row in rows:
        if "error" in row:
            complain(f"{row[name]}: {row['error']}", kind=row["kind"], **{name: row[name]})
    codes = {row["exit_code"] for row in rows if "error" in row}
    return int(codes.pop()) if rows and not done and len(codes) == 1 else status_of(len(rows) - len(done))


def confirm(question: str, *, yes: bool) -> bool:
    """Ask before something is deleted.

    Raises:
        Problem: There is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Problem(f"{question} There is no terminal to ask; --yes says so")
    return Output().confirmed(question)
