"""Uploads: checked first, sent once and in order, clean only when complete, resumed, and nothing left waiting."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from asyncclient import AsyncHub, Hub, errors, lfview
from asyncclient.lfview import _content, _thumbnails, exceptions, utils
from asyncclient.lfview.files import Array, Image, Thumbnail
from asyncclient.lfview.manifests import View
from asyncclient.lfview.spatial import (
    DataBasic,
    DataCategory,
    ElementPointSet,
    MappingCategory,
    TextureProjection,
)
from tests.lfview.fake_service import PROJECT, FakeService, reply
from tests.lfview.playback import Answer, Place, Received

pytestmark = pytest.mark.anyio

CHUNK = 262_144
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(77))
RNG = np.random.default_rng(3)


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


def points(count: int = 3, **values: Any) -> ElementPointSet:
    base: dict[str, Any] = {"vertices": np.zeros((count, 3)), "defaults": {"color": {"value": "red"}}}
    return ElementPointSet(**base | values)


def view(**values: Any) -> Any:
    return View(elements=[points(data=[DataBasic(array=[1.0, 2.0, 3.0], location="N", name="d")])], **values)


def refuse(status: int = 400, text: str = "no quota") -> Callable[[Received], Answer]:
    return lambda request: (status, {}, text.encode())


# --- before anything is sent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [None, "https://x.example/files/array/a", 5, lfview.manifests.ViewMetadata(), Thumbnail(PNG), DataBasic],
    ids=repr,
)
async def test_what_cannot_be_uploaded(service: FakeService, session: lfview.AsyncSession, resource: Any) -> None:
    with pytest.raises(exceptions.NotAResource):
        await session.upload(resource)
    assert not service.sent()


async def test_the_whole_graph_is_checked_first(service: FakeService, session: lfview.AsyncSession) -> None:
    wrong = View(elements=[points(3, data=[DataBasic(array=[1, 2], location="N")])])
    with pytest.raises(exceptions.ValidationError, match="elements"):
        await session.upload(wrong)
    assert not service.sent()


async def test_a_slide_among_the_contents(service: FakeService, session: lfview.AsyncSession) -> None:
    slide = lfview.scene.Slide(scene={}, annotation_plane={"origin": "zero", "axis_u": "x", "axis_v": "y"})
    with pytest.raises(exceptions.NotAResource):
        await session.upload(View(contents=[slide]))
    assert not service.sent()


async def test_what_points_to_itself(service: FakeService, session: lfview.AsyncSession) -> None:
    first, second = View(name="1"), View(name="2")
    first.contents, second.contents = [second], [first]
    with pytest.raises(exceptions.ValidationError, match="points to itself"):
        await session.upload(first)
    assert not service.sent()
    third = View(name="3")
    third.contents = [third]
    await session.upload(third)  # it is left out of its own contents
    assert service.sent()[0].json["contents"] == []


async def test_a_thumbnail_that_is_not_there(
    service: FakeService, session: lfview.AsyncSession, tmp_path: Path
) -> None:
    with pytest.raises(exceptions.ValidationError, match="cannot be read"):
        await session.upload(view(), thumbnail=str(tmp_path / "none.png"))
    assert not service.sent()


# --- order and sharing -----------------------------------------------------------------------------------------------


async def test_one_at_a_time(service: FakeService, session: lfview.AsyncSession) -> None:
    await session.upload(view(), parallel=False)
    one_by_one = [
        f"POST {PROJECT}/files/array",
        "PUT /storage/array1",
        f"POST {PROJECT}/data/basic",
        f"POST {PROJECT}/files/array",
        "PUT /storage/array2",
        f"POST {PROJECT}/elements/pointset",
        f"POST {PROJECT}/views",
    ]
    assert service.calls() == one_by_one
    service.requests.clear()
    await session.upload(view(), executor=utils.SynchronousExecutor())
    assert [call.rpartition("/")[0] for call in service.calls()] == [call.rpartition("/")[0] for call in one_by_one]


@pytest.mark.parametrize("workers", [1, 2, None])
async def test_workers(service: FakeService, session: lfview.AsyncSession, workers: int | None) -> None:
    shared = Array(np.arange(30.0).reshape(10, 3))
    many = View(elements=[points(vertices=shared, name=str(at)) for at in range(20)])
    url = await session.upload(many, workers=workers)
    assert service.calls().count(f"POST {PROJECT}/files/array") == 1
    assert service.calls().count(f"POST {PROJECT}/elements/pointset") == 20
    assert len(service.resources[url.removeprefix(service.base)]["contents"]) == 21


class _Executor:
    def submit(self, *args: Any) -> Any:
        raise AssertionError("not used")

    def shutdown(self, wait: bool = True) -> None:
        raise AssertionError("not used")


async def test_an_executor_is_left_alone(service: FakeService, session: lfview.AsyncSession) -> None:
    await session.upload(view(), executor=_Executor())


async def test_parents_do_not_wait_for_content(service: FakeService, session: lfview.AsyncSession) -> None:
    service.slow["/storage/"] = 0.2
    await session.upload(view())
    calls = service.calls()
    assert calls.index(f"POST {PROJECT}/views") < max(at for at, call in enumerate(calls) if call.startswith("PUT"))


async def test_children_of_children_are_named_in_contents(service: FakeService, session: lfview.AsyncSession) -> None:
    made = view()
    await session.upload(made)
    made.elements[0].data[0].mappings.append(f"{service.base}{PROJECT}/mappings/continuous/c1")
    service.requests.clear()
    await session.upload(made)
    # The new mapping is to be seen by whoever sees the view.
    assert service.calls() == [f"PATCH {PROJECT}/data/basic/basic1", f"PATCH {PROJECT}/views/view1"]


async def test_contents_as_they_are(service: FakeService, session: lfview.AsyncSession) -> None:
    made = view(contents=[])
    await session.upload(made, update_contents=False)
    (sent,) = [entry for entry in service.sent("POST", "PATCH") if "/views" in entry.path]
    assert sent.json["contents"] == []


async def test_another_order_of_contents_is_no_change(service: FakeService, session: lfview.AsyncSession) -> None:
    url = await session.upload(view())
    data = service.resources[url.removeprefix(service.base)]
    data["contents"] = data["contents"][::-1]
    found = await session.download(url)
    service.requests.clear()
    assert await session.upload(found) == url
    assert not service.sent()


async def test_equal_values_and_no_values(service: FakeService, session: lfview.AsyncSession) -> None:
    made = view(name="")
    await session.upload(made)
    service.requests.clear()
    made.name = ""
    made.elements[0].data[0].name = "d"
    await session.upload(made)
    assert not service.requests
    made.elements[0].data[0].array.array[0] = 7
    await session.upload(made)
    name = made.elements[0].data[0].array.url.rpartition("/")[2]  # arrays are created several at a time
    assert service.calls() == [f"PATCH {PROJECT}/files/array/{name}", f"PUT /storage/{name}"]


async def test_a_deleted_child_gets_its_parents_sent(service: FakeService, session: lfview.AsyncSession) -> None:
    made = view()
    await session.upload(made)
    await session.delete(made.elements[0].data[0].array)
    service.requests.clear()
    await session.upload(made)
    assert service.calls()[0] == f"POST {PROJECT}/files/array"
    assert {call for call in service.calls() if call.startswith("PATCH")} == {
        f"PATCH {PROJECT}/data/basic/basic1",
        f"PATCH {PROJECT}/views/view1",
    }


async def test_labels_get_colours(service: FakeService, session: lfview.AsyncSession) -> None:
    labels = MappingCategory(values=["sand", "clay"], indices=[0, 1], visibility=[True, True])
    data = DataCategory(array=np.array([0, 1], "i1"), location="N", categories=labels)
    await session.upload(data)
    body = service.sent("POST")[-1].json
    assert len(body["mappings"]) == 1
    sent = service.resources[body["mappings"][0].removeprefix(service.base)]
    assert all(value.startswith("#") for value in sent["values"])


# --- content ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["path", "bytes", "memory", "file", "odd"])
async def test_images(service: FakeService, session: lfview.AsyncSession, tmp_path: Path, form: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    file = path.open("rb")
    given: Any = {"path": path, "bytes": PNG, "memory": io.BytesIO(PNG), "file": file, "odd": _Odd(PNG)}[form]
    with file:
        texture = TextureProjection(origin="zero", axis_u="x", axis_v="y", image=Image(given))
        await session.upload(texture)
    assert service.stored["/storage/image1"] == PNG
    put = next(request for request in service.sent("PUT"))
    assert put.headers["content-type"] == "image/png"


class _Odd(io.BytesIO):
    """A file object of no known kind."""

    def getvalue(self) -> bytes:
        raise AssertionError("not of this one")


async def test_an_image_that_changes_meanwhile(
    service: FakeService, session: lfview.AsyncSession, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    image = Image(path)
    service.on("POST", f"{PROJECT}/files/image", 1, lambda request: path.write_bytes(PNG + b"x") and None)
    await session.upload(image)
    assert service.stored["/storage/image1"] == PNG, "what was looked at is what was sent"
    assert not utils.is_uploaded(image)
    with pytest.raises(exceptions.ValidationError, match="assign image again"):
        await session.upload(image)
    image.image = path
    await session.upload(image)
    assert service.stored["/storage/image1"] == PNG + b"x"


async def test_a_big_image_that_changes_meanwhile(
    service: FakeService, session: lfview.AsyncSession, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG * 50_000)
    image = Image(path)
    service.on("PUT", "/storage/image1", 1, lambda request: path.write_bytes(bytes(len(PNG) * 50_000)) and None)
    with pytest.raises(errors.SourceChanged):
        await session.upload(image, chunk_size=CHUNK)
    assert not utils.is_uploaded(image)


async def test_an_image_that_changes_before_it_is_opened(
    service: FakeService, session: lfview.AsyncSession, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    thumbnail = Thumbnail(path)
    content = await _content.image_content(thumbnail)
    path.write_bytes(PNG + b"x")
    with pytest.raises(exceptions.ValidationError, match="has 86 bytes now, it had 85"):
        await content.send(session, _thumbnails._Preview(session, "http://x/", {}), CHUNK)


async def test_big_arrays_are_compressed_to_a_file(service: FakeService, session: lfview.AsyncSession) -> None:
    values = np.cumsum(RNG.integers(0, 9, size=2_000_000)).astype("<f8")
    await session.upload(Array(values), chunk_size=8 * CHUNK)
    assert service.resources[f"{PROJECT}/files/array/array1"]["content_encoding"] == "gzip"
    assert len(service.sent("PUT")) > 1
    assert service.content("/storage/array1") == values.tobytes()


@pytest.mark.parametrize("status", [404, 410])
async def test_a_session_that_is_gone(service: FakeService, session: lfview.AsyncSession, status: int) -> None:
    service.on("PUT", "/storage/array1", 2, refuse(status, "gone"))
    values = RNG.integers(0, 255, 3 * CHUNK, "u1")
    await session.upload(Array(values), chunk_size=CHUNK)
    assert service.calls("POST", "PATCH") == [f"POST {PROJECT}/files/array", f"PATCH {PROJECT}/files/array/array1"]
    assert service.content("/storage/array1") == values.tobytes()


async def test_an_answer_without_a_session(service: FakeService, session: lfview.AsyncSession) -> None:
    answer = reply(201, {"links": {"self": f"{service.base}{PROJECT}/files/array/a1"}})
    service.on("POST", f"{PROJECT}/files/array", 1, lambda request: answer)
    with pytest.raises(exceptions.BadAnswer, match="location"):
        await session.upload(Array([1]))
    service.on("POST", f"{PROJECT}/views", 1, lambda request: reply(201, {}))
    with pytest.raises(exceptions.BadAnswer, match="self"):
        await session.upload(View())


async def test_metadata_alone(service: FakeService, session: lfview.AsyncSession) -> None:
    await session.upload(Array(dtype="Int8Array", shape=[3], content_length=3))
    assert service.calls() == [f"POST {PROJECT}/files/array"]


# --- going on --------------------------------------------------------------------------------------------------------


async def test_a_broken_upload_goes_on_in_another_session(service: FakeService) -> None:
    values = RNG.integers(0, 255, 6 * CHUNK + 5, "u1")
    service.on("PUT", "/storage/array1", 4, refuse(403, "stop"))
    async with lfview.AsyncSession("good-key", discovery_url=service.base) as first:
        with pytest.raises(exceptions.Forbidden, match="stop"):
            await first.upload(Array(values), chunk_size=CHUNK)
    service.requests.clear()
    async with lfview.AsyncSession("good-key", discovery_url=service.base) as second:
        url = await second.upload(Array(values), chunk_size=CHUNK)
        third = await second.upload(Array(values), chunk_size=CHUNK)
    assert service.content("/storage/array1") == values.tobytes()
    assert url.endswith("/array1")
    assert third.endswith("/array2"), "complete ones are not taken for new ones"
    assert service.calls("POST") == [f"POST {PROJECT}/files/array"]
    assert sum(len(request.body) for request in service.sent("PUT") if "array1" in request.path) == 3 * CHUNK + 5


async def test_the_same_object_goes_on_where_it_stopped(service: FakeService, session: lfview.AsyncSession) -> None:
    array = Array(RNG.integers(0, 255, 4 * CHUNK, "u1"))
    service.on("PUT", "/storage/array1", 3, refuse(403, "stop"))
    with pytest.raises(exceptions.Forbidden):
        await session.upload(array, chunk_size=CHUNK)
    service.requests.clear()
    await session.upload(array, chunk_size=CHUNK)
    assert not service.calls("POST", "PATCH")
    assert service.content("/storage/array1") == array.array.tobytes()


async def test_what_was_changed_in_between_is_sent_anew(service: FakeService, session: lfview.AsyncSession) -> None:
    values = RNG.integers(0, 255, 4 * CHUNK, "u1")
    array = Array(values)
    service.on("PUT", "/storage/array1", 3, refuse(403, "stop"))
    with pytest.raises(exceptions.Forbidden):
        await session.upload(array, chunk_size=CHUNK)
    array.array = values[::-1]
    await session.upload(array, chunk_size=CHUNK)
    assert service.content("/storage/array1") == values[::-1].tobytes()
    array.array = values
    await session.upload(array, chunk_size=CHUNK)  # what was left of the first try is of no use any more
    assert service.content("/storage/array1") == values.tobytes()


@pytest.mark.parametrize("what", ["deleted", "other", "link", "complete"])
async def test_a_resource_that_is_not_as_it_was_left(service: FakeService, what: str) -> None:
    values = RNG.integers(0, 255, 4 * CHUNK, "u1")
    service.on("PUT", "/storage/array1", 3, refuse(403, "stop"))
    async with lfview.AsyncSession("good-key", discovery_url=service.base) as made:
        with pytest.raises(exceptions.Forbidden):
            await made.upload(Array(values), chunk_size=CHUNK)
        path = f"{PROJECT}/files/array/array1"
        if what == "deleted":
            del service.resources[path]
        elif what == "other":
            service.resources[path]["content_length"] = 7
        elif what == "link":
            service.resources[path]["links"]["location"] = f"{service.base}/nowhere"
        else:
            service.stored["/storage/array1"] = bytes(4 * CHUNK)
        assert (await made.upload(Array(values), chunk_size=CHUNK)).endswith("/array2")
    assert service.content("/storage/array2") == values.tobytes()


KILLED = """
import asyncio, sys
import numpy as np
from asyncclient import lfview
from asyncclient.lfview.files import Array
values = np.random.default_rng(9).integers(0, 255, 24 * 262_144, "u1")
async def main():
    async with lfview.AsyncSession("good-key", discovery_url=sys.argv[1]) as session:
        print(await session.upload(Array(values), chunk_size=262_144))
