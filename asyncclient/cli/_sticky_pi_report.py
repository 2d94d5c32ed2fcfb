"""``asyncclient sticky-pi report``: what devices saw, as one HTML page."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient._map import run_map
from asyncclient._transfers.hops import CPU, DISK, run_hop
from asyncclient.cli._page import write_page
from asyncclient.cli._sticky_pi_page import Device, Shot, page, shots_of

if TYPE_CHECKING:
    from asyncclient.cli._sticky_pi_run import Client

__all__ = ["chosen", "write_report"]

_CONCURRENCY: Final = 8
_MAX_THUMBNAIL: Final = 1024 * 1024


async def write_report(client: Client, info: dict[str, Any], output: Path, thumbnails: int) -> list[Device]:
    """Write the page; returns what it shows.

    Args:
        client: Where images and annotations are.
        info: ``device``, ``start_datetime`` and ``end_datetime``.
        output: The file; it is replaced whole or not at all.
        thumbnails: Most pictures of a device.
    """
    rows = await client.get_images_with_uid_annotations_series([info], "thumbnail", "data")
    devices = []
    for name, group in itertools.groupby(shots_of(rows), key=lambda shot: shot.device):
        shots = list(group)
        wanted = chosen(len(shots), thumbnails)
        pictures = await _pictures(client, [shots[index] for index in wanted])
        devices.append(Device(name, shots, dict(zip(wanted, pictures, strict=True))))
    text = await run_hop(page, devices, _title(info), crew=CPU)
    await run_hop(write_page, output, text, crew=DISK)
    return devices


def chosen(count: int, most: int) -> list[int]:
    """Return the indices of at most so many of them, evenly spread, first and last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(number * (count - 1) / max(1, most - 1)) for number in range(most)})


def _title(info: dict[str, Any]) -> str:
    def shown(when: dt.datetime) -> str:
        return f"{when:%Y-%m-%d}" if when.time() == dt.time() else f"{when:%Y-%m-%d %H:%M}"

    return f"Sticky Pi, devices {info['device']}, {shown(info['start_datetime'])} to {shown(info['end_datetime'])}"


async def _pictures(client: Client, shots: Sequence[Shot]) -> list[bytes]:
    from asyncclient.sticky_pi._jpeg import check_jpeg
    from asyncclient.sticky_pi.utils import AsyncURLOrFileOpen

    async def fetch(shot: Shot) -> bytes:
        async with AsyncURLOrFileOpen(shot.url, "rb", hub=getattr(client, "_hub", None)) as file:
            data: bytes = await run_hop(file.read, _MAX_THUMBNAIL, crew=DISK)
        check_jpeg(data, f"the thumbnail of {shot.device} at {shot.taken}")
        return data

    return [data async for data in run_map(fetch, shots, _CONCURRENCY, ordered=True)]
