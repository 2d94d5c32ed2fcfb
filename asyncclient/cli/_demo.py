"""``asyncclient demo``: a folder of files, a View and jobs, there and back, against emulators on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asyncclient import testing
from asyncclient.cli import _demo_flywheel, _demo_sticky_pi, _demo_voxel51, _facade, _round_trip
from asyncclient.cli._errors import FAILED, OK, Problem
from asyncclient.cli._files import Item, scan
from asyncclient.cli._progress import make_progress
from asyncclient.cli._report import Outcome, print_report
from asyncclient.cli._samples import write_samples

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Request", "run_demo"]

_FACADE_FILES: Final = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        folder: The files; None makes samples.
        small: Whether few and small samples will do.
        as_json: Whether the result is printed as JSON.
    """

    folder: Path | None
    small: bool
    as_json: bool


def run_demo(request: Request) -> int:
    """Run the demo and return its exit code.

    Whatever ends it, the emulator's process and all temporary files are gone afterwards.
    """
    if importlib.util.find_spec("starlette") is None:  # before any work, and not in the words of a child process
        raise Problem("the demo needs the extra 'testing': pip install 'asyncclient[testing]'")
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asyncclient-demo-")))
        items, source = _items(request, work)
        back = work / "back"
        back.mkdir()
        server = stack.enter_context(testing.serve("las", process=True))
        progress = stack.enter_context(make_progress())
        outcome = Outcome(source)
        trip = _round_trip.Trip(back, progress, outcome)
        asyncio.run(_round_trip.run(trip, server.credentials(), items))
        _facade.run(trip, server.credentials(), _few(items))
        _move_view(trip, work, small=request.small)
        _store_images(trip, work, small=request.small)
        _demo_voxel51.run(trip, work, small=request.small)
        _demo_flywheel.run(trip, work, small=request.small)
    print_report(outcome, as_json=request.as_json)
    return OK if outcome.ok else FAILED


def _move_view(trip: _round_trip.Trip, work: Path, *, small: bool) -> None:
    if importlib.util.find_spec("numpy") is None:
        trip.outcome.left_out = "LF View was left out: it needs pip install 'asyncclient[lfview]'"
        return
    from asyncclient.cli import _demo_lfview  # needs numpy

    _demo_lfview.run(trip, work, small=small)


def _store_images(trip: _round_trip.Trip, work: Path, *, small: bool) -> None:
    if lacking := _demo_sticky_pi.missing():
        said = f"Sticky Pi was left out ({lacking} is missing): it needs pip install 'asyncclient[sticky-pi]'"
        trip.outcome.left_out = f"{trip.outcome.left_out}\n{said}".strip()
        return
    _demo_sticky_pi.run(trip, work, small=small)


def _items(request: Request, work: Path) -> tuple[list[Item], str]:
    if request.folder is not None:
        return scan(request.folder), str(request.folder)
    samples = work / "samples"
    samples.mkdir()
    write_samples(samples, small=request.small)
    return scan(samples), "samples"


def _few(items: Sequence[Item]) -> list[Item]:
    """Return a few of the items, from the smallest (which may be empty) to about the median."""
    by_size = sorted(items, key=lambda item: item.size_bytes)
    step = max(1, len(by_size) // 2 // _FACADE_FILES)
    return by_size[::step][:_FACADE_FILES]
