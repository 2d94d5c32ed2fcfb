"""Sessions: made without I/O, connected once, the key kept at home, the service's refusals in words."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from asyncclient import AsyncHub, Hub, errors, lfview
from asyncclient.errors import ArgumentError, ArgumentTypeError, ConfigurationError
from asyncclient.lfview import exceptions
from asyncclient.lfview.files import Array
from tests.lfview.fake_service import FakeService, reply
from tests.lfview.playback import Answer, Place, Received

pytestmark = pytest.mark.anyio

KEY = "good-key"
LOOKUP = "/v1/endpoints/lookup"


@pytest.fixture
def service(place: Place) -> FakeService:
    return FakeService(place)


def session(service: FakeService, **values: Any) -> lfview.AsyncSession:
    return lfview.AsyncSession(**{"api_key": KEY, "discovery_url": service.base, "max_retries": 0, **values})


def always(status: int, data: Any) -> Callable[[Received], Answer | None]:
    return lambda request: reply(status, data)


async def test_constructor_sends_nothing_and_calls_connect_once(service: FakeService) -> None:
    async with AsyncHub() as hub:
        made = session(service, hub=hub)
        assert made.upload_base_url is None
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(made.connect)
        await made.upload(Array([1, 2]))
        await made.with_options(timeout=5).upload(Array([1, 2]))
    assert service.calls("GET") == [f"GET {LOOKUP}", "GET /api/v1/user"]
    assert made.upload_base_url == f"{service.base}/api/v1/project/org1/proj1"


async def test_discovery_url_may_have_a_path(service: FakeService) -> None:
    service.on("GET", "/elsewhere", 1, always(200, {"upload_api_url_spec": "x", "user_api_url": f"{service.base}/u"}))
    async with lfview.AsyncUnauthenticatedSession(discovery_url=f"{service.base}/elsewhere") as made:
        assert made.upload_api_url_spec == "x"
        assert made.upload_base_url is None
    assert service.calls("GET") == ["GET /elsewhere"]


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com", "https://example.com/?a=1"])
def test_a_bad_discovery_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="discovery_url"):
        lfview.AsyncSession(KEY, discovery_url=url)


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("name", ["AsyncSession", "AsyncUploadSession", "Session", "UploadSession"])
def test_a_key_is_required(name: str, key: Any) -> None:
    with pytest.raises(exceptions.ValidationError, match="api_key is required"):
        getattr(lfview, name)(key)


@pytest.mark.parametrize(
    "values",
    [
        {"api_key": 1},
        {"source": 1},
        {"service": 1},
        {"client_version": b"x"},
        {"endpoint": 1},
        {"hub": 1},
        {"api_key": True},
    ],
    ids=str,
)
def test_arguments_of_the_wrong_type(values: dict[str, Any]) -> None:
    with pytest.raises(ArgumentTypeError):
        lfview.AsyncSession(**{"api_key": KEY, **values})


@pytest.mark.parametrize("values", [{"api_key": "a\nb"}, {"source": "a\r\nEvil: 1"}])
def test_nothing_gets_into_the_head_of_a_request(values: dict[str, Any]) -> None:
    with pytest.raises(exceptions.ValidationError, match="control characters"):
        lfview.AsyncSession(**{"api_key": KEY, **values})


@pytest.mark.parametrize(
    ("path", "status", "data", "expected"),
    [
        (LOOKUP, 503, {}, exceptions.ServiceUnavailable),
        (LOOKUP, 401, {}, exceptions.ServiceUnavailable),
        ("/api/v1/user", 503, {}, exceptions.ServiceUnavailable),
        ("/api/v1/user", 401, {}, exceptions.InvalidAPIKey),
        ("/api/v1/user", 403, {}, exceptions.InvalidAPIKey),
        ("/api/v1/user", 200, {"accepted_terms": False}, exceptions.TermsNotAccepted),
        ("/api/v1/user", 200, {}, exceptions.TermsNotAccepted),
        ("/api/v1/user", 200, {"accepted_terms": True}, exceptions.BadAnswer),
        (
            "/api/v1/user",
            200,
            {"accepted_terms": True, "links": {"default_upload_location": "x"}},
            exceptions.BadAnswer,
        ),
        (LOOKUP, 200, [], exceptions.BadAnswer),
        (LOOKUP, 200, {"upload_api_url_spec": "x"}, exceptions.BadAnswer),
        (LOOKUP, 200, {"upload_api_url_spec": "x", "user_api_url": 5}, exceptions.BadAnswer),
    ],
)
async def test_what_can_be_wrong_at_the_start(
    service: FakeService, path: str, status: int, data: Any, expected: type[Exception]
) -> None:
    service.on("GET", path, 1, always(status, data))
    made = session(service)
    with pytest.raises(expected) as caught:
        await made.connect()
    assert isinstance(caught.value, ValueError)
    assert KEY not in str(caught.value)
    await made.connect()  # it is not remembered
    await made.aclose()


async def test_a_block_that_cannot_be_entered_leaves_nothing_open(service: FakeService) -> None:
    made = session(service, api_key="wrong")
    with pytest.raises(exceptions.InvalidAPIKey):
        async with made:
            raise AssertionError("not reached")
    assert made._hub.closed


async def test_a_key_that_was_changed_meanwhile(service: FakeService) -> None:
    """The request that was refused is signed anew, once."""
    async with session(service) as made:
        made.api_key = "old"

        def refused(request: Received) -> Answer:
            made.api_key = KEY
            return 401, {}, b""

        service.on("GET", "/api/v1/project/.*", 1, refused)
        with pytest.raises(exceptions.NotFound):
            await made.download(f"{service.base}/api/v1/project/o/p/views/v")
    assert await made._account.header() == (b"authorization", b"bearer good-key")


async def test_an_answer_that_is_no_json(service: FakeService) -> None:
    service.on("GET", LOOKUP, 1, lambda request: (200, {"Content-Type": "text/html"}, b"<html>"))
    made = session(service)
    with pytest.raises(exceptions.BadAnswer) as caught:
        await made.connect()
    assert caught.value.content_type == "text/html"
    await made.aclose()


def test_blocking_sessions_say_it_when_they_are_made(service: FakeService) -> None:
    with Hub() as hub:
        with pytest.raises(exceptions.InvalidAPIKey):
            lfview.Session("wrong", discovery_url=service.base, hub=hub)
        made = lfview.UploadSession(KEY, discovery_url=service.base, hub=hub)
        assert made.upload_base_url is not None
        made.with_options(max_retries=0)
        assert len(service.calls("GET")) == 4


async def test_no_connection_is_no_value_error() -> None:
    made = lfview.AsyncSession(KEY, discovery_url="http://127.0.0.1:9", max_retries=0)
    with pytest.raises(errors.ConnectError) as caught:
        await made.connect()
    assert not isinstance(caught.value, ValueError)
    await made.aclose()


async def test_a_service_that_leads_from_https_to_http_gets_no_key() -> None:
    account = session_account()
    with pytest.raises(exceptions.BadAnswer, match="without https"):
        account.take_discovery({"upload_api_url_spec": "x", "user_api_url": "http://example.com/u"}, secure=True)


def session_account() -> Any:
    return lfview.AsyncSession(KEY)._account


async def test_a_form_of_urls_with_an_unknown_part(service: FakeService) -> None:
    data = {"upload_api_url_spec": "{upload_base_url}/{planet}", "user_api_url": f"{service.base}/api/v1/user"}
    service.on("GET", LOOKUP, 1, always(200, data))
    async with session(service) as made:
        with pytest.raises(exceptions.BadAnswer, match="planet"):
            await made.upload(Array([1]))


# --- headers ---------------------------------------------------------------------------------------------------------


async def test_key_and_source_may_change(service: FakeService) -> None:
    service.keys.add("other")
    async with session(service) as made:
        made.api_key, made.source = "other", "Ünï → 2"
        await made.upload(Array([1, 2]))
        assert made.headers["Authorization"] == "bearer other"
        del made.source
        assert "Source" not in made.headers
        await made.upload(Array([1, 2]))
        made.api_key = None
        with pytest.raises(exceptions.Unauthorized):
            await made.upload(Array([1, 2]))
    first, second, third = (request for request in service.sent("POST"))
    assert first.headers["authorization"] == "bearer other"
    assert first.headers["source"].encode("latin-1").decode() == "Ünï → 2"
    assert "source" not in second.headers
    assert "authorization" not in third.headers


async def test_own_headers_stay_at_home(service: FakeService, second_place: Place) -> None:
    other = FakeService(second_place)
    other.resources["/api/v1/project/org1/proj1/files/array/a1"] = {
        "type": "files/array", "shape": [1], "dtype": "Int8Array", "content_length": 1, "links": {},
    }  # fmt: skip
    other.keys.add("")
    async with session(service) as made:
        await made.with_options(headers={"X-Mine": "1"}).upload(Array([1]))
        found = await made.with_options(headers={"X-Mine": "1"}).download(
            f"{other.base}/api/v1/project/org1/proj1/files/array/a1"
        )
    assert isinstance(found, Array)
    (post,) = service.sent("POST")
    assert post.headers["x-mine"] == "1"
    (get,) = other.sent("GET")
    assert not {"authorization", "source", "x-mine"} & set(get.headers)


async def test_the_key_is_not_shown(service: FakeService) -> None:
    async with session(service) as made:
        for text in (repr(made), repr(made._account), repr(copy.copy(made)), str(vars(made))):
            assert KEY not in text


# --- the user's own HTTP client --------------------------------------------------------------------------------------


async def test_own_http_client(service: FakeService) -> None:
    async with session(service) as made:
        http = made.session
        assert made.session is http
        answer = await http.get(f"{service.base}/api/v1/user")
        assert answer.json()["accepted_terms"]
        made.source = "else"
        await http.get(f"{service.base}/api/v1/user")
        await made.with_options().aclose()
        assert not http.is_closed
    assert http.is_closed
    assert service.sent("GET")[-1].headers["source"] == "else"


def test_own_blocking_http_client(service: FakeService) -> None:
    with Hub() as hub:
        made = lfview.Session(KEY, discovery_url=service.base, hub=hub)
        http = made.session
        assert made.session is http
        assert http.get(f"{service.base}/api/v1/user").json()["accepted_terms"]
        made.api_key = "wrong"
        assert made.api_key == "wrong"
        assert http.get(f"{service.base}/api/v1/user").status_code == 401
        made.source = "mine"
        assert (made.source, made.headers["Source"]) == ("mine", "mine")
        del made.source
        assert made.source is None
        made.with_options(timeout=3).close()
        assert not http.is_closed
        made.close()
        assert http.is_closed


def test_blocking_sessions_travel_as_their_configuration(service: FakeService) -> None:
    made = lfview.Session(KEY, discovery_url=service.base, source="there")
    before = len(service.requests)
    other = pickle.loads(pickle.dumps(made))
    assert (other.api_key, other.source) == (KEY, "there")
    assert len(service.requests) == before
    url = other.upload(Array([1, 2]))
    assert other.download(url).array.tolist() == [1, 2]


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_size", [0, -262144, 100_001, 262_145, 1.5, "262144", True, None])
async def test_a_bad_chunk_size(service: FakeService, chunk_size: Any) -> None:
    made = session(service)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="chunk_size"):
        await made.upload(Array([1]), chunk_size=chunk_size)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="chunk_size"):
        await made.upload_slide(lfview.scene.Slide(), "https://x.example/app/o/p/v", chunk_size=chunk_size)
    assert not service.requests
    await made.aclose()


@pytest.mark.parametrize("workers", [0, -1, 1.5, "3", True])
async def test_bad_workers(service: FakeService, workers: Any) -> None:
    made = session(service)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="workers"):
        await made.upload(Array([1]), workers=workers)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="workers"):
        await made.download("https://x.example/app/o/p/v", workers=workers)
    await made.aclose()


@pytest.mark.parametrize("value", [None, 5, b"https://x"])
async def test_urls_are_text(service: FakeService, value: Any) -> None:
    made = session(service)
    with pytest.raises(ArgumentTypeError):
        await made.download(value)
    await made.aclose()


@pytest.mark.parametrize("url", ["", "x", "/app/o/p/v", "ftp://x.example/a", "https://x.example/a b"])
async def test_what_is_no_url(service: FakeService, url: str) -> None:
    made = session(service)
    calls: list[Callable[[], Any]] = [
        lambda: made.download(url),
        lambda: made.delete(url),
        lambda: made.upload_feedback("x", url),
        lambda: made.invite_to_view(url, "a@b.c", "view.editor"),
        lambda: made.upload_slide(lfview.scene.Slide(), url),
    ]
    for call in calls:
        with pytest.raises(exceptions.BadURL):
            await call()
    assert not service.requests
    await made.aclose()


async def test_nothing_has_pages(service: FakeService) -> None:
    async with session(service) as made:
        with pytest.raises(ArgumentError, match="pages"):
            await anext(made.iterate("download"))


async def test_raw_answers(service: FakeService) -> None:
    async with session(service) as made:
        view = lfview.manifests.View(name="v")
        answer = await made.with_raw_response.upload(view)
        assert (answer.status_code, answer.json()["name"]) == (201, "v")
        assert KEY not in repr(answer.request.headers)
        assert (await made.with_raw_response.download(view.url)).json()["uid"] == "view1"
        assert (await made.with_raw_response.invite_to_view(view, "a@b.c", "view.editor")).status_code == 201
        with pytest.raises(ArgumentError, match="no raw answer"):
            await made.with_raw_response.upload(view)
        assert (await made.with_raw_response.delete(view)).status_code == 204
