"""What does ``put_images`` of a card of a trap cost, against the way of the platform's own client?

1,000 images of about 1 MB, made here, go into the embedded API and into a server on this machine; then the same call is made
again, when nothing is new. The other way is that of the reference, as far as it takes time: md5 of every file, statistics of
images in 8 processes, lookups of 128 images; the embedded API then takes one image after the other (decoded, two thumbnails,
three files, a row, a commit), the HTTP client sends one after the other on a connection of its own. The reference is given
a cache that works, and plain SQL. Every contender is a process of its own; what is stored is counted.

    python benchmarks/sticky_pi.py [--images 1000] [--rounds 3] [--only local remote]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _results import Result, Row, Series, compare_all, series
from _servers import _free_port, _wait_until_listening
from _support import Recording, print_rows

_USER: Final = ("admin", "a long admin password")
_COLUMNS: Final = b"v,T,H,B,L,lat,lng,a,l,b\n3.1.0,20.5,40.0,99,0.5,49.26,-123.25,97.3,1652813182,0"
_START: Final = dt.datetime(2022, 5, 17)
_WORKERS: Final = 8
_GROUP: Final = 128
_OURS, _REFERENCE = "asyncclient", "one after the other"
_FULL: Final = 1000
"""The images that the targets are about."""
_COLUMNS_OF: Final = {"": ("cpu", "wall"), ", again": ("cpu_again", "wall_again")}


def main() -> int:
    given = _arguments()
    if given.child:
        print(json.dumps(_measure(*given.child)))
        return 0
    recording = Recording("sticky_pi", given)
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-", dir=given.folder) as name:
        folder = Path(name)
        (folder / "card").mkdir()
        size = _make_images(folder / "card", given.images)
        found = [each for side in given.only for each in _runs(side, folder, given)]
    _show(recording.save(found, _rows(found, given), mb=round(size / 1e6)))
    return 0


def _runs(side: str, folder: Path, given: argparse.Namespace) -> list[Series]:
    values: dict[str, list[dict[str, Any]]] = {name: [] for name in _CONTENDERS[side]}
    for number in range(given.rounds):
        for name in _CONTENDERS[side]:
            store = folder / f"{side}-{name.replace(' ', '-')}-{number}"
            with contextlib.ExitStack() as stack:
                url = stack.enter_context(_server(folder / "server")) if side == "remote" else ""
                measured = _in_child(side, name, folder / "card", store, url)
            if measured["stored"] != given.images or measured["stored_again"]:
                raise RuntimeError(f"{name}, {side}: {measured}")
            shutil.rmtree(store, ignore_errors=True)
            shutil.rmtree(folder / "server", ignore_errors=True)
            values[name].append(measured)
    found = []
    for suffix, (cpu, wall) in _COLUMNS_OF.items():
        for name, rounds in values.items():
            found.append(series(side + suffix, name, "CPU", "s", [each[cpu] for each in rounds]))
            found.append(series(side + suffix, name, "wall", "s", [each[wall] for each in rounds]))
    return found


def _rows(found: list[Series], given: argparse.Namespace) -> list[Row]:
    note = "" if given.images >= _FULL else f"{given.images} images"
    groups = [side + suffix for side in given.only for suffix in _COLUMNS_OF]
    names = (_OURS, _REFERENCE)
    return [
        row
        for group in groups
        for row in compare_all(f"sticky_pi.{group.replace(', ', '-')}", found, group, names, note)
    ]


def _in_child(side: str, name: str, card: Path, store: Path, url: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", side, name, str(card), str(store), url]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measure(side: str, name: str, card: str, store: str, url: str) -> dict[str, Any]:
    files = sorted(str(path) for path in Path(card).iterdir())
    Path(store).mkdir()
    put = _CONTENDERS[side][name]
    first = _timed(put, files, store, url)
    again = _timed(put, files, store, url)
    return {**first, "stored_again": again["stored"], "wall_again": again["wall"], "cpu_again": again["cpu"]}


def _timed(put: Callable[[list[str], str, str], int], files: list[str], store: str, url: str) -> dict[str, Any]:
    cpu, wall = _cpu_s(), time.perf_counter()
    stored = put(files, store, url)
    return {"stored": stored, "wall": time.perf_counter() - wall, "cpu": _cpu_s() - cpu}


def _cpu_s() -> float:
    """Return the CPU time of this process and of its children that ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


# --- ours --------------------------------------------------------------------------------------------------------------


def _ours_local(files: list[str], store: str, url: str) -> int:
    from asyncclient.sticky_pi import AsyncLocalClient

    async def put() -> int:
        async with AsyncLocalClient(store) as client:
            return len(await client.put_images(files))

    return asyncio.run(put())


def _ours_remote(files: list[str], store: str, url: str) -> int:
    from asyncclient.sticky_pi import AsyncRemoteClient

    async def put() -> int:
        async with AsyncRemoteClient(store, url, *_USER) as client:
            return len(await client.put_images(files))

    return asyncio.run(put())


# --- the way of the reference ------------------------------------------------------------------------------------------

_seen: dict[str, tuple[str, str, str]] = {}
"""Its cache of statistics, as if it were found again."""


def _statistics(path: str) -> tuple[str, str, str]:
    data = Path(path).read_bytes()
    _parsed(data)
    device, taken, _ = Path(path).name.split(".")
    return device, taken, hashlib.md5(data).hexdigest()


