"""The demo as users run it: all five services at the same time, each with a server in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient import testing
from asyncclient.cli import _demo, main
from asyncclient.cli._demo_servers import ChildServer

pytest.importorskip("numpy", reason="the demo needs the extra lfview")
pytest.importorskip("PIL", reason="the demo needs the extra sticky-pi")

Start = Callable[..., "subprocess.Popen[str]"]

TITLES = ["Lucidtech", "LF View", "Voxel51", "Sticky Pi", "Flywheel"]
STARTED = "5 servers are started, and samples are made ..."

pytestmark = pytest.mark.timeout(180)


def test_a_folder(folder: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(folder), "--size", "small"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"All 29 files of 5 services \(\d+\.\d MB\) came back the same, byte for byte, in ", out)
    assert "Lucidtech: sub/nothing.txt: refused (empty), as it should be" in out
    assert "4 jobs ran on uploaded files; their outputs are right." in out
    assert "was killed after" in out
    assert "\x1b" not in out + err  # no terminal
    first, *lines = err.splitlines()
    assert first == STARTED
    assert sorted(line.partition(":")[0] for line in lines) == sorted(TITLES)
    assert all(line.endswith(", all right") for line in lines)
    assert "No image to upload" not in err
    assert list(temporary.iterdir()) == []


def test_json(folder: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(folder), "--size", "small", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["ok"], result["source"], result["problems"]) == (True, str(folder), [])
    assert [row["title"] for row in result["services"]] == TITLES
    for row in result["services"]:
        assert row["ok"]
        assert row["verified_bytes"] > 0
        assert row["requests"] > 0
        assert row["seconds"] > 0
        assert row["mb_per_s"] > 0
        for calls in row["calls"].values():
            assert calls["count"] > 0
            assert 0 < calls["p50_ms"] <= calls["p95_ms"]
    las = result["services"][0]
    assert (las["files"], las["verified_bytes"], las["refused"]) == (2, 4 + 128_000, ["sub/nothing.txt"])
    assert las["bytes_up"] >= las["verified_bytes"]
    assert las["bytes_down"] >= las["verified_bytes"]
    check_totals(result)
    check_resumption(result)


def check_totals(result: dict[str, Any]) -> None:
    totals = result["totals"]
    for name in ("files", "bytes_up", "bytes_down", "verified_bytes", "not_sent_again_bytes"):
        assert totals[name] == sum(row[name] for row in result["services"]), name
    for state in ("idle", "under_load"):
        assert totals["calls"][state]["count"] == sum(row["calls"][state]["count"] for row in result["services"])
    # One hub: what all services were sent is what it has sent.
    assert totals["requests"] == sum(row["requests"] for row in result["services"])
    assert totals["retries"] == 0
    assert 5 <= totals["peak_connections"] <= 32
    assert 1 <= totals["peak_in_flight"] <= 32
    # The services run at the same time: together they take as long as the slowest, not as all of them.
    assert totals["seconds"] < sum(row["seconds"] for row in result["services"])


def check_resumption(result: dict[str, Any]) -> None:
    found = result["resumption"]
    assert found["total_bytes"] > found["before_bytes"] >= found["total_bytes"] // 2
    assert found["saved_bytes"] > 0
    assert found["saved_bytes"] + found["sent_later_bytes"] == found["total_bytes"]
    assert found["saved_bytes"] + found["sent_twice_bytes"] == found["before_bytes"]
    assert found["saved_bytes"] == result["services"][1]["not_sent_again_bytes"]


def test_small_samples_as_users_run_it(start: Start, temporary: Path) -> None:
    child = start("demo", "--size", "small", "--json", "--quiet", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (0, "")
    result = json.loads(out)
    assert result["services"][0]["refused"] == ["empty.txt"]
    assert result["totals"]["files"] == 12 + 8 + 4 + 8 + 7
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_the_default_samples(start: Start, temporary: Path) -> None:
    child = start("demo", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=150)
    assert child.returncode == 0, err
    result = json.loads(out)
    assert result["totals"]["files"] > 1500
    assert result["totals"]["verified_bytes"] > 300_000_000
    assert result["services"][2]["verified_bytes"] >= 128 * 1024 * 1024
    assert list(temporary.iterdir()) == []


def shown_on_a_terminal(start: Start, *arguments: str) -> tuple[int, bytes]:
    ours, theirs = os.openpty()
    child = start("demo", *arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    os.close(ours)
    return child.wait(60), shown


def test_on_a_terminal(start: Start, folder: Path, temporary: Path) -> None:
    code, shown = shown_on_a_terminal(start, str(folder), "--size", "small")
    assert code == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    for title in TITLES:
        assert re.search(rf"{title} +[a-z, ]+ ━", text), title
        assert re.search(rf"{title} +done, \d+ files +━", text), title
    assert re.search(
        r"\d+ MB/s · \d+ connections · \d+ in flight \(\d+ bulk, \d+ small\), \d+ waiting · small calls", text
    )
    assert "came back the same" in text


def test_on_a_terminal_without_progress(start: Start, folder: Path, temporary: Path) -> None:
    code, shown = shown_on_a_terminal(start, str(folder), "--size", "small", "--no-progress")
    assert code == 0
    before, _, _ = shown.decode().partition("Transfers")
    assert "\x1b" not in before
    assert len(before.splitlines()) == 1 + len(TITLES)


# --- what goes wrong ---------------------------------------------------------------------------------------------------


class Faulty:
    """An emulator in a thread of this process that does something wrong from the start."""

    def __init__(self, name: str, fault: Callable[[Any], None]) -> None:
        self._server = testing.serve(name)
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def start(self) -> None:
        self._server.start()
        self._fault(self._server.state)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Any], None]], None]:
    """Let the demo have such a server for a service."""
    servers = _demo._servers

    def replace(name: str, fault: Callable[[Any], None]) -> None:
        monkeypatch.setattr(_demo, "_servers", lambda *given: servers(*given) | {name: Faulty(name, fault)})

    return replace


def test_a_fault_is_told_and_the_others_go_on(
    folder: Path, temporary: Path, faulty: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty("las", lambda state: state.fail_next(200, method="GET", path="/fileserver/*", body=b"other bytes"))
    assert main(["demo", str(folder), "--size", "small"]) == 1
    out, err = capsys.readouterr()
    (told,) = [line for line in out.splitlines() if line.startswith("NOT RIGHT")]
    assert re.match(r"NOT RIGHT: Lucidtech: \S.*: sent with md5 \S+, came back with \S+", told)
    assert out.splitlines()[-1] == "Something differs."
    assert sum(line.endswith(", all right") for line in err.splitlines()) == 4
    assert re.search(r"^Lucidtech: 1 file, .*, 1 not right, first: ", err, re.MULTILINE)
    assert list(temporary.iterdir()) == []


def test_a_service_that_fails_altogether(temporary: Path, faulty: Any, capsys: pytest.CaptureFixture[str]) -> None:
    faulty("voxel51", lambda state: state.fail_next(403, times=None))
    assert main(["demo", "--size", "small", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [row["ok"] for row in result["services"]] == [True, True, False, True, True]
    assert result["services"][2]["files"] == 0
    assert all(problem.startswith("Voxel51: ") for problem in result["problems"])


def test_a_small_call_that_fails(temporary: Path, faulty: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def later(state: Any) -> None:
        state.delay(0.0, path="/organizations/*")  # the first one is for the connection
        state.fail_next(404, times=None, path="/organizations/*")

    faulty("las", later)
    assert main(["demo", "--size", "small", "--json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("Lucidtech: ")


def test_a_file_too_large_for_the_service(tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "files").mkdir()
    with (tmp_path / "files" / "large.bin").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    (tmp_path / "files" / "small.bin").write_bytes(b"small")
    assert main(["demo", str(tmp_path / "files"), "--size", "small"]) == 1
    said = capsys.readouterr().out
    assert "NOT RIGHT: Lucidtech: large.bin: " in said
    assert "Something differs." in said


def test_what_is_not_installed_is_left_out(
    folder: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_demo, "_lacking", lambda name: "it needs more" if name in ("lfview", "sticky_pi") else "")
    assert main(["demo", str(folder), "--size", "small", "--html", str(folder.parent / "page.html")]) == 0
    out, err = capsys.readouterr()
    assert "LF View was left out: it needs more" in out
    assert re.search(r"LF View +left out +- ", out)
    assert re.search(r"All \d+ files of 3 services ", out)
    assert err.startswith("3 servers are started")
    assert "Killed and resumed" not in (folder.parent / "page.html").read_text("utf-8")


def test_what_is_needed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [_demo._lacking(name) for name in ("las", "lfview", "sticky_pi")] == ["", "", ""]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert _demo._lacking("lfview") == "it needs pip install 'asyncclient[lfview]'"
    assert _demo._lacking("sticky_pi").startswith("it needs pip install 'asyncclient[sticky-pi]' (PIL, ")


def test_a_server_that_does_not_start(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    servers = _demo._servers
    broken = {"lfview": ChildServer("nothing", {})}
    monkeypatch.setattr(_demo, "_servers", lambda *given: servers(*given) | broken)
    assert main(["demo", "--size", "small"]) == 2
    assert "asyncclient: the server of lfview did not start: the process of nothing has ended" in capfd.readouterr().err
    assert list(temporary.iterdir()) == []


# --- the end -----------------------------------------------------------------------------------------------------------


def children_of(pid: int) -> list[str]:
    """Return the child processes, whichever thread has started them."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it ended just now
            found += (thread / "children").read_text().split()
    return found


