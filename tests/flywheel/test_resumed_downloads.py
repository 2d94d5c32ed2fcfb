"""Downloads that are cut off or killed, and go on: with a key or with tickets, from the service or from its store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient._transfers.places import journal_folder
from asyncclient.cli import main
from asyncclient.errors import IntegrityError, TransportError
from asyncclient.types import Progress
from tests.flywheel.sites import Site, Sites

CONTENT = os.urandom(1024 * 1024) * 24  # three ranges
OTHER = os.urandom(1024 * 1024) * 24

WAYS = ["key", "ticket", "record"]
PLACES = [{}, {"redirect_downloads": True}, {"redirect_downloads": True, "storage_host": "localhost"}]
PROOFS: list[dict[str, Any]] = [{}, {"hash_up_to_bytes": 0}]


def fetch(site: Site, how: str, path: Path, **options: Any) -> None:
    if how == "record":
        site.drive.done(site.record("f.bin").download(path, **options))
        return
    method = "download_file_by_ticket" if how == "ticket" else "download_file_from_acquisition"
    site.drive(method, site.acquisition.id, "f.bin", path, **options)


def cut_after_one_range(site: Site, how: str) -> None:
    """Let the first range through, and nothing after it."""
    if site.state.options.redirect_downloads:
        path, passed = "/signed/*", 1
    else:
        # What asks for a ticket; what shows that ranges need another form of request; and the range.
        path, passed = "/api/*/files/f.bin", 3 if how == "ticket" else 2
    site.state.cut_next(2**40, times=passed, path=path)
    site.state.cut_next(0, times=None, path=path)


def cut(site: Site, how: str, path: Path) -> None:
    """Let a download break for good after its first range; what is cut may give up before that range is whole."""
    for _ in range(10):
        cut_after_one_range(site, how)
        with pytest.raises(TransportError):
            fetch(site, how, path)
        site.state.clear_faults()
        assert not path.exists()
        if '"t":"part"' in journals():
            return
    raise AssertionError("nothing of the file was kept")


def journals() -> str:
    return "".join(path.read_text("utf-8") for path in journal_folder(None).iterdir())


def fetched_bytes(site: Site) -> int:
    """Return how many bytes of the file were asked for by ranges that were answered."""
    total = 0
    for each in site.state.requests:
        first, _, last = each.headers.get("range", "").removeprefix("bytes=").partition("-")
        if each.status == 206 and last:
            total += min(int(last) + 1, len(CONTENT)) - int(first)
    return total


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("how", WAYS)
def test_a_download_that_was_cut_goes_on(
    sites: Sites, how: str, place: dict[str, Any], proof: dict[str, Any], tmp_path: Path
) -> None:
    site = sites(**place, **proof)
    site.put("f.bin", CONTENT)
    cut(site, how, tmp_path / "f.bin")
    known = journals()
    for ticket in site.state.tickets:
        assert ticket not in known
    assert "sig=" not in known
    assert "emulator-key" not in known
    site.state.requests.clear()
    seen: list[Progress] = []
    fetch(site, how, tmp_path / "f.bin", on_progress=seen.append)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert 0 < fetched_bytes(site) <= len(CONTENT) - 8 * 1024 * 1024
    assert {progress.name for progress in seen} == {"f.bin"}
    assert seen[-1].phase == "done"
    assert seen[-1].bytes_done == len(CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]
    assert journals() == ""


@pytest.mark.parametrize("place", PLACES[:2])
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("how", WAYS)
def test_another_content_meanwhile(
    sites: Sites, how: str, place: dict[str, Any], proof: dict[str, Any], tmp_path: Path
) -> None:
    site = sites(**place, **proof)
    site.put("f.bin", CONTENT)
    cut(site, how, tmp_path / "f.bin")
    site.put("f.bin", OTHER)
    fetch(site, how, tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == OTHER


@pytest.mark.parametrize("how", WAYS)
def test_without_resuming_nothing_is_left(sites: Sites, how: str, tmp_path: Path) -> None:
    site = sites()
    site.put("f.bin", CONTENT)
    site.state.fail_next(400, times=None, path="/api/*/files/f.bin")
    site.state.cut_next(1000, path="/api/*/files/f.bin")
    with pytest.raises(flywheel.ApiException):
        fetch(site, how, tmp_path / "f.bin", resume=False)
    site.state.clear_faults()
    assert not list(tmp_path.iterdir())
    assert not journal_folder(None).exists() or journals() == ""
    fetch(site, how, tmp_path / "f.bin", resume=False)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["key", "record"])
@pytest.mark.parametrize("redirected", [False, True])
@pytest.mark.parametrize("resume", [False, True])
def test_a_wrong_byte_is_never_accepted(sites: Sites, how: str, redirected: bool, resume: bool, tmp_path: Path) -> None:
    site = sites(redirect_downloads=redirected)
    site.put("f.bin", CONTENT)
    (container, series) = site.state.files[site.record("f.bin").file_id]
    held = series.newest.content
    site.put("g.bin", OTHER)
    other = site.state.files[site.record("g.bin").file_id][1].newest.content
    # The service gives other bytes of the same length than its record speaks of.
    series.newest.content = type(held)(other.blobs, held.hash)
    with pytest.raises(IntegrityError):
        fetch(site, how, tmp_path / "f.bin", resume=resume)
    assert not (tmp_path / "f.bin").exists()
    series.newest.content = held
    fetch(site, how, tmp_path / "f.bin", resume=resume)
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert container.id == site.acquisition.id


def start(how: str, site: Site, path: Path) -> subprocess.Popen[bytes]:
    arguments = [how, site.key, site.acquisition.id, "f.bin", str(path)]
    command = [sys.executable, "-m", "tests.flywheel.download_child", *arguments]
    return subprocess.Popen(command, env=dict(os.environ))


def kill_in_the_middle(how: str, site: Site, path: Path) -> None:
    """Kill a process when it has its first range; it gets no more, so it cannot be faster than the signal."""
    cut_after_one_range(site, how)
    child = start(how, site, path)
    while not journal_folder(None).exists() or '"part",' not in journals().replace(" ", ""):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    site.state.clear_faults()
    assert not path.exists()


@pytest.mark.parametrize("place", PLACES[:2])
@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("by_command", [False, True])
def test_a_download_that_was_killed_goes_on(
    sites: Sites,
    how: str,
    place: dict[str, Any],
    by_command: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = sites(**place)
    if site.drive.kind == "sync":
        pytest.skip("the process that is killed has a client of its own")
    site.put("f.bin", CONTENT)
    kill_in_the_middle(how, site, tmp_path / "f.bin")
    site.state.requests.clear()
    if not by_command:
        fetch(site, how, tmp_path / "f.bin")
    else:
        monkeypatch.setenv("FLYWHEEL_API_KEY", "other.example:emulator-key")
        assert main(["transfers", "resume", "--all"]) > 1  # not one of a transfer that failed
        assert "the key is for https://other.example:443" in capsys.readouterr().err
        monkeypatch.setenv("FLYWHEEL_API_KEY", site.key)
        assert main(["transfers", "resume", "--all", "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)
        assert found["resumed_bytes"] >= 8 * 1024 * 1024
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert 0 < fetched_bytes(site) <= len(CONTENT) - 8 * 1024 * 1024
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_cancelled(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    if site.drive.kind == "sync":
        pytest.skip("only what is awaited can be cancelled")
    site.put("f.bin", CONTENT)
    client = site.drive.client

    async def cancelled() -> None:
        task = asyncio.ensure_future(
            client.download_file_from_acquisition(
                site.acquisition.id, "f.bin", tmp_path / "f.bin", on_progress=lambda _: task.cancel()
            )
        )
        with pytest.raises(asyncio.CancelledError):
            await task

    site.drive._runner.run(cancelled())
    assert not (tmp_path / "f.bin").exists()
    fetch(site, "key", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["f.bin"]


def test_where_there_are_no_records(sites: Sites, tmp_path: Path) -> None:
    """Outputs and inputs of analyses have their records elsewhere; where the service tells nothing, all begins anew."""
    site = sites()
    site.put("f.bin", CONTENT)
    site.state.fail_next(403, path="/api/acquisitions/*/files/f.bin/info")
    cut(site, "key", tmp_path / "f.bin")
    site.state.requests.clear()
    fetch(site, "key", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert fetched_bytes(site) >= len(CONTENT)


@pytest.mark.parametrize("version", [None, 1])
def test_a_version_that_is_not_the_newest(sites: Sites, version: int | None, tmp_path: Path) -> None:
    site = sites()
    site.put("f.bin", CONTENT)
    site.put("f.bin", OTHER)
    home = site.acquisition.id
    site.drive("download_file_from_acquisition", home, "f.bin", tmp_path / "f.bin", version=version)
    assert (tmp_path / "f.bin").read_bytes() == (OTHER if version is None else CONTENT)


def test_outputs_and_inputs_of_analyses(sites: Sites, tmp_path: Path) -> None:
    site = sites()
    site.put("f.bin", CONTENT)
    source = {"type": "acquisition", "id": site.acquisition.id, "name": "f.bin"}
    made = site.drive("add_acquisition_analysis", site.acquisition.id, {"label": "x", "inputs": [source]}, job=False)
    spec = flywheel.FileSpec("out.bin", OTHER)
    site.drive("upload_output_to_analysis", made, spec)
    site.drive("download_output_from_analysis", made, "out.bin", tmp_path / "out.bin")
    site.drive("download_input_from_analysis", made, "f.bin", tmp_path / "f.bin")
    assert (tmp_path / "out.bin").read_bytes() == OTHER
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    ways = [
        each.path.partition("/analyses/")[2].partition("/")[2] for each in site.state.requests if each.method == "GET"
    ]
    assert "inputs/f.bin/info" in ways
    assert "" in ways
