from __future__ import annotations

import asyncio
import pickle
from typing import Any

import httpx
import pytest

from asyncclient import errors
from asyncclient._auth import HeaderAuth
from asyncclient._endpoint import Endpoint
from asyncclient._messages import Request
from asyncclient._service import ServiceBase, ServiceClient, absolute_request
from asyncclient.hub import AsyncHub
from asyncclient.types import Limits, RetryPolicy, Timeouts
from tests.core.support import HOME, DemoClient, Reply, ScriptedTransport, Tokens, idle, opened

pytestmark = pytest.mark.anyio


class TestCalls:
    async def test_json(self) -> None:
        transport = ScriptedTransport(Reply(body=b'{"a": 1}'))
        async with opened(transport) as hub:
            assert await DemoClient(hub).get_thing("x:1", limit=5) == {"a": 1}
            assert idle(hub)
        assert transport.lines == ["GET /v1/things/x:1?limit=5"]
        assert transport.requests[0].headers == [(b"accept", b"*/*"), (b"user-agent", b"demo")]
        assert transport.requests[0].origin == HOME

    async def test_a_body(self) -> None:
        transport = ScriptedTransport()
        async with opened(transport) as hub:
            await DemoClient(hub).create_thing("é", {"a": [1]}, colour="red")
        assert transport.requests[0].body == '{"name":"é","info":{"a":[1]},"colour":"red"}'.encode()

    async def test_other_answers(self) -> None:
        transport = ScriptedTransport(Reply(body=b"\xff\x00"))
        async with opened(transport) as hub:
            client = DemoClient(hub)
            assert await client.get_content() == b"\xff\x00"
            assert await client.get_text() == "�\0"
            await client.delete_thing()
            transport.steps = [Reply(204, b"")]
            assert await client.get_thing("x") is None
            transport.steps = [Reply(body=b'{"inner": [1]}')]
            assert await client.get_inner() == [1]

    @pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'"inner"'])
    async def test_what_should_be_inside_is_not(self, body: bytes) -> None:
        async with opened(ScriptedTransport(Reply(body=body))) as hub:
            with pytest.raises(errors.DecodeError, match="get_inner: the answer has no 'inner'") as caught:
                await DemoClient(hub).get_inner()
        assert (caught.value.status, caught.value.size) == (200, len(body))

    async def test_no_json(self) -> None:
        transport = ScriptedTransport(Reply(body=b"<html>", headers=[(b"content-type", b"text/html")]))
        async with opened(transport) as hub:
            with pytest.raises(errors.DecodeError) as caught:
                await DemoClient(hub).get_thing("x")
        assert (caught.value.status, caught.value.content_type) == (200, "text/html")

    async def test_bad_input_sends_nothing(self) -> None:
        transport = ScriptedTransport()
        async with opened(transport) as hub:
            with pytest.raises(errors.ArgumentError):
                await DemoClient(hub, auth=(auth := Tokens())).get_thing("")
        assert (transport.requests, auth.fetches) == ([], 0)

    async def test_file_content_runs_in_the_bulk_lane(self) -> None:
        gate = asyncio.Event()
        async with opened(ScriptedTransport(Reply(gate=gate))) as hub:
            client = DemoClient(hub)
            tasks = [asyncio.create_task(client.get_content()), asyncio.create_task(client.get_text())]
            tasks.append(asyncio.create_task(client._send("put", Request(b"PUT", HOME, b"/", []))))
            await asyncio.sleep(0.01)
            assert hub.statistics().lanes == {"control": 1, "bulk": 2}
            gate.set()
            await asyncio.gather(*tasks)

    async def test_the_token_goes_home_only(self) -> None:
        transport = ScriptedTransport()
        async with opened(transport) as hub:
            client = DemoClient(hub, auth=HeaderAuth(b"x-key", b"s3cret"))
            await client.get_thing("x")
            away = absolute_request(b"GET", "https://files.example.test/a?sig=1", [])
            await client._send("get", away)
        assert transport.sent(b"x-key") == [b"s3cret", None]

    async def test_a_service_without_classes_of_its_own(self) -> None:
        class Bare(ServiceClient):
            pass

        async with opened(ScriptedTransport()) as hub:
            client = Bare(hub=hub, auth=None, headers=[])
            with pytest.raises(NotImplementedError):
                await client._call(Endpoint("x", "GET", "/"), {})
            with pytest.raises(NotImplementedError):
                await ServiceBase()._call(Endpoint("x", "GET", "/"), {})
            assert repr(client) == "<Bare of >"


