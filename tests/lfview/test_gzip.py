"""Compression: one gzip stream, only where it is smaller, in memory that does not grow with the array."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import numpy as np
import pytest

from asyncclient.lfview import _gzip
from asyncclient.lfview._gzip import KEPT_BYTES, SMALL_BYTES, Packed, pack, pack_small

pytestmark = pytest.mark.anyio

RNG = np.random.default_rng(1)


def content_of(packed: Packed) -> bytes:
    return packed.content if isinstance(packed.content, bytes) else packed.content.read()


def check(packed: Packed | None, raw: bytes) -> None:
    assert packed is not None
    found = content_of(packed)
    packed.close()
    assert len(found) == packed.length < len(raw)
    engine = zlib.decompressobj(31)
    assert engine.decompress(found) == raw
    assert engine.eof
    assert not engine.unused_data, "browsers read only the first member"


@pytest.mark.parametrize("size", [1, 100, SMALL_BYTES, SMALL_BYTES + 1, 1 << 20, (1 << 20) + 1, 5_000_000])
async def test_zeros(size: int) -> None:
    raw = bytes(size)
    packed = await pack(memoryview(raw))
    if size == 1:
        assert packed is None
    else:
        check(packed, raw)


async def test_floats_beyond_memory_go_to_a_file() -> None:
    raw = np.cumsum(RNG.integers(0, 9, size=3_000_000)).astype("<f8").tobytes()
    packed = await pack(memoryview(raw))
    assert packed is not None
    assert packed.length > KEPT_BYTES
    assert not isinstance(packed.content, bytes)
    check(packed, raw)


@pytest.mark.parametrize("size", [SMALL_BYTES - 1, 1_000_000, 6_000_000])
async def test_noise_is_left_alone(size: int) -> None:
    assert await pack(memoryview(RNG.bytes(size))) is None


@pytest.mark.parametrize("size", [SMALL_BYTES + 5, 6_000_000])
async def test_a_sample_that_promises_too_much(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(_gzip, "_worth_while", lambda raw: True)
    assert await pack(memoryview(RNG.bytes(size))) is None


async def test_same_content_same_bytes() -> None:
    raw = memoryview(np.arange(500_000, dtype="<i4").tobytes())
    first, second = await pack(raw), await pack(raw)
    assert first is not None
    assert second is not None
    assert first.content == second.content


async def test_the_smaller_one_to_the_byte() -> None:
    raw = np.array([0.0, 10.0, 20.0]).tobytes()
    assert len(zlib.compress(raw, 9, 31)) >= len(raw)
    assert pack_small(memoryview(raw)) is None


@pytest.mark.parametrize("kind", ["asyncio", "anyio"])
async def test_cancelling_waits_for_the_threads(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    raw = bytearray(32 * 1024 * 1024)
    begun = threading.Event()
    release = threading.Event()
    calls: list[str] = []

    def slow(block: memoryview) -> bytes:
        calls.append("begin")
        begun.set()
        release.wait(30)
        calls.append("end")
        return b"x"

    monkeypatch.setattr(_gzip, "_worth_while", lambda raw: True)
    monkeypatch.setattr(_gzip, "_deflate", slow)

    async def run() -> None:
        try:
            await pack(memoryview(raw))
        finally:
            assert release.is_set()
            assert calls.count("begin") == calls.count("end") > 0

    await cancelled_meanwhile(run, kind, begun, release)
    seen = len(calls)
    await asyncio.to_thread(lambda: None)  # the loop holds the task that woke this one until its next turn
    assert len(calls) == seen
    gc.collect()  # tracebacks hold frames, and those the array
    raw.clear()  # BufferError while somebody looks at it


async def cancelled_meanwhile(
    run: Callable[[], Coroutine[Any, Any, None]], kind: str, begun: threading.Event, release: threading.Event
) -> None:
    """Cancel while a thread works, several times over, and let the thread end only after that."""
    if kind == "asyncio":
        task = asyncio.create_task(run())
        await asyncio.to_thread(begun.wait, 30)
        for _ in range(5):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return
    async with anyio.create_task_group() as group:
        group.start_soon(run)
        await asyncio.to_thread(begun.wait, 30)
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await asyncio.sleep(0)
        release.set()


async def test_a_full_disk_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_gzip.tempfile, "TemporaryFile", full)
    raw = np.cumsum(RNG.integers(0, 9, size=3_000_000)).astype("<f8").tobytes()
    with pytest.raises(OSError, match="No space"):
        await pack(memoryview(raw))


def test_without_the_fast_library() -> None:
    code = """
import sys, zlib, asyncio, gzip
sys.modules["isal"] = None
from asyncclient.lfview import _gzip
assert _gzip.fast is zlib
raw = bytes(range(256)) * 10_000
packed = asyncio.run(_gzip.pack(memoryview(raw)))
assert gzip.decompress(packed.content) == raw
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
