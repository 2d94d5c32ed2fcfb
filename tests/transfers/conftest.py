"""Fixtures for the building blocks of transfers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx


@pytest.fixture(autouse=True)
def _no_blocking() -> Iterator[None]:
    """Fail when code of the package touches a disk on the event loop."""
    with blockbuster_ctx("asyncclient._transfers") as guard:
        guard.functions["os.getcwd"].deactivate() if "os.getcwd" in guard.functions else None
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where journals go."""
    return tmp_path / "journal"