class TestOptions:
    async def test_a_copy_that_shares_the_hub(self) -> None:
        transport = ScriptedTransport(Reply(503))
        async with opened(transport) as hub:
            client = DemoClient(hub, max_retries=1, timeout=7)
            other = client.with_options(
                max_retries=0, timeout=Timeouts(read=3), headers={"User-Agent": "x", "X-A": "é"}
            )
            assert other._hub is hub
            assert (client._rules.timeouts.total, other._rules.timeouts) == (7, Timeouts(read=3))
            for each, tries in ((other, 1), (client, 2)):
                transport.requests.clear()
                with pytest.raises(errors.ServerError):
                    await each.get_thing("x")
                assert len(transport.requests) == tries
            assert transport.requests[0].headers == [(b"accept", b"*/*"), (b"user-agent", b"demo")]
            assert other._headers == [(b"accept", b"*/*"), (b"user-agent", b"x"), (b"x-a", "é".encode())]
            assert client.with_options()._rules == client._rules
            assert client.with_options(timeout=None)._rules.timeouts.total is None
            await other.aclose()
            assert not hub.closed

    async def test_retries_bound_throttling_too(self) -> None:
        class Patient(DemoClient):
            _default_policy = RetryPolicy(max_retries=1, max_throttle_retries=5)

        transport = ScriptedTransport(Reply(429))
        async with opened(transport) as hub:
            for client, tries in ((Patient(hub), 6), (Patient(hub, max_retries=2), 3)):
                for each, count in ((client, tries), (client.with_options(max_retries=0), 1)):
                    transport.requests.clear()
                    with pytest.raises(errors.TooManyRequests):
                        await each.get_thing("x")
                    assert len(transport.requests) == count

    async def test_a_policy_of_ones_own(self) -> None:
        transport = ScriptedTransport(Reply(503))
        async with opened(transport) as hub:
            client = DemoClient(hub).with_options(retry=RetryPolicy(max_retries=1))
            for each, tries in ((client, 2), (client.with_options(max_retries=0), 1)):
                transport.requests.clear()
                with pytest.raises(errors.ServerError):
                    await each.get_thing("x")
                assert len(transport.requests) == tries

    async def test_headers_do_not_follow_a_redirect_abroad(self) -> None:
        away = Reply(302, headers=[(b"location", b"https://files.example.test/")])
        transport = ScriptedTransport(away, Reply())
        async with opened(transport) as hub:
            client = DemoClient(hub, auth=Tokens()).with_options(headers={"X-Own": "s3cret", "Cookie": "s3cret"})
            await client.get_thing("x")
        assert transport.sent(b"x-own") == transport.sent(b"cookie") == [b"s3cret", None]
        assert transport.sent(b"authorization") == [b"Bearer 1", None]

    async def test_authorization_replaces_the_credentials(self) -> None:
        transport = ScriptedTransport()
        async with opened(transport) as hub:
            client = DemoClient(hub, auth=(auth := Tokens()))
            await client.with_options(headers={"Authorization": "Basic x"}).get_thing("x")
            await client.get_thing("x")
        assert transport.sent(b"authorization") == [b"Basic x", b"Bearer 1"]
        assert len([name for name, _ in transport.requests[0].headers if name == b"authorization"]) == 1
        assert auth.fetches == 1

    @pytest.mark.parametrize(
        ("headers", "kind"),
        [
            ({"a": "s3cret\r\nx: y"}, errors.ArgumentError),
            ({"a": "s3cret\0"}, errors.ArgumentError),
            ({"a": "s3cret\ud800"}, errors.ArgumentError),
            ({"a\r\nb": "s3cret"}, errors.ArgumentError),
            ({"a b": "s3cret"}, errors.ArgumentError),
            ({"a:": "s3cret"}, errors.ArgumentError),
            ({"": "s3cret"}, errors.ArgumentError),
            ({"é": "s3cret"}, errors.ArgumentError),
            ({"a": b"s3cret"}, errors.ArgumentTypeError),
            ({5: "s3cret"}, errors.ArgumentTypeError),
        ],
    )
    async def test_bad_headers(self, headers: Any, kind: type[Exception]) -> None:
        client = DemoClient(AsyncHub())
        with pytest.raises(kind) as caught:
            client.with_options(headers=headers)
        assert "s3cret" not in f"{caught.value!r} {caught.value.__dict__} {caught.value.__cause__!r}"

    async def test_bad_options(self) -> None:
        client = DemoClient(AsyncHub())
        bad: list[dict[str, Any]] = [
            {"timeout": "5"},
            {"timeout": 0},
            {"max_retries": -1},
            {"max_retries": None},
            {"retry": 5},
        ]
        for options in bad:
            with pytest.raises((errors.ArgumentError, errors.ArgumentTypeError)):
                client.with_options(**options)
        bad = [{"hub": "hub"}, {"timeout": -1}, {"max_retries": 1.5}]
        for options in bad:
            with pytest.raises((errors.ArgumentError, errors.ArgumentTypeError)):
                DemoClient(**options)


