"""Fixtures for all tests."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

import pytest

# Shells start what runs in the background with SIGINT ignored, and children of the tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """Give this process and its children temporary files of their own: some tests look what is left there."""
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # where tmp_path is, for a look afterwards
    folder = tempfile.mkdtemp(prefix="asyncclient-tests-")
    Path(folder).chmod(0o1777)  # databases run as users of their own
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    # After multiprocessing has removed its own, which lie within.
    Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-200)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
