"""The unchanged official client works against the emulator; what it did is looked at from the outside.

The client lives in a virtual environment of its own: the one whose interpreter ``ASYNCCLIENT_OFFICIAL_LFVIEW_PYTHON`` names,
or one that is made on first use in pytest's cache. It insists on one https address, so it is sent through a proxy that leads
this address to the emulator, which has a certificate for it from a throw-away authority.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.testing import Emulator, app
from asyncclient.testing._tls import make_certificates
from asyncclient.testing._uvicorn import HttpServer, listen
from tests.emulator_lfview.conftest import Answers
from tests.emulator_lfview.proxy import ConnectProxy
from tests.support.official import official_lfview

pytestmark = pytest.mark.official

HOST = "api.seequent.systems"
STORAGE_HOST = "storage.example"  # contents are elsewhere, as they are in production
SCRIPT = Path(__file__).with_name("official_lfview.py")
STEPS = [
    *("session", "arrays", "images", "view", "unchanged", "changed", "array replaced", "download", "copy"),
    *("slide", "feedback", "invitations", "unauthenticated", "delete", "dangling", "refusals"),
]
OPERATIONS = {
    *("lookup_endpoints", "get_user", "upload", "upload_view", "upload_update", "upload_view_update", "delete"),
    *("download", "download_view", "download_shared_view", "download_shared_resource", "upload_view_thumbnail"),
    *("upload_slide", "download_slide", "upload_slide_update", "upload_slide_thumbnail", "upload_feedback"),
    *("download_feedback", "upload_feedback_update", "invite_to_view", "upload_content", "download_content"),
}


@pytest.fixture(scope="module")
def official_python(request: pytest.FixtureRequest) -> str:
    """The interpreter of an environment that has the official packages."""
    return official_lfview(request)


class Served:
    """An emulator behind the proxy."""

    def __init__(self, emulator: Emulator, proxy: ConnectProxy, ca_file: Path) -> None:
        self.state = emulator.state
        self.proxy = proxy
        self.ca_file = ca_file
        self.state.add_user("other-key", "user2", organization="org1", project="proj2")

    def environment(self, home: Path) -> dict[str, str]:
        """Return the environment that leads the client here, and nowhere else."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return kept | {
            "HOME": str(home),
            "HTTPS_PROXY": self.proxy.url,
            "HTTP_PROXY": self.proxy.url,
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "OFFICIAL_LFVIEW_KEY": "good-key",
            "OFFICIAL_LFVIEW_OTHER_KEY": "other-key",
            "OFFICIAL_LFVIEW_OTHER_EMAIL": "user2@emulator.example",
        }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    certificates = make_certificates(tmp_path_factory.mktemp("tls"), HOST, STORAGE_HOST)
    emulator = app("lfview", storage_host=STORAGE_HOST)
    ready = threading.Event()
    files = {"certificate_file": str(certificates.certificate_file), "key_file": str(certificates.key_file)}
    with listen("127.0.0.1", 0) as listener:
        server = HttpServer(emulator, listener, ready.set, **files)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        assert ready.wait(30)
        port = listener.getsockname()[1]
        with ConnectProxy({f"{HOST}:443": port, f"{STORAGE_HOST}:443": port}) as proxy:
            yield Served(emulator, proxy, certificates.ca_file)
        server.stop()
        thread.join()
    emulator.close()


