"""Secrets of a query are hidden as they were written, too: there are several ways to percent-encode one."""

from __future__ import annotations

import pytest

from asyncclient._messages import Origin, Request
from asyncclient._redact import cleaned, secrets_of

ORIGIN = Origin("https", "store.example", 443)


@pytest.mark.parametrize(
    "value",
    [b"AbC/dEf+gHiJk%3d", b"abc%2bdef/ghi%3D", b"abc'def(1)%C3%A9", b"abc:def@ghi", b"abc+def+ghi", b"a=b=c=d="],
)
@pytest.mark.parametrize("name", [b"sig", b"X-Amz-Signature", b"to%6Ben"])
def test_a_value_that_is_quoted_as_it_was_sent(name: bytes, value: bytes) -> None:
    query = b"a=1&" + name + b"=" + value + b"&b=2"
    for sent in (
        Request(b"GET", ORIGIN, b"/x?" + query, []),
        Request(b"POST", ORIGIN, b"/x", [], query),
    ):
        assert cleaned(b"bad: " + query, secrets_of(sent)) == b"bad: a=1&" + name + b"=[redacted]&b=2"
