"""How fast does one large file move, verified, and how much memory does that take?

Download: wall time into a file with its md5 proven, against the slower of `curl -o` and an md5 of the same file alone.
Upload: wall time to a sink in parts of a session, with md5, against an md5 of the file alone. Memory: growth of the
process while a sparse file goes up and down. Every contender is a process of its own; rounds are interleaved.

    python benchmarks/transfers.py [--mib 1024] [--memory-mib 4096] [--rounds 3] [--output FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Result, Row, Series, compare, measured, pick, series
from _servers import _free_port, _nginx, _wait_until_listening
from _support import Recording, print_rows

from asyncclient._failure import error_of
from asyncclient._net.pool import Pool
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._scheduler import Scheduler
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_session import ResumableSession, google_begin
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient.types import Limits, RetryPolicy, Timeouts

_MIB: Final = 1024 * 1024
_RESULTS: Final = Path(".benchmarks")
_FULL_MIB, _FULL_MEMORY_MIB = 1024, 4096
"""The sizes that the targets are about."""

_CONFIG: Final = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ root {root}; }} }}
}}
"""


def main() -> int:
    given = _arguments()
    if given.child:
        print(json.dumps(asyncio.run(_child(*given.child))))
        return 0
    if _nginx() is None or shutil.which("curl") is None:
        print("nginx and curl are needed", file=sys.stderr)
        return 2
    recording = Recording("transfers", given)
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-", dir=given.folder) as name:
        folder = Path(name)
        with _files(folder) as files, _sink() as sink:
            found = [*_speed(folder, files, sink, given), *_memory(folder, files, sink, given)]
    _show(recording.save(found, _rows(found, given)))
    return 0


def _rows(found: list[Series], given: argparse.Namespace) -> Iterator[Row]:
    ours, md5, curl = (pick(found, "one file", name, "wall") for name in ("download", "md5", "curl"))
    assert ours is not None
    assert md5 is not None
    assert curl is not None
    slower = max(md5, curl, key=lambda each: each.median)
    yield compare("transfers.download", ours, slower, "" if given.mib >= _FULL_MIB else f"{given.mib} MiB")
    note = "" if given.memory_mib >= _FULL_MEMORY_MIB else f"{given.memory_mib} MiB"
    for name, target in (("download", "transfers.memory-down"), ("upload", "transfers.memory-up")):
        growth = pick(found, "sparse file", name, "memory")
        assert growth is not None
        yield measured(target, growth, note)


def _speed(folder: Path, files: str, sink: str, given: argparse.Namespace) -> list[Series]:
    path = folder / "root" / "file"
    digest = _make(path, given.mib)
    out = folder / "out"
    times: dict[str, list[float]] = {name: [] for name in ("md5", "curl", "download", "upload")}
    cpu: dict[str, list[float]] = {"download": [], "upload": []}
    for _ in range(given.rounds):
        times["md5"].append(_run([sys.executable, __file__, "--child", "md5", str(path)])["wall_s"])
        begun = time.perf_counter()
        subprocess.run(["curl", "-s", "-o", str(out), f"{files}/file"], check=True)
        times["curl"].append(time.perf_counter() - begun)
        out.unlink()
        for name, args in (("download", [f"{files}/file", str(out), digest]), ("upload", [sink, str(path), digest])):
            found = _run([sys.executable, __file__, "--child", name, *args])
            times[name].append(found["wall_s"])
            cpu[name].append(found["cpu_s"])
        out.unlink()
    path.unlink()
    walls = [series("one file", name, "wall", "s", values) for name, values in times.items()]
    return walls + [series("one file", name, "CPU", "s", values) for name, values in cpu.items()]


