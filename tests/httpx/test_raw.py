"""``httpx.Response`` for ``with_raw_response``."""

from __future__ import annotations

import gzip
import pickle

import httpx
import pytest

from asyncclient._httpx import to_httpx_response
from asyncclient._messages import Origin, Request
from asyncclient._pipeline import Answer


class Body:
    length = 3
    replayable = False

    def open(self) -> None:
        raise AssertionError("never opened")


def request(body: object = b'{"a":1}') -> Request:
    headers = [
        (b"Authorization", b"Bearer secret-token"),
        (b"x-api-key", b"secret-key"),
        (b"content-type", b"application/json"),
    ]
    return Request(b"POST", Origin("https", "api.example.com", 8443), b"/v1/things?limit=%2F", headers, body)  # type: ignore[arg-type]  # Body is one


def test_an_answer_as_httpx_has_it() -> None:
    text = '{"é": 1}'
    packed = gzip.compress(text.encode("latin-1"))
    headers = [
        (b"content-type", b"application/json; charset=latin-1"),
        (b"content-encoding", b"gzip"),
        (b"content-length", b"%d" % len(packed)),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    response = to_httpx_response(request(), Answer(201, headers, text.encode("latin-1")))
    assert (response.status_code, response.reason_phrase) == (201, "Created")
    assert response.text == text
    assert response.content == response.read() == b"".join(response.iter_bytes())
    assert response.is_closed
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(packed))
    assert pickle.loads(pickle.dumps(response)).text == text
    assert dict(response.cookies) == {"a": "1", "b": "2"}
    assert response.raise_for_status() is response


def test_the_request_beside_it_keeps_its_secrets() -> None:
    response = to_httpx_response(request(), Answer(404, [], b"no"))
    assert str(response.request.url) == "https://api.example.com:8443/v1/things?limit=%2F"
    assert str(response.url) == str(response.request.url)
    assert response.request.method == "POST"
    assert response.request.content == b'{"a":1}'
    assert response.request.headers["host"] == "api.example.com:8443"
    assert response.request.headers["authorization"] == "[redacted]"
    assert "secret" not in str(response.request.headers.raw)
    with pytest.raises(httpx.HTTPStatusError):
        response.raise_for_status()


def test_a_streamed_body_is_left_out() -> None:
    response = to_httpx_response(request(Body()), Answer(200, [], b""))
    assert response.request.content == b""
    assert response.content == b""
