"""What does a Flywheel script cost, against the official client: to begin with, to iterate, to upload?

Importing the package and making a client; 10,000 projects through a finder, 250 a page; 500 files of 8 KiB as forms, one
request each; one file of 1 GiB by signed URLs, 32 MiB each. CPU of the process that does it, and wall time; every
contender is a process of its own, rounds are interleaved. The server is the same process for all, and answers the same;
what arrives is counted, and of the large file every part is compared with what was sent.

CPU is that of the whole process, from its start to its end, less that of an interpreter that does nothing; of iterating
and uploading only what comes after a first use, so that no import is in it. Both sides run from bytecode that the first
round, which does not count, has compiled. The blocking client uploads small files with ``upload_many``; the official
one has nothing of the kind, and does what its users do, one after the other.

    python benchmarks/flywheel.py [--rounds 5] [--objects 10000] [--files 500] [--mib 1024] [--only NAME ...]

The official client is taken from the interpreter that ``--official`` or ``ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON`` names.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _flywheel_site import Site, site
from _results import Row, Series, compare_all, series
from _support import Recording, print_rows

_VARIABLE: Final = "ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON"
_MIB: Final = 1024 * 1024
_FULL: Final = {"begin": 1, "iterate": 10_000, "upload": 500, "large": 1024}
"""How much of each kind the targets are about."""

_COMMON: Final = """
import json, os, sys, time
key, amount, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
wall, cpu = time.perf_counter(), time.process_time()
"""
_REPORT: Final = """
print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "count": count}))
"""
_BEGIN: Final = {
    "blocking": "from asyncclient.flywheel import Client\nClient(key)\ncount = 1\n",
    "async": "from asyncclient.flywheel import AsyncClient\nAsyncClient(key)\ncount = 1\n",
    "official": "import flywheel\nflywheel.Client(key)\ncount = 1\n",
}
_WARM: Final = {
    "blocking": "client.upload_file_to_container('c', os.path.join(folder, 'small', '000000.bin'), signed=False)\n",
    "async": "from asyncclient.flywheel import Client\n"
    "Client(key).upload_file_to_container('c', os.path.join(folder, 'small', '000000.bin'), signed=False)\n",
    "official": "client.upload_file_to_container('c', os.path.join(folder, 'small', '000000.bin'), signed=False)\n",
}
"""What is loaded at the first use is no part of what a file costs."""
_AGAIN: Final = "wall, cpu = time.perf_counter(), time.process_time()\n"
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
_PATHS: Final = (
    "folder = os.path.join(folder, 'small')\n"
    "paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))][:amount]\n"
)
_UPLOAD: Final = {
    "blocking": _PATHS + "count = len(client.upload_many('c', paths, signed=False))\n",
    "async": _PATHS
    + "async def run():\n    return len(await client.upload_many('c', paths, signed=False))\ncount = asyncio.run(run())\n",
    "official": _PATHS
    + "count = sum(len(client.upload_file_to_container('c', path, signed=False)) for path in paths)\n",
}
_LARGE: Final = {
    "blocking": "count = amount * len(client.upload_file_to_container('c', os.path.join(folder, 'large')))\n",
    "async": (
        "async def run():\n"
        "    return len(await client.upload_file_to_container('c', os.path.join(folder, 'large')))\n"
        "count = amount * asyncio.run(run())\n"
    ),
    "official": "count = amount * len(client.upload_file_to_container('c', os.path.join(folder, 'large')))\n",
}
_MAKE: Final = {
    "blocking": "from asyncclient.flywheel import Client\nclient = Client(key)\nclient.get_project('p')\n",
    "async": "import asyncio\nfrom asyncclient.flywheel import AsyncClient, models\nclient = AsyncClient(key)\n",
    "official": "import flywheel\nclient = flywheel.Client(key)\nclient.get_project('p')\n",
}


def _programs() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"begin": {name: _COMMON + code + _REPORT for name, code in _BEGIN.items()}}
    for kind, codes in (("iterate", _ITERATE), ("upload", _UPLOAD), ("large", _LARGE)):
        found[kind] = {
            name: _COMMON + _MAKE[name] + (_WARM[name] if kind != "iterate" else "") + _AGAIN + code + _REPORT
            for name, code in codes.items()
        }
    return found


def main() -> int:
    given = _arguments()
    official = given.official or os.environ.get(_VARIABLE)
    pythons = {"blocking": sys.executable, "async": sys.executable, **({"official": official} if official else {})}
    amounts = {"begin": 1, "iterate": given.objects, "upload": given.files, "large": given.mib}
    recording = Recording("flywheel", given)
    found: list[Series] = []
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-") as name, site(given.objects) as where:
        folder = Path(name)
        for kind, programs in _programs().items():
            if not given.only or kind in given.only:
                _make_files(folder, kind, amounts[kind])
                found += _measured(kind, programs, pythons, (where, amounts[kind], folder), given.rounds)
    result = recording.save(found, _rows(found, amounts), {"flywheel-sdk": official})
    for each in result.series:
        print(f"{each.group:10} {each.name:10} {each.measure:5} {each.median:7.3f} {each.unit}")
    print_rows(result)
    return 0


def _make_files(folder: Path, kind: str, amount: int) -> None:
    small = folder / "small"
    small.mkdir(exist_ok=True)
    for number in range(amount if kind == "upload" else 1):
        (small / f"{number:06}.bin").write_bytes(bytes([number % 256]) * 8192)
    if kind == "large":
        with (folder / "large").open("wb") as file:
            for number in range(amount):
                file.write(number.to_bytes(8, "big") * (_MIB // 8))


def _measured(
    kind: str,
    programs: dict[str, str],
    pythons: dict[str, str],
    work: tuple[Site, int, Path],
    rounds: int,
) -> Iterator[Series]:
    where, amount, folder = work
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    for turn in range(rounds + 1):  # the first fills caches
        for name, python in pythons.items():
            result = _run(python, programs[name], [where.key, str(amount), str(folder)], folder)
            if result["count"] != amount:
                raise RuntimeError(f"{name} did {result['count']} of {amount}")
            if kind == "large":
                where.check(folder / "large")
            elif kind == "begin":
                nothing = _run(python, "print('{}')", [], folder)
                result |= {each: result[f"whole_{each}"] - nothing[f"whole_{each}"] for each in ("cpu", "wall")}
            if turn:
                found[name].append(result)
    for name, results in found.items():
        yield series(kind, name, "CPU", "s", [result["cpu"] for result in results])
        yield series(kind, name, "wall", "s", [result["wall"] for result in results])


def _run(python: str, program: str, arguments: list[str], folder: Path) -> dict[str, Any]:
    """Run a program; return what it says of itself, and what its whole process took."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    before, began = _children(), time.perf_counter()
    command = [python, "-W", "ignore", "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    wall, cpu = time.perf_counter() - began, _children() - before
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "whole_cpu": cpu, "whole_wall": wall}


def _children() -> float:
    """Return the CPU seconds of the processes that were waited for; finer than ``os.times``."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(found: list[Series], amounts: dict[str, int]) -> list[Row]:
    """Compare the blocking client with the official one, where that took part."""
    rows = []
    for kind in dict.fromkeys(each.group for each in found):
        note = "" if amounts[kind] >= _FULL[kind] else f"{amounts[kind]} instead of {_FULL[kind]}"
        rows += compare_all(f"flywheel.{kind}", found, kind, ("blocking", "official"), note)
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--official", help="an interpreter with flywheel-sdk")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--only", nargs="+", choices=list(_FULL))
    parser.add_argument("--output", type=Path, default=Path(".benchmarks") / "flywheel.json")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
