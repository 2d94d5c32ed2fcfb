"""The View of the demo: killed, gone on with, compared; and what is said when something is wrong."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy", reason="the View needs the extra lfview")

from asyncclient import testing
from asyncclient.cli import _demo_lfview
from asyncclient.cli._demo_amounts import AMOUNTS
from asyncclient.cli._demo_lfview import PART_BYTES, KilledView, resumption_of
from asyncclient.cli._demo_record import Part, Resumption, Run
from asyncclient.cli._demo_report import story
from asyncclient.cli._demo_server import account_of
from asyncclient.cli._demo_servers import ChildServer
from asyncclient.cli._demo_view import _contents_of, digests_of, make_view
from asyncclient.errors import BadRequest
from tests.cli.demo_parts import done

SMALL = AMOUNTS["small"]

pytestmark = pytest.mark.timeout(120)


class InThread:
    """The emulator in this process, to be told what to do wrong, with an account like that of its own process.

    It counts uploads by their records, which the emulator makes when it has seen their end.
    """

    def __init__(self) -> None:
        self.server = testing.serve("lfview")

    def credentials(self) -> dict[str, str]:
        return self.server.credentials()

    async def account(self) -> dict[str, Any]:
        return account_of(self.server.state, 0)


@pytest.fixture
def part() -> Part:
    return Part("lfview", "LF View")


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))


async def work(part: Part, server: Any, url: str) -> Run:
    run = Run("samples", [part])
    await done(part, url, lambda hub: KilledView(run, part, hub, server, SMALL))
    return run


@pytest.mark.anyio
async def test_killed_and_resumed(part: Part) -> None:
    server = ChildServer("lfview", {}).start()
    try:
        await work(part, server, server.url)
    finally:
        server.close()
    assert part.problems == []
    assert [step.name for step in part.steps] == ["upload, killed", "upload, resumed", "read back"]
    assert [mark.what for mark in part.marks] == ["killed", "resumed", "complete"]
    digests = digests_of(make_view(SMALL.view_side, SMALL.view_pixels))
    assert part.files == part.steps[2].files == len(digests)
    assert part.verified_bytes == sum(size for size, _ in digests.values())
    found = part.resumption
    assert found is not None
    assert found.total_bytes > found.before_bytes >= found.total_bytes // 2
    assert found.sent_later_bytes < found.total_bytes
    assert found.saved_bytes > 0
    assert found.saved_parts > 0
    assert found.saved_bytes + found.sent_later_bytes == found.total_bytes
    assert found.saved_bytes + found.sent_twice_bytes == found.before_bytes
    assert 0 <= found.sent_twice_bytes <= part.files * PART_BYTES, "of each content one part may have been under way"
    # What the killed process sent is known from the emulator, what was sent later was counted here.
    assert 0 <= part.traffic.up - found.before_bytes - found.sent_later_bytes < 50_000  # metadata


def test_the_same_view_in_every_process() -> None:
    first, second = (digests_of(make_view(50, 30)) for _ in range(2))
    assert first == second
    assert {name.partition(": ")[2] for name in first} == {"vertices", "triangles", "grades", "colours", "photograph"}
    assert len(set(first.values())) > len(first) - 2  # both gradients are the same


def test_the_texture_is_a_png_that_others_read() -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    content = dict(_contents_of(make_view(50, 300)))["Hill: photograph"]
    with image.open(io.BytesIO(content)) as found:
        found.load()
        assert (found.format, found.mode, found.size) == ("PNG", "RGB", (300, 300))


@pytest.mark.anyio
async def test_an_upload_that_is_refused_when_it_is_resumed(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = InThread()
    whole = KilledView._upload_the_rest

    async def refused(work: KilledView, before: int) -> str:
        emulator.server.state.fail_next(400, times=None, path="/api/v1/project/*")  # asked for, or made
        return await whole(work, before)

    monkeypatch.setattr(KilledView, "_upload_the_rest", refused)
    with emulator.server, pytest.raises(BadRequest):
        await work(part, emulator, emulator.server.url)
    assert part.resumption is None
    assert [step.name for step in part.steps] == ["upload, killed", "upload, resumed"]


@pytest.mark.anyio
async def test_an_upload_that_ends_too_early(part: Part) -> None:
    emulator = InThread()
    with emulator.server as server:
        run = Run("samples", [part])

        async def refuse() -> Any:
            server.state.fail_next(401, times=None, path="/storage/*")

        class Early(KilledView):
            async def run(self) -> None:
                await refuse()
                await self._upload_and_kill()

        await done(part, server.url, lambda hub: Early(run, part, hub, emulator, SMALL))
    (problem,) = part.problems
    assert problem.startswith("the upload ended before it was killed: ")  # and what its process said


@pytest.mark.anyio
async def test_an_upload_that_gets_nowhere(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_demo_lfview, "_PATIENCE_S", 0.0)
    emulator = InThread()
    with emulator.server, pytest.raises(TimeoutError, match="not half-way after"):
        await work(part, emulator, emulator.server.url)


@pytest.mark.anyio
async def test_content_that_comes_back_different(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    made = digests_of
    calls = []

    def other(view: Any) -> dict[str, tuple[int, str]]:
        calls.append(view)
        return made(view) | ({"Hill: vertices": (0, "")} if len(calls) == 2 else {})

    monkeypatch.setattr(_demo_lfview, "digests_of", other)
    emulator = InThread()
    with emulator.server:
        await work(part, emulator, emulator.server.url)
    assert part.problems == ["the View: Hill: vertices came back different"]
    assert part.files == 7
    assert calls[0] is not calls[1]  # what came back is not what was sent, but made of answers


def test_the_account_of_a_resumption() -> None:
    account = {
        "sessions": {
            "a": (3 * PART_BYTES, 3 * PART_BYTES, True),
            "b": (PART_BYTES, PART_BYTES, True),
            "whole before": (PART_BYTES, PART_BYTES, True),
            "left": (0, PART_BYTES, False),
        },
        "uploads": [("whole before", PART_BYTES), *(("a", size) for size in (PART_BYTES, PART_BYTES, 0, PART_BYTES))],
    }
    account["uploads"].append(("b", PART_BYTES))
    found = resumption_of(account, before=3)
    assert found == Resumption(5 * PART_BYTES, 5, 3 * PART_BYTES, 3, 2 * PART_BYTES, 2)
    assert (found.saved_bytes, found.saved_parts) == (3 * PART_BYTES, 3)
    assert (found.sent_twice_bytes, found.sent_twice_parts) == (0, 0)


def test_the_story() -> None:
    found = {
        "total_bytes": 10_000_000,
        "total_parts": 40,
        "before_bytes": 6_000_000,
        "before_parts": 24,
        "saved_bytes": 5_000_000,
        "saved_parts": 20,
        "sent_twice_bytes": 1_000_000,
        "sent_twice_parts": 4,
    }
    said = story(found)
    assert "was killed after 6.0 of 10.0 MB (24 of 40 parts)" in said
    assert "5.0 MB (20 parts) were not sent again, 1.0 MB (4 parts) were." in said
