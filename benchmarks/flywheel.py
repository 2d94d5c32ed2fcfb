"""What does a Flywheel script cost, against the official client: to begin with, to iterate, to upload small files?

Importing the package and making a client; 10,000 projects through a finder, 250 a page; 500 files of 8 KiB as forms, one
request each. CPU of the process that does it, and wall time; every contender is a process of its own, rounds are
interleaved, what arrives is counted. The server answers the same bytes to all.

    python benchmarks/flywheel.py [--rounds 5] [--objects 10000] [--files 500] [--only NAME ...]

The official client is taken from the interpreter that ``--official`` or ``ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON`` names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httptools

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _support import machine, save, summarize

_PAGE: Final = 250
_VARIABLE: Final = "ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON"
_LEAST: Final = {"begin": 3.0, "iterate": 4.0, "upload": 5.0}
"""How many times less CPU than the official client the blocking one must need."""

_COMMON: Final = """
import json, os, sys, time
key, amount, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def used():
    times = os.times()
    return times.user + times.system
wall, cpu = time.perf_counter(), used()
"""
_REPORT: Final = """
print(json.dumps({"wall": time.perf_counter() - wall, "cpu": used() - cpu, "count": count}))
"""
_BEGIN: Final = {
    "blocking": "from asyncclient.flywheel import Client\nClient(key)\ncount = 1\n",
    "async": "from asyncclient.flywheel import AsyncClient\nAsyncClient(key)\ncount = 1\n",
    "official": "import flywheel\nflywheel.Client(key)\ncount = 1\n",
}
_WARM: Final = {
    "blocking": "client.upload_file_to_container('c', os.path.join(folder, '000000.bin'), signed=False)\n",
    "async": "from asyncclient.flywheel import Client\n"
    "Client(key).upload_file_to_container('c', os.path.join(folder, '000000.bin'), signed=False)\n",
    "official": "client.upload_file_to_container('c', os.path.join(folder, '000000.bin'), signed=False)\n",
}
"""What is loaded at the first use is no part of what a file costs."""
_AGAIN: Final = "wall, cpu = time.perf_counter(), used()\n"
_ITERATE: Final = {
    "blocking": "count = sum(1 for project in client.projects.iter() if project.label)\n",
    "async": (
        "async def run():\n"
        "    found = 0\n"
        "    async for project in client.projects.iter():\n"
        "        found += bool(project.label)\n"
        "    return found\n"
        "count = asyncio.run(run())\n"
    ),
    "official": "count = sum(1 for project in client.projects.iter() if project.label)\n",
}
_PATHS: Final = "paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))][:amount]\n"
_UPLOAD: Final = {
    "blocking": _PATHS + "count = len(client.upload_many('c', paths, signed=False))\n",
    "async": _PATHS
    + "async def run():\n    return len(await client.upload_many('c', paths, signed=False))\ncount = asyncio.run(run())\n",
    "official": _PATHS
    + "count = sum(len(client.upload_file_to_container('c', path, signed=False)) for path in paths)\n",
}
_MAKE: Final = {
    "blocking": "from asyncclient.flywheel import Client\nclient = Client(key)\nclient.get_project('p')\n",
    "async": "import asyncio\nfrom asyncclient.flywheel import AsyncClient, models\nclient = AsyncClient(key)\n",
    "official": "import flywheel\nclient = flywheel.Client(key)\nclient.get_project('p')\n",
}


def _programs() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"begin": {name: _COMMON + code + _REPORT for name, code in _BEGIN.items()}}
    for kind, codes in (("iterate", _ITERATE), ("upload", _UPLOAD)):
        found[kind] = {
            name: _COMMON + _MAKE[name] + (_WARM[name] if kind == "upload" else "") + _AGAIN + code + _REPORT
            for name, code in codes.items()
        }
    return found


class _Service(asyncio.Protocol):
    """Answers with pages of projects, with the record of a file, or with an empty object."""

    pages: dict[bytes, bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url

    def on_message_complete(self) -> None:
        self._transport.write(self._answer())  # type: ignore[attr-defined]  # a transport that writes

    def _answer(self) -> bytes:
        path, _, query = self._url.partition(b"?")
        if path == b"/api/projects":
            return self.pages.get(query.partition(b"after_id=")[2], self.pages[b"end"])
        if self._parser.get_method() == b"POST":
            return self.pages[b"file"]
        return self.pages[b"empty"]


def _http(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def _project(number: int) -> dict[str, Any]:
    return {
        "_id": f"{number:024x}",
        "label": f"project {number}",
        "group": "lab",
        "created": "2024-11-29T10:11:12.131000+00:00",
        "modified": "2024-11-29T10:11:12.131000+00:00",
        "permissions": [{"_id": "user@example.org", "role_ids": ["5f4f3a"]}],
        "tags": ["a", "b"],
        "notes": [],
        "info": {},
        "files": [],
        "parents": {"group": "lab"},
    }


def _serve(objects: int, ready: Any) -> None:
    projects = [_project(number) for number in range(1, objects + 1)]
    pages = {b"end": _http([]), b"empty": _http({}), b"file": _http([{"name": "f", "size": 8192, "file_id": "x"}])}
    for start in range(0, objects, _PAGE):
        after = f"{start:024x}".encode() if start else b""
        pages[after] = _http(projects[start : start + _PAGE])
    _Service.pages = pages

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Service, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def _service(objects: int) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(objects, theirs), daemon=True)
    process.start()
    try:
        yield f"127.0.0.1:{ours.recv()}:__force_insecure:secret"
    finally:
        process.terminate()
        process.join()


def main() -> int:
    given = _arguments()
    official = given.official or os.environ.get(_VARIABLE)
    pythons = {"blocking": sys.executable, "async": sys.executable, **({"official": official} if official else {})}
    amounts = {"begin": 1, "iterate": given.objects, "upload": given.files}
    runs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-") as folder, _service(given.objects) as key:
        for number in range(given.files):
            (Path(folder) / f"{number:06}.bin").write_bytes(bytes([number % 256]) * 8192)
        for kind, programs in _programs().items():
            if not given.only or kind in given.only:
                runs[kind] = _measured(programs, pythons, [key, str(amounts[kind]), folder], given.rounds)
    save(given.output, {"machine": machine(), "runs": runs})
    return _show(runs)


def _measured(programs: dict[str, str], pythons: dict[str, str], arguments: list[str], rounds: int) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    for turn in range(rounds + 1):  # the first fills caches
        for name, python in pythons.items():
            command = [python, "-W", "ignore", "-c", programs[name], *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            result = json.loads(done.stdout)
            if result["count"] != int(arguments[1]):
                raise RuntimeError(f"{name} did {result['count']} of {arguments[1]}")
            if turn:
                found[name].append(result)
    return {
        name: {key: summarize([r[key] for r in results]) for key in ("cpu", "wall")} for name, results in found.items()
    }


def _show(runs: dict[str, Any]) -> int:
    missed = 0
    for kind, results in runs.items():
        print(f"\n{kind}")
        for name, result in results.items():
            cpu, wall = result["cpu"], result["wall"]
            line = f"  {name:10} cpu {cpu['median']:7.3f} s  wall {wall['median']:7.3f} s"
            if name != "official" and "official" in results:
                ratio = results["official"]["cpu"]["median"] / cpu["median"]
                line += f"  {ratio:5.1f} times less CPU (at least {_LEAST[kind]:g})"
                missed += ratio < _LEAST[kind]
            print(line)
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--official", help="an interpreter with flywheel-sdk")
    parser.add_argument("--only", nargs="+", choices=["begin", "iterate", "upload"])
    parser.add_argument("--output", type=Path, default=Path(".benchmarks") / "flywheel.json")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
