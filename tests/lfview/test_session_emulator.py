"""Sessions against the emulator: what goes up comes down, contents on another origin, sessions that get lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asyncclient import AsyncHub, Hub, lfview
from asyncclient.lfview import utils
from asyncclient.lfview.files import Array, Image
from asyncclient.lfview.manifests import View
from asyncclient.lfview.scene import Plot, Scene, Slide, Surface
from asyncclient.lfview.spatial import DataBasic, ElementSurface, MappingContinuous, TextureProjection
from asyncclient.testing import serve

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(77))
RNG = np.random.default_rng(5)


def surface() -> ElementSurface:
    gradient = MappingContinuous(gradient=[[0, 0, 0], [255, 255, 255]], data_controls=[0.0, 0.2, 0.8, 1.0])
    texture = TextureProjection(origin="zero", axis_u="x", axis_v="y", image=Image(PNG))
    return ElementSurface(
        name="hill",
        vertices=RNG.random((1000, 3)),
        triangles=RNG.integers(0, 1000, (500, 3)).astype("i4"),
        data=[DataBasic(name="Au", array=RNG.random(1000), location="N", mappings=[gradient]), texture],
        defaults={"color": {"value": "red"}},
    )


def slide_of(view: View) -> Slide:
    elements: Any = view.elements
    return Slide(scene=Scene(plots=[Plot(views=[Surface(element=elements[0].url, color={"value": "blue"})])]))


@pytest.mark.anyio
@pytest.mark.parametrize("options", [{}, {"storage_host": "localhost"}, {"transcode": True}], ids=str)
async def test_round_trip(options: dict[str, Any]) -> None:
    with serve("lfview", **options) as server:
        async with AsyncHub() as hub, lfview.AsyncSession(**server.credentials(), hub=hub) as session:
            view: Any = View(name="v", elements=[surface()])
            url = await session.upload(view, thumbnail=PNG)
            found = await session.download(url)
            np.testing.assert_array_equal(found.elements[0].vertices.array, view.elements[0].vertices.array)
            assert found.elements[0].data[1].image.image.read() == PNG
            before = hub.statistics().requests
            assert await session.upload(found) == await session.upload(view) == url
            assert hub.statistics().requests == before

            slide = slide_of(view)
            slide_url = await session.upload_slide(slide, url, thumbnail=PNG)
            await session.upload_feedback("Nice", slide_url, verbose=False)
            assert (await session.invite_to_view(view, "a@b.c", "view.editor")).status_code == 201
            copy = await session.download(url, copy=True)
            assert await session.upload(copy) != url
            await session.delete(slide)
            await session.delete(url)
            assert await session.download(url, allow_failure=True) == url


def test_round_trip_blocking() -> None:
    with serve("lfview") as server, Hub() as hub:
        session = lfview.Session(**server.credentials(), hub=hub)
        view = View(name="v", elements=[surface()])
        url = session.upload(view)
        assert utils.is_uploaded(session.download(url))
        session.upload_feedback("Nice", session.upload_slide(slide_of(view), view), verbose=False)
        session.delete(view)
        assert view.url is None


@pytest.mark.anyio
async def test_a_server_that_keeps_little_of_what_it_is_sent() -> None:
    with serve("lfview", kept_bytes_per_chunk=262_144) as server:
        async with lfview.AsyncSession(**server.credentials()) as session:
            values = RNG.integers(0, 255, 1_500_000, "u1")
            url = await session.upload(Array(values), chunk_size=4 * 262_144)
            assert (await session.download(url)).array.tobytes() == values.tobytes()


@pytest.mark.anyio
async def test_faults() -> None:
    with serve("lfview") as server:
        async with lfview.AsyncSession(**server.credentials()) as session:
            server.state.fail_next(503, path="/storage")
            server.state.fail_next(503, path="/files/array/")
            values = RNG.integers(0, 255, 1_500_000, "u1")
            array: Any = Array(values)
            url = await session.upload(array, chunk_size=262_144)
            array.array[0] += 1
            await session.upload(array)
            assert (await session.download(url)).array[0] == array.array[0]


def test_every_method_has_its_facade() -> None:
    import inspect

    for name in ("Session", "UploadSession", "UnauthenticatedSession"):
        source, twin = getattr(lfview, f"Async{name}"), getattr(lfview, name)
        for member, method in inspect.getmembers(source, inspect.iscoroutinefunction):
            if not member.startswith("_") and member != "aclose":
                assert list(inspect.signature(getattr(twin, member)).parameters) == list(
                    inspect.signature(method).parameters
                )
        assert list(inspect.signature(twin).parameters) == list(inspect.signature(source).parameters)
    assert not hasattr(lfview.UploadSession, "delete")
    assert not hasattr(lfview.UnauthenticatedSession, "upload")