def all_under_way(pid: int) -> list[str]:
    """Wait for the sixth child, which uploads to be killed; returns the children."""
    deadline = time.monotonic() + 60
    while len(children := children_of(pid)) < 6 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(children) == 6
    return children


def interrupted(child: subprocess.Popen[str], number: int) -> tuple[str, list[str]]:
    children = children_of(child.pid)
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "asyncclient: interrupted"
    assert "Traceback" not in err
    return err, children


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("late", [False, True], ids=["at the start", "with transfers under way"])
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for child processes in /proc")
def test_interrupted(number: signal.Signals, late: bool, start: Start, temporary: Path) -> None:
    child = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stderr is not None
    assert child.stderr.readline() == f"{STARTED}\n"
    if late:
        all_under_way(child.pid)
    _, children = interrupted(child, number)
    assert list(temporary.iterdir()) == []
    assert not any(Path("/proc", pid).exists() for pid in children)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for child processes in /proc")
def test_killed(start: Start, temporary: Path) -> None:
    """Whoever is killed cannot tidy up, but what it has started ends by itself."""
    child = start("demo", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    assert child.stderr.readline() == f"{STARTED}\n"
    children = all_under_way(child.pid)
    child.kill()
    child.communicate()
    deadline = time.monotonic() + 60
    while any(Path("/proc", pid).exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path("/proc", pid).exists() for pid in children)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for child processes in /proc")
def test_ended_in_the_background(start: Start, temporary: Path) -> None:
    """Shells start what runs in the background with SIGINT ignored; SIGTERM has to end it all the same."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited
    try:
        child = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert child.stderr is not None
    assert child.stderr.readline() == f"{STARTED}\n"
    interrupted(child, signal.SIGTERM)
    assert list(temporary.iterdir()) == []


# --- refused before anything is started --------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["demo", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing"
    assert refused(capsys, str(missing)) == f"asyncclient: {missing}: there is no such folder\n"


def test_a_file_in_place_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(b"x")
    assert refused(capsys, str(file)) == f"asyncclient: {file}: is a file; give the folder it is in\n"


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "sub" / "pipe")  # not a file to move, and opening it would wait for ever
    assert refused(capsys, str(tmp_path)) == f"asyncclient: {tmp_path}: holds no files\n"


def test_a_link_to_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    assert refused(capsys, str(tmp_path)) == f"asyncclient: {link}: cannot be read: No such file or directory\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    assert refused(capsys, str(tmp_path)) == f"asyncclient: {tmp_path / 'secret'}: cannot be read: Permission denied\n"


def test_a_report_that_cannot_be_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "nowhere" / "page.html"
    said = refused(capsys, str(folder), "--html", str(page))
    assert said == f"asyncclient: {page}: the report cannot be written there: No such file or directory\n"
    said = refused(capsys, str(folder), "--html", str(tmp_path))
    assert said == f"asyncclient: {tmp_path}: is a folder; name a file for the report\n"
    page = folder / "sub" / "größe 測.bin" / "page.html"
    said = refused(capsys, str(folder), "--html", str(page))
    assert said == f"asyncclient: {page}: the report cannot be written there: Not a directory\n"


def test_no_room(folder: Path, temporary: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Free)
    said = refused(capsys, str(folder), "--size", "small")
    assert said.startswith(f"asyncclient: {temporary}: 5 MB are free, the demo may need ")
    assert list(temporary.iterdir()) == []


class Free:
    free = 5_000_000


def test_without_the_emulators(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused_by_missing(capsys)
    assert said == "asyncclient: the demo needs the extra 'testing': pip install 'asyncclient[testing]'\n"


def refused_by_missing(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(_demo.Problem) as caught:
        _demo.run_demo(_demo.Request())
    return f"asyncclient: {caught.value}\n"
