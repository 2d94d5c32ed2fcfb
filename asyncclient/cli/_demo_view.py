"""The sample View of the demo: a hill as a surface with data on it, a textured image, and a cloud of points.

The same values at every call, in every process: that is all an interrupted upload needs to be gone on with.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from asyncclient.cli._samples import png_chunk
from asyncclient.lfview.files import Image
from asyncclient.lfview.manifests import View
from asyncclient.lfview.spatial import (
    DataBasic,
    ElementPointSet,
    ElementSurface,
    MappingContinuous,
    TextureProjection,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["digests_of", "make_view"]

_SEED: Final = 24


def make_view(side: int, pixels: int) -> View:
    """Make the View.

    Args:
        side: Points along each side of the hill; 240 make about 5 MB of content.
        pixels: Along each side of the photograph.
    """
    noise = np.random.default_rng(_SEED)
    vertices = _hill(side, noise)
    surface = ElementSurface(
        name="Hill",
        vertices=vertices,
        triangles=_triangles(side),
        data=[_grades(noise.random(side * side)), _texture(pixels, noise)],
        defaults={"color": {"value": "green"}},
    )
    points = ElementPointSet(
        name="Samples",
        vertices=noise.random((side * side, 3)),
        data=[_grades(noise.random(side * side))],
        defaults={"color": {"value": "red"}},
    )
    return View(name="asyncclient demo", elements=[surface, points])


def digests_of(view: View) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of the bytes of all arrays and images of a View, by what they are of."""
    return {name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in _contents_of(view)}


def _contents_of(view: View) -> Iterator[tuple[str, bytes]]:
    elements: Any = view.elements
    for element in elements:
        for name in ("vertices", "triangles"):
            if hasattr(element, name):
                yield f"{element.name}: {name}", _bytes_of(getattr(element, name).array)
        for data in element.data:
            if isinstance(data, TextureProjection):
                image: Any = data.image
                image.image.seek(0)
                yield f"{element.name}: {data.name}", image.image.read()
            else:
                yield f"{element.name}: {data.name}", _bytes_of(data.array.array)
                yield f"{element.name}: colours", _bytes_of(data.mappings[0].gradient.array)


def _bytes_of(array: NDArray[Any]) -> bytes:
    return b"%s %a " % (array.dtype.str.encode(), array.shape) + array.tobytes()


def _hill(side: int, noise: np.random.Generator) -> NDArray[np.float64]:
    x, y = np.meshgrid(np.linspace(-2, 2, side), np.linspace(-2, 2, side))
    z = np.exp(-(x**2) - y**2)
    return np.column_stack([each.ravel() + noise.random(side * side) / 1000 for each in (x, y, z)])


def _triangles(side: int) -> NDArray[np.int32]:
    corner = np.arange(side * side, dtype=np.int32).reshape(side, side)
    a, b = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
    c, d = corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    return np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])


def _grades(values: NDArray[np.float64]) -> DataBasic:
    colours = MappingContinuous(gradient=[[0, 0, 64], [255, 220, 0]], data_controls=[0.0, 0.2, 0.8, 1.0])
    return DataBasic(name="grades", array=values, location="N", mappings=[colours])


def _texture(pixels: int, noise: np.random.Generator) -> TextureProjection:
    image = Image(_png(noise.integers(0, 256, (pixels, pixels, 3), np.uint8)))
    return TextureProjection(name="photograph", origin="zero", axis_u="x", axis_v="y", image=image)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Write an image of 8-bit red, green and blue (PNG specification, sections 5 and 11)."""
    height, width, _ = pixels.shape
    rows = np.column_stack([np.zeros(height, np.uint8), pixels.reshape(height, -1)])  # filter 0 in front of each row
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
