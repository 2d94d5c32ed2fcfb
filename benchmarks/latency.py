"""How long does a small call take while transfers saturate the hub?

Twenty workers fetch 32 MiB again and again through one hub, on the bulk lane; meanwhile a small GET on the control lane
starts every 20 ms. The same small calls are measured while nothing else goes on. The design asks for a median under load
of at most three times the idle one.

    python benchmarks/latency.py [--calls N] [--streams N] [--connections N] [--server nginx|asyncio]

Prints one JSON document. Exit status 1 if the target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from _support import machine, save

from asyncclient import AsyncHub, Limits, RetryPolicy, Timeouts
from asyncclient._failure import error_of
from asyncclient._messages import Origin, Request
from asyncclient._pipeline import Pipeline, Rules

MIB: Final = 1024 * 1024
BULK_BYTES: Final = 32 * MIB
SMALL: Final = b"x" * 512
INTERVAL_S: Final = 0.02
TARGET: Final = 3.0

# -- the server, in a process of its own -------------------------------------------------------------------------------

_CONFIG: Final = """
worker_processes 2;
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    sendfile on;
    sendfile_max_chunk 256k;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder};
    }}
}}
"""


async def serve(port: int, folder: Path) -> None:
    """Answer GETs with the files of a folder; for machines without nginx."""
    files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                content = memoryview(files[head.split()[1].decode()])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(content))
                for start in range(0, len(content), 256 * 1024):
                    writer.write(content[start : start + 256 * 1024])
                    await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


@contextlib.contextmanager
def serving(kind: str) -> Iterator[Origin]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx drops its privileges where it has some
        (folder / "small").write_bytes(SMALL)
        (folder / "bulk").write_bytes(os.urandom(MIB) * (BULK_BYTES // MIB))
        command = [sys.executable, __file__, "--serve", str(port), str(folder)]
        if kind == "nginx":
            config = folder / "nginx.conf"
            config.write_text(_CONFIG.format(folder=folder, port=port), "utf-8")
            command = [_nginx() or "nginx", "-p", str(folder), "-c", str(config)]
        child = subprocess.Popen(command)
        try:
            _wait_until_listening(port, child)
            yield Origin("http", "127.0.0.1", port)
        finally:
            child.terminate()
            child.wait(10)


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # Debian: not in a user's path


def _wait_until_listening(port: int, child: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    end_s = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        if child.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError("the benchmark server did not start")
        time.sleep(0.02)


# -- the client --------------------------------------------------------------------------------------------------------


def rules() -> Rules:
    return Rules(
        service="benchmark",
        error=lambda request, answer: error_of(request, answer, now=time.time()),
        auth=None,
        auth_origins=lambda _: False,
        timeouts=Timeouts(total=None),
        policy=RetryPolicy(max_retries=0),
    )


class Transfers:
    """Workers that fetch one large file after another until they are cancelled."""

    def __init__(self, pipeline: Pipeline, origin: Origin, streams: int) -> None:
        self._pipeline = pipeline
        self._request = Request(b"GET", origin, b"/bulk", [], idempotent=True)
        self._streams = streams
        self._tasks: list[asyncio.Task[None]] = []
        self.received = 0
        self.files = 0

    async def __aenter__(self) -> Transfers:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._streams)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            size = 0
            async with await self._pipeline.stream(
                self._request, "fetch", rules(), job="transfers", size_bytes=BULK_BYTES
            ) as answer:
                while piece := await answer.read():
                    size += len(piece)
                    self.received += len(piece)
            assert size == BULK_BYTES
            self.files += 1

    async def settle(self) -> None:
        """Wait until the limit has had the time to find its level, and nobody has failed."""
        async with asyncio.timeout(300):
            while self.files < 2 * self._streams:
                await asyncio.sleep(0.1)
                for task in self._tasks:
                    if task.done():
                        task.result()


async def small_calls(pipeline: Pipeline, origin: Origin, count: int) -> list[float]:
    """Return how long each small call took, in ms."""
    request = Request(b"GET", origin, b"/small", [], idempotent=True)
    took_ms: list[float] = []
    for _ in range(count):
        begun = time.perf_counter()
        answer = await pipeline.fetch(request, "small", rules())
        took_ms.append((time.perf_counter() - begun) * 1000)
        assert answer.body == SMALL
        await asyncio.sleep(INTERVAL_S)
    return took_ms


def summary(took_ms: list[float]) -> dict[str, float]:
    ordered = sorted(took_ms)
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 3),
        "p95_ms": round(ordered[len(ordered) * 95 // 100], 3),
        "worst_ms": round(ordered[-1], 3),
    }


async def measure(origin: Origin, given: argparse.Namespace) -> dict[str, Any]:
    async with AsyncHub(limits=Limits(max_connections=given.connections)) as hub:
        pipeline = hub._opened()
        await small_calls(pipeline, origin, 20)
        idle = await small_calls(pipeline, origin, given.calls)
        async with Transfers(pipeline, origin, given.streams) as transfers:
            await transfers.settle()
            received, begun, cpu = transfers.received, time.perf_counter(), time.process_time()
            loaded = await small_calls(pipeline, origin, given.calls)
            elapsed = time.perf_counter() - begun
            rate = (transfers.received - received) / elapsed / MIB
            cpu_share = (time.process_time() - cpu) / elapsed
            limits = hub.statistics().limits
        idle_again = await small_calls(pipeline, origin, given.calls)
    quiet, busy = summary(idle + idle_again), summary(loaded)
    return {
        "idle": quiet,
        "loaded": busy,
        "ratio_p50": round(busy["p50_ms"] / quiet["p50_ms"], 2),
        "ratio_p95": round(busy["p95_ms"] / quiet["p95_ms"], 2),
        "bulk_mib_per_s": round(rate),
        "client_cpu": round(cpu_share, 2),
        "limits": list(limits.values()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server", choices=["nginx", "asyncio"], default="nginx" if _nginx() else "asyncio")
    parser.add_argument("--out", type=Path, default=Path(".benchmarks/latency.json"))
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(int(given.serve[0]), Path(given.serve[1])))
        return 0
    result: dict[str, Any] = {"machine": machine(), "server": given.server, "target_ratio_p50": TARGET}
    with serving(given.server) as origin:
        result |= asyncio.run(measure(origin, given))
    result["met"] = result["ratio_p50"] <= TARGET
    save(given.out, result)
    print(json.dumps(result, indent=2))
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
