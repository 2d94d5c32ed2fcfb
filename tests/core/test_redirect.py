from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._messages import Origin, Request
from asyncclient._redirect import follow, is_signed, leaves_home, split_url
from asyncclient.errors import RedirectRefused

HOME = Origin("https", "api.example.test", 443)
SECRETS = [
    (b"authorization", b"Bearer s3cret"),
    (b"X-Api-Key", b"s3cret"),
    (b"cookie", b"s3cret"),
    (b"x-own", b"s3cret"),
]
HARMLESS = [(b"Accept", b"*/*"), (b"user-agent", b"demo"), (b"range", b"bytes=0-3")]


def request(method: bytes = b"GET", origin: Origin = HOME, target: bytes = b"/v1/a/b?token=s3cret") -> Request:
    return Request(method, origin, target, [*HARMLESS, *SECRETS])


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (b"/other", "https://api.example.test:443/other"),
        (b"c?x=1#frag", "https://api.example.test:443/v1/a/c?x=1"),
        (b"../c", "https://api.example.test:443/v1/c"),
        (b"?x=1", "https://api.example.test:443/v1/a/b?x=1"),
        (b"https://api.example.test/other", "https://api.example.test:443/other"),
        (b"https://API.example.test:443/other", "https://api.example.test:443/other"),
        ("/é".encode(), "https://api.example.test:443/%C3%A9"),
    ],
)
def test_at_home_everything_goes_along(location: bytes, url: str) -> None:
    found = follow(request(), 302, location)
    assert found is not None
    assert f"{found.origin}{found.target.decode()}" == url
    assert found.headers == [*HARMLESS, *SECRETS]
    assert found.idempotent


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        (b"https://files.example.test/x?sig=%2Bab", ("https", "files.example.test", 443)),
        (b"//files.example.test/x", ("https", "files.example.test", 443)),
        (b"https://api.example.test:444/", ("https", "api.example.test", 444)),
        (b"https://api.example.test.evil.test/", ("https", "api.example.test.evil.test", 443)),
        ("https://bücher.example/".encode(), ("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_abroad_no_secret_goes_along(location: bytes, origin: tuple[str, str, int]) -> None:
    found = follow(request(), 307, location)
    assert found is not None
    assert found.origin == Origin(*origin)
    assert found.headers == HARMLESS
    assert b"s3cret" not in found.target


def test_up_to_https_is_another_origin() -> None:
    found = follow(request(origin=Origin("http", "api.example.test", 80)), 301, b"https://api.example.test/")
    assert found is not None
    assert found.headers == HARMLESS


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH", b"DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_other_methods_are_not_followed(method: bytes, status: int) -> None:
    assert follow(request(method), status, b"/other") is None


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 400])
def test_other_statuses_are_not_followed(status: int) -> None:
    assert follow(request(), status, b"/other") is None


def test_nowhere_to_go() -> None:
    assert follow(request(b"HEAD"), 302, None) is None
    assert follow(request(b"HEAD"), 302, b"/x") is not None


@pytest.mark.parametrize(
    "location",
    [
        b"http://api.example.test/s3cret",
        b"ftp://h/s3cret",
        b"javascript:s3cret",
        b"https://user:s3cret@h/",
        b"https://h:s3cret/",
        b"https://h:0/s3cret",
        b"https://[s3cret/",
        b"https://h/s3cret\r\nx: y",
        b"/a b s3cret",
        b"\xff s3cret",
        "https://é{}.test/s3cret".format("x" * 80).encode(),
    ],
)
def test_refused_without_repeating_it(location: bytes) -> None:
    with pytest.raises(RedirectRefused, match=r"the service redirects .*; not followed") as caught:
        follow(request(), 302, location)
    error = caught.value
    assert "s3cret" not in f"{error!r} {error.__dict__} {error.__cause__!r}"
    assert (error.origin, error.method) == ("https://api.example.test:443", "GET")
    assert pickle.loads(pickle.dumps(error)).origin == error.origin


def test_a_query_is_kept_byte_for_byte() -> None:
    url = "https://bucket.example.test/k%20ey/%2F?X-Sig=a%2Bb%3D%3d&x=a+b&flag&q=é"
    assert split_url(url) == (
        Origin("https", "bucket.example.test", 443),
        b"/k%20ey/%2F?X-Sig=a%2Bb%3D%3d&x=a+b&flag&q=%C3%A9",
    )
    assert split_url("http://[::1]:81") == (Origin("http", "::1", 81), b"/")
    with pytest.raises(ValueError, match="valid Unicode"):
        split_url("http://h/\ud800")


@given(st.binary(max_size=40), st.sampled_from([b"", b"/", b"//", b"https://", b"http://h", b"https://h/"]))
def test_anything_is_followed_cleanly_or_refused(tail: bytes, start: bytes) -> None:
    try:
        found = follow(request(), 302, start + tail)
    except RedirectRefused:
        return
    assert found is not None
    assert found.origin.scheme == "https"
    assert found.target.startswith(b"/")
    assert found.target.isascii()
    assert not set(found.target) & set(b" \r\n\t\0#")
    if found.origin != HOME:
        assert not {value for _, value in found.headers} & {value for _, value in SECRETS}


@pytest.mark.parametrize(
    "location",
    [
        b"/store/x?X-Amz-Algorithm=a&X-Amz-Signature=ab",
        b"/store/x?X-Goog-Signature=ab",
        b"/store/x?Expires=1&Signature=ab&Key-Pair-Id=c",
        b"/store/x?se=2026&sig=a%2Bb",
        b"/store/x?%73ig=ab",
        b"/v1/a/b?SIG=ab",
    ],
)
def test_a_signed_address_is_never_home(location: bytes) -> None:
    found = follow(request(), 302, location)
    assert found is not None
    assert found.origin == HOME
    assert found.headers == HARMLESS
    assert leaves_home(request(), found)


@pytest.mark.parametrize("target", [b"/x", b"/x?signal=1&design=2", b"/sig=1", b"/x?x=sig&y=signature", b"/x?"])
def test_what_is_not_signed(target: bytes) -> None:
    assert not is_signed(target)


@pytest.mark.parametrize(
    ("location", "home"),
    [
        (b"/api/x", True),
        (b"/api/x?a=b", True),
        (b"/store/x", False),
        (b"/apis/x", False),
        (b"/api/%2E%2e/store/x", False),
        (b"/api/..%5Cstore/x", False),
        (b"/api/..;a/store/x", False),
        (b"/api/..a/x", True),
        (b"/%61pi/x", True),
        (b"https://api.example.test:444/api/x", False),
    ],
)
def test_home_is_a_path_where_the_service_says_so(location: bytes, home: bool) -> None:
    found = follow(request(target=b"/api/a"), 302, location, b"/api/")
    assert found is not None
    assert found.headers == ([*HARMLESS, *SECRETS] if home else HARMLESS)
