"""Let the official LF View client do a session of real work.

This script runs in a virtual environment of its own, where the official client is installed and this project is not. The
client is used as it is: the environment leads its requests elsewhere (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``). The script
writes a report as JSON to standard output: links, digests of contents, and what went wrong in which step if anything did.
It never stops at the first failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import struct
import sys
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the packages are of their time
    import numpy as np
    from lfview.client import Session, UploadSession
    from lfview.client.session import UnauthenticatedSession
    from lfview.resources import files, manifests, scene, spatial

KEY = os.environ["OFFICIAL_LFVIEW_KEY"]
OTHER_KEY = os.environ["OFFICIAL_LFVIEW_OTHER_KEY"]
OTHER_EMAIL = os.environ["OFFICIAL_LFVIEW_OTHER_EMAIL"]

links: dict[str, dict[str, str]] = {}
digests: dict[str, str] = {}
errors: dict[str, str] = {}
steps: list[str] = []


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Blame what fails inside on this step, and go on."""
    steps.append(name)
    try:
        yield
    except Exception:
        errors[name] = traceback.format_exc(limit=-4)


def eq(actual: Any, expected: Any) -> None:
    assert actual == expected, f"{actual!r} != {expected!r}"


def refused(call: Callable[[], Any], text: str) -> None:
    message = None
    try:
        call()
    except ValueError as error:
        message = str(error)
    assert message is not None, "no ValueError"
    assert text in message, message