def _parsed(data: bytes) -> tuple[Any, Any]:
    """Decode in full, read EXIF, make two thumbnails."""
    from PIL import Image

    Image.open(io.BytesIO(data)).load()
    image = Image.open(io.BytesIO(data))
    image.getexif().get_ifd(0x8769)
    image.thumbnail((512, 384))
    mini = image.copy()
    mini.thumbnail((128, 96))
    return image, mini


def _looked_at(files: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    for path in files:
        _md5(path)
    new = [path for path in files if path not in _seen]
    if new:
        with ProcessPoolExecutor(_WORKERS) as pool:
            _seen.update(zip(new, pool.map(_statistics, new), strict=True))
    return {path: _seen[path] for path in files}


def _md5(path: str) -> str:
    digest = hashlib.md5()
    with Path(path).open("rb") as file:
        while piece := file.read(32768):
            digest.update(piece)
    return digest.hexdigest()


def _reference_local(files: list[str], store: str, url: str) -> int:
    found = _looked_at(files)
    database = sqlite3.connect(Path(store, "database.db"))
    database.execute("CREATE TABLE IF NOT EXISTS images (device TEXT, taken TEXT, md5 TEXT, UNIQUE (device, taken))")
    stored = 0
    for start in range(0, len(files), _GROUP):
        group = files[start : start + _GROUP]
        where = " OR ".join("device = ? AND taken = ?" for _ in group)
        keys = [value for path in group for value in found[path][:2]]
        known = set(database.execute(f"SELECT device, taken FROM images WHERE {where}", keys))
        for path in group:
            if found[path][:2] not in known:
                _store(Path(store), path, found[path], database)
                stored += 1
    database.close()
    return stored


def _store(store: Path, path: str, row: tuple[str, str, str], database: sqlite3.Connection) -> None:
    data = Path(path).read_bytes()
    thumbnail, mini = _parsed(data)
    hashlib.md5(data).hexdigest()
    folder = store / "raw_images" / row[0]
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(path).name
    (folder / name).write_bytes(data)
    thumbnail.save(folder / f"{name}.thumbnail", "JPEG")
    mini.save(folder / f"{name}.thumbnail-mini", "JPEG")
    with database:
        database.execute("INSERT INTO images VALUES (?, ?, ?)", row)


def _reference_remote(files: list[str], store: str, url: str) -> int:
    import requests

    token = requests.post(f"{url}/get_token", auth=_USER, timeout=60).json()["token"]
    auth = {"Authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode()}
    found = _looked_at(files)
    stored = 0
    for start in range(0, len(files), _GROUP):
        group = files[start : start + _GROUP]
        info = [{"device": found[path][0], "datetime": found[path][1], "md5": found[path][2]} for path in group]
        answer = requests.post(f"{url}/get_images/metadata", json=info, headers=auth, timeout=60)
        known = {row["md5"] for row in answer.json()}
        for path in group:
            if found[path][2] not in known:
                _send(url, path, found[path][2], auth)
                stored += 1
    return stored


def _send(url: str, path: str, md5: str, auth: dict[str, str]) -> None:
    import requests
    from requests_toolbelt import MultipartEncoder  # type: ignore[import-untyped,unused-ignore]

    name = Path(path).name
    with Path(path).open("rb") as file:
        form = MultipartEncoder({name: (name, file, "application/jpeg"), f"{name}.md5": md5})
        headers = {**auth, "Content-Type": form.content_type, "Connection": "close"}
        requests.post(f"{url}/_put_new_images", data=form, headers=headers, timeout=60).raise_for_status()


_CONTENDERS: Final[dict[str, dict[str, Callable[[list[str], str, str], int]]]] = {
    "local": {_OURS: _ours_local, _REFERENCE: _reference_local},
    "remote": {_OURS: _ours_remote, _REFERENCE: _reference_remote},
}


# --- what is moved, and where to ---------------------------------------------------------------------------------------


def _make_images(folder: Path, count: int) -> int:
    """Write images of 12 megapixels and about 1 MB; a comment makes each another file. Returns the bytes written."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "StickyPi"
    exif.get_ifd(0x8769)[0x9286] = _COLUMNS
    grain = Image.effect_noise((254, 190), 30).resize((4056, 3040)).convert("RGB")
    buffer = io.BytesIO()
    grain.save(buffer, "JPEG", quality=75, exif=exif)
    data, size = buffer.getvalue(), 0
    for number in range(count):
        taken = _START + dt.timedelta(minutes=20 * number)
        comment = f"{number:08}".encode()
        whole = data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]
        size += (folder / f"0a5bb6f4.{taken:%Y-%m-%d_%H-%M-%S}.jpg").write_bytes(whole)
    return size


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "asyncclient.cli", "sticky-pi", "serve"]
    options = ["--local-dir", str(folder), "--port", str(port)]
    environment = {**os.environ, "API_ADMIN_NAME": _USER[0], "API_ADMIN_PASSWORD": _USER[1]}
    child = subprocess.Popen([*command, *options], env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_listening(port, child)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(30)


def _show(result: Result) -> None:
    print(f"{result.settings['images']} images, {result.details['mb']} MB; median seconds (lowest to highest)")
    for each in result.series:
        print(
            f"  {each.group:14} {each.name:20} {each.measure:5} {each.median:8.3f} ({each.low:.3f} to {each.high:.3f})"
        )
    print_rows(result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=_FULL)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(_CONTENDERS), default=list(_CONTENDERS))
    parser.add_argument("--folder", default=os.environ.get("TMPDIR"), help="where files go; needs room for all")
    parser.add_argument("--output", type=Path, default=Path(".benchmarks") / "sticky_pi.json")
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
