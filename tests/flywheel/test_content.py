"""What is read out of records and paths, without a service."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._messages import Origin, Request
from asyncclient.flywheel._content import Content, FileRecord, identity_of, record_place

SHA = "ab" * 48


@pytest.mark.parametrize(
    ("record", "identity", "digest"),
    [
        ({}, None, None),
        ({"size": 3}, None, None),
        ({"size": 3, "file_id": "f"}, None, None),
        ({"size": 3, "file_id": "f", "version": 2}, "3:f:2", None),
        ({"size": 3, "file_id": "f", "version": 2, "hash": "of some kind"}, "3:f:2", None),
        ({"size": 3, "file_id": "f", "version": 2, "hash": f"v0-sha384-{SHA}"}, f"3:sha384:{SHA}", ("sha384", SHA)),
        ({"hash": f"v0-sha384-{SHA}"}, None, ("sha384", SHA)),
        ({"size": "3", "file_id": 1, "version": "2", "hash": 4}, None, None),
    ],
)
def test_identities(record: dict[str, Any], identity: str | None, digest: tuple[str, str] | None) -> None:
    found = identity_of(FileRecord.of(record))
    assert (found.id, found.digest) == (identity, digest)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/acquisitions/1/files/a%2Fb", ("/api/acquisitions/1/files/a%2Fb/info", None)),
        ("/api/analyses/1/inputs/a", ("/api/analyses/1/inputs/a/info", None)),
        ("/api/analyses/1/files/a%20b", ("/api/analyses/1", "a b")),
        ("/api/sessions/2/analyses/1/files/%C3%A9", ("/api/analyses/1", "é")),
        ("/api/sessions/2/analyses/1/inputs/a", ("/api/analyses/1/inputs/a/info", None)),
        ("/api/download", None),
        ("/api/views/1/data", None),
    ],
)
def test_where_records_are(path: str, place: Any) -> None:
    assert record_place(path) == place


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.booleans())
def test_tickets_are_not_described(ticket: str, named: bool) -> None:
    query = f"ticket={ticket}&version=2" if named else "version=2"
    request = Request(b"GET", Origin("https", "h", 443), f"/api/x?{query}".encode(), [])
    described = Content("x", request).description
    assert described["query"] == [["version", "2"]]
    assert ("digest" in described) is named
    assert f"ticket={ticket}" not in repr(described)
