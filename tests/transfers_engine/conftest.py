"""Fixtures for the transfer engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from asyncclient._pipeline import Pipeline
from tests.support.storage_server import StorageServer
from tests.transfers_engine import support


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


@pytest.fixture
async def server() -> AsyncIterator[StorageServer]:
    async with StorageServer() as found:
        yield found


@pytest.fixture
async def pipeline() -> AsyncIterator[Pipeline]:
    async with support.pipeline() as found:
        yield found
