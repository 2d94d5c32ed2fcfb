"""The demo against its emulator: in this process, and as users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from asyncclient.cli import main

Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.timeout(120)


def test_a_folder_there_and_back(folder: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(folder), "--size", "small"]) == 0
    captured = capsys.readouterr()
    assert "All 2 files and the View came back the same, byte for byte." in captured.out
    assert "sub/nothing.txt: refused (empty), as it should be" in captured.out
    assert "4 jobs ran on uploaded files; their outputs are right." in captured.out
    for stage in ("upload", "download, compare", "list, page by page", "delete", "blocking client, all"):
        assert stage in captured.out
        assert f"{stage}: 2 files in" in captured.err  # plain lines, as this is no terminal
    assert "\x1b" not in captured.err
    assert list(temporary.iterdir()) == []


def test_json(folder: Path, temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(folder), "--size", "small", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is True
    assert result["source"] == str(folder)
    assert result["problems"] == []
    assert result["refused"] == ["sub/nothing.txt"]
    upload = result["stages"][0]
    assert (upload["name"], upload["files"], upload["bytes"]) == ("upload", 2, 4 + 128_000)
    assert upload["requests"] >= 4  # a record and a file each
    assert upload["connections"] >= 1
    assert [stage["files"] for stage in result["stages"][:5]] == [2, 2, 2, 2, 2]
    files = {stage["name"]: stage["files"] for stage in result["stages"]}
    assert [count for name, count in files.items() if name.startswith("Jobs: ")] == [4, 4, 4]
    assert [count for name, count in files.items() if name.startswith("Tree: ")] == [7, 7, 7, 7, 1]
    assert (result["jobs"], result["tree_files"]) == (4, 7)


def test_small_samples_as_users_run_it(start: Start, temporary: Path) -> None:
    child = start("demo", "--size", "small", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=90)
    assert (child.returncode, json.loads(out)["refused"]) == (0, ["empty.txt"]), err
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_the_default_samples(start: Start, temporary: Path) -> None:
    child = start("demo", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=90)
    assert child.returncode == 0, err
    upload = json.loads(out)["stages"][0]
    assert 60 <= upload["files"] <= 100
    assert upload["bytes"] > 20 * 1024 * 1024
    assert list(temporary.iterdir()) == []


def test_on_a_terminal(start: Start, folder: Path, temporary: Path) -> None:
    ours, theirs = os.openpty()
    child = start("demo", str(folder), "--size", "small", stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    os.close(ours)
    assert child.wait(60) == 0
    assert b"\x1b[" in shown
    assert "━".encode() in shown
    assert b"2/2" in shown
    assert b"All 2 files and the View came back the same" in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for child processes in /proc")
def test_interrupted(number: signal.Signals, start: Start, temporary: Path) -> None:
    child = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stderr is not None
    assert child.stderr.readline().startswith("upload: ")
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    assert children
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.splitlines()[-1] == "asyncclient: interrupted"
    assert "Traceback" not in err
    assert out == ""
    assert list(temporary.iterdir()) == []
    assert not any(Path("/proc", pid).exists() for pid in children)


def test_ended_in_the_background(start: Start, temporary: Path) -> None:
    """Shells start what runs in the background with SIGINT ignored; SIGTERM has to end it all the same."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited
    try:
        child = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    assert child.stderr is not None
    assert child.stderr.readline().startswith("upload: ")
    child.terminate()
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err.splitlines()[-1]) == (130, "", "asyncclient: interrupted")
    assert list(temporary.iterdir()) == []


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "missing")]) == 2
    assert capsys.readouterr().err == f"asyncclient: {tmp_path / 'missing'}: there is no such folder\n"


def test_a_file_in_place_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(b"x")
    assert main(["demo", str(file)]) == 2
    assert capsys.readouterr().err == f"asyncclient: {file}: is a file; give the folder it is in\n"


def test_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "sub" / "pipe")  # not a file to move, and opening it would wait for ever
    assert main(["demo", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"asyncclient: {tmp_path}: holds no files\n"


def test_a_link_to_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert main(["demo", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"asyncclient: {tmp_path / 'link'}: cannot be read: No such file or directory\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    assert main(["demo", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"asyncclient: {tmp_path / 'secret'}: cannot be read: Permission denied\n"


def test_a_file_too_large_for_the_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    (tmp_path / "small.bin").write_bytes(b"small")
    assert main(["demo", str(tmp_path), "--size", "small"]) == 1
    said = capsys.readouterr().out
    assert "NOT RIGHT: large.bin: " in said
    assert "Something differs." in said
