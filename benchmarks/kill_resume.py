"""Does a transfer survive kill -9 at any moment, and how much is sent twice?

A child process moves a file to or from a server in a process of its own and is killed at a random moment, again and
again, until one gets through. Then every byte is compared, and what passed the server is counted: it may be more than the
file by what was in flight at each kill, and no more. The status is 1 if one byte is wrong, something is left behind, or
more was sent again.

    python benchmarks/kill_resume.py [--runs 200] [--mib 24] [--kinds session parts download] [--output FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Row, Series, measured, series
from _servers import _free_port, _wait_until_listening
from _support import Recording, print_rows

from asyncclient._failure import error_of
from asyncclient._net.pool import Pool
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._scheduler import Scheduler
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.target import PartRules
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_parts import S3Parts
from asyncclient._transfers.targets_session import ResumableSession, google_begin
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient.types import Limits, RetryPolicy, Timeouts

_MIB: Final = 1024 * 1024
# The largest is more than the buffers of a connection hold: a kill then leaves a part on its way.
_PARTS: Final = (_MIB // 4, _MIB, 4 * _MIB)
_PARALLEL: Final = 4
_KINDS: Final = ("session", "parts", "download")
_FULL: Final = 200
"""The runs that the target is about, all kinds together."""
# A run whose children are all killed would never end.
_MOST_KILLS: Final = 8
_PATIENCE_S: Final = 120.0
_FSYNC: Final = ("none", "end", "part")
_COLUMNS: Final = {"runs": 6, "kills": 7, "wrong": 7, "left": 6, "litter": 8, "beyond": 8}
_HEAD: Final = f"{'':10}{''.join(f'{name:>{width}}' for name, width in _COLUMNS.items())}   sent again, of what was in flight, of all"


@dataclass
class Tally:
    """What came of the runs of one kind.

    Attributes:
        kills: Children killed.
        wrong: Runs whose file differs.
        left: Runs that left a part file or journal behind.
        litter: Runs that left the beginnings of a journal that never came to be; ``prune`` sweeps them.
        beyond: Runs that sent more again than was in flight at their kills.
        again_bytes: Bytes beyond the size of the files.
        flying_bytes: What may have been in flight at the kills.
        total_bytes: Sizes of the files.
        saved_bytes: Bytes that the last process of each run found done.
    """

    kind: str
    runs: int = 0
    kills: int = 0
    wrong: int = 0
    left: int = 0
    litter: int = 0
    beyond: int = 0
    again_bytes: int = 0
    flying_bytes: int = 0
    total_bytes: int = 0
    saved_bytes: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.wrong or self.left or self.beyond)


def main() -> int:
    given = _arguments()
    if given.child:
        asyncio.run(_child(json.loads(given.child)))
        return 0
    recording = Recording("kill_resume", given)
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-", dir=given.folder) as name:
        folder = Path(name)
        with _store(folder / "store") as url:
            print(_HEAD, flush=True)
            tallies = [_shown(_runs(kind, url, folder, given)) for kind in given.kinds]
    kinds = [{**asdict(tally), "notes": len(tally.notes)} for tally in tallies]  # a note names files of this machine
    rows = [_row(name, tallies) for name in ("wrong", "left", "beyond")]
    print_rows(recording.save(_series(tallies), rows, kinds=kinds, parts=_PARTS, parallel=_PARALLEL))
    return 0 if all(tally.good for tally in tallies) else 1


def _series(tallies: Sequence[Tally]) -> Iterator[Series]:
    for tally in tallies:
        for name in ("runs", "kills", "wrong", "left", "litter", "beyond"):
            yield series(tally.kind, name, "count", "", [getattr(tally, name)])
        for name in ("again_bytes", "flying_bytes", "total_bytes"):
            yield series(tally.kind, name.replace("_bytes", ""), "count", "MiB", [getattr(tally, name) / _MIB])


def _row(name: str, tallies: Sequence[Tally]) -> Row:
    """Add up all kinds; the note says where fewer runs were made than the target is about."""
    found = series("all kinds", "asyncclient", "count", "runs", [sum(getattr(tally, name) for tally in tallies)])
    runs = sum(tally.runs for tally in tallies)
    kinds = [kind for kind in _KINDS if kind not in {tally.kind for tally in tallies}]
    notes = [f"{runs} runs"] * (runs < _FULL) + [f"without {kind}" for kind in kinds]
    return measured(f"kill_resume.{name}", found, ", ".join(notes))


def _runs(kind: str, url: str, folder: Path, given: argparse.Namespace) -> Tally:
    draw, tally = random.Random(f"{given.seed} {kind}"), Tally(kind)
    trials = [_Run(kind, url, folder, _content(given.mib, draw), fsync, draw).typical_s() for fsync in _FSYNC]
    typical_s = statistics.median(trials)
    for number in range(given.runs):
        run = _Run(kind, url, folder, _content(given.mib, draw), _FSYNC[number % len(_FSYNC)], draw)
        run.until_done(typical_s)
        run.count_into(tally)
    return tally


def _content(mib: int, draw: random.Random) -> bytes:
    return draw.randbytes(mib * _MIB + draw.randint(-_MIB // 4, _MIB // 4))


class _Run:
    """One file on its way, however many processes that takes."""

    def __init__(self, kind: str, url: str, folder: Path, data: bytes, fsync: str, draw: random.Random) -> None:
        self._kind, self._url, self._data, self._draw = kind, url, data, draw
        self._name = f"{kind}-{draw.getrandbits(64):x}"
        self._here, self._there = folder / self._name, folder / "store" / self._name
        self._journal = folder / f"{self._name}-journal"
        self._kills = 0
        self._counted = 0
        self._saved = 0
        self._part = draw.choice(_PARTS)
        (self._there if kind == "download" else self._here).write_bytes(data)
        # Every other time the digest of the whole is known in advance: another way through the engine.
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest() if draw.random() < 0.5 else None
        self._order = {
            "kind": kind,
            "url": url,
            "name": self._name,
            "path": str(self._here),
            "journal": str(self._journal),
            "md5": md5,
            "fsync": fsync,
            "part": self._part,
        }

    def typical_s(self) -> float:
        """Let it through and return how long that took."""
        with self._process() as child:
            assert child.stdout is not None
            begun = time.perf_counter()
            child.stdout.readline()
            return time.perf_counter() - begun

    def until_done(self, typical_s: float) -> None:
        """Kill children until one is done before its time, or enough were killed."""
        _ask(f"{self._url}/count")
        while not self._attempt(typical_s * self._draw.random()):
            self._kills += 1
        counts = _ask(f"{self._url}/count")
        self._counted = counts["out" if self._kind == "download" else "in"]

    def _attempt(self, patience_s: float) -> bool:
        """Start a child and kill it after a while; returns whether the transfer is complete."""
        with self._process() as child:
            try:
                child.wait(patience_s if self._kills < _MOST_KILLS else _PATIENCE_S)
            except subprocess.TimeoutExpired:
                if self._kills >= _MOST_KILLS:
                    raise
                child.kill()
                child.wait()
                # Without a journal there is nothing to go on with: the child was done, and died on its way out. What else
                # lies there is of earlier ones, and leads nowhere.
                return self._there.exists() and self._here.exists() and not any(self._journal.glob("*.journal"))
            assert child.stdout is not None
            if child.returncode:
                raise RuntimeError(f"a child ended with status {child.returncode}: {self._order}")
            self._saved = json.loads(child.stdout.readline())["resumed_bytes"]
            return True

    def count_into(self, tally: Tally) -> None:
        """Compare, count, and clean up."""
        came = self._here if self._kind == "download" else self._there
        # The requests that put parts together have bodies, too; 200 bytes for each part are more than enough.
        slack = 200 * (len(self._data) // self._part + 2) * (self._kills + 1) if self._kind == "parts" else 0
        again = max(0, self._counted - len(self._data) - slack)
        flying = self._part * (1 if self._kind == "session" else _PARALLEL)
        tally.runs += 1
        tally.kills += self._kills
        tally.wrong += came.read_bytes() != self._data
        left = [path.name for path in self._here.parent.glob(f".{self._name}*")]
        left += [path.name for path in self._journal.glob("*")]
        litter = [name for name in left if name.endswith((".tmp", ".claim"))]
        left = [name for name in left if name not in litter]
        tally.left += bool(left)
        tally.litter += bool(litter)
        tally.beyond += again > self._kills * flying
        if left or again > self._kills * flying:
            tally.notes.append(f"{self._order} kills={self._kills} again={again} {left} {litter}")
        tally.again_bytes += again
        tally.flying_bytes += flying * self._kills
        tally.total_bytes += len(self._data)
        tally.saved_bytes += self._saved
        self._here.unlink()
        self._there.unlink()
        shutil.rmtree(self._journal, ignore_errors=True)

    @contextmanager
    def _process(self) -> Iterator[subprocess.Popen[str]]:
        """Start a child and wait until it is about to begin."""
        command = [sys.executable, __file__, "--child", json.dumps(self._order)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout is not None
                child.stdout.readline()
                yield child
            finally:
                child.kill()


def _shown(tally: Tally) -> Tally:
    counts = "".join(f"{getattr(tally, name):{width}}" for name, width in _COLUMNS.items())
    again, flying, total = (count / _MIB for count in (tally.again_bytes, tally.flying_bytes, tally.total_bytes))
    print(f"{tally.kind:10}{counts}{again:10.1f} MiB of {flying:.0f} MiB of {total:.0f} MiB", flush=True)
    for note in tally.notes:
        print(f"NOT RIGHT: {tally.kind}: {note}", flush=True)
    return tally


# --- the process that is killed ---------------------------------------------------------------------------------------


async def _child(order: Mapping[str, Any]) -> None:
    pipeline = Pipeline(Pool(max_connections=8), Scheduler(Limits()))
    options = TransferOptions(
        part_size=order["part"],
        parallel=_PARALLEL,
        threshold_bytes=_MIB,
        expected_md5=order["md5"],
        fsync=order["fsync"],
        journal_folder=order["journal"],
    )
    print("begins", flush=True)
    try:
        found = await _move(pipeline, order, options)
    finally:
        await pipeline.aclose()
    print(json.dumps({"resumed_bytes": found}), flush=True)


async def _move(pipeline: Pipeline, order: Mapping[str, Any], options: TransferOptions) -> int:
    url, name, path = order["url"], order["name"], order["path"]
    if order["kind"] == "download":
        source = HttpDownload(f"{url}/o/{name}", name=name, description={"name": name})
        return (await download_file(pipeline, _rules(), source, path, options)).resumed_bytes
    target = _parts(url, name) if order["kind"] == "parts" else _session(url, name)
    return (await upload_file(pipeline, _rules(), path, target, options)).resumed_bytes


def _session(url: str, name: str) -> ResumableSession:
    return ResumableSession(google_begin(f"{url}/begin?name={name}"), description={"name": name})


def _parts(url: str, name: str) -> S3Parts:
    names = {"UploadId": "uploadId", "PartNumber": "partNumber"}

    async def sign(operation: str, parameters: Mapping[str, Any]) -> str:
        if operation == "head_object":
            return f"{url}/o/{name}"
        query = {names[key]: value for key, value in parameters.items()}
        return f"{url}/mp/{name}?{urlencode(query or {'uploads': ''})}"

    rules = PartRules(min_part=_PARTS[0])
    return S3Parts(sign, rules=rules, finds=True, description={"name": name})


def _rules() -> Rules:
    def error(request: Any, answer: Any) -> Any:
        return error_of(request, answer, now=time.time())

    return Rules("benchmark", error, None, lambda _: False, Timeouts(), RetryPolicy())


# --- the server -------------------------------------------------------------------------------------------------------


@contextmanager
def _store(folder: Path) -> Iterator[str]:
    folder.mkdir()
    port = _free_port()
    child = subprocess.Popen([sys.executable, str(Path(__file__).with_name("_store.py")), str(port), str(folder)])
    try:
        _wait_until_listening(port, child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def _ask(url: str) -> dict[str, int]:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=_FULL, help="of each kind")
    parser.add_argument("--mib", type=int, default=24)
    parser.add_argument("--kinds", nargs="+", choices=_KINDS, default=list(_KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default=os.environ.get("TMPDIR"))
    parser.add_argument("--output", type=Path, default=Path(".benchmarks/kill_resume.json"))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