def png(seed: int) -> bytes:
    """A picture of 2 x 2 grey pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes([0, seed, 1, 0, 2, seed]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def note(name: str, resource: Any, content: bytes | None = None) -> None:
    """Put links and content of an uploaded resource into the report."""
    links[name] = dict(resource._links)
    if content is not None:
        digests[name] = hashlib.sha256(content).hexdigest()


def array(values: Any, dtype: str) -> Any:
    return files.Array(np.array(values, dtype=dtype))


rng = np.random.default_rng(5)
noise = rng.integers(0, 256, 700_000).astype("u1")
zeros = np.zeros((500, 3))
zeros[:, 0] = np.arange(500)


def make_points() -> Any:
    gradient = array([[0, 0, 255], [255, 0, 0]], "u1")
    continuous = spatial.MappingContinuous(gradient=gradient, data_controls=[0.0, 10.0, 20.0, 30.0], name="Heat")
    discrete = spatial.MappingDiscrete(
        values=["#FF0000", "#00FF00"], end_points=[250.0], end_inclusive=[True], visibility=[True, False]
    )
    labels = spatial.MappingCategory(values=["ore", "waste rock"], indices=[0, 1], visibility=[True, True])
    colours = spatial.MappingCategory(values=["red", "blue"], indices=[0, 1], visibility=[True, True])
    grade = spatial.DataBasic(array=array(np.arange(500), "f4"), location="nodes", mappings=[continuous, discrete])
    rock = spatial.DataCategory(
        array=array(np.arange(500) % 2, "i2"), location="nodes", categories=labels, mappings=[colours]
    )
    texture = spatial.TextureProjection(
        origin=[0, 0, 0], axis_u=[1, 0, 0], axis_v=[0, 1, 0], image=files.Image(io.BytesIO(png(7)))
    )
    return spatial.ElementPointSet(
        name="Sämples", description="“drill” 👍", vertices=array(zeros, "f8"), data=[grade, rock, texture]
    )


def make_others() -> list[Any]:
    vertices = array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "f8")
    lines = spatial.ElementLineSet(
        vertices=vertices,
        segments=array([[0, 1], [1, 2]], "u2"),
        defaults=spatial.OptionsTubes(color={"value": "green"}, radius={"value": 3.0}, opacity={"value": 0.5}),
    )
    surface = spatial.ElementSurface(vertices=vertices, triangles=array([[0, 1, 2]], "i4"))
    grid = spatial.ElementSurfaceGrid(
        origin=[0, 0, 0],
        tensor_u=[1.0, 2.0],
        tensor_v=[1.0],
        axis_u="x",
        axis_v="y",
        offset_w=array([0, 1, 2, 3, 4, 5], "f4"),
    )
    volume = spatial.ElementVolumeGrid(
        origin=[0, 0, 0],
        tensor_u=[1.0, 1.0],
        tensor_v=[1.0],
        tensor_w=[1.0],
        axis_u="x",
        axis_v="y",
        axis_w="z",
        data=[spatial.DataBasic(array=array([1, 2], "i1"), location="cells")],
        defaults=spatial.OptionsVolumeSlices(color={"value": "#abc"}, opacity={"value": 1.0}),
    )
    return [lines, surface, grid, volume]


def make_slide(elements: list[str]) -> Any:
    kinds = [scene.PointSet, scene.Tubes, scene.Surface, scene.SurfaceGrid, scene.VolumeSlices]
    views = [kind(element=url, color={"value": "blue"}) for kind, url in zip(kinds, elements, strict=True)]
    camera = scene.CameraStandard(target=[1, 2, 3], radius=10.0, zoom=4.0, rotation=[0.0, 0.0, 0.6, 0.8])
    plot = scene.Plot(views=views, lims=[[0, 1], [0, 2], [0, 3]])
    notes = [
        scene.AnnotationText(position=[1.0, 2.0], color="red", comment="See “here”"),
        scene.AnnotationInk(position=[0.0, 0.0], color=(1, 2, 3), path=[[0.0, 0.0], [1.5, 1.0]]),
    ]
    return scene.Slide(scene=scene.Scene(camera=camera, plots=[plot]), annotations=notes, name="Überblick")


def work() -> None:
    session = None
    with step("session"):
        session = Session(KEY, source="official tests")
        eq(session.upload_base_url, "https://api.seequent.systems/api/v1/project/org1/proj1")
        UploadSession(KEY, service="https://example.com/a b?x=1")
        refused(lambda: Session("wrong"), "api key")
    assert session is not None
    big = files.Array(noise)
    with step("arrays"):
        url = session.upload(big, chunk_size=262144)
        eq(url, big._links["self"])
        note("raw", big, noise.tobytes())
        ramp = array(zeros, "f8")
        session.upload(ramp, parallel=False)
        note("gzip", ramp, zeros.tobytes())
        for kind in ("i1", "i2", "i4", "u1", "u2", "u4", "f2", "f4", ">f8"):
            made = array([1, 2, 3], kind)
            session.upload(made, parallel=False)
            back = session.download(made._links["self"])
            eq(back.dtype, made.dtype)
            eq(back.array.tolist(), [1, 2, 3])
    with step("images"):
        image = files.Image(io.BytesIO(png(1)))
        session.upload(image)
        note("image", image, png(1))
        eq(session.download(image._links["self"]).image.read(), png(1))
    points = make_points()
    view = manifests.View(name="Mine", elements=[points, *make_others()], label_x="East")
    with step("view"):
        eq(session.upload(view, thumbnail=io.BytesIO(png(2))), view._links["self"])
        note("view", view)
        note("points", points)
        digests["view thumbnail"] = hashlib.sha256(png(2)).hexdigest()
    with step("unchanged"):
        eq(session.upload(view), view._links["self"])
    with step("changed"):
        points.data[0].name = "Grade"
        view.description = "changed"
        session.upload(view)
        note("grade", points.data[0])
    with step("array replaced"):
        big.array = noise[:1000]
        session.upload(big, chunk_size=262144)
        note("replaced", big, noise[:1000].tobytes())
    with step("download"):
        again = session.download(view._links["self"])
        eq(again.name, "Mine")
        eq(
            [type(element).__name__ for element in again.elements],
            [type(element).__name__ for element in view.elements],
        )
        first = again.elements[0]
        eq((first.name, first.description), ("Sämples", "“drill” 👍"))
        eq(first.vertices.array.tolist(), zeros.tolist())
        eq(first.data[0].mappings[0].gradient.array.tolist(), [[0, 0, 255], [255, 0, 0]])
        eq(first.data[1].categories.values, ["ore", "waste rock"])
        eq(first.data[1].mappings[0].values, [(255, 0, 0), (0, 0, 255)])
        eq(first.data[2].image.image.read(), png(7))
        eq(again.elements[1].defaults.radius.value, 3.0)
        eq(type(again.elements[4].defaults).__name__, "OptionsVolumeSlices")
        flat = session.download(view._links["self"], recursive=False)
        assert all(isinstance(element, str) for element in flat.elements)
    with step("copy"):
        copied = session.download(points.data[0]._links["self"], copy=True)
        session.upload(copied)
        assert copied._links["self"] != points.data[0]._links["self"]
        note("copy", copied)
    slide = make_slide([element._links["self"] for element in view.elements])
    with step("slide"):
        session.upload_slide(slide, view._links["self"], thumbnail=io.BytesIO(png(3)))
        note("slide", slide)
        digests["slide thumbnail"] = hashlib.sha256(png(3)).hexdigest()
        slide.description = "two\nlines"
        session.upload_slide(slide)
        back = session.download(slide._links["self"])
        eq(back.description, "two\nlines")
        eq(back.annotations[0].comment, "See “here”")
        eq(len(back.scene.plots[0].views), 5)
    with step("feedback"):
        session.upload_feedback("Nice", slide._links["self"])
        answer = scene.Feedback(comment="Looks “fine” 👍")
        session.upload_feedback(answer, slide)
        note("feedback", answer)
        answer.comment = "Looks better"
        session.upload_feedback(answer)
        eq(session.download(answer._links["self"]).comment, "Looks better")
    app_url = view._links["self"].replace("/api/v1/project/", "/app/").replace("/views/", "/")
    with step("invitations"):
        other = Session(OTHER_KEY)
        refused(lambda: other.download(app_url), "Unable to download")
        session.invite_to_view(view._links["self"], OTHER_EMAIL, "view.editor")
        session.invite_to_view(view, "b+c@example.com", "view.spectator", send_email=True, message="Bonjour")
        session.invite_to_view(view, "d@example.com", "view.spectator", send_email=True)
        shared = other.download(app_url)
        eq(len(shared.elements), 5)
        eq(shared.elements[0].vertices.array.tolist(), zeros.tolist())
        assert "/api/v1/view/" in shared.elements[0]._links["self"]
        mine = make_slide([element._links["self"] for element in shared.elements])
        other.upload_slide(mine, shared._links["self"])
        note("their slide", mine)
        eq(session.download(mine._links["self"]).name, "Überblick")
    with step("unauthenticated"):
        refused(lambda: UnauthenticatedSession().download(app_url), "Unable to download")
        url = view._links["self"]
        eq(UnauthenticatedSession().download(url, allow_failure=True), url)
    with step("delete"):
        target = copied._links["self"]
        session.delete(target)
        refused(lambda: session.delete(target), "Failed to delete")
        refused(lambda: session.download(target), "Unable to download")
        session.delete(big)
        session.upload(big)
        note("anew", big, noise[:1000].tobytes())
    with step("dangling"):
        session.delete(points.data[0].array._links["self"])
        partly = session.download(points.data[0]._links["self"], allow_failure=True)
        assert isinstance(partly.array, str)
    with step("refusals"):
        unknown = points._links["self"].rpartition("/")[0] + "/unknown"
        refused(lambda: session.upload(manifests.View(elements=[unknown])), "no such resource")


if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()):
        work()
    report = {
        "version": version("lfview-api-client"),
        "steps": steps,
        "errors": errors,
        "links": links,
        "digests": digests,
    }
    sys.stdout.write(json.dumps(report))