def _memory(folder: Path, files: str, sink: str, given: argparse.Namespace) -> list[Series]:
    path, out = folder / "root" / "sparse", folder / "out"
    with path.open("wb") as file:
        file.truncate(given.memory_mib * _MIB)
    down = _run([sys.executable, __file__, "--child", "download", f"{files}/sparse", str(out), ""])
    if out.stat().st_size != path.stat().st_size:
        raise RuntimeError("the download has the wrong size")
    out.unlink()
    up = _run([sys.executable, __file__, "--child", "upload", sink, str(path), ""])
    found = {"download": down, "upload": up}
    return [series("sparse file", name, "memory", "MiB", [each["growth_mib"]]) for name, each in found.items()]


def _show(result: Result) -> None:
    for each in result.series:
        speed = f"{result.settings['mib'] / each.median:7.0f} MiB/s" if each.measure == "wall" else ""
        print(f"{each.group:11} {each.name:10} {each.measure:6} {each.median:8.2f} {each.unit} {speed}")
    print_rows(result)


# --- a process that measures ------------------------------------------------------------------------------------------


async def _child(kind: str, *args: str) -> dict[str, float]:
    before = _peak_mib()
    begun, used = time.perf_counter(), time.process_time()
    if kind == "md5":
        with Path(args[0]).open("rb") as file:
            hashlib.file_digest(file, "md5")
    else:
        pipeline = Pipeline(Pool(max_connections=32), Scheduler(Limits()))
        try:
            await (_download if kind == "download" else _upload)(pipeline, *args)
        finally:
            await pipeline.aclose()
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - used
    return {"wall_s": wall_s, "cpu_s": cpu_s, "growth_mib": _peak_mib() - before}


async def _download(pipeline: Pipeline, url: str, out: str, digest: str) -> None:
    with tempfile.TemporaryDirectory() as journal:
        options = TransferOptions(expected_md5=digest or None, journal_folder=journal, fsync="none")
        found = await download_file(pipeline, _rules(), HttpDownload(url), out, options)
    if digest and (found.verified, found.md5) != ("md5", digest):
        raise RuntimeError("the digest was not proven")


async def _upload(pipeline: Pipeline, base: str, path: str, digest: str) -> None:
    with tempfile.TemporaryDirectory() as journal:
        options = TransferOptions(journal_folder=journal, fsync="none")
        target = ResumableSession(google_begin(f"{base}/begin"))
        found = await upload_file(pipeline, _rules(), path, target, options)
    if digest and found.md5 != digest:
        raise RuntimeError("the digest is wrong")


def _rules() -> Rules:
    def error(request: Any, answer: Any) -> Any:
        return error_of(request, answer, now=time.time())

    return Rules("benchmark", error, None, lambda _: False, Timeouts(), RetryPolicy())


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


# --- servers ----------------------------------------------------------------------------------------------------------


def _make(path: Path, mib: int) -> str:
    """Write a file of pseudo-random bytes and return its md5."""
    digest, draw = hashlib.md5(usedforsecurity=False), random.Random(1)
    with path.open("wb") as file:
        for _ in range(mib):
            piece = draw.randbytes(_MIB)
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def _files(folder: Path) -> Iterator[str]:
    root, port = folder / "root", _free_port()
    root.mkdir()
    for path in (folder, root):
        path.chmod(0o755)
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, root=root, port=port), "utf-8")
    with _serving([_nginx() or "nginx", "-p", str(folder), "-c", str(config)], port) as url:
        yield url


@contextlib.contextmanager
def _sink() -> Iterator[str]:
    port = _free_port()
    with _serving([sys.executable, str(Path(__file__).with_name("_sink.py")), str(port)], port) as url:
        yield url


@contextlib.contextmanager
def _serving(command: list[str], port: int) -> Iterator[str]:
    child = subprocess.Popen(command)
    try:
        _wait_until_listening(port, child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=_FULL_MIB)
    parser.add_argument("--memory-mib", type=int, default=_FULL_MEMORY_MIB)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=os.environ.get("TMPDIR"), help="where files go; needs room for both sizes")
    parser.add_argument("--output", type=Path, default=_RESULTS / "transfers.json")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
