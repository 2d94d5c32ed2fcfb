"""A part of the demo: images of a trap go into the embedded Sticky Pi API, are annotated, read back, and go again."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import importlib.util
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import AsyncHub
from asyncclient.errors import AsyncClientError

if TYPE_CHECKING:
    from asyncclient.cli._round_trip import Trip
    from asyncclient.sticky_pi import AsyncLocalClient

__all__ = ["make_images", "missing", "run"]

_STORED: Final = "Traps: store"
_AGAIN: Final = "Traps: store again"
_ANNOTATED: Final = "Traps: annotate, read"
_DEVICE: Final = "0a5bb6f4"
_START: Final = dt.datetime(2022, 5, 17)  # naive datetimes mean UTC
_COUNT, _SMALL_COUNT = 48, 8
_SIZE, _SMALL_SIZE = (1296, 972), (324, 243)
_SEED: Final = 314
_COLUMNS: Final = b"v,T,H,B,L,lat,lng,a,l,b\n3.1.0,20.5,40.0,99,0.5,49.26,-123.25,97.3,1652813182,0"


def missing() -> str | None:
    """Return what is not installed and needed, or None."""
    lacking = [name for name in ("PIL", "sqlalchemy", "aiosqlite") if importlib.util.find_spec(name) is None]
    return ", ".join(lacking) or None


def make_images(folder: Path, *, small: bool) -> list[Path]:
    """Write images as a trap takes them, one every twenty minutes; the same at every call."""
    from PIL import Image

    noise = random.Random(_SEED)  # noqa: S311 - samples, no secrets
    width, height = _SMALL_SIZE if small else _SIZE
    exif = Image.Exif()
    exif[0x010F] = "StickyPi"
    exif.get_ifd(0x8769)[0x9286] = _COLUMNS
    paths = []
    for number in range(_SMALL_COUNT if small else _COUNT):
        taken = _START + dt.timedelta(minutes=20 * number)
        path = folder / f"{_DEVICE}.{taken:%Y-%m-%d_%H-%M-%S}.jpg"
        grain = Image.frombytes("L", (width // 3, height // 3), noise.randbytes((width // 3) * (height // 3)))
        yellow = Image.new("RGB", (width, height), (230, 200, 40))
        yellow.paste(
            (40, 30, 20), mask=grain.resize((width, height)).point([255 if value > 250 else 0 for value in range(256)])
        )
        yellow.save(path, "JPEG", quality=90, exif=exif)
        paths.append(path)
    return paths


def run(trip: Trip, work: Path, *, small: bool) -> None:
    """Store images, twice, annotate and compare them, and note in the outcome what happened.

    Args:
        trip: Where it is shown and noted.
        work: Folder for the samples and for the store.
        small: Whether few and small samples will do.
    """
    folder = work / "traps"
    folder.mkdir()
    asyncio.run(_run(trip, make_images(folder, small=small), work / "sticky-pi"))


async def _run(trip: Trip, files: list[Path], store: Path) -> None:
    from asyncclient.sticky_pi import AsyncLocalClient

    async with AsyncHub() as hub, AsyncLocalClient(store) as client:
        try:
            await _store(trip, hub, client, files)
            await _annotate(trip, hub, client, files)
        except (AsyncClientError, OSError) as error:
            trip.outcome.problems.append(f"Traps: {error}")


async def _store(trip: Trip, hub: AsyncHub, client: AsyncLocalClient, files: list[Path]) -> None:
    sizes = [path.stat().st_size for path in files]
    for name in (_STORED, _AGAIN):
        with trip.outcome.stage(name, hub, trip.progress, len(files), sum(sizes)) as stage:
            rows = await client.put_images(files)
            for size in sizes:
                trip.progress.advance(stage, size)
        if len(rows) != (len(files) if name == _STORED else 0):
            trip.outcome.problems.append(f"{name}: {len(rows)} of {len(files)} images were stored")


async def _annotate(trip: Trip, hub: AsyncHub, client: AsyncLocalClient, files: list[Path]) -> None:
    info = {"device": _DEVICE, "start_datetime": _START, "end_datetime": _START + dt.timedelta(days=30)}
    with trip.outcome.stage(_ANNOTATED, hub, trip.progress, len(files), 0) as stage:
        rows = await client.get_image_series([info], "image")
        await client.put_uid_annotations([_annotation(row) for row in rows])
        joined = await client.get_images_with_uid_annotations_series([info], "image")
        for row in joined:
            stored = await asyncio.to_thread(Path(row["url"]).read_bytes)
            if hashlib.md5(stored, usedforsecurity=False).hexdigest() != row["md5"] or row["n_objects"] != 1:
                trip.outcome.problems.append(f"Traps: {row['url']} is not what was stored")
            trip.progress.advance(stage, 0)
    if len(joined) != len(files):
        trip.outcome.problems.append(f"Traps: {len(joined)} of {len(files)} images are annotated")


def _annotation(row: dict[str, Any]) -> dict[str, Any]:
    contour = [[[10, 10]], [[60, 10]], [[60, 60]]]
    metadata = {name: row[name] for name in ("device", "datetime", "md5")}
    return {
        "annotations": [{"contour": contour, "name": "insect", "value": 1, "stroke_colour": "#0000ff"}],
        "metadata": {**metadata, "algo_name": "demo", "algo_version": "1"},
    }
