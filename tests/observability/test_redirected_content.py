"""File content that is redirected to a store behind the same host: none of the services' keys goes there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from asyncclient import Hub, flywheel, las, lfview, sticky_pi, testing, voxel51
from asyncclient.sticky_pi.server import create_app
from tests.observability.tap import SECRET_HEADERS, Message, tapped

CONTENT = bytes(range(256)) * 2000


class Store:
    """An ASGI application that sends GETs for content elsewhere on its own host, and refuses two permissions there.

    Attributes:
        content: Path and query of what is redirected.
        signed: Whether the address it leads to carries a signature; else its path is the secret.
        got: Headers of every request that came there.
    """

    def __init__(self, app: Any, content: str, *, signed: bool = False, folder: str = "/store") -> None:
        self.app = app
        self.content = re.compile(content)
        self.folder = folder
        self.signed = signed
        self.got: list[dict[str, str]] = []

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith(f"{self.folder}/"):
            await self._deliver(scope, receive, send)
        elif scope["method"] == "GET" and self.content.search(self._target(scope)):
            where = f"{self.folder}/d41d8cd98f00b204{'?X-Amz-Signature=ab' if self.signed else ''}"
            await send({"type": "http.response.start", "status": 302, "headers": [(b"location", where.encode())]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)

    @staticmethod
    def _target(scope: Message) -> str:
        return f"{scope['path']}?{scope['query_string'].decode('latin-1')}"

    async def _deliver(self, scope: Message, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.got.append(headers)
        refused = any(name in headers for name in (*SECRET_HEADERS, "x-voxel51-application"))
        body = b"Only one way to authenticate" if refused else CONTENT
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 400 if refused else 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


class Place(NamedTuple):
    """Where a session runs."""

    url: str
    given: dict[str, str]
    hub: Hub
    folder: Path


def run_las(place: Place) -> bytes:
    client = las.Client(las.Credentials(**place.given), hub=place.hub).with_options(headers={"X-Marked": "secret"})
    document = client.create_document(CONTENT, content_type="image/jpeg")["documentId"]
    assert client.get_document(document, width=10)["content"]
    client.download_document(document, place.folder / "back")
    return (place.folder / "back").read_bytes()


def run_lfview(place: Place) -> bytes:
    session = lfview.Session(**place.given, hub=place.hub)
    url = session.upload(lfview.files.Array(np.frombuffer(CONTENT[::-1], "u1")))
    found: Any = session.download(url)
    return bytes(found.array.tobytes())


def run_voxel51(place: Place) -> bytes:
    token = voxel51.Token({"access_token": {"private_key": place.given["private_key"], "base_api_url": place.url}})
    api = voxel51.API(token, hub=place.hub).with_options(headers={"X-Marked": "secret"})
    (place.folder / "clip.mp4").write_bytes(CONTENT[::-1])
    data = api.upload_data(place.folder / "clip.mp4")
    api.download_data(data["id"], place.folder / "back")
    return (place.folder / "back").read_bytes()


def run_voxel51_application(place: Place) -> bytes:
    access = {"private_key": place.given["application_key"], "base_api_url": place.url}
    api = voxel51.ApplicationAPI(voxel51.ApplicationToken({"access_token": access}), hub=place.hub)
    api.create_user("alice")
    (place.folder / "clip.mp4").write_bytes(CONTENT[::-1])
    with api.with_user("alice"):
        data = api.upload_data(place.folder / "clip.mp4")
        api.download_data(data["id"], place.folder / "back")
    return (place.folder / "back").read_bytes()


def run_flywheel(place: Place) -> bytes:
    client = flywheel.Client(place.given["api_key"], hub=place.hub).with_options(headers={"X-Marked": "secret"})
    client.add_group({"_id": "lab", "label": "Lab"})
    project = client.add_project({"group": "lab", "label": "Study"})
    (place.folder / "scan").write_bytes(CONTENT)
    client.upload_file_to_project(project, place.folder / "scan")
    client.download_file_from_project(project, "scan", place.folder / "back")
    assert client.download_file_from_project_as_data(project, "scan") == CONTENT
    return (place.folder / "back").read_bytes()


SESSIONS: dict[str, tuple[Callable[[Place], bytes], str]] = {
    "las": (run_las, r"^/fileserver/"),
    "lfview": (run_lfview, r"^/(?:storage|content)/"),
    "voxel51": (run_voxel51, r"/download\?"),
    "voxel51-application": (run_voxel51_application, r"/download\?"),
    "flywheel": (run_flywheel, r"/files/scan\?"),
}


@contextmanager
def placed(store: Store, folder: Path, **options: Any) -> Iterator[Place]:
    with tapped(store, **options) as tap, Hub() as hub:
        given = store.app.credentials(tap.url) if hasattr(store.app, "credentials") else {}
        yield Place(tap.url, given, hub, folder)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("name", SESSIONS)
def test_the_key_stays_at_the_service(name: str, signed: bool, tmp_path: Path) -> None:
    session, content = SESSIONS[name]
    store = Store(testing.app(name.partition("-")[0]), content, signed=signed)
    with placed(store, tmp_path) as place:
        assert session(place) == CONTENT
    assert store.got


@pytest.mark.parametrize("name", ["voxel51", "voxel51-application"])
def test_voxel51s_emulator_with_its_store_on_one_host(name: str, tmp_path: Path) -> None:
    """Its signed addresses have their secret in the path, and are refused with a key."""
    app = testing.app("voxel51", redirect_downloads=True)
    with placed(Store(app, "^never$"), tmp_path) as place:
        assert SESSIONS[name][0](place) == CONTENT[::-1]
    signed = [row for row in app.state.requests if row.operation == "signed_download"]
    assert {row.status for row in signed} <= {200, 206}
    assert signed


def test_small_content_of_voxel51_that_is_read_into_memory(tmp_path: Path) -> None:
    app = testing.app("voxel51", redirect_downloads=True)
    with placed(Store(app, "^never$"), tmp_path) as place:
        token = {"private_key": place.given["private_key"], "base_api_url": place.url}
        api = voxel51.API(voxel51.Token({"access_token": token}), hub=place.hub)
        request = voxel51.JobRequest("voxel51/vehicle-sense")
        (tmp_path / "clip.mp4").write_bytes(CONTENT)
        request.set_input("video", data_id=api.upload_data(tmp_path / "clip.mp4")["id"])
        job = api.upload_job_request(request, "job", auto_start=True)
        assert api.get_job_request(job["id"]).analytic == "voxel51/vehicle-sense"


def test_sticky_pi_sends_no_token_to_a_store(tmp_path: Path) -> None:
    """Storage is asked without a token in the first place, whatever it redirects to."""
    conf = {
        "SECRET_API_KEY": "k" * 40,
        "LOCAL_DIR": str(tmp_path / "server"),
        "API_ADMIN_NAME": "admin",
        "API_ADMIN_PASSWORD": "a long password",
    }
    store = Store(create_app(conf), r"/output/model_final\.pth")
    model = Path("bundle", "output", "model_final.pth")
    (tmp_path / model).parent.mkdir(parents=True)
    (tmp_path / model).write_bytes(CONTENT)
    (tmp_path / "bundle" / "config").mkdir()
    (tmp_path / "bundle" / "config" / "config.yaml").write_text("A: 1")
    with placed(store, tmp_path, lifespan=True) as place:
        client = sticky_pi.RemoteClient(tmp_path / "client", place.url, "admin", "a long password", hub=place.hub)
        client.put_ml_bundle_dir("bundle", tmp_path / "bundle")
        client.get_ml_bundle_dir("bundle", tmp_path / "back" / "bundle", "all")
    assert (tmp_path / "back" / model).read_bytes() == CONTENT
    assert store.got
