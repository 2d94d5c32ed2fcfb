"""Every test of the pool runs on asyncio's loop and on uvloop, and must leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient._messages import Body, Headers, Origin, Request, Response
from asyncclient._net.pool import Pool
from asyncclient.types import Timeouts

TIMEOUTS = Timeouts(connect=5.0, read=5.0, write=5.0)


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


def open_sockets() -> int:
    """Count the sockets of this process."""
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            count += str(entry.readlink()).startswith("socket:")
        except OSError:
            pass  # closed since the directory was listed
    return count


@pytest.fixture(scope="module", autouse=True)
def old_objects_apart() -> Iterator[None]:
    """Keep what other tests left from being looked at by every collection below."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_leaked_sockets() -> Iterator[None]:
    if not Path("/proc/self/fd").exists():
        yield
        return
    gc.collect()
    before = open_sockets()
    yield
    assert open_sockets() <= before, "sockets were left open"


@pytest.fixture
async def make_pool() -> AsyncIterator[Callable[..., Pool]]:
    """Make pools that are closed, and checked for leaks, after the test."""
    pools: list[Pool] = []

    def make(**options: Any) -> Pool:
        pools.append(Pool(**options))
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()
        assert pool.statistics()[1:4] == (0, 0, 0)
    for _ in range(3):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if "TestRunner" not in str(task.get_coro())]  # the test runner's own
    assert not left, "tasks were left running"


@pytest.fixture
def pool(make_pool: Callable[..., Pool]) -> Pool:
    return make_pool()


def get(origin: Origin, target: bytes = b"/", headers: Headers | None = None, *, idempotent: bool = True) -> Request:
    return Request(b"GET", origin, target, headers or [], idempotent=idempotent)


def post(
    origin: Origin, body: bytes | Body | None = None, headers: Headers | None = None, *, idempotent: bool = False
) -> Request:
    return Request(b"POST", origin, b"/", headers or [], body, idempotent=idempotent)


async def fetch(pool: Pool, request: Request, timeouts: Timeouts = TIMEOUTS) -> tuple[Response, bytes]:
    """Send a request and read the whole answer."""
    response = await pool.send(request, timeouts)
    return response, await response.read_all(1 << 30)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


CI = os.environ.get("CI") == "true"
