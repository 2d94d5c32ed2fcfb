"""``asyncclient transfers``: real journals, left by processes that were killed, and what is said of those it cannot use."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asyncclient import lfview
from asyncclient._transfers.lines import decode_line, encode_line
from asyncclient._transfers.records import VERSION, Done, Job, Lease, PartDone, Record
from asyncclient.cli import main
from asyncclient.cli._complete import all_jobs, finishable_jobs
from asyncclient.testing import Server, serve

pytest.importorskip("numpy")

CHUNK = 262_144
SIZE = 20 * CHUNK + 1000
PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(SIZE - 8)

UPLOAD = """
import asyncio, sys
from asyncclient import AsyncHub, lfview
from asyncclient.lfview.files import Array, Image
from asyncclient.types import Limits
kind, path, discovery_url = sys.argv[1:]
async def main():
    async with AsyncHub(limits=Limits(max_bandwidth=(3_000_000, None))) as hub:
        session = lfview.AsyncSession("good-key", discovery_url=discovery_url, hub=hub)
        if kind == "image":
            resource = Image(path)
        else:
            import numpy as np
            resource = Array(np.fromfile(path, "u1"))
        await session.upload(resource, chunk_size=262_144)
asyncio.run(main())
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of journals of this test."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LFVIEW_API_KEY", "good-key")
    return tmp_path / "state" / "journal"


@pytest.fixture
def server(state: Path) -> Iterator[Server]:
    with serve("lfview") as server:
        yield server


class Left:
    """An upload whose process was killed."""

    def __init__(self, server: Server, path: Path, kind: str) -> None:
        self.server = server
        self.path = path
        self.seen = len(server.state.requests)
        credentials = server.credentials()
        command = [sys.executable, "-c", UPLOAD, kind, str(path), credentials["discovery_url"]]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
            self._wait_for(6 * CHUNK, child)
            child.kill()
        (self.session,) = server.state.sessions.values()

    def _wait_for(self, kept_bytes: int, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 60
        while sum(each.kept_bytes for each in list(self.server.state.sessions.values())) < kept_bytes:
            assert child.poll() is None, child.stderr.read() if child.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def settled(self) -> int:
        """Wait until the emulator is done with the last request of the dead, and return what it has then."""
        deadline = time.monotonic() + 60
        while self.server.state.requests and self._open():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return int(self.session.kept_bytes)

    def _open(self) -> bool:
        before = self.session.kept_bytes
        time.sleep(0.05)
        return bool(before != self.session.kept_bytes)

    @property
    def content(self) -> bytes:
        found: bytes = self.server.state.content(self.session.id)
        return found


@pytest.fixture
def left(server: Server, tmp_path: Path) -> Left:
    path = tmp_path / "drape.png"
    path.write_bytes(PNG)
    return Left(server, path, "image")


@pytest.fixture(scope="module")
def kept_journal(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, str]:
    """Name and content of the journal of an upload that was killed, and where the service was: it is gone by now."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.MonkeyPatch.context() as patch, serve("lfview") as server:
        patch.setenv("ASYNCCLIENT_STATE_DIR", str(folder))
        path = folder / "drape.png"
        path.write_bytes(PNG)
        Left(server, path, "image")
        journal = journal_of(folder / "journal")
        return journal.name, journal.read_bytes(), server.url


@pytest.fixture
def journal(kept_journal: tuple[str, bytes, str], state: Path) -> Path:
    """A copy of that journal; for what needs no service."""
    name, content, _ = kept_journal
    state.mkdir(parents=True)
    (state / name).write_bytes(content)
    return state / name


class Run:
    """One run of the command."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        capsys.readouterr()
        self.code = main(["transfers", *arguments])
        captured = capsys.readouterr()
        self.out, self.err = captured.out, captured.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def transfers(capsys: pytest.CaptureFixture[str], state: Path) -> Callable[..., Run]:
    return lambda *arguments: Run(capsys, *arguments)


def journal_of(state: Path) -> Path:
    (path,) = state.glob("*.journal")
    return path


def records_of(path: Path) -> list[Record]:
    found = [decode_line(line) for line in path.read_bytes().splitlines()]
    return [record for record in found if isinstance(record, Record)]


def rewrite(path: Path, change: Callable[[Record], Record]) -> None:
    path.write_bytes(b"".join(encode_line(change(record)) for record in records_of(path)))


# --- the way it is meant ---------------------------------------------------------------------------------------------


def test_an_upload_that_was_killed_is_finished(left: Left, transfers: Callable[..., Run], state: Path) -> None:
    kept = left.settled()
    assert 6 * CHUNK <= kept < SIZE
    (job,) = transfers("list", "--json").json
    assert job | {"moved_bytes": 0, "updated_s": 0, "started_s": 0, "id": "", "journal": ""} == {
        "id": "",
        "state": "interrupted",
        "service": "lfview",
        "direction": "up",
        "origin": left.server.url,
        "file": str(left.path),
        "size_bytes": SIZE,
        "moved_bytes": 0,
        "started_s": 0,
        "updated_s": 0,
        "owner": job["owner"],
        "resumable": True,
        "obstacle": None,
        "error": None,
        "journal": "",
    }
    assert job["owner"].startswith("process ")
    confirmed = job["moved_bytes"]
    assert 0 < confirmed <= kept
    line = transfers("list").out
    assert line.startswith(f"{job['id']}  interrupted ")
    assert line.count("\n") == 1

    seen = len(left.server.state.requests)
    done = transfers("resume", job["id"][-6:])
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{job['id']}: uploaded {left.path}, 5.2 MB, of which ")
    later = list(left.server.state.requests)[seen:]
    sent = [request for request in later if request.operation == "upload_content" and request.size_bytes]
    begin = int(sent[0].headers["content-range"].removeprefix("bytes ").partition("-")[0])
    assert begin >= kept >= confirmed
    assert sum(request.size_bytes for request in sent) == SIZE - begin, "nothing that was confirmed was sent again"
    assert not [request for request in later if request.method in ("POST", "PATCH")]
    assert left.session.completed
    assert left.content == PNG
    assert transfers("list").out == "There are no unfinished transfers.\n"
    assert list(state.iterdir()) == []


def test_with_the_service_in_a_process_of_its_own(transfers: Callable[..., Run], state: Path, tmp_path: Path) -> None:
    path = tmp_path / "drape.png"
    path.write_bytes(PNG)
    with serve("lfview", process=True) as server:
        credentials: Any = server.credentials()
        command = [sys.executable, "-c", UPLOAD, "image", str(path), credentials["discovery_url"]]
        with subprocess.Popen(command) as child:
            deadline = time.monotonic() + 60
            while sum(isinstance(each, PartDone) for file in state.glob("*.journal") for each in records_of(file)) < 6:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.005)
            child.kill()
        (job,) = transfers("list", "--json").json
        assert job["moved_bytes"] >= 6 * CHUNK
        (done,) = transfers("resume", job["id"], "--json").json
        assert job["moved_bytes"] <= done["resumed_bytes"] < SIZE
        session = lfview.Session(**credentials)
        found: Any = session.download(f"{session.upload_base_url}/files/image/image1")
        assert found.image.read() == PNG