asyncio.run(main())
"""


async def test_killed_in_the_middle(service: FakeService) -> None:
    service.slow["/storage/"] = 0.01
    command = [sys.executable, "-c", KILLED, service.base]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        deadline = time.monotonic() + 30
        while len(service.stored.get("/storage/array1", b"")) < 6 * CHUNK:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(first.pid, signal.SIGKILL)
    await anyio.sleep(0.05)  # requests under way in the server's threads
    service.requests.clear()
    held = len(service.stored["/storage/array1"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("/array1")
    assert not service.calls("POST", "PATCH")
    assert sum(len(request.body) for request in service.sent("PUT")) == 24 * CHUNK - held
    expected = np.random.default_rng(9).integers(0, 255, 24 * CHUNK, "u1").tobytes()
    assert service.content("/storage/array1") == expected


# --- when something fails --------------------------------------------------------------------------------------------


async def test_one_that_is_refused(service: FakeService, session: lfview.AsyncSession) -> None:
    made = View(elements=[points(name=str(at)) for at in range(5)])
    service.on("POST", f"{PROJECT}/elements/pointset", 3, refuse())
    with pytest.raises(exceptions.BadRequest, match="no quota") as caught:
        await made_upload(session, made)
    assert any("ElementPointSet" in note for note in caught.value.__notes__)
    created = [element for element in made.elements if element.url]
    assert len(created) == len([path for path in service.resources if "pointset" in path]), "every URL is known"
    await session.upload(made)
    assert len([path for path in service.resources if "pointset" in path]) == 5


async def made_upload(session: lfview.AsyncSession, resource: Any) -> str:
    return await session.upload(resource)


async def test_several_that_are_refused(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("POST", f"{PROJECT}/elements/pointset", 0, refuse())
    service.slow[f"{PROJECT}/elements"] = 0.05
    with pytest.raises(exceptions.BadRequest) as caught:
        await session.upload(View(elements=[points(name=str(at)) for at in range(4)]))
    assert any("more failed" in note for note in caught.value.__notes__)


async def test_files_that_were_created_while_another_failed(service: FakeService, session: lfview.AsyncSession) -> None:
    """The request that creates is let finish: otherwise nobody would know the URL. The content is not sent."""
    service.slow[f"{PROJECT}/files"] = 0.3
    service.slow[f"{PROJECT}/data"] = 0.1
    made = View(elements=[points(vertices=Array(np.ones((5, 3)))), f"{service.base}/elements/pointset/p1"])
    other = DataBasic(array=f"{service.base}/files/array/a1", location="N")
    made.contents = [other]
    service.on("POST", f"{PROJECT}/data/basic", 1, refuse())
    with pytest.raises(exceptions.BadRequest):
        await session.upload(made)
    assert made.elements[0].vertices.url is not None
    assert not service.calls("PUT")
    assert not utils.is_uploaded(made.elements[0].vertices)


async def test_a_refusal_in_order(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("POST", f"{PROJECT}/data/basic", 1, refuse())
    made = view()
    with pytest.raises(exceptions.BadRequest):
        await session.upload(made, parallel=False)
    await session.upload(made, parallel=False)
    assert service.calls("POST").count(f"POST {PROJECT}/files/array") == 2


async def test_cancelling(service: FakeService) -> None:
    service.slow["/storage/"] = 0.5
    async with AsyncHub() as hub:
        made = lfview.AsyncSession("good-key", discovery_url=service.base, hub=hub)
        resource = view()
        with anyio.move_on_after(0.3) as scope:
            await made.upload(resource)
        assert scope.cancelled_caught
        assert hub.statistics().in_flight == 0
        service.slow.clear()
        await made.upload(resource)
    assert utils.is_uploaded(resource)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_what_may_be_repeated_is(service: FakeService, method: str) -> None:
    async with lfview.AsyncSession("good-key", discovery_url=service.base) as made:
        resource = view()
        url = await made.upload(resource, thumbnail=PNG)
        resource.name = "other"
        service.on(method, f"{PROJECT}/.*", 1, refuse(503, "later"))
        await made.upload(resource, thumbnail=PNG)
        await made.download(url, recursive=False)
        await made.delete(resource)


async def test_post_is_not_repeated(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse(503, "later"))
    with pytest.raises(exceptions.ServerError, match="later"):
        await session.upload(View())
    assert service.calls() == [f"POST {PROJECT}/views"]


async def test_deleted_by_a_request_whose_answer_was_lost(service: FakeService, session: lfview.AsyncSession) -> None:
    array = Array([1])
    await session.upload(array)

    def lost(request: Received) -> Answer:
        del service.resources[request.path]
        return 503, {}, b""

    service.on("DELETE", f"{PROJECT}/files/array/array1", 1, lost)
    await session.delete(array)
    assert array.url is None
    with pytest.raises(exceptions.NotUploaded):
        await session.delete(array)


async def test_texts_of_refusals(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse(418, "x" * 5000))
    with pytest.raises(exceptions.HTTPError) as caught:
        await session.upload(View())
    assert len(str(caught.value)) < 2100
    service.on("POST", f"{PROJECT}/views", 2, refuse(409, ""))
    with pytest.raises(exceptions.Conflict, match="409"):
        await session.upload(View())
    with pytest.raises(exceptions.NotFound, match="/views/none: not found"):
        await session.delete(f"{service.base}{PROJECT}/views/none?secret=1")


# --- thumbnails ------------------------------------------------------------------------------------------------------


async def test_a_thumbnail_is_sent_whenever_it_is_given(service: FakeService, session: lfview.AsyncSession) -> None:
    made = view()
    await session.upload(made)
    service.requests.clear()
    await session.upload(made, thumbnail=io.BytesIO(PNG))
    thumb = f"{PROJECT}/views/view1/thumbnail"
    assert service.calls() == [f"PUT {thumb}", f"PUT /storage/thumb{thumb.replace('/', '-')}"]
    assert service.stored[f"/storage/thumb{thumb.replace('/', '-')}"] == PNG
    await session.upload(made)
    assert len(service.sent()) == 2


async def test_a_thumbnail_that_is_refused(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("PUT", ".*/thumbnail", 1, refuse())
    with pytest.raises(exceptions.BadRequest, match="no quota"):
        await session.upload(view(), thumbnail=PNG)


async def test_what_takes_no_thumbnail(service: FakeService, session: lfview.AsyncSession) -> None:
    with pytest.warns(UserWarning, match="no thumbnail"):
        await session.upload(points(), thumbnail=PNG)


async def test_a_lost_session_of_a_thumbnail(service: FakeService, session: lfview.AsyncSession) -> None:
    service.on("PUT", "/storage/thumb.*", 1, refuse(404, "gone"))
    await session.upload(View(), thumbnail=PNG)
    assert [call for call in service.calls() if call.endswith("/thumbnail")] == [
        f"PUT {PROJECT}/views/view1/thumbnail",
        f"PUT {PROJECT}/views/view1/thumbnail",
        "PUT /storage/thumb-api-v1-project-org1-proj1-views-view1-thumbnail",
        "PUT /storage/thumb-api-v1-project-org1-proj1-views-view1-thumbnail",
    ] or len(service.calls("PUT")) == 4


# --- verbose ---------------------------------------------------------------------------------------------------------


async def test_progress(
    service: FakeService,
    session: lfview.AsyncSession,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = view()
    url = await session.upload(made, verbose=True)
    text = capsys.readouterr().out
    assert text.startswith("\rUploading: 1 of 5")
    assert f"\rUploaded {url}" in text
    await session.upload(made, verbose=True)
    assert "Nothing to upload" in capsys.readouterr().out
    await session.download(url, verbose=True)
    assert "\rDownloading: 5 of 5" in capsys.readouterr().out
    await session.upload(View())
    assert not capsys.readouterr().out
    monkeypatch.setattr(sys, "stdout", None)  # as in a program without a console
    await session.upload(View(), verbose=True)


def test_blocking(service: FakeService) -> None:
    with Hub() as hub, lfview.UploadSession("good-key", discovery_url=service.base, hub=hub) as made:
        resource = view()
        url = made.upload(resource, thumbnail=PNG)
        assert made.download(url).elements[0].data[0].name == "d"
        assert made.invite_to_view(resource, "a@b.c", "view.editor").status_code == 201
