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
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _contenders import CONTENDERS, digest_of
from _servers import ANSWER, PATH, serving
from _support import HERE, Child, machine, official_python, save, summarize

OURS: Final = "asyncclient"
FACADE: Final = "asyncclient, blocking"
OFFICIAL: Final = "lucidtech-las"
_RESULTS: Final = Path(".benchmarks")
_WARM_UP: Final = 60
_FEWEST, _MOST = 60, 20_000


class Target(NamedTuple):
    """What is to be held: CPU of ``ours`` at most ``ratio`` of that of ``other``, 16 calls at a time."""

    ours: str
    other: str
    ratio: float


TARGETS: Final = (
    Target(OURS, "aiohttp + orjson", 0.6),
    Target(OURS, "httpx.AsyncClient", 1 / 15),
    Target(FACADE, "requests.Session", 1 / 3),
)


def main() -> int:
    given = _arguments()
    contenders = [name for name in CONTENDERS if not given.only or name in given.only]
    with ExitStack() as stack:
        url, server = stack.enter_context(serving(given.server))
        children = _start(stack, contenders, url, given)
        result = {
            "machine": machine(),
            "server": server,
            "loop": given.loop,
            "rounds": given.rounds,
            "calls": _measure(children, given),
        }
    save(given.output, result)
    _print_table(result["calls"])
    _print_targets(result["calls"])
    print(f"\nserver: {server}, loop: {given.loop}, {given.rounds} rounds; written to {given.output}")
    return 0


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


def _start(stack: ExitStack, names: list[str], url: str, given: argparse.Namespace) -> dict[str, Child]:
    children = {}
    for name in names:
        python: str | None = sys.executable
        if name == OFFICIAL:
            python = official_python(given.official_python, _RESULTS / "official-las")
        if python is None:
            print(f"{name}: left out, its environment could not be made")
            continue
        command = [python, str(HERE / "_contenders.py"), name, url, PATH, str(max(given.concurrency)), given.loop]
        children[name] = stack.enter_context(closing(Child(command)))
    return children


def _measure(children: dict[str, Child], given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return per contender and concurrency: CPU and wall microseconds per call, over all rounds."""
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
    found: dict[str, dict[str, Any]] = {name: {} for name in children}
    for (name, many), measured in rounds.items():
        found[name][str(many)] = {
            "count": counts[name, many],
            "cpu_us": summarize([one["cpu_s"] / one["count"] * 1e6 for one in measured]),
            "wall_us": summarize([one["wall_s"] / one["count"] * 1e6 for one in measured]),
        }
    return found


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


def _print_table(calls: dict[str, dict[str, Any]]) -> None:
    print(f"{'':24}{'at a time':>10}{'CPU us':>9}{'low - high':>16}{'wall us':>9}{'calls/s':>9}{'CPU, ours = 1':>15}")
    for many in next(iter(calls.values())):
        ours = calls.get(OURS, {}).get(many)
        for name, found in calls.items():
            cpu, wall = found[many]["cpu_us"], found[many]["wall_us"]
            ratio = f"{cpu['median'] / ours['cpu_us']['median']:.2f}" if ours else "-"
            spread = f"{cpu['low']:.0f} - {cpu['high']:.0f}"
            numbers = f"{cpu['median']:>9.0f}{spread:>16}{wall['median']:>9.0f}{1e6 / wall['median']:>9.0f}"
            print(f"{name:24}{many:>10}{numbers}{ratio:>15}")
        print()


def _print_targets(calls: dict[str, dict[str, Any]]) -> None:
    for target in TARGETS:
        if not all(name in calls and "16" in calls[name] for name in (target.ours, target.other)):
            continue
        ours, other = (calls[name]["16"]["cpu_us"]["median"] for name in (target.ours, target.other))
        verdict = "met" if ours <= target.ratio * other else "missed"
        print(
            f"{verdict:>7}: CPU of {target.ours!r} is {ours / other:.3f} of {target.other!r} "
            f"(at most {target.ratio:.3f}), 16 at a time"
        )


if __name__ == "__main__":
    sys.exit(main())
