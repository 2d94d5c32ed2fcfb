"""The report of Sticky Pi as one HTML page: nothing in it is loaded from elsewhere. Pure."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from asyncclient.cli._counts import counted
from asyncclient.cli._page import document

__all__ = ["Bin", "Device", "Shot", "bins_of", "page", "shots_of"]

_HOUR: Final = dt.timedelta(hours=1)
_STEPS: Final = (1, 2, 3, 6, 12, 24, 48, 168, 720)
_MAX_BINS: Final = 240
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{3,8}\Z")
_MAX_POINTS: Final = 2000
_MAX_BAR: Final = 28
_LABEL: Final = 70  # the room that a time takes below the plot
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 960, 240, 44, 34, 14

_STYLE: Final = """
:root { --bar: #4c78a8; --line: #e0653a; }
h2 { font-family: ui-monospace, monospace; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: .8rem; }
.shot { position: relative; border: 1px solid var(--edge); border-radius: 4px; overflow: hidden; }
.shot img { display: block; width: 100%; height: auto; }
.shot svg { position: absolute; inset: 0; width: 100%; height: 100%; }
"""


class Shot(NamedTuple):
    """One image and what is annotated in it.

    Attributes:
        device: Which took it.
        taken: When.
        width: Pixels of the image itself, in which contours are given.
        height: As well.
        url: Where its thumbnail is.
        n_objects: Annotated objects, of all annotations together; None without any annotation.
        contours: Polygons, each with its colour.
    """

    device: str
    taken: dt.datetime
    width: int
    height: int
    url: str
    n_objects: int | None
    contours: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]


class Bin(NamedTuple):
    """Some hours: images per hour, and annotated objects per annotated image (None without any)."""

    start: dt.datetime
    images_per_hour: float
    objects_per_image: float | None


class Device(NamedTuple):
    """What the page shows of a device: all its images, and some of them as pictures (JPEG, by index)."""

    name: str
    shots: Sequence[Shot]
    pictures: Mapping[int, bytes]


def shots_of(rows: Iterable[Mapping[str, Any]]) -> list[Shot]:
    """Turn rows of images and annotations, of which an image may have several, into images by device and time."""
    found: dict[tuple[str, dt.datetime], Shot] = {}
    for row in rows:
        if not row:
            continue
        key = (row["device"], row["datetime"])
        shot = found.get(key) or Shot(*key, row["width"], row["height"], row["url"], None, ())
        if row.get("n_objects") is not None:
            contours = (*shot.contours, *_contours(row.get("json")))
            shot = shot._replace(n_objects=(shot.n_objects or 0) + row["n_objects"], contours=contours)
        found[key] = shot
    return [found[key] for key in sorted(found)]


def _contours(text: Any) -> Iterator[tuple[str, tuple[tuple[float, float], ...]]]:
    """Read the polygons of an annotation; what is not as the platform writes it is left out."""
    try:
        annotations = json.loads(text or "{}").get("annotations", [])
    except (ValueError, AttributeError):
        return
    for annotation in annotations if isinstance(annotations, list) else ():
        contour = annotation.get("contour") if isinstance(annotation, dict) else None
        points = tuple(_points(contour))
        if len(points) > 1:
            colour = annotation.get("stroke_colour")
            yield (colour if isinstance(colour, str) and _COLOUR.match(colour) else "#e0653a"), points


def _points(contour: Any) -> Iterator[tuple[float, float]]:
    for point in contour[:_MAX_POINTS] if isinstance(contour, list) else ():
        pair = point[0] if isinstance(point, list) and point and isinstance(point[0], list) else point
        match pair:
            case [int() | float() as x, int() | float() as y] if math.isfinite(x) and math.isfinite(y):
                yield float(x), float(y)


def bins_of(shots: Sequence[Shot]) -> tuple[list[Bin], int]:
    """Count by time; returns the bins without gaps, and how many hours each has: one, or more for a long time."""
    if not shots:
        return [], 1
    first = shots[0].taken.replace(minute=0, second=0, microsecond=0)
    hours = int((shots[-1].taken - first) / _HOUR) + 1
    step = next((step for step in _STEPS if hours / step <= _MAX_BINS), math.ceil(hours / _MAX_BINS))
    groups: list[list[Shot]] = [[] for _ in range(math.ceil(hours / step))]
    for shot in shots:
        groups[int((shot.taken - first) / (_HOUR * step))].append(shot)
    return [_bin(first + _HOUR * step * number, group, step) for number, group in enumerate(groups)], step


def _bin(start: dt.datetime, shots: Sequence[Shot], step: int) -> Bin:
    counts = [shot.n_objects for shot in shots if shot.n_objects is not None]
    return Bin(start, len(shots) / step, sum(counts) / len(counts) if counts else None)


# --- the page ----------------------------------------------------------------------------------------------------------


def page(devices: Sequence[Device], title: str) -> str:
    """Write the page.

    Args:
        devices: What to show, in this order.
        title: Of the page.
    """
    body = "\n".join(_section(device) for device in devices) or "<p>No images.</p>"
    images = sum(len(device.shots) for device in devices)
    said = f"{counted(images, 'image')} of {counted(len(devices), 'device')}"
    return document(title, _STYLE, f"<p>{said}. Times are UTC.</p>\n{body}")


def _section(device: Device) -> str:
    shots = device.shots
    annotated = [shot.n_objects for shot in shots if shot.n_objects is not None]
    span = f"{shots[0].taken:%Y-%m-%d %H:%M} to {shots[-1].taken:%Y-%m-%d %H:%M}"
    summary = f"{counted(len(shots), 'image')}, {span}; {len(annotated)} annotated, {counted(sum(annotated), 'object')}"
    figures = "".join(_figure(shots[index], picture) for index, picture in sorted(device.pictures.items()))
    return (
        f'<section class="device" data-device="{escape(device.name)}" data-images="{len(shots)}">'
        f"<h2>{escape(device.name)}</h2><p>{summary}</p>{_plot(*bins_of(shots))}"
        f'<div class="sheet">{figures}</div></section>'
    )


def _figure(shot: Shot, picture: bytes) -> str:
    when = f"{shot.taken:%Y-%m-%d %H:%M:%S}"
    objects = "not annotated" if shot.n_objects is None else counted(shot.n_objects, "object")
    data = base64.b64encode(picture).decode("ascii")
    polygons = "".join(
        f'<polygon points="{" ".join(f"{x:g},{y:g}" for x, y in points)}" fill="none" stroke="{colour}" '
        'stroke-width="2" vector-effect="non-scaling-stroke"/>'
        for colour, points in shot.contours
    )
    return (
        f'<figure><div class="shot"><img alt="{escape(shot.device)} at {when}" src="data:image/jpeg;base64,{data}">'
        f'<svg viewBox="0 0 {shot.width} {shot.height}" preserveAspectRatio="none" aria-hidden="true">{polygons}</svg></div>'
        f"<figcaption>{when}, {objects}</figcaption></figure>"
    )


def _plot(bins: Sequence[Bin], step: int) -> str:
    height = _HEIGHT - _BOTTOM - _TOP
    top = max((each.images_per_hour for each in bins), default=0) or 1
    top_objects = max((each.objects_per_image or 0 for each in bins), default=0) or 1
    each_width = _width_of(bins)
    bars, points = [], []
    for number, each in enumerate(bins):
        x, size = _LEFT + number * each_width, height * each.images_per_hour / top
        said = f"{each.start:%Y-%m-%d %H:%M}: {each.images_per_hour:g} images per hour"
        if each.objects_per_image is not None:
            said += f", {each.objects_per_image:.3g} objects per image"
            points.append(f"{x + each_width / 2:.1f},{_TOP + height * (1 - each.objects_per_image / top_objects):.1f}")
        bars.append(
            f'<rect x="{x:.1f}" y="{_TOP + height - size:.1f}" width="{max(1, each_width - 1):.1f}" height="{size:.1f}" '
            f'fill="var(--bar)"><title>{said}</title></rect>'
        )
    line = (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="var(--line)" stroke-width="2"/>' if points else ""
    )
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="2.5" fill="var(--line)"/>' for x, y in (p.split(",") for p in points))
    hours = "hour" if step == 1 else f"{step} hours"
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Activity by {hours}">'
        f"{''.join(bars)}{line}{dots}{_axes(bins, top, top_objects)}</svg>"
        f"<p>Bars: images per hour, by {hours}. Line: annotated objects per image.</p>"
    )


def _width_of(bins: Sequence[Bin]) -> float:
    """Return how wide a bar is; a few of them do not fill the plot."""
    return min(_MAX_BAR, (_WIDTH - 2 * _LEFT) / max(1, len(bins)))


def _axes(bins: Sequence[Bin], top: float, top_objects: float) -> str:
    right, floor = _WIDTH - _LEFT, _HEIGHT - _BOTTOM
    texts = [
        f'<line x1="{_LEFT}" y1="{floor}" x2="{right}" y2="{floor}" stroke="var(--edge)"/>',
        f'<text x="{_LEFT - 6}" y="{_TOP + 9}" text-anchor="end">{top:g}</text>',
        f'<text x="{_LEFT - 6}" y="{floor}" text-anchor="end">0</text>',
    ]
    if any(each.objects_per_image is not None for each in bins):
        texts.append(f'<text x="{right + 6}" y="{_TOP + 9}" fill="var(--line)">{top_objects:.3g}</text>')
    step = max(1, math.ceil(_LABEL / _width_of(bins)), len(bins) // 6)
    for number in range(0, len(bins), step):
        x = _LEFT + (number + 0.5) * _width_of(bins)
        texts.append(f'<text x="{x:.1f}" y="{floor + 18}" text-anchor="middle">{bins[number].start:%m-%d %H:%M}</text>')
    return "".join(texts)