def test_the_journal_holds_no_key(journal: Path) -> None:
    text = journal.read_text()
    assert "good-key" not in text
    assert "Bearer" not in text
    assert "/storage/" not in text, "the address of a session may be signed"


def test_all_as_json(left: Left, transfers: Callable[..., Run]) -> None:
    kept = left.settled()
    done = transfers("resume", "--all", "--json")
    assert done.code == 0
    (found,) = done.json
    assert found["ok"]
    assert (found["size_bytes"], found["restarted"]) == (SIZE, None)
    assert kept <= found["resumed_bytes"] < SIZE
    assert transfers("resume", "--all").out == "There is nothing that can be finished from here.\n"


def test_an_expired_session_begins_anew(left: Left, transfers: Callable[..., Run]) -> None:
    left.settled()
    assert left.server.state.expire_sessions() == 1
    (found,) = transfers("resume", "--all", "--json").json
    assert (found["resumed_bytes"], found["restarted"]) == (0, "session_expired")
    (session,) = left.server.state.sessions.values()
    assert left.server.state.content(session.id) == PNG


def test_abort_and_prune(left: Left, transfers: Callable[..., Run], state: Path) -> None:
    left.settled()
    assert transfers("prune").out == "Deleted 0 journals and 0 part files.\n"
    job = transfers("list", "--json").json[0]["id"]
    done = transfers("abort", job)
    assert (done.code, done.out) == (0, f"{job}: aborted\n")
    assert list(state.iterdir()) == []
    assert transfers("abort", job).code == 4


def test_ids_are_completed(left: Left, transfers: Callable[..., Run]) -> None:
    left.settled()
    (job,) = [row["id"] for row in transfers("list", "--json").json]
    assert all_jobs("") == finishable_jobs(job[:5]) == [job]
    assert all_jobs("x") == []
    left.path.unlink()  # then it can be given up only
    assert (all_jobs(""), finishable_jobs("")) == ([job], [])


