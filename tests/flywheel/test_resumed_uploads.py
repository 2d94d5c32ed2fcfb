"""Signed uploads that break, and go on in the same process; progress of all uploads; nothing is left open."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient._transfers.places import journal_folder
from asyncclient._transfers.target import StoredPart
from asyncclient.errors import TransportError
from asyncclient.flywheel._signed import Ticket, _Parts
from asyncclient.flywheel._unfinished import Kept, Unfinished, unfinished_of
from asyncclient.types import Progress
from tests.flywheel.sites import Site, Sites

MIB = 1024 * 1024
CONTENT = os.urandom(MIB) * 6
STORAGES = ["plain", "s3", "google"]


def upload(site: Site, source: Any, **options: Any) -> Any:
    (record,) = site.drive("upload_file_to_acquisition", site.acquisition.id, source, **options)
    return record


def puts(site: Site) -> list[int]:
    """Return the sizes of the parts that were stored."""
    return [each.size_bytes for each in site.state.requests if each.method == "PUT" and each.status in (200, 201, 308)]


def content_of(site: Site, name: str = "f.bin") -> bytes:
    found: bytes = site.drive("download_file_from_acquisition_as_data", site.acquisition.id, name)
    return found


def hub_of(site: Site) -> Any:
    client = site.drive.client
    return client._hub if site.drive.kind == "async" else client._async._hub


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "f.bin"
    found.write_bytes(CONTENT)
    return found


def broken(site: Site, source: Any, **options: Any) -> None:
    """Upload until the connection is cut for good, after some parts."""
    fail_after(site, 3)
    with pytest.raises(flywheel.ApiException):
        upload(site, source, **options)
    heal(site)


def fail_after(site: Site, parts: int) -> None:
    record = site.state.record

    def recorded(request: Any) -> None:
        record(request)
        if len(puts(site)) >= parts:
            site.state.fail_next(503, times=None, method="PUT", path="/signed/*")

    site.state.record = recorded


def heal(site: Site) -> None:
    site.state.__dict__.pop("record", None)
    site.state.clear_faults()


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_the_same_call_goes_on(sites: Sites, storage: str, kind: str, path: Path) -> None:
    site = sites(storage=storage, part_bytes=MIB)
    source = str(path) if kind == "path" else flywheel.FileSpec("f.bin", CONTENT)
    broken(site, source)
    arrived = sum(puts(site))
    assert 3 * MIB <= arrived < len(CONTENT)
    site.state.requests.clear()
    seen: list[Progress] = []
    assert upload(site, source, on_progress=seen.append).size == len(CONTENT)
    assert content_of(site) == CONTENT
    again = sum(puts(site))
    # Of parts that go side by side, some may have arrived without the client hearing of it.
    assert len(CONTENT) - arrived <= again <= len(CONTENT) - 2 * MIB
    assert not any(("ticket", "") in each.query for each in site.state.requests), "a ticket was asked for again"
    assert (seen[-1].phase, seen[-1].bytes_done, seen[-1].name) == ("done", len(CONTENT), "f.bin")
    assert len(unfinished_of(hub_of(site))) == 0
    assert not journal_folder(None).exists() or not list(journal_folder(None).iterdir())


@pytest.mark.parametrize("storage", STORAGES)
def test_what_makes_it_another_upload(sites: Sites, storage: str, path: Path) -> None:
    site = sites(storage=storage, part_bytes=MIB)
    for change in ("content", "metadata", "resume", "name"):
        broken(site, str(path))
        site.state.requests.clear()
        source: Any = str(path)
        options: dict[str, Any] = {}
        if change == "content":
            other = os.urandom(len(CONTENT))
            path.write_bytes(other)
        elif change == "metadata":
            options["metadata"] = {"info": {"a": 1}}
        elif change == "resume":
            options["resume"] = False
        else:
            source = flywheel.FileSpec("g.bin", path.read_bytes())
        upload(site, source, **options)
        assert sum(puts(site)) >= len(CONTENT), change
        assert content_of(site, "g.bin" if change == "name" else "f.bin") == path.read_bytes()


def test_without_resuming_nothing_is_kept(sites: Sites, path: Path) -> None:
    site = sites(part_bytes=MIB)
    broken(site, str(path), resume=False)
    assert len(unfinished_of(hub_of(site))) == 0


@pytest.mark.parametrize("storage", STORAGES)
def test_urls_that_ran_out_meanwhile(sites: Sites, storage: str, path: Path) -> None:
    site = sites(storage=storage, part_bytes=MIB)
    broken(site, str(path))
    site.state.expire_uploads()
    site.state.requests.clear()
    assert upload(site, str(path)).size == len(CONTENT)
    assert content_of(site) == CONTENT
    assert sum(puts(site)) == len(CONTENT)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("part_bytes", [MIB, 2**30])
def test_everything_arrived_and_nobody_was_told(sites: Sites, storage: str, part_bytes: int, path: Path) -> None:
    site = sites(storage=storage, part_bytes=part_bytes)
    close = site.state.record

    def recorded(request: Any) -> None:
        close(request)
        if request.method == "PUT":
            site.state.cut_next(0, times=None, method="POST", path="/api/*/files")

    site.state.record = recorded
    with pytest.raises(TransportError):
        upload(site, str(path))
    heal(site)
    site.state.requests.clear()
    assert upload(site, str(path)).size == len(CONTENT)
    assert content_of(site) == CONTENT
    assert sum(puts(site)) in (0, len(CONTENT)), "either only the end was said, or the ticket was used up"


def test_cancelled(sites: Sites, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = sites(part_bytes=MIB)
    if site.drive.kind == "sync":
        pytest.skip("only what is awaited can be cancelled")
    client = site.drive.client
    record, stored = site.state.record, _Parts.stored
    tasks: list[asyncio.Task[Any]] = []
    heard: list[int] = []

    def recorded(request: Any) -> None:
        record(request)
        if request.method == "PUT":
            site.state.delay(60, times=None, method="PUT", path="/signed/*")

    def confirmed(self: Any, index: int, part: StoredPart) -> None:
        stored(self, index, part)
        heard.append(index)
        tasks[0].cancel()

    site.state.record = recorded
    monkeypatch.setattr(_Parts, "stored", confirmed)

    async def cancelled() -> None:
        tasks.append(asyncio.create_task(client.upload_file_to_acquisition(site.acquisition.id, str(path))))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

    site.drive._runner.run(cancelled())
    heal(site)
    assert not [name for name in open_files() if name == str(path)]
    upload(site, str(path))
    assert content_of(site) == CONTENT
    # Not what the store has seen: a part whose answer came too late for the first call is sent once more.
    assert sorted(heard) == list(range(6))


def open_files() -> list[str]:
    if sys.platform != "linux":
        return []
    folder = Path("/proc/self/fd")
    return [str(each.readlink()) for each in folder.iterdir() if each.exists()]


def test_what_is_kept_is_bounded_and_not_shown() -> None:
    now = [0.0]
    left = Unfinished(clock=lambda: now[0])
    ticket = Ticket("very-secret", ("https://store/x?sig=very-secret",), [])

    def kept() -> Kept:
        return Kept(ticket, since=now[0], stored={0: StoredPart(1, "e")})

    for number in range(100):
        left.keep(b"%d" % number, kept())
    assert len(left) == 64
    assert left.take(b"0") is None
    found = left.take(b"99")
    assert found is not None
    assert left.take(b"99") is None
    left.keep(b"empty", Kept(ticket, since=0.0))
    assert left.take(b"empty") is None
    assert "secret" not in repr(left) + repr(found) + repr(ticket)
    now[0] = 3601.0
    assert left.take(b"98") is None
    assert len(left) == 0


# --- progress --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [*STORAGES, None])
@pytest.mark.parametrize("size", [0, 10, 3 * MIB])
def test_progress(sites: Sites, storage: str | None, size: int, tmp_path: Path) -> None:
    site = sites(storage=storage, part_bytes=MIB)
    (tmp_path / "p.bin").write_bytes(CONTENT[:size])
    for source in (str(tmp_path / "p.bin"), flywheel.FileSpec("p.bin", CONTENT[:size])):
        seen: list[Progress] = []
        upload(site, source, on_progress=seen.append)
        assert (seen[-1].phase, seen[-1].bytes_done, seen[-1].bytes_total) == ("done", size, size)
        assert {each.name for each in seen} == {"p.bin"}
        done = [each.bytes_done for each in seen]
        assert done == sorted(done)
        assert content_of(site, "p.bin") == CONTENT[:size]


def test_progress_of_many(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    specs = [flywheel.FileSpec(f"{number}.bin", b"x" * number) for number in range(1, 6)]
    seen: list[Progress] = []
    site.drive("upload_many", site.acquisition.id, specs, on_progress=seen.append)
    assert {each.name: each.bytes_done for each in seen if each.phase == "done"} == {f"{n}.bin": n for n in range(1, 6)}
    names = [f"{number}.bin" for number in range(1, 6)]
    fetched: list[Progress] = []
    site.drive("download_many", site.acquisition.id, names, tmp_path, on_progress=fetched.append)
    assert {each.name: each.bytes_done for each in fetched if each.phase == "done"} == {
        f"{n}.bin": n for n in range(1, 6)
    }


def test_progress_of_archives_and_objects(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    site.put("f.bin", CONTENT)
    for form in ("tar", "zip"):
        seen: list[Progress] = []
        site.drive(f"download_{form}", [site.project], tmp_path / "all", on_progress=seen.append)
        assert seen[-1].phase == "done"
        assert seen[-1].bytes_done == (tmp_path / "all").stat().st_size
        site.drive.done(site.project.download_zip(tmp_path / "own", on_progress=seen.append))
        assert seen[-1].bytes_done == (tmp_path / "own").stat().st_size
    seen = []
    site.drive.done(site.acquisition.upload_file(flywheel.FileSpec("g", b"12"), on_progress=seen.append))
    assert seen[-1].bytes_done == 2


def test_who_takes_progress(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    home = site.acquisition.id
    site.put("f.bin", b"1")
    for call in (
        lambda: site.drive("get_acquisition", home, on_progress=print),
        lambda: site.drive("get_acquisition", home, resume=False),
        lambda: site.drive("download_file_from_acquisition_as_data", home, "f.bin", on_progress=print),
        lambda: site.drive(
            "download_file_from_acquisition", home, "f.bin", tmp_path / "x", range="bytes=0-0", resume=True
        ),
    ):
        with pytest.raises(TypeError, match=r"on_progress|resume"):
            call()
    assert not list(tmp_path.iterdir())
