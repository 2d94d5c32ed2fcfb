"""``asyncclient demo``: all services at the same time, through one hub, against servers on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import platform
import shutil
import tempfile
import threading
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import AsyncHub, testing
from asyncclient._version import __version__
from asyncclient.cli import _demo_flywheel, _demo_sticky_pi, _facade
from asyncclient.cli._counts import counted
from asyncclient.cli._demo_amounts import AMOUNTS, Amounts
from asyncclient.cli._demo_data import data_of
from asyncclient.cli._demo_hub import make_hub
from asyncclient.cli._demo_las import Documents
from asyncclient.cli._demo_live import Shown, make_display
from asyncclient.cli._demo_record import Part, Run
from asyncclient.cli._demo_report import print_report
from asyncclient.cli._demo_run import perform
from asyncclient.cli._demo_servers import ChildServer, Served, started
from asyncclient.cli._demo_voxel51 import Clip, Jobs, make_clips
from asyncclient.cli._demo_work import Work
from asyncclient.cli._errors import FAILED, OK, Problem
from asyncclient.cli._files import Item, scan
from asyncclient.cli._loop import run_async
from asyncclient.cli._samples import write_samples
from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from asyncclient.cli._demo_flywheel import Scan

__all__ = ["Request", "run_demo"]

_TITLES: Final = {
    "las": "Lucidtech",
    "lfview": "LF View",
    "voxel51": "Voxel51",
    "sticky_pi": "Sticky Pi",
    "flywheel": "Flywheel",
}
_FACADE_FILES: Final = 5
_STATE: Final = "ASYNCCLIENT_STATE_DIR"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for.

    Attributes:
        folder: Files for las; None makes samples.
        size: How much is moved: ``small``, ``normal`` or ``large``.
        page: Where the page is written, or None.
    """

    folder: Path | None = None
    size: str = "normal"
    page: Path | None = None


@dataclass(slots=True)
class _Material:
    """The files that are moved, and where there is room for others.

    Attributes:
        work: Folder for everything; it is gone at the end.
        amounts: How much of everything.
        source: Where the files for las came from.
        items: These files.
        clips: For Voxel51.
        scans: For Flywheel.
        images: For Sticky Pi.
    """

    work: Path
    amounts: Amounts
    source: str = "samples"
    items: Sequence[Item] = ()
    clips: Sequence[Clip] = ()
    scans: Sequence[Scan] = ()
    images: Sequence[Path] = field(default_factory=list)

    def folder(self, name: str) -> Path:
        """Make a folder."""
        found = self.work / name
        found.mkdir()
        return found


def run_demo(request: Request) -> int:
    """Run the demo and return its exit code.

    Whatever ends it, the processes of the servers and all temporary files are gone afterwards.

    Raises:
        Problem: It cannot be done; nothing was started.
    """
    if importlib.util.find_spec("starlette") is None:  # before any work, and not in the words of a child process
        raise Problem("the demo needs the extra 'testing': pip install 'asyncclient[testing]'")
    given = None if request.folder is None else scan(request.folder)
    _check_page(request.page)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="asyncclient-demo-")))
        _check_room(work, AMOUNTS[request.size].disk_bytes + 3 * sum(item.size_bytes for item in given or ()))
        stack.enter_context(_surroundings(work))
        run = _performed(stack, request, _Material(work, AMOUNTS[request.size]), given)
    data = data_of(run)
    if request.page is not None:
        _write_page(request.page, data, run)
    print_report(data, as_json=settings().as_json)
    return OK if run.ok else FAILED


def _performed(stack: ExitStack, request: Request, material: _Material, given: list[Item] | None) -> Run:
    """Start the servers, make the samples meanwhile, and do all the work."""
    source = "samples" if request.folder is None else str(request.folder)
    run = Run(source, [Part(*pair) for pair in _TITLES.items()], _machine())
    for part in run.parts:
        part.left_out = _lacking(part.name)
        part.ended = bool(part.left_out)
    names = [part.name for part in run.parts if not part.left_out]
    servers = _servers(names, material)
    display = stack.enter_context(make_display())
    serving = stack.enter_context(started(servers))
    display.say(f"{len(names)} servers are started, and samples are made ...")
    run_async(lambda: _prepare_and_perform(run, servers, material, given, serving, display))
    _facade.run(run.parts[0], servers["las"].credentials(), _few(material.items), material.work)
    return run


async def _prepare_and_perform(
    run: Run,
    servers: Mapping[str, Served],
    material: _Material,
    given: list[Item] | None,
    serving: Callable[[], None],
    display: Shown,
) -> None:
    stop = threading.Event()
    try:
        await asyncio.to_thread(_make, material, servers, given, stop)
        await asyncio.to_thread(serving)
    finally:
        stop.set()  # threads cannot be cancelled
    await _perform(run, servers, material, display)


async def _perform(run: Run, servers: Mapping[str, Served], material: _Material, display: Shown) -> None:
    parts = {part.name: part for part in run.parts if part.name in servers}
    async with make_hub({servers[name].url: part.traffic for name, part in parts.items()}) as hub:
        works = [_MAKERS[name](run, part, hub, servers[name], material) for name, part in parts.items()]
        await perform(run, hub, works, display, material.amounts.idle_s)


# --- what is done, by service ------------------------------------------------------------------------------------------