def test_ids_are_completed_in_silence(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.rmdir() if state.exists() else state.parent.mkdir(parents=True, exist_ok=True)
    state.write_bytes(b"no folder")
    assert all_jobs("") == []


def test_prune_without_a_key(
    journal: Path, kept_journal: tuple[str, bytes, str], transfers: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LFVIEW_API_KEY")
    job = transfers("list", "--json").json[0]["id"]
    assert transfers("prune", "--older-than", "0", "--json").json == {
        "jobs": [job],
        "part_files": [],
        "left": [{"id": job, "service": "lfview", "origin": kept_journal[2]}],
    }


# --- what cannot be used: one line, and what to do -------------------------------------------------------------------


def failed(found: Run, *words: str, code: int = 1) -> None:
    assert found.code == code
    assert found.err.startswith("asyncclient: ")
    assert found.err.count("\n") == 1, found.err
    assert found.out == ""
    for word in words:
        assert word in found.err, found.err


def test_without_a_key(left: Left, transfers: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LFVIEW_API_KEY")
    failed(transfers("resume", "--all"), "LFVIEW_API_KEY", code=3)
    monkeypatch.setenv("LFVIEW_API_KEY", "bad-key")
    failed(transfers("resume", "--all"), "key")
    monkeypatch.setenv("LFVIEW_API_KEY", "good-key")
    left.settled()
    assert transfers("resume", "--all").code == 0
    assert left.content == PNG


def test_a_torn_journal_goes_on(left: Left, transfers: Callable[..., Run], state: Path) -> None:
    path = journal_of(state)
    path.write_bytes(path.read_bytes()[:-7])
    left.settled()
    assert transfers("resume", "--all").code == 0
    assert left.content == PNG


def test_a_journal_that_is_damaged_from_the_first_line(journal: Path, transfers: Callable[..., Run]) -> None:
    journal.write_bytes(b"x" + journal.read_bytes())
    (job,) = transfers("list", "--json").json
    assert (job["state"], job["resumable"]) == ("unusable", False)
    assert "damaged" in job["obstacle"]
    failed(transfers("resume", job["id"]), job["id"], "damaged", "pruned")
    assert transfers("prune", "--older-than", "0").out == "Deleted 1 journal and 0 part files.\n"


def test_a_journal_of_a_newer_version(journal: Path, transfers: Callable[..., Run]) -> None:
    rewrite(
        journal,
        lambda record: replace(record, version=VERSION + 1) if isinstance(record, Job) else record,
    )
    (job,) = transfers("list", "--json").json
    assert job["state"] == "unusable"
    assert "update asyncclient" in transfers("list").out
    failed(transfers("resume", job["id"]), f"format {VERSION + 1}", "update asyncclient")
    assert journal.exists()


def test_a_journal_of_another_host(left: Left, transfers: Callable[..., Run], state: Path) -> None:
    def elsewhere(record: Record) -> Record:
        if isinstance(record, Lease):
            return replace(record, host="far-away", machine="0123456789abcdef", boot="b", beat=time.time())
        return record

    rewrite(journal_of(state), elsewhere)
    (job,) = transfers("list", "--json").json
    assert (job["state"], job["resumable"]) == ("running", False)
    assert "far-away" in job["owner"]
    failed(transfers("resume", job["id"]), "far-away", "wait")
    assert transfers("resume", "--all").out == "There is nothing that can be finished from here.\n"
    left.settled()
    assert transfers("resume", job["id"], "--force").code == 0
    assert left.content == PNG


def test_a_file_that_is_gone(left: Left, transfers: Callable[..., Run], tmp_path: Path) -> None:
    left.path.rename(tmp_path / "moved.png")
    (job,) = transfers("list", "--json").json
    assert job["obstacle"] == f"{left.path} is not there any more: put it back, or abort the job"
    failed(transfers("resume", job["id"]), str(left.path), "put it back")
    (tmp_path / "moved.png").rename(left.path)
    left.settled()
    assert transfers("resume", job["id"]).code == 0
    assert left.content == PNG


@pytest.mark.parametrize("size", [SIZE - 5, SIZE])
def test_a_file_that_changed(left: Left, transfers: Callable[..., Run], size: int) -> None:
    changed = secrets.token_bytes(size)
    left.path.write_bytes(changed)
    left.settled()
    found = transfers("resume", "--all")
    if size == SIZE:  # its metadata still fits
        assert found.code == 0
        (session,) = left.server.state.sessions.values()
        assert left.server.state.content(session.id) == changed
    else:
        failed(found, "upload it again")
        assert not left.session.completed


def test_a_resource_that_is_gone(left: Left, transfers: Callable[..., Run]) -> None:
    left.settled()
    left.server.state.reset()
    failed(transfers("resume", "--all"), "is not there any more", "upload it again")
    assert transfers("abort", transfers("list", "--json").json[0]["id"]).code == 0


def test_a_resource_that_was_given_other_content(left: Left, transfers: Callable[..., Run]) -> None:
    left.settled()
    (row,) = [row for row in left.server.state.resources if row.kind == "files/image"]
    row.body["content_length"] = 5
    failed(transfers("resume", "--all"), "other content by now", "upload it again")


def test_a_service_that_needs_its_program(journal: Path, transfers: Callable[..., Run], state: Path) -> None:
    rewrite(
        journal,
        lambda record: replace(record, service="stranger.x") if isinstance(record, Job) else record,
    )
    (job,) = transfers("list", "--json").json
    assert job["obstacle"] == "stranger.x needs the program that began it: make the same call again"
    for command in ("resume", "abort"):
        failed(transfers(command, job["id"]), "stranger.x", "make the same call again", "prune it")
    rewrite(
        journal_of(state), lambda record: replace(record, service="stranger") if isinstance(record, Job) else record
    )
    assert transfers("prune", "--older-than", "0").out == (
        f"Deleted 1 journal and 0 part files.\n{job['id']}: stranger may keep what it has of it for some days\n"
    )


def test_a_job_that_is_complete(journal: Path, transfers: Callable[..., Run], state: Path) -> None:
    journal.write_bytes(journal.read_bytes() + encode_line(Done(0)))
    old = time.time() - 5 * 3600
    os.utime(journal, (old, old))
    (job,) = transfers("list", "--json").json
    assert (job["state"], job["obstacle"]) == ("done", "it is complete")
    assert "  5 h ago; it is complete" in transfers("list").out
    failed(transfers("resume", job["id"]), job["id"], "complete")
    assert list(state.iterdir()) == []


def test_one_that_fails_does_not_keep_the_others(
    left: Left, transfers: Callable[..., Run], state: Path, tmp_path: Path
) -> None:
    path = journal_of(state)
    other = "f" * 32
    text = [replace(record, id=other) if isinstance(record, Job) else record for record in records_of(path)]
    path.with_name(path.name.replace(path.name.partition(".")[0], other)).write_bytes(
        b"x" + b"".join(map(encode_line, text))
    )
    left.settled()
    first = path.name.partition(".")[0]
    found = transfers("resume", other, first, first[:10], "--json")
    assert found.code == 1
    assert [(each["id"], each["ok"]) for each in found.json] == [(other, False), (first, True)]
    assert found.json[0]["kind"] == "ResumeError"
    assert left.content == PNG


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_again(
    left: Left, transfers: Callable[..., Run], start: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    kept = left.settled()
    left.server.state.delay(30, path="/storage/*")
    child = start("transfers", "resume", "--all", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while left.server.state.counters["get_user"] < 2:  # its journal is taken over, its session is found
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "asyncclient: interrupted\n")
    left.server.state.clear_faults()
    (job,) = transfers("list", "--json").json
    assert (job["state"], job["resumable"]) == ("interrupted", True)
    (found,) = transfers("resume", "--all", "--json").json
    assert found["resumed_bytes"] >= kept
    assert left.content == PNG


def test_bars_on_a_terminal(left: Left, start: Callable[..., subprocess.Popen[str]]) -> None:
    left.settled()
    ours, theirs = os.openpty()
    child = start("transfers", "resume", "--all", stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    os.close(ours)
    assert child.wait(60) == 0
    text = " ".join(shown.decode().split())  # a long path makes a line of two
    assert "drape.png" in text
    assert "━" in text
    assert "were there already" in text


def test_an_array_is_finished_by_the_same_call(
    server: Server, transfers: Callable[..., Run], tmp_path: Path, state: Path
) -> None:
    path = tmp_path / "values"
    path.write_bytes(PNG)
    left = Left(server, path, "array")
    kept = left.settled()
    (job,) = transfers("list", "--json").json
    assert job["obstacle"] == "its content was no file: make the same call again"
    failed(transfers("resume", job["id"]), "its content was no file", "make the same call again")
    seen = len(server.state.requests)
    command = [sys.executable, "-c", UPLOAD, "array", str(path), server.credentials()["discovery_url"]]
    subprocess.run(command, check=True, timeout=60)
    later = [request for request in list(server.state.requests)[seen:] if request.operation == "upload_content"]
    assert sum(request.size_bytes for request in later) <= SIZE - kept
    assert left.content == PNG
    assert transfers("list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["resume"], "name one job or more", 2),
        (["abort"], "name one job or more", 2),
        (["resume", "--all", "0123456"], "name one job or more", 2),
        (["resume", "0123456"], "there is no job 0123456", 4),
        (["abort", "xy"], "there is no job xy", 4),
        (["prune", "--older-than", "soon"], "--older-than", 2),
    ],
)
def test_wrong_arguments(transfers: Callable[..., Run], arguments: list[str], said: str, code: int) -> None:
    failed(transfers(*arguments), said, code=code)