class TestRawResponses:
    async def test_the_response(self) -> None:
        transport = ScriptedTransport(Reply(201, b'{"a": 1}', [(b"content-type", b"application/json"), (b"x", b"y")]))
        async with opened(transport) as hub:
            client = DemoClient(hub)
            method = client.with_raw_response.get_thing
            assert method.__name__ == "get_thing"
            response = await method("x", limit=1)
            assert isinstance(response, httpx.Response)
            assert (response.status_code, response.json(), response.headers["x"]) == (201, {"a": 1}, "y")
            assert str(response.request.url) == "https://api.example.test/v1/things/x?limit=1"
            assert await client.get_thing("x") == {"a": 1}

    async def test_whatever_the_body_is(self) -> None:
        async with opened(ScriptedTransport(Reply(body=b"<html>"))) as hub:
            response = await DemoClient(hub).with_raw_response.get_thing("x")
        assert response.content == b"<html>"

    async def test_refusals_are_raised(self) -> None:
        async with opened(ScriptedTransport(Reply(404))) as hub:
            with pytest.raises(errors.NotFound):
                await DemoClient(hub).with_raw_response.get_thing("x")

    async def test_a_broken_content_encoding_has_no_answer_to_give(self) -> None:
        broken = Reply(body=b"junk", headers=[(b"content-encoding", b"gzip")])
        async with opened(ScriptedTransport(broken)) as hub:
            with pytest.raises(errors.DecodeError):
                await DemoClient(hub).with_raw_response.get_thing("x")

    async def test_a_method_without_a_request(self) -> None:
        async with opened(ScriptedTransport()) as hub:
            with pytest.raises(errors.ArgumentError, match=r"does_nothing\(\) has no raw answer"):
                await DemoClient(hub).with_raw_response.does_nothing()

    @pytest.mark.parametrize("name", ["nothing", "_call", "endpoint", "iterate", "__wrapped__"])
    async def test_no_such_operation(self, name: str) -> None:
        with pytest.raises(AttributeError, match="DemoClient has no operation"):
            getattr(DemoClient(AsyncHub()).with_raw_response, name)


class TestIterate:
    async def test_all_items(self) -> None:
        pages = [Reply(body=b'{"things": [1, 2], "nextToken": "a b"}'), Reply(body=b'{"things": [3]}')]
        transport = ScriptedTransport(*pages)
        async with opened(transport) as hub:
            assert [item async for item in DemoClient(hub).iterate("list_things")] == [1, 2, 3]
        assert transport.lines == ["GET /v1/things", "GET /v1/things?nextToken=a+b"]

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("list_nothing", "DemoClient has no operation 'list_nothing'"),
            ("_call", "has no operation"),
            ("endpoint", "has no operation"),
            ("iterate", "has no operation"),
            ("get_thing", "get_thing does not return pages"),
            ("aclose", "aclose does not return pages"),
        ],
    )
    async def test_what_cannot_be_iterated(self, name: str, words: str) -> None:
        with pytest.raises(errors.ArgumentError, match=words) as caught:
            await anext(DemoClient(AsyncHub()).iterate(name))
        assert caught.value.argument == "operation"

    async def test_unknown_arguments(self) -> None:
        with pytest.raises(TypeError, match="unexpected keyword"):
            await anext(DemoClient(AsyncHub()).iterate("list_things", wrong=1))

    async def test_leaving_early(self) -> None:
        transport = ScriptedTransport(Reply(body=b'{"things": [1, 2], "nextToken": "a"}'))
        async with opened(transport) as hub:
            walker = DemoClient(hub).iterate("list_things")
            assert await anext(walker) == 1
            await walker.aclose()
            assert idle(hub)
        assert len(transport.requests) == 1


class TestLife:
    async def test_its_own_hub_is_closed_with_it(self) -> None:
        async with DemoClient() as client:
            assert not client._hub.closed
            copy = client.with_options(timeout=1)
            await copy.aclose()
            assert not client._hub.closed
        hub = client._hub
        assert hub.closed
        await client.aclose()
        with pytest.raises(errors.HubClosed):
            await client.get_thing("x")
        with pytest.raises(errors.HubClosed):
            await copy.get_thing("x")

    async def test_a_borrowed_hub_stays_open(self) -> None:
        async with AsyncHub() as hub:
            async with DemoClient(hub):
                pass
            assert not hub.closed

    async def test_limits_of_the_hub_reach_the_rules(self) -> None:
        transport = ScriptedTransport(Reply(body=b"[1, 2]"))
        async with opened(transport, Limits(max_response_bytes=3)) as hub:
            with pytest.raises(errors.ResponseTooLarge):
                await DemoClient(hub).get_thing("x")


@pytest.mark.parametrize(
    "url",
    [
        "/relative",
        "ftp://h/x",
        "https://user:s3cret@h/",
        "https://h:s3cret/",
        "https://h/ s3cret",
        None,
        b"https://h/",
        5,
    ],
)
def test_urls_of_the_service_are_checked_and_not_repeated(url: Any) -> None:
    with pytest.raises(errors.DecodeError, match="the service named an unusable fileUrl") as caught:
        absolute_request(b"GET", url, [], what="fileUrl")
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args


@pytest.mark.parametrize(("method", "idempotent"), [(b"GET", True), (b"PUT", True), (b"POST", False)])
def test_requests_to_urls_of_the_service(method: bytes, idempotent: bool) -> None:
    request = absolute_request(method, "https://h/a%2Fb?x=%2B", [(b"a", b"b")], body=b"x")
    assert (request.target, request.headers, request.body) == (b"/a%2Fb?x=%2B", [(b"a", b"b")], b"x")
    assert request.idempotent is idempotent
