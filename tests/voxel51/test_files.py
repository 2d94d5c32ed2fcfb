"""Files up and down: streamed, exact, resumed, replaced at once."""

from __future__ import annotations

import io
import random
import sys
import threading
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from asyncclient import AsyncHub, Hub, Progress, errors, voxel51
from asyncclient._messages import Request, Response, TimeoutsView
from asyncclient._transfers import transfers
from tests.voxel51.wire_server import Received, WireServer

MIB = 1024 * 1024
STORED = {"json": {"data": {"id": "D", "name": "x"}}}


@pytest.fixture
async def api(token: voxel51.Token) -> AsyncIterator[voxel51.AsyncAPI]:
    async with voxel51.AsyncAPI(token, max_retries=0) as found:
        yield found


class Discard:
    """Takes requests and forgets their bodies."""

    def __init__(self) -> None:
        self.bytes = 0
        self.announced: int | None = None

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        assert request.body is not None
        assert not isinstance(request.body, bytes)
        self.announced = request.body.length
        async for piece in request.body.open():
            self.bytes += len(piece)
        return Response(200, [], Whole(b'{"data": {"id": "D"}}'))

    async def aclose(self) -> None:
        pass


class Whole:
    """An answer that is there already."""

    def __init__(self, body: bytes) -> None:
        self._rest = body

    async def read(self) -> bytes:
        rest, self._rest = self._rest, b""
        return rest

    def read_nowait(self) -> bytes | None:
        rest, self._rest = self._rest, b""
        return rest

    async def aclose(self) -> None:
        pass


class Ranges:
    """Answers ranges of one content, and cuts the first answers short."""

    def __init__(self, content: bytes, *, etag: str = '"v1"', cut: int | None = None, cuts: int = 0) -> None:
        self.content = content
        self.etag = etag
        self.cut = cut
        self.cuts = cuts
        self.ranges: list[tuple[int, int]] = []

    def __call__(self, request: Received) -> dict[str, Any]:
        wanted = request.headers.get("range", "bytes=0-").removeprefix("bytes=")
        first, _, last = wanted.partition("-")
        begin, end = int(first), min(int(last or len(self.content)) + 1, len(self.content))
        if begin and request.headers.get("if-range") != self.etag:
            begin, end = 0, len(self.content)
        self.ranges.append((begin, end))
        headers = {"ETag": self.etag, "Accept-Ranges": "bytes"}
        answer: dict[str, Any] = {"status": 206, "body": self.content[begin:end], "headers": headers}
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(self.content)}"
        if begin and self.cuts:
            self.cuts -= 1
            answer["cut"] = self.cut
        return answer


@pytest.mark.anyio
async def test_content_of_any_kind(api: voxel51.AsyncAPI, wire: WireServer, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"content")
    with (tmp_path / "clip.mp4").open("rb") as file:
        for source in (b"content", io.BytesIO(b"content"), file, tmp_path / "clip.mp4", str(tmp_path / "clip.mp4")):
            wire.play(STORED)
            assert await api.upload_data(source, filename="a b.mov") == {"id": "D", "name": "x"}
            (part,) = wire.received[0].parts()
            assert part.headers == [
                'Content-Disposition: form-data; name="file"; filename="a b.mov"',
                "Content-Type: video/quicktime",
            ]
            assert part.content == b"content"
            assert wire.received[0].headers["content-length"] == str(len(wire.received[0].body))


