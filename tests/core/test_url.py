from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._messages import Origin
from asyncclient._url import BaseUrl
from asyncclient.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://api.example.test/v1", ("https", "api.example.test", 443), "/v1"),
        ("HTTP://API.Example.Test/v1/", ("http", "api.example.test", 80), "/v1"),
        ("http://127.0.0.1:8000", ("http", "127.0.0.1", 8000), ""),
        ("http://[::1]:8000//", ("http", "::1", 8000), ""),
        ("https://bücher.example/é/%20/a:b@c", ("https", "xn--bcher-kva.example", 443), "/%C3%A9/%20/a:b@c"),
        ("https://h:443/?", ("https", "h", 443), ""),
    ],
)
def test_good(url: str, origin: tuple[str, str, int], path: str) -> None:
    assert BaseUrl.parse(url) == BaseUrl(Origin(*origin), path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must begin with http"),
        ("api.example.test", "must begin with http"),
        ("ftp://h/", "must begin with http"),
        ("https://", "name a host"),
        ("https:///v1", "name a host"),
        ("https://user:s3cret@h/", "user name or password"),
        ("https://@h/", "user name or password"),
        ("https://h/?key=s3cret", "query or fragment"),
        ("https://h/#s3cret", "query or fragment"),
        ("https://h:s3cret/", "the port is not a number from 1 to 65535"),
        ("https://h:99999/", "the port is not a number"),
        ("https://h:0/", "the port is not a number"),
        ("https://h:-1/", "the port is not a number"),
        ("https://[::1/s3cret", "malformed"),
        ("https://sport\uff03.example/", "malformed"),  # its text holds the letters of "port"
        ("https://h /", "blanks or control"),
        ("https://h/\r\nx: y", "blanks or control"),
        ("https://h\\@evil/", "blanks or control"),
        ("https://\u00e9" + "x" * 70 + ".example/", "host name that is not valid"),
        ("https://h/s3cret\ud800", "not valid Unicode"),
    ],
)
def test_bad(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        BaseUrl.parse(url, what="api_endpoint")
    assert str(caught.value).startswith("the api_endpoint ")
    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("url", [None, b"https://h/", 5])
def test_not_text(url: object) -> None:
    with pytest.raises(ConfigurationError, match="the endpoint is not a URL"):
        BaseUrl.parse(url)  # type: ignore[arg-type]  # on purpose


@given(st.text(max_size=30))
def test_anything_is_taken_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"http://h/{text}", f"http://h:{text}"):
        try:
            base = BaseUrl.parse(url)
        except ConfigurationError:
            continue
        assert f"{base.origin}{base.path}".isascii()
        assert not set(base.path) & set(" ?#\r\n\t")
        assert not base.path.endswith("/")
        assert 1 <= base.origin.port <= 65535
