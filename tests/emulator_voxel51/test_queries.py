"""The query language, and forms in pieces."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.testing._blobs import Blob, BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing.voxel51.forms import Form, boundary_of, disposition, read_form
from asyncclient.testing.voxel51.queries import KINDS, run_query, tidied, values_of
from tests.emulator_voxel51.conftest import Api

DATA = KINDS["data"]
ROWS = [
    dict.fromkeys(DATA.fields) | {"id": str(number), "name": name, "size": size, "type": "video/mp4"}
    for number, (name, size) in enumerate([("one.mp4", 3), ("two, b.mp4", None), ("x:y.mp4", 1), ("One.png", 2)])
]


def ids(**query: Any) -> str:
    return "".join(row["id"] for row in run_query(DATA, ROWS, query)["data"])


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("name:one", "03"),
        ("NAME:ONE", "03"),
        ("name:one|two", "013"),
        ("name:one,name:png", "3"),
        ("png", "3"),
        ("mp4", "0123"),
        (r"name:two\, b", "1"),
        (r"name:x\:y", "2"),
        ("name:", "0123"),
        ("nothing", ""),
    ],
)
def test_search(search: str, found: str) -> None:
    assert ids(search=search) == found


@pytest.mark.parametrize(("sort", "found"), [("size:asc", "2301"), ("size:desc", "0321"), ("name:asc", "3012")])
def test_sort_puts_what_has_no_value_last(sort: str, found: str) -> None:
    assert ids(sort=sort) == found


def test_a_page(api: Api) -> None:
    assert ids(offset=1, limit=2) == "12"
    assert ids(offset=9) == ""
    assert run_query(DATA, ROWS, {"limit": 1, "fields": "id"}) == {"data": [{"id": "0"}], "count": 4}


@pytest.mark.parametrize("query", [{"search": "size:1"}, {"search": "x:1"}, {"fields": "id,x"}, {"sort": "x:asc"}])
def test_unknown_fields_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refusal:
        run_query(DATA, [], query)
    assert refusal.value.status == 400


def test_all_forms_that_are_in_use(api: Api) -> None:
    one, two = api.upload(name="one.mp4"), api.upload(name="two.mp4")
    expected = {"data": [{"id": two["id"], "name": "two.mp4"}], "count": 1}
    for more in (
        {"json": {"fields": "id,name", "search": "name:two"}},
        {"json": {"fields": ["id", "name"], "search": ["name:two"], "offset": 0, "limit": None}},
        {"params": {"fields": "id,name", "search": "name:two", "limit": "5"}},
        {"params": [("fields", "id"), ("fields", "name"), ("search", "name:two")]},
    ):
        assert api.ok("GET", "/data", **more) == expected
    assert api.ok("GET", "/data", json={})["data"] == [one, two]
    assert api.ok("GET", "/data")["count"] == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"json": {"limit": -1}}, "body.limit: is less than 1"),
        ({"json": {"limit": "5"}}, "body.limit: is not of type integer"),
        ({"params": {"limit": "x"}}, "query.limit: is not of type integer"),
        ({"json": {"sort": "name"}}, "body.sort: "),
        ({"json": {"what": 1}}, "body: 'what' is not known"),
        ({"json": []}, "body: is not of type object"),
        ({"content": b"{"}, "body: is not JSON"),
    ],
)
def test_wrong_queries(api: Api, more: dict[str, Any], said: str) -> None:
    assert api.refused(400, "GET", "/data", **more).startswith(said)


def test_values() -> None:
    pairs = [("fields", "a"), ("fields", "b"), ("limit", "2"), ("all_versions", "True")]
    assert values_of(pairs) == {"fields": "a,b", "limit": 2, "all_versions": True}
    assert tidied({"fields": [], "search": ["a", "b"], "offset": 0, "sort": None, "x": [1]}) == {
        "search": "a,b",
        "x": [1],
    }


# Forms


def test_dispositions() -> None:
    assert disposition(b'form-data; name="file"; filename="a b;c.mp4"') == ("file", "a b;c.mp4")
    assert disposition('form-data; name="file"; filename="é%22\\%2F"'.encode()) == ("file", 'é"\\%2F')
    assert disposition(b"form-data; name=\"file\"; filename*=utf-8''%E8%A7%86.mp4") == ("file", "视.mp4")
    assert disposition(b'form-data; name="ttl"') == ("ttl", None)
    assert disposition(b"form-data") == (None, None)


def test_boundaries() -> None:
    assert boundary_of('multipart/form-data; charset=utf-8; boundary="a b"') == "a b"
    assert boundary_of("Multipart/Form-Data;boundary=abc") == "abc"
    assert boundary_of("multipart/mixed; boundary=abc") is None
    assert boundary_of("multipart/form-data") is None


def body_of(parts: Sequence[tuple[str, str | None, bytes]]) -> bytes:
    pieces = []
    for name, filename, content in parts:
        named = "" if filename is None else f'; filename="{filename}"'
        pieces.append(f'--bbb\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode())
        pieces.append(content + b"\r\n")
    return b"".join(pieces) + b"--bbb--\r\n"


def read(pieces: Sequence[bytes], blobs: BlobStore | None) -> Form:
    async def stream() -> AsyncGenerator[bytes, None]:
        for piece in pieces:
            yield piece

    return asyncio.run(read_form(stream(), "bbb", blobs, limit_bytes=1 << 20))


def _content() -> st.SearchStrategy[bytes]:
    awkward = st.sampled_from([b"\r\n", b"--bbb", b"\r\n--bb", b"-", b"\r", b"x"])
    pieces = st.lists(awkward | st.binary(max_size=5), max_size=8)
    return pieces.map(b"".join).filter(lambda content: b"\r\n--bbb" not in b"\r\n" + content)


@given(content=_content(), text=_content(), cuts=st.lists(st.integers(0, 400), max_size=12), stored=st.booleans())
def test_forms_in_pieces(content: bytes, text: bytes, cuts: list[int], stored: bool) -> None:
    whole = body_of([("file", "a.mp4", content), ("ttl", None, text)])
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:stop] for start, stop in itertools.pairwise(edges)]
    form = read(pieces, BlobStore() if stored else None)
    (part,) = form.files
    found = part.content.content if isinstance(part.content, Blob) else part.content
    assert (part.filename, found) == ("a.mp4", content)
    assert form.fields == {"ttl": text.decode("utf-8", "replace")}


@pytest.mark.parametrize("cut", [0, 1, 20, 60, 70, -3])
def test_forms_that_break_off(cut: int) -> None:
    with pytest.raises(Refusal, match="breaks off"):
        read([body_of([("file", "a.mp4", b"content")])[:cut]], BlobStore())


def test_malformed_forms() -> None:
    with pytest.raises(Refusal, match="malformed"):
        read([b"no form at all"], None)
    with pytest.raises(Refusal, match="without a name"):
        read([b"--bbb\r\nContent-Type: text/plain\r\n\r\nx\r\n--bbb--\r\n"], None)


def test_texts_have_limits() -> None:
    with pytest.raises(Refusal, match="larger than"):
        read([body_of([("text", None, b"x" * 100_000)])], None)
