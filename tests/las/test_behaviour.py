"""Errors, retries, bad input and helpers, as the contract says or recommends."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import warnings
from typing import Any

import pytest

from asyncclient import AsyncHub, errors, las
from asyncclient.las import handler
from asyncclient.types import RetryPolicy
from tests.las.wire_server import WireServer

pytestmark = pytest.mark.anyio

NO_WAIT = RetryPolicy(max_retries=2, max_throttle_retries=3, base_transport_s=0, base_server_s=0, base_throttle_s=0)


@pytest.fixture
async def client(credentials: las.Credentials) -> Any:
    async with AsyncHub() as hub:
        yield las.AsyncClient(credentials, hub=hub).with_options(retry=NO_WAIT)


def answer(value: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"status": status, "json": value, **more}


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "message", "tries"),
        [
            (500, {}, errors.ServerError, "500 Internal Server Error", 3),
            (599, {}, errors.ServerError, "599", 3),
            (429, {"message": "Too Many Requests"}, las.TooManyRequestsException, "per second", 4),
            (429, {"x": "Limit Exceeded"}, las.LimitExceededException, "per month", 1),
            (429, {"message": "other"}, errors.TooManyRequests, "other", 1),
            (403, {"message": "Forbidden"}, las.InvalidCredentialsException, "not valid", 1),
            (403, {"message": "Forbidden: x"}, errors.Forbidden, "Forbidden: x", 1),
            (400, {"error": "bad"}, las.BadRequest, '{"error": "bad"}', 1),
            (404, ["x"], las.NotFound, '["x"]', 1),
            (418, {"message": "teapot"}, errors.APIError, "teapot", 1),
            (304, {}, errors.APIError, "304", 1),
        ],
    )
    async def test_refusals(
        self,
        wire: WireServer,
        client: las.AsyncClient,
        status: int,
        body: Any,
        kind: type[errors.APIError],
        message: str,
        tries: int,
    ) -> None:
        wire.play(*[answer(body, status)] * 5)
        with pytest.raises(errors.APIError) as caught:
            await client.list_plans()
        assert type(caught.value) is kind
        assert message in str(caught.value)
        assert caught.value.status == status
        assert caught.value.body == (body if status != 304 else None)
        assert len(wire.received) == tries == caught.value.attempts

    async def test_html_and_nothing(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play({"status": 400, "body_base64": "PGh0bWw+", "content_type": "text/html"})
        with pytest.raises(las.BadRequest, match="<html>"):
            await client.list_plans()
        wire.play({"status": 404})
        with pytest.raises(las.NotFound, match="404 Not Found: GET /v1/plans"):
            await client.list_plans()
        wire.play({"status": 200, "body_base64": "PGh0bWw+", "content_type": "text/html"})
        with pytest.raises(errors.DecodeError, match="text/html"):
            await client.list_plans()
        wire.play({"status": 200})
        with pytest.raises(errors.DecodeError, match="an empty body"):
            await client.list_plans()

    async def test_a_wait_that_the_service_names(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"message": "other"}, 429, headers={"Retry-After": "0"}), answer({"plans": []}))
        assert await client.list_plans() == {"plans": []}
        wire.play(answer({"message": "Too Many Requests"}, 429, headers={"Retry-After": "86400"}))
        with pytest.raises(las.TooManyRequestsException) as caught:
            await client.list_plans()
        assert caught.value.retry_after == 86400
        assert len(wire.received) == 1

    async def test_a_post_is_repeated_after_a_429(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"message": "Too Many Requests"}, 429), answer({"datasetId": "d"}))
        assert await client.create_dataset() == {"datasetId": "d"}

    async def test_an_answer_over_the_limit(self, wire: WireServer, client: las.AsyncClient) -> None:
        client._rules.max_response_bytes = 100
        wire.play(answer({"x": "y" * 200}))
        with pytest.raises(errors.ResponseTooLarge, match="limit of 100 bytes"):
            await client.list_plans()
        assert len(wire.received) == 1

    async def test_a_silent_server_ends_with_the_deadline(self, credentials: las.Credentials) -> None:
        gone = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            gone.set()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            credentials.api_endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with AsyncHub() as hub:
                client = las.AsyncClient(credentials, hub=hub, timeout=0.2)
                with pytest.raises(errors.DeadlineExceeded, match=r"list_plans: not done within 0\.2 s"):
                    await client.list_plans()
                assert hub.statistics().in_flight == 0
            await gone.wait()  # the connection was dropped, not kept

    async def test_nobody_there(self, credentials: las.Credentials) -> None:
        async with AsyncHub() as hub:
            client = las.AsyncClient(credentials, hub=hub).with_options(retry=NO_WAIT)
            await credentials.get_access_token()
            credentials.api_endpoint = "http://127.0.0.1:9/v1"
            with pytest.raises(errors.ConnectError) as caught:
                await client.create_dataset()
            assert caught.value.attempts == 3  # it never left: a POST too may be repeated


class TestBadInput:
    @pytest.mark.parametrize(
        ("call", "error", "words"),
        [
            (lambda c: c.get_asset(""), ValueError, r"asset_id must not be empty, '\.' or '\.\.'"),
            (lambda c: c.get_asset("."), ValueError, r"asset_id must not be empty, '\.' or '\.\.'"),
            (lambda c: c.get_asset(".."), ValueError, r"asset_id must not be empty, '\.' or '\.\.'"),
            (lambda c: c.get_asset(None), ValueError, "asset_id must not be None"),
            (lambda c: c.get_asset("a\0b"), ValueError, "asset_id must not hold a NUL"),
            (lambda c: c.get_asset("\udc80"), ValueError, "asset_id is not valid Unicode"),
            (lambda c: c.get_asset(["x"]), TypeError, "asset_id must be text, not list"),
            (lambda c: c.get_asset(), TypeError, "asset_id"),
            (lambda c: c.get_asset("x", colour="red"), TypeError, "colour"),
            (lambda c: c.list_assets(max_results={"a": 1}), TypeError, "max_results must be"),
            (lambda c: c.list_assets(max_results="many"), TypeError, "max_results must be integer"),
            (lambda c: c.list_assets(next_token="\udc80"), ValueError, "next_token is not valid Unicode"),
            (lambda c: c.create_dataset(metadata="text"), TypeError, "metadata must be object, not str"),
            (lambda c: c.create_dataset(metadata={"x": float("nan")}), ValueError, "NaN"),
            (lambda c: c.create_dataset(metadata={"x": b"bytes"}), TypeError, "bytes"),
            (lambda c: c.create_dataset(metadata={"x": dt.datetime.now()}), TypeError, "datetime"),
            (lambda c: c.create_dataset(metadata={1: 2}), TypeError, "keys"),
            (lambda c: c.create_dataset(metadata={"x": 2**80}), ValueError, "64-bit"),
            (lambda c: c.update_asset("x"), las.EmptyRequestError, "update_asset"),
            (lambda c: c.update_asset("x", content=b""), las.EmptyRequestError, "content is empty"),
            (lambda c: c.create_asset(b""), las.EmptyRequestError, "content is empty"),
            (lambda c: c.create_asset(None), TypeError, "content must be"),
            (lambda c: c.create_model(), TypeError, "field_config"),
            (lambda c: c.create_model({"a": {}}, field_config={"a": {}}), TypeError, "'field_config' twice"),
            (lambda c: c.create_model(1, 2, {"a": {}}, 4), TypeError, "at most 3"),
            (lambda c: c.create_model(1, 2, {"a": {}}, width=3), TypeError, "'width' twice"),
            (lambda c: c.wait_for_prediction("p", factor=0.5), ValueError, "factor"),
        ],
    )
    async def test_refused_before_anything_is_sent(
        self, wire: WireServer, client: las.AsyncClient, call: Any, error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            await call(client)
        assert wire.received == []
        assert wire.token_requests == []

    async def test_an_unknown_open_keyword_is_sent_with_a_warning(
        self, wire: WireServer, client: las.AsyncClient
    ) -> None:
        wire.play(answer({}))
        with pytest.warns(UserWarning, match="'descripton'; did you mean 'description'"):
            await client.create_dataset(descripton="x")
        assert wire.received[0].body == b'{"descripton":"x"}'
        wire.play(answer({}))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await client.create_dataset(retentionInDays=3)

    async def test_control_characters_in_headers(self, client: las.AsyncClient) -> None:
        with pytest.raises(ValueError, match="x-thing") as caught:
            client.with_options(headers={"x-thing": "a\r\nx: s3cret"})
        assert "s3cret" not in str(caught.value)

    async def test_options(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({}), answer({}))
        await client.with_options(headers={"X-Trace": "1", "User-Agent": "mine"}, timeout=5).list_plans()
        await client.list_plans()
        assert wire.received[0].headers["x-trace"] == "1"
        assert wire.received[0].headers["user-agent"] == "mine"
        assert "x-trace" not in wire.received[1].headers
        for wrong in (0, -1, float("nan"), True, "5", [1]):
            with pytest.raises((ValueError, TypeError), match="timeout"):
                client.with_options(timeout=wrong)
        for wrong in (-1, "2", 1.5, None):
            with pytest.raises((ValueError, TypeError), match="max_retries"):
                client.with_options(max_retries=wrong)  # type: ignore[arg-type]

    async def test_a_changed_endpoint_is_used_from_then_on(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({}), answer({}))
        await client.list_plans()
        client.credentials.api_endpoint = f"{wire.origin}/v2/"
        await client.list_plans()
        assert [r.path for r in wire.received] == ["/v1/plans", "/v2/plans"]
        assert client.endpoint == f"{wire.origin}/v2/"


class TestHelpers:
    async def test_model_arguments_in_both_orders(self, wire: WireServer, client: las.AsyncClient) -> None:
        fields = {"total": {"type": "amount"}}
        wire.play(*[answer({})] * 2)
        await client.create_model(1280, 800, fields)
        await client.create_model(fields, width=1280, height=800)
        assert wire.received[0].body == wire.received[1].body

    async def test_a_callers_metadata_is_not_changed(self, wire: WireServer, client: las.AsyncClient) -> None:
        metadata = {"a": 1}
        wire.play(answer({}))
        await client.create_model({"t": {}}, metadata=metadata, base_model={"organizationId": "o", "modelId": "m"})
        assert metadata == {"a": 1}
        assert b'"baseModel":{"organizationId":"o","modelId":"m"}' in wire.received[0].body

    async def test_obsolete_keywords_warn(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(*[answer({})] * 3)
        with pytest.warns(DeprecationWarning, match="in_schema"):
            await client.update_transition("t", in_schema={"title": "x"})
        assert wire.received[0].body == b'{"inputJsonSchema":{"title":"x"}}'
        with pytest.warns(UserWarning, match="'params'; did you mean 'parameters'"):
            await client.create_transition("docker", params={"imageUrl": "i"})
        assert wire.received[1].body == b'{"transitionType":"docker","params":{"imageUrl":"i"}}'
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await client.update_transition("t", cpu=256, parameters={"memory": 512})
        assert wire.received[2].body == b'{"parameters":{"memory":512}}'

    async def test_times(self, wire: WireServer, client: las.AsyncClient, utc: None) -> None:
        zone = dt.timezone(dt.timedelta(hours=2))
        west = dt.timezone(dt.timedelta(hours=-3))
        wire.play(*[answer({})] * 3)
        await client.list_workflow_executions("w", from_start_time=dt.datetime(2022, 5, 1, 8, 30, tzinfo=zone))
        await client.list_workflow_executions("w", from_start_time=dt.datetime(2022, 5, 1, 8, 30, tzinfo=west))
        await client.list_workflow_executions("w", from_start_time=dt.datetime(2022, 5, 1, 8, 30))
        assert [r.raw_query for r in wire.received] == [
            "fromStartTime=2022-05-01T08%3A30%3A00%2B02%3A00",
            "fromStartTime=2022-05-01T11%3A30%3A00%2B00%3A00",
            "fromStartTime=2022-05-01T08%3A30%3A00%2B00%3A00",
        ]

    async def test_waiting_for_a_prediction(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(*[answer({"status": "pending"})] * 2, answer({"status": "failed", "error": "e"}))
        assert (await client.wait_for_prediction("p", interval_s=0))["error"] == "e"  # type: ignore[comparison-overlap]
        wire.play(*[answer({"status": "pending"})] * 99)
        with pytest.raises(errors.DeadlineExceeded, match="wait_for_prediction"):
            await client.wait_for_prediction("p", interval_s=0.01, timeout_s=0.1)

    async def test_heartbeats(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(*[{"status": 204}] * 50)
        async with client.heartbeats("t", "e", interval_s=0.01):
            while len(wire.received) < 3:
                await asyncio.sleep(0.005)
        assert {(r.method, r.path, r.body) for r in wire.received} == {
            ("POST", "/v1/transitions/t/executions/e/heartbeats", b"{}")
        }
        count = len(wire.received)
        await asyncio.sleep(0.03)
        assert len(wire.received) == count

    async def test_a_lost_heartbeat_is_raised_at_the_end(self, wire: WireServer, client: las.AsyncClient) -> None:
        wire.play(answer({"message": "gone"}, 404))
        with pytest.raises(las.NotFound, match="gone"):
            async with client.heartbeats("t", "e", interval_s=60):
                while not wire.received:
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.05)


class TestHandler:
    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch: pytest.MonkeyPatch, wire: WireServer) -> None:
        for name, value in {
            "LAS_CLIENT_ID": "i",
            "LAS_CLIENT_SECRET": "s",
            "LAS_AUTH_ENDPOINT": wire.origin,
            "LAS_API_ENDPOINT": f"{wire.origin}/v1",
            "TRANSITION_ID": "t",
            "EXECUTION_ID": "e",
        }.items():
            monkeypatch.setenv(name, value)

    async def test_async_success(self, wire: WireServer) -> None:
        wire.play(answer({"input": {"n": 2}}), answer({}))

        @las.transition_handler
        async def double(client: las.AsyncClient, given: Any) -> Any:
            return {"n": given["n"] * 2, "more": 1}

        assert await double() is None
        assert wire.received[1].body == b'{"status":"succeeded","output":{"n":4,"more":1}}'

    async def test_async_failure(self, wire: WireServer) -> None:
        wire.play(answer({"input": {}}), answer({}))

        @las.transition_handler
        async def broken(client: las.AsyncClient, given: Any) -> Any:
            raise LookupError("what was looked for")

        with pytest.raises(LookupError):
            await broken()
        assert b'"status":"failed"' in wire.received[1].body
        assert b"what was looked for" in wire.received[1].body

    def test_sync(self, wire: WireServer) -> None:
        wire.play(answer({"input": {"n": 2}}), answer({}))

        @las.transition_handler
        def step(client: las.Client, given: Any) -> Any:
            return "not today", "rejected"

        assert step() is None
        assert wire.received[1].body == b'{"status":"rejected","error":{"message":"not today"}}'

    def test_sync_failure(self, wire: WireServer) -> None:
        wire.play(answer({"input": {"n": 2}}), answer({}))

        @las.transition_handler
        def step(client: las.Client, given: Any) -> Any:
            return 1 / 0

        with pytest.raises(ZeroDivisionError):
            step()
        assert b"ZeroDivisionError" in wire.received[1].body

    def test_without_ids_nothing_is_sent(self, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("EXECUTION_ID")
        with pytest.raises(KeyError):
            las.transition_handler(lambda client, given: None)()
        assert wire.received == []

    @pytest.mark.parametrize(
        ("result", "report"),
        [
            (None, {"status": "succeeded", "output": {}}),
            ({"a": 1, "b": 2}, {"status": "succeeded", "output": {"a": 1, "b": 2}}),
            ("ab", {"status": "succeeded", "output": "ab"}),
            (({"a": 1}, "succeeded"), {"status": "succeeded", "output": {"a": 1}}),
            (({"a": 1}, "retry"), {"status": "retry", "error": {"message": '{\n  "a": 1\n}'}}),
            (("x" * 5000, "failed"), {"status": "failed", "error": {"message": "x" * 4096}}),
        ],
    )
    def test_reports(self, result: Any, report: Any) -> None:
        assert handler.result_report(result) == report

    def test_a_failure_report_has_the_end_of_the_traceback(self) -> None:
        message = handler.failure_report(ValueError("y" * 5000))["error"]["message"]
        assert len(message) == 4096
        assert message.endswith("yyy\n")


def test_exceptions_are_exported_under_their_official_names() -> None:
    for name in [
        "ClientException",
        "InvalidCredentialsException",
        "TooManyRequestsException",
        "LimitExceededException",
        "BadRequest",
        "NotFound",
        "FileFormatException",
        "EmptyRequestError",
        "MissingCredentials",
    ]:
        assert issubclass(getattr(las, name), errors.AsyncClientError), name
    assert issubclass(las.EmptyRequestError, ValueError)
    assert not issubclass(las.EmptyRequestError, las.ClientException)


async def test_open_keywords_given_as_none(wire: WireServer, client: las.AsyncClient) -> None:
    wire.play(*[answer({})] * 3)
    with pytest.warns(UserWarning, match="'thing'"):
        await client.create_dataset(thing=None)
    await client.create_app_client(thing=None)
    await client.create_user("a@b", app_client_id="c", thing=None)
    assert [r.body for r in wire.received] == [
        b'{"thing":null}',
        b'{"generateSecret":true}',
        b'{"email":"a@b","appClientId":"c"}',
    ]


async def test_a_false_bound_is_left_out(wire: WireServer, client: las.AsyncClient) -> None:
    wire.play(answer({}))
    await client.list_workflow_executions("w", from_start_time="", max_results=0)
    assert wire.received[0].raw_query == "maxResults=0"
