"""What does one small JSON call cost, in CPU and in time, through each client, at 1, 16 and 100 calls at a time?

Every contender runs in a process of its own against the same static server; rounds are interleaved, so that a busy
moment of the machine hits all of them. CPU is that of the client's process, all threads, between the first and the last
call. The answer is compared with what the server was told to say before every round.

    python benchmarks/calls.py [--rounds 5] [--seconds 0.6] [--concurrency 1 16 100] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _contenders import CONTENDERS, digest_of
from _results import Result, Row, Series, compare_all, pick, series
from _servers import ANSWER, PATH, serving
from _support import HERE, Child, Recording, official_python, print_rows

OURS: Final = "asyncclient"
FACADE: Final = "asyncclient, blocking"
OFFICIAL: Final = "lucidtech-las"
_RESULTS: Final = Path(".benchmarks")
_WARM_UP: Final = 60
_FEWEST, _MOST = 60, 20_000


_COMPARED: Final = {
    "calls.aiohttp": (OURS, "aiohttp + orjson"),
    "calls.httpx": (OURS, "httpx.AsyncClient"),
    "calls.requests": (FACADE, "requests.Session"),
}
_JUDGED: Final = 16
"""The calls at a time that the targets are about."""


def main() -> int:
    given = _arguments()
    recording = Recording("calls", given)
    official = official_python(given.official_python, _RESULTS / "official-las") if _wanted(OFFICIAL, given) else None
    contenders = [name for name in CONTENDERS if _wanted(name, given)]
    with ExitStack() as stack:
        url, server = stack.enter_context(serving(given.server))
        children = _start(stack, contenders, url, given, official)
        found = _measure(children, given)
    result = recording.save(found, _rows(found), {OFFICIAL: official}, server=server)
    _print_table(result)
    print_rows(result)
    print(f"\nserver: {server}, loop: {given.loop}, {given.rounds} rounds; written to {given.output}")
    return 0


def _wanted(name: str, given: argparse.Namespace) -> bool:
    return not given.only or name in given.only


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.6, help="length of a round of one contender, about")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16, 100])
    parser.add_argument("--only", nargs="+", choices=list(CONTENDERS), help="default: all")
    parser.add_argument("--server", choices=["nginx", "asyncio"], help="default: nginx where it is installed")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--official-python", help=f"interpreter that has {OFFICIAL}; default: one is made")
    parser.add_argument("--output", type=Path, default=_RESULTS / "calls.json")
    return parser.parse_args()


def _start(
    stack: ExitStack, names: list[str], url: str, given: argparse.Namespace, official: str | None
) -> dict[str, Child]:
    children = {}
    for name in names:
        python = official if name == OFFICIAL else sys.executable
        if python is None:
            print(f"{name}: left out, its environment could not be made")
            continue
        command = [python, str(HERE / "_contenders.py"), name, url, PATH, str(max(given.concurrency)), given.loop]
        children[name] = stack.enter_context(closing(Child(command)))
    return children


def _measure(children: dict[str, Child], given: argparse.Namespace) -> list[Series]:
    """Return CPU and wall microseconds per call, for each contender and concurrency."""
    expected = digest_of(json.loads(ANSWER))
    counts = {
        (name, many): _count_for(children[name], many, given.seconds, expected)
        for many in given.concurrency
        for name in children
    }
    rounds: dict[tuple[str, int], list[dict[str, Any]]] = {key: [] for key in counts}
    for _ in range(given.rounds):
        for (name, many), count in counts.items():
            rounds[name, many].append(_ask(children[name], count, many, expected))
    found = []
    for (name, many), measured in rounds.items():
        cpu_us, wall_us = ([one[key] / one["count"] * 1e6 for one in measured] for key in ("cpu_s", "wall_s"))
        group = f"{many} at a time"
        found += [series(group, name, "CPU", "µs", cpu_us), series(group, name, "wall", "µs", wall_us)]
    return found


def _rows(found: list[Series]) -> list[Row]:
    group = f"{_JUDGED} at a time"
    return [row for target, names in _COMPARED.items() for row in compare_all(target, found, group, names)]


def _count_for(child: Child, concurrency: int, seconds: float, expected: str) -> int:
    """Warm up, then return how many calls take about so many seconds."""
    _ask(child, max(_WARM_UP, 2 * concurrency), concurrency, expected)
    count = max(_WARM_UP, 4 * concurrency)
    wall_s = _ask(child, count, concurrency, expected)["wall_s"]
    return int(min(_MOST, max(_FEWEST, 2 * concurrency, count * seconds / wall_s)))


def _ask(child: Child, count: int, concurrency: int, expected: str) -> dict[str, Any]:
    measured = child.ask(count=count, concurrency=concurrency)
    if measured["digest"] != expected:
        raise RuntimeError("a contender returned another answer than the server was told to give")
    return measured


def _print_table(result: Result) -> None:
    print(f"{'':24}{'':>16}{'CPU us':>9}{'low - high':>16}{'wall us':>9}{'calls/s':>9}{'CPU, ours = 1':>15}")
    for cpu in result.series:
        wall, ours = (pick(result.series, cpu.group, *key) for key in ((cpu.name, "wall"), (OURS, "CPU")))
        if cpu.measure != "CPU" or wall is None:
            continue
        ratio = f"{cpu.median / ours.median:.2f}" if ours else "-"
        numbers = f"{cpu.median:>9.0f}{f'{cpu.low:.0f} - {cpu.high:.0f}':>16}{wall.median:>9.0f}"
        print(f"{cpu.name:24}{cpu.group:>16}{numbers}{1e6 / wall.median:>9.0f}{ratio:>15}")


if __name__ == "__main__":
    sys.exit(main())
