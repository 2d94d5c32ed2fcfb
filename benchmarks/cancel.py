"""After a hundred thousand cancelled requests, is anything lost?

Forty workers share ten connections. The server answers after 0 to 5 ms, at once or in pieces; nine of ten requests are
given up after 0 to 15 ms, while they wait for a slot, connect, write, wait for the head or read the body. Lost is a slot
or connection that still counts as in use, a socket either side still holds, or a task that still runs. First through the
pool alone, then through a whole hub.

    python benchmarks/cancel.py [--requests N] [--through pool hub] [--loop asyncio|uvloop] [--output FILE]

Exit status 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Row, Series, measured, series
from _support import Recording, print_rows

from asyncclient import AsyncHub
from asyncclient._messages import Origin, Request
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient._pipeline import Rules
from asyncclient.errors import APIError
from asyncclient.types import Limits, RetryPolicy, Timeouts

FULL = 100_000
"""The cancellations that the target is about."""
WORKERS = 40
CONNECTIONS = 10
SERVER_DELAY_S = 0.005
PATIENCE_S = 0.015
PATIENT = 0.1

TIMEOUTS = Timeouts(connect=30.0, read=30.0, write=30.0)

# -- the server, in a process of its own -------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"


class Server(asyncio.Protocol):
    """Answers late, and sometimes in two pieces; ``/open`` is the number of connections."""

    connections = 0
    rng = random.Random(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Server.connections += 1
        self.transport: Any = transport
        self.expected = -1
        self.data = b""

    def connection_lost(self, exc: Exception | None) -> None:
        Server.connections -= 1

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        if not end:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line[15:])
        if len(body) < length:
            return
        self.data = b""
        if head.startswith(b"GET /open "):
            text = b"%d" % Server.connections
            self.transport.write(HEAD % len(text) + text)
            return
        asyncio.get_running_loop().call_later(self.rng.uniform(0, SERVER_DELAY_S), self.answer)

    def answer(self) -> None:
        answer = HEAD % 300 + b"x" * 300
        cut = len(answer) if self.rng.random() < 0.5 else self.rng.randrange(1, len(answer))
        self.transport.write(answer[:cut])
        if cut < len(answer):
            delay_s = self.rng.uniform(0, SERVER_DELAY_S)
            asyncio.get_running_loop().call_later(delay_s, self.transport.write, answer[cut:])


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until the parent goes
    server.close()


@contextlib.contextmanager
def server_process() -> Iterator[Origin]:
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Origin("http", "127.0.0.1", int(process.stdout.readline()))
        process.communicate()


# -- the client --------------------------------------------------------------------------------------------------------

Fetch = Callable[[Request], Awaitable[bytes]]


@contextlib.asynccontextmanager
async def through_pool() -> AsyncIterator[tuple[Fetch, Callable[[], dict[str, int]]]]:
    """The pool alone, behind a semaphore: it never queues."""
    pool = Pool(max_connections=CONNECTIONS)
    slots = asyncio.Semaphore(CONNECTIONS)

    async def fetch(request: Request) -> bytes:
        async with slots:
            response = await pool.send(request, TIMEOUTS)
            return await response.read_all(1 << 20)

    yield fetch, lambda: {"active": pool.statistics().active, "open": pool.statistics().open, "slots": slots._value}
    await pool.aclose()


@contextlib.asynccontextmanager
async def through_hub() -> AsyncIterator[tuple[Fetch, Callable[[], dict[str, int]]]]:
    """Everything a client of a service uses: scheduler, pipeline, deadline, pool."""
    async with AsyncHub(limits=Limits(max_connections=CONNECTIONS, control_reserve=0)) as hub:
        rules = Rules(
            service="bench",
            error=lambda request, answer: APIError(status=answer.status),
            auth=None,
            auth_origins=lambda origin: False,
            timeouts=Timeouts(),
            policy=RetryPolicy(max_retries=0),
        )

        async def fetch(request: Request) -> bytes:
            return (await hub._opened().fetch(request, "bench", rules)).body

        def state() -> dict[str, int]:
            now = hub.statistics()
            active = now.connections_open - now.connections_idle
            return {"open": now.connections_open, "active": active, "slots": CONNECTIONS - now.in_flight}

        yield fetch, state


THROUGH = {"pool": through_pool, "hub": through_hub}


async def pieces() -> AsyncIterator[bytes]:
    for piece in (b"ab", b"cd", b"ef"):
        await asyncio.sleep(0)
        yield piece


def some_request(rng: random.Random, origin: Origin) -> Request:
    kind = rng.random()
    if kind < 0.6:
        return Request(b"GET", origin, b"/", [], idempotent=True)
    body = bytes(rng.randrange(100_000)) if kind < 0.8 else IterBody(pieces(), 6)
    return Request(b"POST", origin, b"/", [], body)


async def one(fetch: Fetch, request: Request, patience_s: float) -> str:
    task = asyncio.ensure_future(fetch(request))
    await asyncio.wait([task], timeout=patience_s)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "done" if error is None else f"failed: {error!r}"


def sockets() -> int:
    """Count the sockets of this process; 0 where the system does not tell."""
    count = 0
    with contextlib.suppress(FileNotFoundError):
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # closed since the directory was listed
                count += str(entry.readlink()).startswith("socket:")
    return count


async def churn(fetch: Fetch, origin: Origin, cancellations: int, rng: random.Random) -> Counter[str]:
    """Go on until that many requests were cancelled."""
    outcomes: Counter[str] = Counter()

    async def worker() -> None:
        while outcomes["cancelled"] < cancellations:
            patience_s = 60.0 if rng.random() < PATIENT else rng.uniform(0, PATIENCE_S)
            outcomes[await one(fetch, some_request(rng, origin), patience_s)] += 1

    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return outcomes


async def measure(through: str, origin: Origin, cancellations: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    before, tasks = sockets(), asyncio.all_tasks()
    began, cpu = time.perf_counter(), time.process_time()
    async with THROUGH[through]() as (fetch, state):
        warm_up = await churn(fetch, origin, cancellations // 20, rng)
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcomes = warm_up + await churn(fetch, origin, cancellations - cancellations // 20, rng)
        wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        after = state()
        get = Request(b"GET", origin, b"/", [], idempotent=True)
        for _ in range(3):
            await asyncio.wait_for(asyncio.gather(*(fetch(get) for _ in range(CONNECTIONS))), 30)
        await asyncio.sleep(0.5)
        ours, theirs = state()["open"], int(await fetch(Request(b"GET", origin, b"/open", [], idempotent=True)))
        local = sockets() - before
    await asyncio.sleep(0.1)
    left = asyncio.all_tasks() - tasks
    lost = {
        "connections in use": after["active"],
        "slots": CONNECTIONS - after["slots"],
        "sockets of the client": local - ours,
        "sockets of the server": theirs - ours,
        "sockets after closing": sockets() - before,
        "tasks": len(left),
        "failed requests": sum(count for name, count in outcomes.items() if name.startswith("failed")),
    }
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rss
    return {
        "outcomes": dict(outcomes),
        "lost": lost,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
        "memory_growth_kib": growth,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=FULL, help="cancellations to reach (default: 100000)")
    parser.add_argument("--through", nargs="+", choices=list(THROUGH), default=list(THROUGH))
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(".benchmarks") / "cancel.json")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return 0
    factory = None
    if options.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    recording, results = Recording("cancel", options), {}
    for through in options.through:
        with server_process() as origin, asyncio.Runner(loop_factory=factory) as runner:
            results[through] = runner.run(measure(through, origin, options.requests, options.seed))
        show(through, results[through])
    found = [each for through, result in results.items() for each in series_of(through, result)]
    result = recording.save(found, rows_of(found, options.requests), through=results)
    print_rows(result)
    return 0 if all(row.met for row in result.rows) else 1


def series_of(through: str, result: dict[str, Any]) -> Iterator[Series]:
    yield series(through, "asyncclient", "count", "lost", [sum(map(abs, result["lost"].values()))])
    yield series(through, "asyncclient", "CPU", "s", [result["cpu_s"]])
    yield series(through, "asyncclient", "wall", "s", [result["wall_s"]])
    yield series(through, "asyncclient", "memory", "MiB", [result["memory_growth_kib"] / 1024])


def rows_of(found: list[Series], requests: int) -> list[Row]:
    note = "" if requests >= FULL else f"{requests:,} cancelled"
    return [measured(f"cancel.{each.group}", each, note) for each in found if each.measure == "count"]


def show(through: str, result: dict[str, Any]) -> None:
    print(json.dumps({"through": through, **result}, indent=2))
    lost = {name: count for name, count in result["lost"].items() if count}
    cancelled = result["outcomes"]["cancelled"]
    print(f"{through}: {cancelled} cancelled in {result['wall_s']} s: " + (f"LOST {lost}" if lost else "nothing lost"))


if __name__ == "__main__":
    sys.exit(main())
