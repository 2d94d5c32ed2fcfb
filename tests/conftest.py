"""Fixtures for all tests."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, not of the package.
settings.register_profile("asyncclient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("asyncclient")

# Shells start what runs in the background with SIGINT ignored, and children of the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


_SHARED_MEMORY = Path("/dev/shm")  # chosen with care
_PLENTY_BYTES = 8 << 30


def _temporary_root() -> str:
    """Return the folder of temporary files: in memory where there is plenty of it, unless ``TMPDIR`` says where.

    Some disks take most of a millisecond for a new file, and a run makes very many.
    """
    if "TMPDIR" not in os.environ and os.access(_SHARED_MEMORY, os.W_OK):
        found = os.statvfs(_SHARED_MEMORY)
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free_bytes = min(found.f_bavail * found.f_frsize, int(lines["MemAvailable"].split()[0]) * 1024)
        if free_bytes >= _PLENTY_BYTES and not found.f_flag & os.ST_NOEXEC:
            return str(_SHARED_MEMORY)
    return tempfile.gettempdir()


_MEASURED = {"cli", "sticky_pi_server", "sync", "transfers"}
"""Folders whose children are measured: signals, forks, exits and servers. To measure a process doubles what it takes."""
_coverage: dict[str, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Give this process and its children temporary files of their own: some tests look what is left there."""
    if hasattr(config, "workerinput") or not config.getoption(
        "numprocesses", None
    ):  # by these variables workers are measured
        _coverage.update({name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")})
    root = _temporary_root()
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", root)  # where tmp_path is, for a look afterwards
    folder = tempfile.mkdtemp(prefix="asyncclient-tests-", dir=root)
    Path(folder).chmod(0o1777)  # databases run as users of their own
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    # After multiprocessing has removed its own, which lie within.
    Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-200)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long: at the end the other processes would wait for them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def children_measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measure the children of some tests."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.parent.name in _MEASURED and not request.path.name.startswith("test_demo"):
            for name, value in _coverage.items():
                patch.setenv(name, value)
        yield


@pytest.fixture(scope="module", autouse=True)
def loop_thread_left_clean() -> Iterator[None]:
    """Close the process-wide loop thread after each file, and fail there if a connection lay open in it."""
    yield
    module = sys.modules.get("asyncclient._sync.portal")
    if module is None or module._process.portal is None:
        return
    found: list[str] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda args: found.append(f"{args.exc_value!r} {args.object!r}")
    try:
        module._process.portal.close()
        gc.collect()
    finally:
        sys.unraisablehook = hook
    assert found == []
