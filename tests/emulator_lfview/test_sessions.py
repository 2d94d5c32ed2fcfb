"""Upload sessions keep what Google's storage would keep, and say so as it does."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncclient.testing._contract import Refusal
from asyncclient.testing.lfview.keeps import Keep, Keeps
from asyncclient.testing.lfview.ranges import ContentRange, Span, content_range
from asyncclient.testing.lfview.sessions import QUANTUM_BYTES as Q
from asyncclient.testing.lfview.sessions import Session, admit, answer_headers, granted
from tests.emulator_lfview.conftest import Api, Json, P

CONTENT = bytes(range(256)) * 1024 * 2 + b"tail" * 25_000  # two whole chunks and a rest
TOTAL = len(CONTENT)
END = TOTAL - 1


@pytest.fixture
def location(api: Api) -> str:
    return open_session(api, TOTAL)


def open_session(api: Api, total: int) -> str:
    body = {
        "shape": [total],
        "dtype": "Uint8Array",
        "content_length": total,
        "content_type": "application/octet-stream",
    }
    made: str = api.ok("POST", f"{P}/files/array", body)["links"]["location"]
    return made


def state_of(api: Api, location: str, total: int | str = TOTAL) -> tuple[int, str | None]:
    answer = api.put(location, b"", f"bytes */{total}")
    return answer.status_code, answer.headers.get("range")


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the server is about to do."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def part(start: int, stop: int, total: int | str = TOTAL) -> tuple[bytes, str]:
    return CONTENT[start:stop], f"bytes {start}-{stop - 1}/{total}"


def test_three_chunks(api: Api, location: str) -> None:
    assert state_of(api, location) == (308, None)
    first = api.put(location, *part(0, Q))
    assert (first.status_code, first.headers["range"], first.content) == (308, f"bytes=0-{Q - 1}", b"")
    assert state_of(api, location) == (308, f"bytes=0-{Q - 1}")
    assert api.put(location, *part(Q, 2 * Q)).headers["range"] == f"bytes=0-{2 * Q - 1}"
    last = api.put(location, *part(2 * Q, TOTAL))
    assert (last.status_code, last.json()) == (200, {"size": TOTAL})
    assert state_of(api, location) == (200, None)
    assert api.state.content(location) == CONTENT
    # A complete session stays complete.
    assert api.put(location, *part(0, Q)).status_code == 200
    assert api.state.content(location) == CONTENT


@pytest.mark.parametrize("field", [f"bytes 0-{END}/{TOTAL}", None])
def test_everything_at_once(api: Api, location: str, field: str | None) -> None:
    assert api.put(location, CONTENT, field).json() == {"size": TOTAL}
    assert api.plain.get(location).content == CONTENT


def test_the_last_chunk_may_be_whole(api: Api) -> None:
    location = open_session(api, 2 * Q)
    assert api.put(location, *part(0, Q, 2 * Q)).status_code == 308
    assert api.put(location, *part(Q, 2 * Q, 2 * Q)).status_code == 200


def test_empty_content(api: Api) -> None:
    location = open_session(api, 0)
    assert api.plain.get(location).status_code == 404
    assert api.put(location, b"", "bytes */0").json() == {"size": 0}
    assert api.plain.get(location).content == b""
    other = open_session(api, 0)
    assert api.put(other, b"", None).json() == {"size": 0}


def test_a_total_that_is_not_known_yet(api: Api, location: str) -> None:
    assert api.put(location, *part(0, Q, "*")).status_code == 308
    assert state_of(api, location, "*") == (308, f"bytes=0-{Q - 1}")
    assert api.put(location, *part(Q, TOTAL)).status_code == 200


def test_only_whole_multiples_are_kept(api: Api, location: str) -> None:
    assert api.put(location, *part(0, Q + 1000)).headers["range"] == f"bytes=0-{Q - 1}"
    assert api.put(location, *part(Q, TOTAL)).status_code == 200
    assert api.state.content(location) == CONTENT


def test_what_is_kept_is_skipped(api: Api, location: str) -> None:
    api.put(location, *part(0, Q))
    noise = b"\0" * Q + CONTENT[Q : 2 * Q]
    assert api.put(location, noise, f"bytes 0-{2 * Q - 1}/{TOTAL}").headers["range"] == f"bytes=0-{2 * Q - 1}"
    assert api.put(location, b"\0" * Q, f"bytes 0-{Q - 1}/{TOTAL}").headers["range"] == f"bytes=0-{2 * Q - 1}"
    assert api.put(location, b"\0" * Q + CONTENT[Q:], f"bytes 0-{END}/{TOTAL}").status_code == 200
    assert api.state.content(location) == CONTENT


@pytest.mark.parametrize(
    ("content", "field", "problem"),
    [
        (b"x" * Q, f"bytes {Q}-{2 * Q - 1}/{TOTAL}", "but 0 bytes are kept"),
        (b"x" * 1000, f"bytes 0-999/{TOTAL}", "every chunk but the last"),
        (b"x" * 1000, f"bytes 0-998/{TOTAL}", "Content-Length: is 1000"),
        (b"x" * 1000, "bytes 0-999/1000", f"announced with {TOTAL} bytes"),
        (b"", "bytes */1000", f"announced with {TOTAL} bytes"),
        (b"x" * (TOTAL + 1), f"bytes 0-{TOTAL}/*", f"announced with {TOTAL} bytes"),
        (b"x" * 10, "bytes 9-0/10", "contradicts itself"),
        (b"x" * 10, "bytes 0-9/5", "contradicts itself"),
        (b"x" * 10, "bytes=0-9/10", "is not of the form"),
        (b"x" * 10, "0-9/10", "is not of the form"),
    ],
)
def test_chunks_that_are_refused(api: Api, location: str, content: bytes, field: str, problem: str) -> None:
    answer = api.put(location, content, field)
    assert answer.status_code == 400
    assert problem in answer.json()["message"]
    assert state_of(api, location) == (308, None)


def test_the_type_is_that_of_the_announcement(api: Api, location: str) -> None:
    answer = api.put(location, *part(0, Q), **{"Content-Type": "image/png"})
    assert answer.json() == {"message": "Content-Type: the content was announced as application/octet-stream"}


def chunked(content: bytes) -> Any:
    yield content


def test_bodies_without_a_length(api: Api, location: str) -> None:
    headers = {"Content-Type": "application/octet-stream", "Content-Range": f"bytes 0-{END}/{TOTAL}"}
    for wrong in (CONTENT[:-1], CONTENT + b"x"):
        answer = api.plain.put(location, content=chunked(wrong), headers=headers)
        assert answer.status_code == 400
        assert f"the body has {len(wrong)} bytes" in answer.json()["message"]
    del headers["Content-Range"]
    assert api.plain.put(location, content=chunked(CONTENT), headers=headers).status_code == 411
    headers["Content-Range"] = f"bytes 0-{END}/{TOTAL}"
    assert api.plain.put(location, content=chunked(CONTENT), headers=headers).status_code == 200
    assert api.state.content(location) == CONTENT


def test_a_connection_that_breaks(api: Api, location: str) -> None:
    """What had arrived is kept, in whole multiples."""
    url = httpx.URL(location)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(put_head(url, TOTAL) + CONTENT[: 2 * Q - 1])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    until(lambda: state_of(api, location) != (308, None))
    assert state_of(api, location) == (308, f"bytes=0-{Q - 1}")
    assert api.put(location, *part(Q, TOTAL)).status_code == 200
    assert api.state.content(location) == CONTENT


def test_keep_next(api: Api, location: str) -> None:
    api.state.keep_next(0)
    assert api.put(location, *part(0, Q)).headers.get("range") is None
    api.put(location, *part(0, 2 * Q))
    api.state.keep_next(50_000, path="/storage/array*")
    api.state.keep_next(1, path="/storage/image*")
    answer = api.put(location, *part(2 * Q, TOTAL))
    assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{2 * Q + 50_000 - 1}")
    assert api.put(location, *part(2 * Q + 50_000, TOTAL)).status_code == 200
    assert api.state.content(location) == CONTENT
    api.state.keep_next(0, times=None)
    api.state.clear_faults()
    assert api.put(open_session(api, TOTAL), CONTENT, None).status_code == 200


def test_part_of_every_chunk(make_api: Callable[..., Api]) -> None:
    api = make_api(kept_bytes_per_chunk=300_000)
    location = open_session(api, TOTAL)
    sent = kept = 0
    while kept < TOTAL:
        answer = api.put(location, *part(kept, TOTAL))
        sent += 1
        kept = TOTAL if answer.status_code == 200 else int(answer.headers["range"].removeprefix("bytes=0-")) + 1
    assert sent == 3
    assert api.state.content(location) == CONTENT


def test_rules_of_keeping() -> None:
    keeps = Keeps()
    keeps.add(Keep(5), times=2)
    keeps.add(Keep(7), times=None, path="/b")
    assert [keeps.take(path).kept_bytes for path in ("/a", "/b", "/b", "/b", "/a")] == [5, 5, 7, 7, None]
    keeps.clear()
    keeps.add(Keep(0, 503), after=2)
    assert [keeps.take("/b") for _ in range(4)] == [Keep(), Keep(), Keep(0, 503), Keep()]
    for kept, wrong in ((-1, {}), (1, {"times": 0}), (1, {"after": -1})):
        with pytest.raises(ValueError, match="must be"):
            keeps.add(Keep(kept), **wrong)


def upload_steadily(api: Api, location: str) -> list[int]:
    """Send a content in chunks, and after every answer go on from what the session says it keeps."""
    statuses, kept = [], 0
    while True:
        answer = api.put(location, *part(kept, min(kept + Q, TOTAL)))
        statuses.append(answer.status_code)
        if answer.status_code == 200:
            return statuses
        if answer.status_code != 308:
            answer = api.put(location, b"", f"bytes */{TOTAL}")
        kept = int(answer.headers.get("range", "bytes=0--1").removeprefix("bytes=0-")) + 1


@pytest.mark.parametrize(
    ("kept_bytes", "status", "after", "statuses"),
    [
        (0, 503, 1, [308, 503, 308, 200]),  # wire case chunk-503
        (100_000 // 2, None, 2, [308, 308, 308, 200]),  # wire case final-308
        (None, 502, 0, [502, 308, 200]),  # kept, but the answer was lost
        (0, 403, 0, [403, 308, 308, 200]),
    ],
)
def test_chunks_that_go_wrong(
    api: Api, location: str, kept_bytes: int | None, status: int | None, after: int, statuses: list[int]
) -> None:
    api.state.keep_next(kept_bytes, status=status, after=after)
    assert upload_steadily(api, location) == statuses
    assert api.state.content(location) == CONTENT


@pytest.mark.parametrize("status", [404, 410])
def test_expired_sessions(make_api: Callable[..., Api], status: int) -> None:
    api = make_api(expired_status=status)
    locations = [open_session(api, TOTAL) for _ in range(3)]
    api.put(locations[0], CONTENT, None)
    api.put(locations[1], *part(0, Q))
    assert api.state.expire_sessions("array[12]") == 1
    assert state_of(api, locations[0]) == (200, None)
    assert state_of(api, locations[1]) == (status, None)
    assert api.put(locations[1], *part(Q, TOTAL)).json() == {"message": "the upload session has expired"}
    assert api.plain.get(locations[1]).status_code == 404
    assert state_of(api, locations[2]) == (308, None)
    # A change of the resource opens a new one.
    api.ok("PATCH", f"{P}/files/array/array2", {})
    assert state_of(api, locations[1]) == (308, None)
    assert api.put(locations[1], CONTENT, None).status_code == 200
    assert api.state.expire_sessions() == 1


def test_faults(api: Api, location: str) -> None:
    api.state.fail_next(503, path="/storage/*", headers={"Retry-After": "0"})
    assert api.put(location, *part(0, Q)).status_code == 503
    assert state_of(api, location) == (308, None)
    api.state.fail_next(502, path="/storage/*", method="PUT", applied=True)
    assert api.put(location, *part(0, Q)).status_code == 502
    assert state_of(api, location) == (308, f"bytes=0-{Q - 1}")
    api.put(location, *part(Q, TOTAL))
    api.state.cut_next(1000, path="/storage/*", method="GET")
    with pytest.raises(httpx.RemoteProtocolError):
        api.plain.get(location)
    api.state.delay(0.05, path="/storage/*")
    assert api.plain.get(location).content == CONTENT
    assert api.state.counters["upload_content"] == 5
    assert api.state.requests[-1].operation == "download_content"


def put_head(url: httpx.URL, total: int) -> bytes:
    return (
        f"PUT {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {total}\r\nContent-Range: bytes 0-{total - 1}/{total}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("event", ["change", "expiry"])
def test_a_session_that_ends_while_a_chunk_is_under_way(api: Api, event: str) -> None:
    """The chunk counts for the session it was sent to, which is gone."""
    total = 12 * Q
    location = open_session(api, total)
    url = httpx.URL(location)
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(put_head(url, total) + bytes(8 * Q))
        until(lambda: api.state.storage.has("array1-1"))
        if event == "change":
            api.ok("PATCH", f"{P}/files/array/array1", {})
        else:
            api.state.expire_sessions()
        connection.sendall(bytes(4 * Q))
        assert connection.recv(12) == b"HTTP/1.1 308"
    assert state_of(api, location, total) == ((308 if event == "change" else 410), None)
    assert not api.state.storage.has("array1-1")


def test_many_at_once(api: Api) -> None:
    locations = [open_session(api, TOTAL) for _ in range(8)]

    async def send() -> list[int]:
        async with httpx.AsyncClient() as http:
            answers = await asyncio.gather(
                *(
                    http.put(one, content=CONTENT, headers={"Content-Type": "application/octet-stream"})
                    for one in locations
                ),
                *(
                    http.put(one, content=CONTENT, headers={"Content-Type": "application/octet-stream"})
                    for one in locations
                ),
            )
        return [answer.status_code for answer in answers]

    assert asyncio.run(send()) == [200] * 16
    assert all(api.state.content(one) == CONTENT for one in locations)


def test_content_ranges() -> None:
    assert content_range("bytes 0-9/20", None) == ContentRange(Span(0, 10), 20)
    assert content_range("bytes */*", 0) == ContentRange(None, None)
    for text in ("bytes 0-9/ 20", "bytes ١-٩/20", "bytes 0-9", "bytes -9/20", ""):
        with pytest.raises(Refusal, match="is not of the form"):
            content_range(text, None)


def test_what_is_granted_never_shrinks() -> None:
    session = Session("s", "/x", 10 * Q, "t", None, kept_bytes=Q + 5)
    assert granted(session, Q + 9, whole=False, limit_bytes=None) == Q + 5
    assert granted(session, 3 * Q + 9, whole=False, limit_bytes=None) == 3 * Q
    assert granted(session, 10 * Q, whole=True, limit_bytes=7) == Q + 12


def test_what_was_announced_counts(api: Api) -> None:
    made: Json = api.image(3)
    assert api.put(made["links"]["location"], b"png", None, **{"Content-Type": "image/png"}).status_code == 200
    with pytest.raises(KeyError):
        api.state.content("/storage/none")


@given(
    total=st.integers(0, 5 * Q),
    sizes=st.lists(st.integers(1, 3 * Q), max_size=12),
    data=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_what_is_kept_is_right(total: int, sizes: list[int], data: st.DataObject) -> None:
    """Chunks of any size, cut and kept in part: what is kept is always the beginning of the content."""
    session = Session("s", "/x", total, "t", None)
    stored = bytearray(total)
    for size in sizes:
        start = data.draw(st.integers(0, session.kept_bytes))
        stop = min(start + size, total)
        if stop <= start:
            break
        try:
            chunk = admit(session, ContentRange(Span(start, stop), total), "t")
        except Refusal:
            assert stop < total
            assert stop - start < Q
            continue
        assert chunk is not None
        assert start + chunk.skip_bytes == min(stop, session.kept_bytes)
        reached = data.draw(st.integers(start + chunk.skip_bytes, stop))
        stored[start + chunk.skip_bytes : reached] = b"x" * (reached - start - chunk.skip_bytes)
        limit = data.draw(st.none() | st.integers(0, 2 * Q))
        before = session.kept_bytes
        session.kept_bytes = granted(session, reached, whole=chunk.final and reached == stop, limit_bytes=limit)
        assert before <= session.kept_bytes <= max(before, reached)
        assert session.kept_bytes == before or limit is None or session.kept_bytes - before <= limit
        assert stored.count(b"x", 0, session.kept_bytes) == session.kept_bytes
        assert answer_headers(session).get("range") == (
            f"bytes=0-{session.kept_bytes - 1}" if session.kept_bytes else None
        )
