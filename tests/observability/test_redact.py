"""What is taken out of an answer that repeats its request."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._messages import Headers, Origin, Request
from asyncclient._redact import REDACTED, cleaned, cleaned_headers, secrets_of

ORIGIN = Origin("https", "store.example", 443)


def request(target: bytes = b"/a", headers: Headers | None = None, body: bytes | None = None) -> Request:
    return Request(b"GET", ORIGIN, target, headers or [], body)


@pytest.mark.parametrize(
    ("sent", "secret"),
    [
        (request(headers=[(b"Authorization", b"Bearer abcdef123")]), b"abcdef123"),
        (request(headers=[(b"authorization", b"scitran-user host:443:abcdef123")]), b"abcdef123"),
        (request(headers=[(b"authorization", b"Basic " + base64.b64encode(b"user:abcdef123"))]), b"abcdef123"),
        (request(headers=[(b"x-anything", b"abcdef123")]), b"abcdef123"),
        (request(headers=[(b"cookie", b"a=1; session=abcdef123")]), b"abcdef123"),
        (request(b"/a?X-Amz-Signature=abcdef123&partNumber=1"), b"abcdef123"),
        (request(b"/a?ticket=abc%2Fdef%2B123"), b"abc/def+123"),
        (request(body=b'{"user": {"password": "abc\\"def123"}}'), b'abc"def123'),
        (request(body=b"grant_type=x&client_secret=abc%2Fdef123"), b"abc/def123"),
    ],
    ids=str,
)
def test_secrets_are_found_in_every_form(sent: Request, secret: bytes) -> None:
    secrets = secrets_of(sent)
    forms = [
        secret,
        quote(secret, safe="").encode(),
        base64.b64encode(secret),
        secret.hex().encode(),
        json.dumps(secret.decode())[1:-1].encode(),
    ]
    for form in forms:
        assert cleaned(b"<" + form + b">", secrets) == b"<" + REDACTED + b">"


def test_what_is_no_secret_stays() -> None:
    sent = request(
        b"/documents?maxResults=100000&name=invoice-of-may",
        [(b"accept", b"application/json"), (b"user-agent", b"asyncclient/1"), (b"content-type", b"text/plain")],
        b'{"name": "invoice-of-may", "code": "not-secret"}',
    )
    assert secrets_of(sent) == []


@pytest.mark.parametrize("body", [b"{broken", b"[1, 2]", b"", b"x" * 70_000, b"{" + b" " * 70_000], ids=len)
def test_bodies_that_say_nothing(body: bytes) -> None:
    assert secrets_of(request(body=body)) == []


def test_broken_basic_credentials_are_taken_as_they_are() -> None:
    assert b"not-base64!" in secrets_of(request(headers=[(b"authorization", b"Basic not-base64!")]))


def test_the_signature_that_was_added_late() -> None:
    secrets = secrets_of(request(), (b"authorization", b"Bearer abcdef123"))
    assert cleaned_headers([(b"x-request-id", b"abcdef123"), (b"etag", b'"1"')], secrets) == [
        (b"x-request-id", REDACTED),
        (b"etag", b'"1"'),
    ]


@given(st.binary(min_size=6, max_size=40), st.binary(max_size=60), st.binary(max_size=60))
def test_nothing_of_a_header_is_left(secret: bytes, before: bytes, after: bytes) -> None:
    secrets = secrets_of(request(headers=[(b"x-key", secret)]))
    assert secret not in cleaned(before + secret + after, secrets).replace(REDACTED, b"\x00\x01\x00")