@pytest.fixture(scope="module")
def report(official_python: str, served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(official_python, served, tmp_path_factory.mktemp("home"))


def run(python: str, served: Served, home: Path) -> dict[str, Any]:
    command = [python, "-I", "-W", "ignore", str(SCRIPT)]
    done = subprocess.run(command, env=served.environment(home), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


@pytest.mark.parametrize("step", STEPS)
def test_step(report: dict[str, Any], step: str) -> None:
    assert step in report["steps"]
    assert step not in report["errors"], report["errors"].get(step)


def test_it_was_the_official_client(report: dict[str, Any], served: Served) -> None:
    assert report["version"] == "0.1.2"
    assert report["steps"] == STEPS
    assert set(served.proxy.asked) == {f"{HOST}:443", f"{STORAGE_HOST}:443"}
    agents = {request.headers["user-agent"].partition("/")[0] for request in served.state.requests}
    assert agents == {"python-requests"}
    assert {*served.state.counters} == OPERATIONS
    for request in served.state.requests:
        if request.operation == "upload_content":
            assert "authorization" not in request.headers


def test_contents(report: dict[str, Any], served: Served) -> None:
    """The contents the server holds are those the client had, byte by byte."""
    checked = 0
    for name, digest in report["digests"].items():
        links = report["links"][name.removesuffix(" thumbnail")]
        location = links.get("location")
        if name.endswith("thumbnail"):
            location = f"/storage/thumb-{links['thumbnail'].partition(f'{HOST}/')[2].replace('/', '-')}"
        if location is None or location.rpartition("/")[2] not in served.state.sessions:
            assert name in ("raw", "replaced")  # deleted at the end
            continue
        session = served.state.sessions[location.rpartition("/")[2]]
        content = served.state.content(location)
        assert session.completed
        plain = gzip.decompress(content) if session.content_encoding == "gzip" else content
        assert hashlib.sha256(plain).hexdigest() == digest, name
        checked += 1
    assert checked == 5
    assert served.state.sessions[report["links"]["gzip"]["location"].rpartition("/")[2]].content_encoding == "gzip"


def test_what_was_sent_in_chunks(report: dict[str, Any], served: Served) -> None:
    path = report["links"]["raw"]["location"].partition(STORAGE_HOST)[2]
    puts = [request for request in served.state.requests if (request.method, request.path) == ("PUT", path)]
    assert [(put.headers["content-range"], put.status) for put in puts] == [
        ("bytes 0-262143/700000", 308),
        ("bytes 262144-524287/700000", 308),
        ("bytes 524288-699999/700000", 200),
        ("bytes 0-999/1000", 200),
    ]


def test_resources(report: dict[str, Any], served: Served) -> None:
    state = served.state
    view = state.find(report["links"]["view"]["self"])
    assert (view.body["name"], view.body["description"], view.body["label_x"]) == ("Mine", "changed", "East")
    assert len(view.body["elements"]) == 5
    kinds = [state.find(path).kind for path in view.body["contents"] if state.find(path) is not None]
    assert {*kinds} == {
        *("files/array", "files/image", "mappings/continuous", "mappings/discrete", "mappings/category"),
        *("data/basic", "data/category", "textures/projection", "elements/pointset", "elements/lineset"),
        *("elements/surface", "elements/surfacegrid", "elements/volumegrid"),
    }
    assert state.find(report["links"]["grade"]["self"]).body["name"] == "Grade"
    assert state.find(report["links"]["copy"]["self"]) is None
    assert view.source == "official tests"
    assert [(item["email"], item["roles"], item.get("message", "-")) for item in view.invitations] == [
        ("user2@emulator.example", ["view.editor"], "-"),
        ("b+c@example.com", ["view.spectator"], "Bonjour"),
        ("d@example.com", ["view.spectator"], None),
    ]


def test_slides_and_feedback(report: dict[str, Any], served: Served) -> None:
    slides = [row for row in served.state.resources if row.kind == "slides"]
    assert [(row.uid, row.author) for row in slides] == [("slide1", "user1"), ("slide2", "user2")]
    assert slides[0].body["annotations"][0]["comment"] == "See “here”"
    theirs, mine = (
        [item["element"] for item in row.body["scene"]["plots"][0]["views"]] for row in (slides[1], slides[0])
    )
    assert sorted(theirs) == sorted(mine)
    comments = [row.body["comment"] for row in served.state.resources if row.kind == "feedback"]
    assert comments == ["Nice", "Looks better"]


def test_answers_fit_the_description(report: dict[str, Any], served: Served) -> None:
    from asyncclient.testing.lfview.answers import Origins, shown

    answers = Answers()
    for row in served.state.resources:
        answers.check(shown(row, Origins.of(f"https://{HOST}", None)))


def test_failures_are_noticed(report: dict[str, Any], official_python: str, served: Served, tmp_path: Path) -> None:
    served.state.reset()
    served.state.fail_next(500, times=None, method="POST", path="/view/*")
    made = run(official_python, served, tmp_path)
    assert {"slide", "feedback", "invitations"} <= {*made["errors"]}
