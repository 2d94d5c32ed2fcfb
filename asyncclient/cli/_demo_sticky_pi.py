"""The demo at Sticky Pi: images of a trap go to a server, twice, are annotated, read back, compared.

Some of them also go into the API that is embedded in the client: the same methods, without a server.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import importlib.util
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import AsyncHub
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import SmallCall, each

if TYPE_CHECKING:
    from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient

__all__ = ["Traps", "configuration", "make_images", "missing"]

_DEVICE: Final = "0a5bb6f4"
_START: Final = dt.datetime(2022, 5, 17)  # naive datetimes mean UTC
_SEED: Final = 314
_EMBEDDED: Final = 48
_COLUMNS: Final = b"v,T,H,B,L,lat,lng,a,l,b\n3.1.0,20.5,40.0,99,0.5,49.26,-123.25,97.3,1652813182,0"


def missing() -> str | None:
    """Return what is not installed and needed, or None."""
    needed = ("PIL", "sqlalchemy", "aiosqlite", "argon2", "itsdangerous")
    return ", ".join(name for name in needed if importlib.util.find_spec(name) is None) or None


def configuration(folder: Path) -> dict[str, str]:
    """Make the configuration of a server that keeps everything in a folder, with secrets of its own."""
    return {
        "SECRET_API_KEY": secrets.token_urlsafe(32),
        "LOCAL_DIR": str(folder),
        "API_ADMIN_NAME": "admin",
        "API_ADMIN_PASSWORD": secrets.token_urlsafe(16),
    }


def make_images(
    folder: Path, count: int, size: tuple[int, int], check: Callable[[], None] = lambda: None
) -> list[Path]:
    """Write images as a trap takes them, one every twenty minutes; the same at every call.

    Args:
        folder: Where.
        count: How many.
        size: Width and height in pixels.
        check: Called before each file; what it raises ends this.
    """
    from PIL import Image

    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    width, height = size
    exif = Image.Exif()
    exif[0x010F] = "StickyPi"
    exif.get_ifd(0x8769)[0x9286] = _COLUMNS
    paths = []
    for number in range(count):
        check()
        taken = _START + dt.timedelta(minutes=20 * number)
        path = folder / f"{_DEVICE}.{taken:%Y-%m-%d_%H-%M-%S}.jpg"
        grain = Image.frombytes("L", (width // 3, height // 3), noise.randbytes((width // 3) * (height // 3)))
        yellow = Image.new("RGB", (width, height), (230, 200, 40))
        insects = grain.point([255 if value > 250 else 0 for value in range(256)])
        yellow.paste((40, 30, 20), mask=insects.resize((width, height), Image.Resampling.NEAREST))
        yellow.save(path, "JPEG", quality=90, exif=exif)
        paths.append(path)
    return paths


class Traps:
    """The work.

    Args:
        part: Where it is noted.
        hub: That everything goes through but the embedded API, which needs none.
        credentials: Of the server.
        files: The images.
        work: Folder for what the client remembers, and for the embedded API.
    """

    def __init__(
        self, part: Part, hub: AsyncHub, credentials: Mapping[str, str], files: Sequence[Path], work: Path
    ) -> None:
        from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient

        self.part = part
        self._hub = hub
        self._files = {_md5(path): path for path in files}
        # Made here, as it imports a library for databases, which takes long: not while small calls are measured.
        self._embedded = AsyncLocalClient(work / "embedded")
        host, username, password = (credentials[name] for name in ("host", "username", "password"))
        self._client = AsyncRemoteClient(work / "remote", host, username, password, hub=hub)
        part.expected_bytes = 2 * sum(path.stat().st_size for path in files)

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Return a small call; the stack closes the client."""
        stack.push_async_callback(self._client.aclose)
        await stack.enter_async_context(self._embedded)
        return self._client.get_projects

    async def run(self) -> None:
        """Store twice, annotate, read back and compare; then the same with the embedded API."""
        files = list(self._files.values())
        await self._store(self._client, files, "upload")
        rows = await self._annotated(self._client, len(files), "annotate")
        await each(self._hub, self.part, "read back", self._read_back, [_Row(row) for row in rows])
        few = files[:_EMBEDDED]
        await self._store(self._embedded, few, "embedded")
        rows = await self._annotated(self._embedded, len(few), "embedded, annotate")
        same = sum([await asyncio.to_thread(_stored_as_sent, row, self._files) for row in rows])
        if same != len(few):
            self.part.problems.append(f"embedded API: {same} of {len(few)} images are there as they were")
        else:
            self.part.notes.append(f"{same} of the images also went into the embedded API, without a server.")

    async def _store(self, client: AsyncRemoteClient | AsyncLocalClient, files: list[Path], name: str) -> None:
        """Store images; a second time none of them is sent."""
        for again, expected in ((name, len(files)), (f"{name} again", 0)):
            with self.part.step(again) as step:
                step.files = len(await client.put_images(files))
            if step.files != expected:
                self.part.problems.append(f"{again}: {step.files} images were stored, not {expected}")

    async def _annotated(
        self, client: AsyncRemoteClient | AsyncLocalClient, count: int, name: str
    ) -> list[dict[str, Any]]:
        """Annotate all images, and return them as the API joins them with that."""
        info = {"device": _DEVICE, "start_datetime": _START, "end_datetime": _START + dt.timedelta(days=30)}
        with self.part.step(name) as step:
            rows = await client.get_image_series([info], "image")
            await client.put_uid_annotations([_annotation(row) for row in rows])
            joined = await client.get_images_with_uid_annotations_series([info], "image")
            step.files = sum(row["n_objects"] == 1 for row in joined)
        if step.files != count:
            self.part.problems.append(f"{name}: {step.files} of {count} images are annotated")
        return joined

    async def _read_back(self, row: _Row) -> None:
        from asyncclient.sticky_pi.utils import AsyncURLOrFileOpen

        async with AsyncURLOrFileOpen(row["url"], "rb", hub=self._hub) as file:
            content: bytes = await asyncio.to_thread(file.read)
        if not await asyncio.to_thread(_is_of, content, self._files.get(row["md5"])):
            raise ValueError("came back different")
        self.part.same(len(content))


class _Row(dict[str, Any]):
    def __str__(self) -> str:
        return f"image of {self['datetime']}"


def _is_of(content: bytes, path: Path | None) -> bool:
    return path is not None and path.read_bytes() == content


def _stored_as_sent(row: Mapping[str, Any], files: Mapping[str, Path]) -> bool:
    return _is_of(Path(row["url"]).read_bytes(), files.get(row["md5"]))


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    contour = [[[10, 10]], [[60, 10]], [[60, 60]]]
    metadata = {name: row[name] for name in ("device", "datetime", "md5")}
    return {
        "annotations": [{"contour": contour, "name": "insect", "value": 1, "stroke_colour": "#0000ff"}],
        "metadata": {**metadata, "algo_name": "demo", "algo_version": "1"},
    }
