"""Downloads: each URL once, put together at the end, in part if that is allowed; slides, feedback, invitations."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import numpy as np
import pytest

from asyncclient import AsyncHub, errors, lfview
from asyncclient.lfview import exceptions, utils
from asyncclient.lfview.files import Array, Image
from asyncclient.lfview.manifests import View
from asyncclient.lfview.scene import Feedback, Plot, PointSet, Scene, Slide
from asyncclient.lfview.spatial import DataBasic, ElementPointSet, TextureProjection
from tests.lfview.fake_service import PROJECT, FakeService, reply
from tests.lfview.playback import Place

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(77))


@pytest.fixture
def service(place: Place) -> FakeService:
    return FakeService(place)


@pytest.fixture
async def session(service: FakeService) -> Any:
    async with (
        AsyncHub() as hub,
        lfview.AsyncSession("good-key", discovery_url=service.base, hub=hub, max_retries=1) as made,
    ):
        yield made


def view() -> Any:
    texture = TextureProjection(origin="zero", axis_u="x", axis_v="y", image=Image(PNG))
    data = DataBasic(array=[1.0, 2.0, 3.0], location="N", name="d")
    element = ElementPointSet(
        vertices=np.arange(9.0).reshape(3, 3), data=[data, texture], defaults={"color": {"value": "red"}}
    )
    return View(name="v", elements=[element])


async def uploaded(service: FakeService, session: lfview.AsyncSession) -> tuple[View, str]:
    made = view()
    url = await session.upload(made, parallel=False)  # for the names of files
    service.requests.clear()
    return made, url


@pytest.mark.parametrize("parallel", [True, False])
async def test_each_url_once(service: FakeService, session: lfview.AsyncSession, parallel: bool) -> None:
    made, url = await uploaded(service, session)
    found = await session.download(url, parallel=parallel)
    assert len(service.calls("GET")) == len(set(service.calls("GET")))
    assert found.elements[0] in found.contents
    assert found.elements[0].vertices.array.tolist() == made.elements[0].vertices.array.tolist()
    assert found.elements[0].data[1].image.image.read() == PNG
    found.elements[0].vertices.array[0, 0] = 5  # it can be changed in place
    service.requests.clear()
    await session.upload(found)
    assert service.calls() == [f"PATCH {PROJECT}/files/array/array2", "PUT /storage/array2"]


@pytest.mark.parametrize("form", ["app", "app/", "query", "embed", "view"])
async def test_forms_of_urls(service: FakeService, session: lfview.AsyncSession, form: str) -> None:
    await uploaded(service, session)
    url = {
        "app": "/app/org1/proj1/view1",
        "app/": "/app/org1/proj1/view1/",
        "query": "/app/org1/proj1/view1?x=1",
        "embed": "/embed/org1/proj1/view1",
        "view": "/api/v1/view/org1/proj1/view1",
    }[form]
    found = await session.download(service.base + url, recursive=False)
    assert found.name == "v"
    assert isinstance(found.elements[0], str)


async def test_a_view_that_is_nowhere(service: FakeService, session: lfview.AsyncSession) -> None:
    with pytest.raises(exceptions.NotFound, match="/api/v1/view/org1/proj1/none"):
        await session.download(f"{service.base}/app/org1/proj1/none")
    with pytest.raises(exceptions.NotFound) as caught:
        await session.download(f"{service.base}{PROJECT}/views/none?secret=1")
    assert "secret" not in str(caught.value)
    assert service.calls("GET")[-1] == f"GET {PROJECT}/views/none"


async def test_without_a_key(service: FakeService, session: lfview.AsyncSession) -> None:
    _, url = await uploaded(service, session)
    service.keys.add("")
    async with lfview.AsyncUnauthenticatedSession(discovery_url=service.base) as reader:
        found = await reader.download(url)
    assert utils.is_uploaded(found)
    assert not hasattr(reader, "upload")
    assert not [request for request in service.requests if "authorization" in request.headers]


async def test_an_image_alone(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(Image(PNG))
    for recursive in (True, False):
        assert (await session.download(url, recursive=recursive)).image.read() == PNG


# --- what fails ------------------------------------------------------------------------------------------------------


def broken(kind: str) -> Any:
    return {
        "missing": lambda request: reply(404, {"message": "no"}),
        "html": lambda request: (200, {"Content-Type": "text/html"}, b"<html>"),
        "list": lambda request: reply(200, []),
        "type": lambda request: reply(200, {"type": "planets/mars", "links": {}}),
        "values": lambda request: reply(200, {"type": "files/array", "shape": "round", "links": {}}),
    }[kind]


EXPECTED = {
    "missing": exceptions.NotFound,
    "html": exceptions.BadAnswer,
    "list": exceptions.BadAnswer,
    "type": exceptions.UnknownType,
    "values": exceptions.ValidationError,
}


@pytest.mark.parametrize("kind", sorted(EXPECTED))
async def test_metadata_that_cannot_be_read(service: FakeService, session: lfview.AsyncSession, kind: str) -> None:
    _, url = await uploaded(service, session)
    path = f"{PROJECT}/files/array/array1"
    service.on("GET", path, 0, broken(kind))
    with pytest.raises(EXPECTED[kind]) as caught:
        await session.download(url)
    assert isinstance(caught.value, ValueError)
    assert any("array1" in note for note in caught.value.__notes__)
    found = await session.download(url, allow_failure=True)
    assert found.elements[0].data[0].array == service.base + path
    assert isinstance(found.elements[0].vertices, Array)
    service.requests.clear()
    await session.upload(found)
    assert not service.sent()


@pytest.mark.parametrize("kind", ["missing", "short", "long", "damaged", "cut"])
async def test_content_that_cannot_be_read(service: FakeService, session: lfview.AsyncSession, kind: str) -> None:
    _, url = await uploaded(service, session)
    answer = {
        "missing": (404, {}, b"no such content"),
        "short": (200, {}, b"1234"),
        "long": (200, {}, bytes(100)),
        "damaged": (200, {"Content-Encoding": "gzip"}, b"no gzip"),
        "cut": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(24))[:-12]),
    }[kind]
    service.on("GET", "/storage/array1", 0, lambda request: answer)
    with pytest.raises(errors.AsyncClientError):
        await session.with_options(max_retries=0).download(url) if kind not in ("damaged", "cut") else await _impatient(
            session, url
        )
    found = await _impatient(session, url, allow_failure=True)
    assert found.elements[0].data[0].array == f"{service.base}{PROJECT}/files/array/array1"


async def _impatient(session: lfview.AsyncSession, url: str, **values: Any) -> Any:
    from asyncclient.types import RetryPolicy

    quick = RetryPolicy(max_retries=0, base_transport_s=0, base_server_s=0)
    return await session.with_options(retry=quick).download(url, **values)


async def test_a_short_image(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(Image(PNG))
    service.on("GET", "/storage/image1", 1, lambda request: (200, {}, PNG[:-1]))
    with pytest.raises(exceptions.BadAnswer, match="has 84 bytes, its metadata announces 85"):
        await session.download(url)


async def test_a_location_that_is_no_url(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(Array([1]))
    service.resources[f"{PROJECT}/files/array/array1"]["links"]["location"] = "nowhere"
    with pytest.raises(exceptions.BadAnswer, match="unusable URL"):
        await session.download(url)


async def test_an_array_without_a_shape(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(Array([1]))
    del service.resources[f"{PROJECT}/files/array/array1"]["shape"]
    with pytest.raises(exceptions.ValidationError, match="shape"):
        await session.download(url)


async def test_digests_of_storage_are_believed(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(Array([1, 2, 3]))
    raw = np.array([1, 2, 3], "<i4").tobytes()
    for digest, right in ((hashlib.md5(raw), True), (hashlib.md5(b"other"), False)):
        value = f"md5={base64.b64encode(digest.digest()).decode()}"
        service.on("GET", "/storage/array1", 0, lambda request, value=value: (200, {"x-goog-hash": value}, raw))
        if right:
            await session.download(url)
        else:
            with pytest.raises(errors.IntegrityError):
                await session.download(url)
    # Of content that is stored compressed, it is the digest of the compressed form.
    headers = {"x-goog-hash": value, "x-goog-stored-content-encoding": "gzip"}
    service.on("GET", "/storage/array1", 0, lambda request: (200, headers, raw))
    await session.download(url)


async def test_a_stream_that_breaks_begins_again(service: FakeService, session: lfview.AsyncSession) -> None:
    values = np.arange(100_000, dtype="<f8")
    url = await session.upload(Array(values))
    packed = service.stored["/storage/array1"]
    service.on(
        "GET", "/storage/array1", 1, lambda request: (200, {"Content-Encoding": "gzip"}, packed[: len(packed) // 2])
    )
    assert (await session.download(url)).array.tolist() == values.tolist()


async def test_failure_of_the_first(service: FakeService, session: lfview.AsyncSession) -> None:
    url = f"{service.base}{PROJECT}/views/none"
    assert await session.download(url, allow_failure=True) == url


# --- slides and feedback ---------------------------------------------------------------------------------------------


def slide_for(made: View, **values: Any) -> Slide:
    views = [PointSet(element=element.url, color={"value": "red"}) for element in made.elements]
    return Slide(scene=Scene(plots=[Plot(views=views)]), **values)


async def test_slide_and_feedback(service: FakeService, session: lfview.AsyncSession) -> None:
    made, url = await uploaded(service, session)
    slide = slide_for(made)
    slide_url = await session.upload_slide(slide, made, thumbnail=PNG)
    assert service.calls()[0] == "POST /api/v1/view/org1/proj1/view1/slides"
    assert not service.calls("GET"), "an uploaded view need not be read"
    service.requests.clear()
    assert await session.upload_slide(slide) == slide_url
    assert not service.requests
    slide.name = "changed"
    assert await session.upload_slide(slide) == slide_url
    assert [call.partition(" ")[0] for call in service.calls("GET", "PATCH")] == ["GET", "PATCH"]
    slide.name = "once more"
    for form in (made, url, service.base + "/app/org1/proj1/view1"):
        slide.description = str(form)[:20]
        assert await session.upload_slide(slide, form) == slide_url
    service.requests.clear()
    assert await session.upload_slide(slide, thumbnail=PNG) == slide_url
    assert len(service.sent("PUT")) == 2

    feedback = Feedback(comment="Nice")
    feedback_url = await session.upload_feedback(feedback, slide, verbose=False)
    assert await session.upload_feedback(feedback, verbose=False) == feedback_url
    feedback.comment = "Very nice"
    assert await session.upload_feedback(feedback, verbose=False) == feedback_url
    assert service.calls("PATCH") == [f"PATCH {feedback_url.removeprefix(service.base)}"]

    found = await session.download(slide_url)
    assert found.name == "once more"
    assert isinstance(found.scene.plots[0].views[0].element, str), "never followed"
    assert (await session.download(feedback_url)).comment == "Very nice"
    assert await session.upload_slide(found) == slide_url


async def test_feedback_says_so(
    service: FakeService, session: lfview.AsyncSession, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = await uploaded(service, session)
    slide = slide_for(made)
    await session.upload_slide(slide, made)
    assert not capsys.readouterr().out
    await session.upload_feedback("Nice", slide)
    assert "fb1" in capsys.readouterr().out


async def test_slides_that_do_not_fit(service: FakeService, session: lfview.AsyncSession) -> None:
    made, url = await uploaded(service, session)
    other = View(elements=[])
    calls: list[tuple[Any, Any, type[Exception]]] = [
        (Slide(scene=Scene()), made, exceptions.ValidationError),
        (Slide(scene=Scene(plots=[])), made, exceptions.ValidationError),
        (Slide(), made, exceptions.ValidationError),
        (slide_for(made), other, exceptions.NotUploaded),
        (slide_for(made), Array([1]), exceptions.NotAResource),
        (slide_for(made), made.elements[0].url, exceptions.BadURL),
        (slide_for(made), f"{service.base}/app/org1/proj1/none", exceptions.NotFound),
    ]
    for slide, target, expected in calls:
        with pytest.raises(expected):
            await session.upload_slide(slide, target)
    long = Feedback(comment="x")
    slide = slide_for(made)
    await session.upload_slide(slide, url)
    service.requests.clear()
    for feedback, target, expected in (
        ("x" * 5001, slide, exceptions.ValidationError),
        (Feedback(), slide, exceptions.ValidationError),
        (long, made, exceptions.NotAResource),
        (long, slide_for(made), exceptions.NotUploaded),
        (long, url, exceptions.BadURL),
    ):
        with pytest.raises(expected):
            await session.upload_feedback(feedback, target)
    assert not service.sent()


async def test_a_view_url_that_leads_to_something_else(service: FakeService, session: lfview.AsyncSession) -> None:
    made, _ = await uploaded(service, session)
    answer = reply(200, {"type": "files/array", "shape": [1], "dtype": "Int8Array", "content_length": 1, "links": {}})
    service.on("GET", "/api/v1/view/org1/proj1/view1", 1, lambda request: answer)
    with pytest.raises(exceptions.BadURL, match="no view, but a Array"):
        await session.upload_slide(slide_for(made), f"{service.base}/app/org1/proj1/view1")


async def test_links_that_are_missing(service: FakeService, session: lfview.AsyncSession) -> None:
    made, url = await uploaded(service, session)
    data = service.resources["/api/v1/view/org1/proj1/view1"]
    service.resources["/api/v1/view/org1/proj1/view1"] = json.loads(json.dumps(data)) | {"links": None}
    with pytest.raises(exceptions.BadAnswer, match="slides"):
        await session.upload_slide(slide_for(made), url)
    with pytest.raises(exceptions.BadAnswer, match="invites"):
        await session.invite_to_view(f"{service.base}/api/v1/view/org1/proj1/view1", "a@b.c", "view.editor")


@pytest.mark.parametrize(
    "values",
    [
        {"role": "owner"}, {"role": None}, {"email": ""}, {"email": None}, {"email": 5}, {"message": 5},
        {"view": None}, {"view": 5}, {"view": View()},
    ],
    ids=str,
)  # fmt: skip
async def test_bad_invitations(service: FakeService, session: lfview.AsyncSession, values: dict[str, Any]) -> None:
    made, _ = await uploaded(service, session)
    given = {"view": made, "email": "a@b.c", "role": "view.editor", "send_email": True} | values
    with pytest.raises((ValueError, TypeError)):
        await session.invite_to_view(**given)
    assert not service.requests


async def test_invitation_with_mail(service: FakeService, session: lfview.AsyncSession) -> None:
    made, _ = await uploaded(service, session)
    await session.invite_to_view(made, "a@b.c", "view.editor", True)
    (request,) = service.sent("POST")
    assert request.json == {"email": "a@b.c", "roles": ["view.editor"], "send_email": True, "message": None}
    service.on("POST", ".*/invites", 0, lambda request: (400, {}, b"unknown address"))
    with pytest.raises(exceptions.BadRequest, match="unknown address"):
        await session.invite_to_view(made, "a@b.c", "view.editor")


@pytest.mark.parametrize("value", [None, 5, View(), View], ids=str)
async def test_nothing_to_delete(service: FakeService, session: lfview.AsyncSession, value: Any) -> None:
    with pytest.raises(exceptions.NotUploaded):
        await session.delete(value)


async def test_delete_by_app_url(service: FakeService, session: lfview.AsyncSession) -> None:
    await uploaded(service, session)
    await session.delete(f"{service.base}/app/org1/proj1/view1")
    assert service.calls() == [f"DELETE {PROJECT}/views/view1"]
