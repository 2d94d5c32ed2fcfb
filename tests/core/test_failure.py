from __future__ import annotations

import pytest

from asyncclient import errors
from asyncclient._failure import class_of, error_of, phrase
from asyncclient._messages import Headers, Request
from asyncclient._pipeline import Answer
from tests.core.support import HOME

REQUEST = Request(b"POST", HOME, b"/v1/things?token=s3cret", [(b"authorization", b"s3cret")], b"s3cret")


def error(status: int = 400, body: bytes = b"", headers: Headers | None = None) -> errors.APIError:
    return error_of(REQUEST, Answer(status, headers or [], body), now=0.0)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.NotFound),
        (412, errors.Conflict),
        (418, errors.APIError),
        (422, errors.BadRequest),
        (429, errors.TooManyRequests),
        (302, errors.APIError),
        (500, errors.ServerError),
        (503, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_classes(status: int, kind: type[errors.APIError]) -> None:
    assert class_of(status) is kind
    assert type(error(status)) is kind


def test_all_facts() -> None:
    found = error(
        429,
        b'{"message": "slow down", "code": 17}',
        [(b"x-amzn-requestid", b"second"), (b"x-request-id", b"first"), (b"retry-after", b"3")],
    )
    assert (found.status, found.code, found.message, found.request_id) == (429, "17", "slow down", "first")
    assert (found.method, found.path, found.retry_after) == ("POST", "/v1/things", 3)
    assert found.body == {"message": "slow down", "code": 17}
    assert str(found) == "slow down"


def test_another_class() -> None:
    made = error_of(REQUEST, Answer(500, [], b""), now=0.0, kind=errors.Forbidden)
    assert type(made) is errors.Forbidden


@pytest.mark.parametrize(
    ("body", "decoded", "message"),
    [
        (b"", None, "400 Bad Request: POST /v1/things"),
        (b'{"error": "e", "detail": "d"}', {"error": "e", "detail": "d"}, "e"),
        (b'{"message": "", "detail": "d"}', {"message": "", "detail": "d"}, "d"),
        (b'{"error_description": "x"}', {"error_description": "x"}, "x"),
        (b'{"message": {"a": 1}}', {"message": {"a": 1}}, "400 Bad Request: POST /v1/things"),
        (b"[1]", [1], "400 Bad Request: POST /v1/things"),
        (b"<html>", "<html>", "400 Bad Request: POST /v1/things"),
        (b"\xff\xfe\xfd", "���", "400 Bad Request: POST /v1/things"),
    ],
)
def test_bodies(body: bytes, decoded: object, message: str) -> None:
    found = error(400, body)
    assert (found.body, found.message) == (decoded, message)


def test_long_texts_are_cut() -> None:
    body = error(500, "é".encode() * 100_000).body
    assert body == "é" * 2000


def test_a_status_without_a_phrase() -> None:
    assert phrase(599) == ""
    assert str(error(599)) == "599 : POST /v1/things"


def test_no_secret_of_the_request_in_it() -> None:
    found = error(500)
    assert "s3cret" not in f"{found!r} {found} {found.__dict__}"
