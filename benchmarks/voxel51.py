"""What do uploads and downloads of the Voxel51 Platform cost, against the way of its official client?

2,000 files of 64 KiB and 8 of 256 MiB, up and down, 16 at a time: through our async session, through the blocking one, and
with requests and requests_toolbelt in 16 threads, a connection per file, as the official client does it. Every contender is
a process of its own; rounds are interleaved; the size of what arrives is checked. Downloads that a later process could go on
with keep a checksum of every part; resume=False does not, as the official client does not.

    python benchmarks/voxel51.py [--files 2000] [--large 8] [--large-mib 256] [--rounds 3] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Result, Row, Series, compare_all, series
from _servers import _free_port, _wait_until_listening
from _support import Recording, print_rows

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_SMALL: Final = 64 * _KIB
_AT_A_TIME: Final = 16
_OURS: Final = "asyncclient"
_PLAIN: Final = "asyncclient, resume=False"
_BLOCKING: Final = "asyncclient, blocking"
_REFERENCE: Final = "requests + toolbelt"
_FULL: Final = {"small": 2000, "large": 8}
_FULL_MIB: Final = 256
"""How many files of which size the targets are about."""


def main() -> int:
    given = _arguments()
    if given.child:
        print(json.dumps(_measure(*given.child)))
        return 0
    recording = Recording("voxel51", given)
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-", dir=given.folder) as name, _platform() as url:
        found = list(_runs(Path(name), url, given))
    _show(recording.save(found, _rows(found, given)))
    return 0


def _rows(found: list[Series], given: argparse.Namespace) -> Iterator[Row]:
    """Compare our async client with the reference; of small files, CPU and wall time are targets each."""
    sizes = {"small": (given.files, "files"), "large": (given.large, f"files of {given.large_mib} MiB")}
    for group in dict.fromkeys(each.group for each in found):
        kind, _, direction = group.partition(" ")
        count, what = sizes[kind]
        full = count >= _FULL[kind] and (kind == "small" or given.large_mib >= _FULL_MIB)
        note = "" if full else f"{count} {what}"
        names = (_OURS, _REFERENCE)
        if kind == "large":
            yield from compare_all(f"voxel51.large-{direction}", found, group, names, note)
            continue
        for measure in ("CPU", "wall"):
            rows = compare_all(f"voxel51.small-{direction}-{measure.lower()}", found, group, names, note)
            yield from (row for row in rows if row.measure == measure)


def _runs(folder: Path, url: str, given: argparse.Namespace) -> Iterator[Series]:
    sizes = {"small": (given.files, _SMALL), "large": (given.large, given.large_mib * _MIB)}
    for kind, (count, size) in sizes.items():
        if not count:
            continue
        source = folder / "source"
        _make(source, size)
        for direction in ("up", "down"):
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in given.only}
            for _ in range(given.rounds):
                for name in given.only:
                    command = [sys.executable, __file__, "--child", name, direction, url, str(source), str(count)]
                    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                    runs[name].append(json.loads(done.stdout))
            for name, each in runs.items():
                yield series(f"{kind} {direction}", name, "CPU", "s", [run["cpu_s"] for run in each])
                yield series(f"{kind} {direction}", name, "wall", "s", [run["wall_s"] for run in each])


def _show(result: Result) -> None:
    for each in result.series:
        print(f"{each.group:10}  {each.name:26} {each.measure:5} {each.median:8.2f} s")
    print_rows(result)


# --- a process that measures ------------------------------------------------------------------------------------------


def _measure(name: str, direction: str, url: str, source: str, count: str) -> dict[str, float]:
    """Move files, and return the time it took, connections included and imports not."""
    work = _CONTENDERS[name]()
    size = Path(source).stat().st_size
    with tempfile.TemporaryDirectory(dir=Path(source).parent) as folder:
        first = Path(folder) / "first"
        work(direction, url, source, [(f"{min(size, _SMALL)}-first", str(first))])  # whatever is loaded late, is now
        first.unlink(missing_ok=True)
        names = [f"{size}-{number}" for number in range(int(count))]
        begun, used = time.perf_counter(), time.process_time()
        work(direction, url, source, [(each, os.path.join(folder, each)) for each in names])  # noqa: PTH118  # cheap
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - used
        if direction == "down":
            sizes = {path.stat().st_size for path in Path(folder).iterdir()}
            if sizes != {size} or len(list(Path(folder).iterdir())) != len(names):
                raise RuntimeError(f"{name}: not everything arrived")
    return {"cpu_s": cpu_s, "wall_s": wall_s}


Work = Callable[[str, str, str, Sequence[tuple[str, str]]], None]


def _ours(*, resume: bool = True) -> Work:
    from asyncclient import AsyncHub, voxel51

    async def run(direction: str, url: str, source: str, items: Sequence[tuple[str, str]]) -> None:
        async with AsyncHub() as hub:
            api = voxel51.AsyncAPI(voxel51.Token.from_private_key("key", url), hub=hub)

            async def move(item: tuple[str, str]) -> None:
                if direction == "up":
                    _check(await api.upload_data(source), source)
                else:
                    await api.download_data(*item, resume=resume)

            async for _ in hub.map(move, items, concurrency=_AT_A_TIME, ordered=False):
                pass

    return lambda *given: asyncio.run(run(*given))


def _blocking() -> Work:
    from asyncclient import Hub, voxel51

    def run(direction: str, url: str, source: str, items: Sequence[tuple[str, str]]) -> None:
        with Hub() as hub:
            api = voxel51.API(voxel51.Token.from_private_key("key", url), hub=hub)

            def move(item: tuple[str, str]) -> None:
                if direction == "up":
                    _check(api.upload_data(source), source)
                else:
                    api.download_data(*item)

            api.thread_map(move, items, _AT_A_TIME)

    return run


def _reference() -> Work:
    import requests
    from requests_toolbelt.multipart.encoder import MultipartEncoder

    header = {"Authorization": "Bearer key"}

    def up(url: str, source: str) -> None:
        with Path(source).open("rb") as file:
            form = MultipartEncoder(fields={"file": (Path(source).name, file, "application/octet-stream")})
            answer = requests.post(
                f"{url}/v1/data", data=form, headers={**header, "Content-Type": form.content_type}, timeout=60
            )
        answer.raise_for_status()
        _check(answer.json()["data"], source)

    def down(url: str, item: tuple[str, str]) -> None:
        name, path = item
        with requests.get(f"{url}/v1/data/{name}/download", headers=header, stream=True, timeout=60) as answer:
            answer.raise_for_status()
            with Path(path).open("wb") as file:
                for piece in answer.iter_content(chunk_size=32 * _MIB):
                    file.write(piece)

    def run(direction: str, url: str, source: str, items: Sequence[tuple[str, str]]) -> None:
        move = (lambda item: up(url, source)) if direction == "up" else (lambda item: down(url, item))
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            list(pool.map(move, items))

    return run


_CONTENDERS: Final[dict[str, Callable[[], Work]]] = {
    _OURS: _ours,
    _PLAIN: functools.partial(_ours, resume=False),
    _BLOCKING: _blocking,
    _REFERENCE: _reference,
}


def _check(answer: Any, source: str) -> None:
    # The whole form was counted: the file, and at most a few hundred bytes around it.
    if not 0 < answer["size"] - os.path.getsize(source) < 1000:  # noqa: PTH202  # cheap
        raise RuntimeError("not everything arrived")


# --- what is moved, and where to --------------------------------------------------------------------------------------


def _make(path: Path, size: int) -> None:
    block = bytes(range(256)) * 4096
    with path.open("wb") as file:
        for _ in range(size // len(block)):
            file.write(block)
        file.write(block[: size % len(block)])


@contextlib.contextmanager
def _platform() -> Iterator[str]:
    port = _free_port()
    child = subprocess.Popen([sys.executable, str(Path(__file__).with_name("_platform.py")), str(port)])
    try:
        _wait_until_listening(port, child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000, help="files of 64 KiB")
    parser.add_argument("--large", type=int, default=8, help="large files")
    parser.add_argument("--large-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(_CONTENDERS), default=list(_CONTENDERS))
    parser.add_argument("--folder", default=os.environ.get("TMPDIR"), help="where files go; needs room for all")
    parser.add_argument("--output", type=Path, default=Path(".benchmarks") / "voxel51.json")
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