@pytest.mark.anyio
async def test_a_large_upload_takes_constant_memory(token: voxel51.Token, tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.truncate(96 * MIB)
    transport = Discard()
    async with AsyncHub(transport=transport) as hub:
        api = voxel51.AsyncAPI(token, hub=hub)
        tracemalloc.start()
        try:
            await api.upload_data(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert transport.announced == transport.bytes > 96 * MIB
    assert peak < 24 * MIB


@pytest.mark.anyio
async def test_a_large_upload_is_exact(api: voxel51.AsyncAPI, wire: WireServer, tmp_path: Path) -> None:
    path = tmp_path / "big.mp4"
    with path.open("wb") as file:
        file.truncate(24 * MIB)
    sizes: list[int] = []

    def count(request: Received) -> dict[str, Any]:
        sizes.append(len(request.body))
        return STORED

    wire.play(respond=count)
    events: list[Progress] = []
    await api.upload_data(path, "2030-01-01", on_progress=events.append)
    body = wire.received[0]
    assert body.headers["content-length"] == str(sizes[0])
    first, second = body.parts()
    assert len(first.content) == 24 * MIB
    assert second.content == b"2030-01-01"
    assert events[-1].bytes_done == 24 * MIB
    assert [event.bytes_done for event in events] == sorted(event.bytes_done for event in events)


@pytest.mark.anyio
async def test_an_upload_is_sent_once(token: voxel51.Token, wire: WireServer) -> None:
    wire.play(respond=lambda request: {"status": 503, "text": "later", "headers": {"Retry-After": "0"}})
    async with voxel51.AsyncAPI(token, max_retries=3) as api:
        with pytest.raises(voxel51.APIError) as caught:
            await api.upload_data(b"x", filename="x")
        assert caught.value.status == 503
        with pytest.raises(voxel51.APIError):
            await api.upload_job_request(voxel51.JobRequest("a"), "n")
    assert len(wire.received) == 2


@pytest.mark.anyio
async def test_an_answer_without_what_was_promised(api: voxel51.AsyncAPI, wire: WireServer) -> None:
    for answer in ({"text": "<html>"}, {"json": {}}, {"json": []}, {"status": 204}):
        wire.play(answer)
        with pytest.raises(errors.DecodeError):
            await api.upload_data(b"x", filename="x")


@pytest.mark.anyio
async def test_a_download_that_broke_off_goes_on(token: voxel51.Token, wire: WireServer, tmp_path: Path) -> None:
    content = random.Random(5).randbytes(20 * MIB)
    ranges = Ranges(content, cut=MIB, cuts=2)
    wire.play(respond=ranges)
    path = tmp_path / "deep" / "clip.mp4"
    async with voxel51.AsyncAPI(token) as api:
        assert await api.download_data("D", path) == path
    assert path.read_bytes() == content
    assert len(ranges.ranges) > 2
    assert [found.name for found in path.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.anyio
async def test_a_download_goes_on_where_an_earlier_call_failed(
    token: voxel51.Token, wire: WireServer, tmp_path: Path
) -> None:
    content = random.Random(6).randbytes(40 * MIB)
    mended = [False]
    ranges = Ranges(content)

    def respond(request: Received) -> dict[str, Any]:
        answer = ranges(request)
        begin, _ = ranges.ranges[-1]
        # Asked for when one of the four before it is done.
        if begin < 32 * MIB or mended[0]:
            return answer
        return {"status": 404, "json": {"error": {"code": 404, "message": "gone"}}}

    wire.play(respond=respond)
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    async with voxel51.AsyncAPI(token, max_retries=0) as api:
        with pytest.raises(voxel51.APIError, match="404: gone"):
            await api.download_data("D", path)
        assert path.read_bytes() == b"old"
        mended[0] = True
        ranges.ranges.clear()
        await api.download_data("D", path)
    assert path.read_bytes() == content
    # The first is a look at what there is; it is dropped when the journal knows better.
    assert sum(end - begin for begin, end in ranges.ranges[1:]) < len(content)
    state = b"".join(found.read_bytes() for found in tmp_path.rglob("*.journal*") if found.is_file())
    assert b"user-key-123" not in state


@pytest.mark.anyio
@pytest.mark.parametrize("level", ["API", "APP"])
async def test_a_later_process_goes_on_by_the_journal_alone(
    wire: WireServer,
    token: voxel51.Token,
    application_token: voxel51.ApplicationToken,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
) -> None:
    content = random.Random(8).randbytes(40 * MIB)
    mended = [False]
    ranges = Ranges(content)

    def respond(request: Received) -> dict[str, Any]:
        answer = ranges(request)
        begin, _ = ranges.ranges[-1]
        return answer if begin < 32 * MIB or mended[0] else {"status": 404}

    wire.play(respond=respond)
    path = tmp_path / "clip.mp4"
    async with AsyncHub() as hub:
        app = voxel51.AsyncApplicationAPI(application_token, hub=hub).for_user("alice")
        api = voxel51.AsyncAPI(token, hub=hub) if level == "API" else app
        with pytest.raises(voxel51.APIError):
            await api.download_data("D", path)
    (job,) = await transfers.list_jobs()
    with pytest.raises(voxel51.TokenError):
        await transfers.resume(job.id)
    monkeypatch.setenv(f"VOXEL51_{level}_PRIVATE_KEY", "new-key")
    monkeypatch.setenv(f"VOXEL51_{level}_BASE_URL", "https://elsewhere.example")
    with pytest.raises(errors.ConfigurationError, match="active token is for"):
        await transfers.resume(job.id)
    monkeypatch.setenv(f"VOXEL51_{level}_BASE_URL", wire.origin)
    mended[0] = True
    wire.received.clear()
    await anyio.run_process([sys.executable, "-m", "asyncclient.cli", "transfers", "resume", job.id])
    assert path.read_bytes() == content
    assert await transfers.list_jobs() == []
    wanted = {"authorization": "Bearer new-key"}
    if level == "APP":
        wanted = {"x-voxel51-application": "new-key", "x-voxel51-application-user": "alice"}
    assert all(wanted.items() <= request.headers.items() for request in wire.received)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1000, 20 * MIB])
async def test_what_need_not_be_resumed_leaves_no_journal(
    token: voxel51.Token, wire: WireServer, tmp_path: Path, size: int
) -> None:
    content = random.Random(9).randbytes(size)
    ranges = Ranges(content, cut=1000, cuts=1)
    calls = [0]

    def respond(request: Received) -> dict[str, Any]:
        calls[0] += 1
        answer = ranges(request)
        return {**answer, "cut": size // 2} if calls[0] == 1 else answer

    wire.play(respond=respond)
    async with voxel51.AsyncAPI(token) as api:
        await api.download_data("D", tmp_path / "out", resume=False)
    assert (tmp_path / "out").read_bytes() == content
    assert await transfers.list_jobs() == []
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == ["out"]


@pytest.mark.anyio
async def test_nothing_but_regular_files_is_replaced(api: voxel51.AsyncAPI, wire: WireServer, tmp_path: Path) -> None:
    wire.play(respond=lambda request: {"body": b"content"})
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "folder").mkdir()
    await api.download_data("D", tmp_path / "link")
    assert (tmp_path / "link").read_bytes() == b"content"
    with pytest.raises(OSError, match="folder"):
        await api.download_data("D", tmp_path / "folder")
    assert not [found for found in tmp_path.iterdir() if ".part" in found.name]


@pytest.mark.anyio
async def test_without_ranges_it_is_one_stream(api: voxel51.AsyncAPI, wire: WireServer, tmp_path: Path) -> None:
    content = random.Random(7).randbytes(20 * MIB)
    wire.play(respond=lambda request: {"body": content})
    await api.download_job_output("J", tmp_path / "out.zip")
    assert (tmp_path / "out.zip").read_bytes() == content
    sink = io.BytesIO()
    assert await api.download_job_output("J", sink) is sink
    assert sink.getvalue() == content
    assert len(wire.received) == 2


@pytest.mark.anyio
async def test_a_short_body_is_an_error_and_leaves_no_file(
    api: voxel51.AsyncAPI, wire: WireServer, tmp_path: Path
) -> None:
    wire.play(respond=lambda request: {"body": b"x" * 1000, "cut": 10})
    with pytest.raises(errors.TransportError):
        await api.download_job_logfile("J", tmp_path / "logs" / "j.log")
    assert not list((tmp_path / "logs").iterdir())


@pytest.mark.anyio
async def test_raw_answers(api: voxel51.AsyncAPI, wire: WireServer) -> None:
    wire.play(STORED, {"json": {"jobs": []}}, {"json": {"job": {}}})
    raw = api.with_raw_response
    assert (await raw.upload_data(b"x", filename="x")).json() == STORED["json"]
    assert (await raw.list_jobs()).json() == {"jobs": []}
    assert (await raw.upload_job_request(voxel51.JobRequest("a"), "n")).json() == {"job": {}}


def test_the_blocking_form_has_progress_in_its_own_thread(
    token: voxel51.Token, wire: WireServer, tmp_path: Path
) -> None:
    threads: set[int] = set()
    wire.play(STORED, {"body": b"content"})
    with Hub() as hub:
        api = voxel51.API(token, hub=hub)
        api.upload_data(b"x", filename="x", on_progress=lambda event: threads.add(threading.get_ident()))
        api.download_data("D", tmp_path / "x", on_progress=lambda event: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}
    assert (tmp_path / "x").read_bytes() == b"content"


@pytest.mark.anyio
async def test_many_at_a_time(token: voxel51.Token, wire: WireServer, tmp_path: Path) -> None:
    wire.play(respond=lambda request: STORED if request.method == "POST" else {"body": request.path.encode()})
    for number in range(100):
        (tmp_path / f"{number}.mp4").write_bytes(str(number).encode())
    async with AsyncHub() as hub:
        api = voxel51.AsyncAPI(token, hub=hub)
        sent = [found async for found in hub.map(api.upload_data, sorted(tmp_path.glob("*.mp4")), concurrency=8)]
        assert len(sent) == 100
        got = await api.thread_map(lambda number: number * number, [3, 1, 2], 2)
        assert got == [9, 1, 4]
        names = [f"d{number}" for number in range(20)]

        async def fetch(name: str) -> Any:
            return await api.download_data(name, tmp_path / name)

        assert await voxel51.AsyncAPI.thread_map(fetch, names) == [tmp_path / name for name in names]
    assert all((tmp_path / name).read_bytes() == f"/v1/data/{name}/download".encode() for name in names)
    assert {len(request.parts()) for request in wire.received if request.method == "POST"} == {1}