def _lacking(name: str) -> str:
    """Return what has to be installed for a service to take part; "" if nothing has."""
    if name == "lfview" and importlib.util.find_spec("numpy") is None:
        return "it needs pip install 'asyncclient[lfview]'"
    if name == "sticky_pi" and (lacking := _demo_sticky_pi.missing()):
        return f"it needs pip install 'asyncclient[sticky-pi]' ({lacking} is missing)"
    return ""


def _servers(names: Sequence[str], material: _Material) -> dict[str, Served]:
    amounts = material.amounts
    options: dict[str, dict[str, Any]] = {
        "flywheel": {"part_bytes": max(1, amounts.large_bytes // _demo_flywheel.PARTS)}
    }
    found: dict[str, Served] = {}
    for name in names:
        if name == "lfview":
            found[name] = ChildServer(name, {})
        elif name == "sticky_pi":
            found[name] = ChildServer(name, _demo_sticky_pi.configuration(material.folder("server")))
        else:
            found[name] = testing.serve(name, process=True, **options.get(name, {}))
    return found


class _Stopped(Exception):
    """Nobody waits for the samples any more."""


def _make(material: _Material, names: Container[str], given: list[Item] | None, stop: threading.Event) -> None:
    """Write the samples, unless it is told to stop; blocks."""

    def check() -> None:
        if stop.is_set():
            raise _Stopped

    amounts = material.amounts
    if given is None:
        folder = material.folder("samples")
        write_samples(folder, amounts.documents, check)
        given = scan(folder)
    material.items = given
    material.clips = make_clips(material.folder("clips"), amounts.clips, amounts.clip_bytes, check)
    small, large = (amounts.scans, amounts.scan_bytes), (amounts.large_scans, amounts.large_bytes)
    material.scans = _demo_flywheel.make_scans(material.folder("scans"), small, large, check)
    if "sticky_pi" in names:
        pictures = amounts.pictures, amounts.picture_size
        material.images = _demo_sticky_pi.make_images(material.folder("traps"), *pictures, check)


def _documents(run: Run, part: Part, hub: AsyncHub, server: Served, material: _Material) -> Work:
    return Documents(part, hub, server.credentials(), material.items, material.folder("las"))


def _view(run: Run, part: Part, hub: AsyncHub, server: Any, material: _Material) -> Work:
    from asyncclient.cli._demo_lfview import KilledView  # needs numpy

    return KilledView(run, part, hub, server, material.amounts)


def _jobs(run: Run, part: Part, hub: AsyncHub, server: Served, material: _Material) -> Work:
    return Jobs(part, hub, server.credentials(), material.clips, material.folder("voxel51"))


def _traps(run: Run, part: Part, hub: AsyncHub, server: Served, material: _Material) -> Work:
    return _demo_sticky_pi.Traps(part, hub, server.credentials(), material.images, material.folder("sticky-pi"))


def _tree(run: Run, part: Part, hub: AsyncHub, server: Served, material: _Material) -> Work:
    return _demo_flywheel.Tree(part, hub, server.credentials(), material.scans, material.folder("flywheel"))


_MAKERS: Final[Mapping[str, Callable[[Run, Part, AsyncHub, Any, _Material], Work]]] = {
    "las": _documents,
    "lfview": _view,
    "voxel51": _jobs,
    "sticky_pi": _traps,
    "flywheel": _tree,
}


def _few(items: Sequence[Item]) -> list[Item]:
    """Return a few of the items, from the smallest (which may be empty) to about the median."""
    by_size = sorted(items, key=lambda item: item.size_bytes)
    step = max(1, len(by_size) // 2 // _FACADE_FILES)
    return by_size[::step][:_FACADE_FILES]


def _machine() -> str:
    processors = counted(os.cpu_count() or 1, "processor")
    return f"asyncclient {__version__}, Python {platform.python_version()}, {platform.system()}, {processors}"


# --- surroundings ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _surroundings(work: Path) -> Iterator[None]:
    """Keep journals in a folder, also those of child processes, and log lines off the terminal."""
    before = os.environ.get(_STATE)
    os.environ[_STATE] = str(work / "state")
    logger, quiet = logging.getLogger("asyncclient"), logging.NullHandler()
    logger.addHandler(quiet)
    try:
        yield
    finally:
        logger.removeHandler(quiet)
        if before is None:
            del os.environ[_STATE]
        else:
            os.environ[_STATE] = before


def _check_page(path: Path | None) -> None:
    """Find out before anything is started whether the page can be written.

    Raises:
        Problem: It cannot.
    """
    if path is None:
        return
    if path.is_dir():
        raise Problem(f"{path}: is a folder; name a file for the report")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise Problem(f"{path}: the report cannot be written there: {error.strerror}") from error
    os.close(descriptor)
    Path(name).unlink()


def _check_room(folder: Path, needed_bytes: int) -> None:
    """Find out whether the temporary files will fit.

    Raises:
        Problem: They will not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise Problem(
            f"{folder.parent}: {free / 1e6:.0f} MB are free, the demo may need {needed_bytes / 1e6:.0f} MB; set TMPDIR to "
            "another folder, or use --size small"
        )


def _write_page(path: Path, data: Mapping[str, Any], run: Run) -> None:
    from asyncclient.cli._demo_page import page
    from asyncclient.cli._page import write_page

    write_page(path, page(data, run))
