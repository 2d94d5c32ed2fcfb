"""How long does a small call take while transfers saturate the hub?

Twenty workers fetch 32 MiB again and again through one hub, on the bulk lane; meanwhile a small GET on the control lane
starts every 20 ms. The same small calls are measured while nothing else goes on, before and after, in every round.

    python benchmarks/latency.py [--rounds 3] [--calls N] [--streams N] [--connections N] [--output FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Row, Series, compare, pick, series
from _servers import _free_port, _nginx, _wait_until_listening
from _support import Recording, print_rows

from asyncclient import AsyncHub, Limits, RetryPolicy, Timeouts
from asyncclient._failure import error_of
from asyncclient._messages import Origin, Request
from asyncclient._pipeline import Pipeline, Rules

MIB: Final = 1024 * 1024
BULK_BYTES: Final = 32 * MIB
SMALL: Final = b"x" * 512
INTERVAL_S: Final = 0.02
FULL: Final = 20
"""The streams that the target is about."""
PERCENTILES: Final = (50, 75, 90, 95, 99)
IDLE, LOADED = "idle", "while transfers saturate"

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
    port = _free_port()
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


def percentile(took_ms: list[float], percent: int) -> float:
    """Return the time that so many percent of the calls did not exceed."""
    ordered = sorted(took_ms)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


async def one_round(origin: Origin, given: argparse.Namespace) -> dict[str, Any]:
    """Measure idle, loaded and idle again, through a hub of its own."""
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
        idle += await small_calls(pipeline, origin, given.calls)
    bulk = {"mib_per_s": round(rate), "client_cpu": round(cpu_share, 2), "limits": list(limits.values())}
    return {IDLE: idle, LOADED: loaded, "bulk": bulk}


def series_of(rounds: list[dict[str, Any]]) -> list[Series]:
    return [
        series(f"p{percent}", name, "wall", "ms", [percentile(each[name], percent) for each in rounds])
        for percent in PERCENTILES
        for name in (LOADED, IDLE)
    ]


def rows_of(found: list[Series], streams: int) -> list[Row]:
    loaded, idle = (pick(found, "p50", name, "wall") for name in (LOADED, IDLE))
    assert loaded is not None
    assert idle is not None
    return [compare("latency.p50", loaded, idle, "" if streams >= FULL else f"{streams} streams")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=200, help="in each part of a round")
    parser.add_argument("--streams", type=int, default=FULL)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--server", choices=["nginx", "asyncio"], default="nginx" if _nginx() else "asyncio")
    parser.add_argument("--output", type=Path, default=Path(".benchmarks/latency.json"))
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(int(given.serve[0]), Path(given.serve[1])))
        return 0
    recording = Recording("latency", given)
    with serving(given.server) as origin:
        rounds = [asyncio.run(one_round(origin, given)) for _ in range(given.rounds)]
    found = series_of(rounds)
    result = recording.save(found, rows_of(found, given.streams), bulk=[each["bulk"] for each in rounds])
    for each in result.series:
        print(f"{each.group}  {each.name:26} {each.median:8.2f} ms  ({each.low:.2f} to {each.high:.2f})")
    print_rows(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
