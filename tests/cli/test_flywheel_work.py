"""``asyncclient flywheel`` against the emulator: real work, from folders to containers and back."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import main
from asyncclient.testing import Server

Say = Callable[..., Any]

LARGE = bytes(range(256)) * 6000  # several parts


@pytest.fixture
def asyncclient_flywheel_options() -> dict[str, Any]:
    return {"part_bytes": 300_000}


@pytest.fixture(autouse=True)
def _as_user(asyncclient_flywheel: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("FLYWHEEL_API_KEY", asyncclient_flywheel.credentials()["api_key"])


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    """A function that runs a command, which has to work, and gives what it prints: text, or with --json the value."""

    def run(*arguments: str) -> Any:
        code = main(["flywheel", *arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder as deep as the hierarchy below a project."""
    folder = tmp_path / "study"
    for name, content in {
        "README.md": b"read me",
        "s-01/visit 1/T1w/größe.nii": LARGE,
        "s-01/visit 1/T1w/t.dcm.zip": b"zip",
        "s-01/visit 1/notes.txt": b"notes",
        "s-02/visit 1/T1w/größe.nii": b"small",
        "s-02/empty.txt": b"",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def uploaded(said: Say, study: Path) -> Path:
    said("api", "groups", "add_group", "-p", 'body={"_id": "lab", "label": "Lab"}')
    said("cp", "-r", str(study), "fw://lab/P")
    return study


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["from"].rpartition("/")[2]: row["state"] for row in rows}


def test_a_folder_there_and_back(said: Say, uploaded: Path, asyncclient_flywheel: Server) -> None:
    state = asyncclient_flywheel.state
    series = state.find("lab", "P", "s-01", "visit 1", "T1w").series("größe.nii")
    assert len(series.version(None).content.blobs) == 6
    assert said("cp", "-r", "fw://lab/P", "back").count("copied: ") == 6
    assert content_of(Path("back")) == content_of(uploaded)
    assert said("cp", "--recursive", "fw://lab", "all").count("copied: fw://lab/P/") == 6
    assert content_of(Path("all/P")) == content_of(uploaded)


def test_listing(said: Say, uploaded: Path) -> None:
    assert [row["path"] for row in said("ls", "--json")] == ["fw://lab"]
    (head, _, *rows) = said("ls", "fw://lab/P").splitlines()
    assert head.split() == ["kind", "size", "modified", "name", "id"]
    assert [(row.split()[0], row.split()[-2]) for row in rows] == [
        ("subject/", "s-01"),
        ("subject/", "s-02"),
        ("file", "README.md"),
    ]
    assert [row["name"] for row in said("ls", "fw://lab/P/s-01/visit 1/T1w", "--json")] == ["größe.nii", "t.dcm.zip"]
    (file,) = said("ls", "fw://lab/P/s-01/visit 1/T1w/größe.nii", "--json")
    assert (file["size"], file["path"]) == (len(LARGE), "fw://lab/P/s-01/visit 1/T1w/größe.nii")
    assert said("ls", "fw://lab/P/s-01/visit 1/T1w/files/größe.nii", "--json")[0]["name"] == "größe.nii"


def test_sync_copies_what_differs(said: Say, uploaded: Path) -> None:
    (uploaded / "README.md").write_bytes(b"red me!")  # as long as it was
    (uploaded / "s-02/new.txt").write_bytes(b"new")
    up = said("sync", str(uploaded), "fw://lab/P", "--dry-run", "--json")
    assert [name for name, state in states(up).items() if state == "planned"] == ["README.md", "new.txt"]
    assert said("sync", str(uploaded), "fw://lab/P").count("copied: ") == 2
    assert set(states(said("sync", str(uploaded), "fw://lab/P", "--json")).values()) == {"same"}
    said("sync", "fw://lab/P", "back")
    (Path("back") / "s-01/visit 1/notes.txt").write_bytes(b"NOTES")
    (Path("back") / "s-02/empty.txt").unlink()
    down = states(said("cp", "-r", "--resume", "fw://lab/P", "back", "--json"))
    assert [name for name, state in down.items() if state == "copied"] == ["empty.txt", "notes.txt"]
    assert content_of(Path("back")) == content_of(uploaded)


def test_what_nobody_has_a_digest_of_is_compared_by_size(
    said: Say, uploaded: Path, asyncclient_flywheel: Server
) -> None:
    asyncclient_flywheel.state.options.hash_up_to_bytes = 0
    (uploaded / "README.md").write_bytes(b"two")
    assert states(said("sync", str(uploaded), "fw://lab/P", "--json"))["README.md"] == "copied"
    (uploaded / "README.md").write_bytes(b"one")
    assert states(said("sync", str(uploaded), "fw://lab/P", "--json"))["README.md"] == "same"


def test_filters(said: Say, uploaded: Path) -> None:
    assert set(states(said("cp", "-r", "fw://lab/P", "a", "--type", "nifti", "--json"))) == {"größe.nii"}
    assert "t.dcm.zip" not in states(said("cp", "-r", "fw://lab/P", "b", "--exclude-type", "dicom", "--json"))
    assert set(states(said("cp", "-r", "fw://lab/P", "c", "--name", "*.txt", "--json"))) == {"notes.txt", "empty.txt"}
    assert set(states(said("cp", "-r", str(uploaded), "fw://lab/Q", "--type", "dicom", "--json"))) == {"t.dcm.zip"}
    assert [row["name"] for row in said("ls", "fw://lab/Q/s-01/visit 1/T1w", "--json")] == ["t.dcm.zip"]
    assert [row["label"] for row in said("ls", "fw://lab/Q", "--json")] == ["s-01"]


def test_filters_of_single_files(said: Say, uploaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = "fw://lab/P/s-01/visit 1/T1w"
    for source, target in ((f"{place}/t.dcm.zip", "t.zip"), (f"{uploaded}/README.md", "fw://lab/P/s-01")):
        for options in (("--type", "nifti"), ("--name", "*.txt"), ("--type", "x", "--name", "*")):
            assert main(["flywheel", "cp", source, target, *options]) == 2
            assert "is not among the files that --type" in capsys.readouterr().err
    assert main(["flywheel", "cp", f"{place}/t.dcm.zip", "t.zip", "--exclude-type", "dicom"]) == 2
    assert not Path("t.zip").exists()
    assert [row["name"] for row in said("ls", "fw://lab/P/s-01", "--json") if "size" in row] == []
    said("cp", f"{place}/t.dcm.zip", "t.zip", "--type", "dicom", "--name", "*.zip")
    assert Path("t.zip").read_bytes() == b"zip"


def test_single_files(said: Say, uploaded: Path) -> None:
    place = "fw://lab/P/s-01/visit 1/T1w"
    Path("x.txt").write_bytes(b"one")
    assert said("cp", "x.txt", place) == f"copied: x.txt -> {place}/x.txt\n"
    assert said("cp", "x.txt", f"{place}/y.txt") == f"copied: x.txt -> {place}/y.txt\n"
    Path("x.txt").write_bytes(b"another")
    said("cp", "x.txt", f"{place}/y.txt")
    said("cp", f"{place}/x.txt", "z.txt")
    said("cp", f"{place}/y.txt", "new/")
    assert Path("z.txt").read_bytes() == b"one"
    assert Path("new/y.txt").read_bytes() == b"another"


def test_names_that_lead_away(said: Say, uploaded: Path, asyncclient_flywheel: Server) -> None:
    state = asyncclient_flywheel.state
    project = state.find("lab", "P")
    subject = said("api", "subjects", "add_subject", "-p", f'body={{"label": "../../up", "project": "{project.id}"}}')
    assert subject
    home = state.find("lab", "P", "../../up")
    Path("x.txt").write_bytes(b"x")
    for name in ("x.txt", "y.txt"):
        said("cp", "x.txt", f"fw://lab/P/..%2F..%2Fup/{name}")
    series = home.files.pop("y.txt")
    series.name = "../y\n.txt"
    home.files[series.name] = series
    said("cp", "-r", "fw://lab/P", "deep/er/back")
    assert {str(path) for path in Path("deep").rglob("*y_.txt")} == {"deep/er/back/.._.._up/.._y_.txt"}
    assert {path.name for path in Path("deep/er").iterdir()} == {"back"}
    assert [path.name for path in Path("deep").iterdir()] == ["er"]


def test_labels_that_are_there_twice(said: Say, uploaded: Path, asyncclient_flywheel: Server) -> None:
    session = asyncclient_flywheel.state.find("lab", "P", "s-02", "visit 1")
    twin = said("api", "acquisitions", "add_acquisition", "-p", f'body={{"label": "T1w", "session": "{session.id}"}}')
    twin = json.loads(twin)
    said(
        "api",
        "acquisitions",
        "upload_file_to_acquisition",
        "-p",
        f"container_id={twin}",
        "-p",
        f"file={uploaded}/README.md",
    )
    said("cp", "-r", "fw://lab/P", "back")
    assert (Path("back/s-02/visit 1") / f"{twin}~T1w" / "README.md").read_bytes() == b"read me"
    assert set(states(said("sync", "back", "fw://lab/P", "--json")).values()) == {"same"}


def test_long_names_that_begin_alike(said: Say, uploaded: Path) -> None:
    folder = Path("long/s/e/a")
    folder.mkdir(parents=True)
    for number in range(8):
        (folder / f"{'ü' * 90} {number}.txt").write_bytes(b"%d" % number)
    said("cp", "-r", "long", "fw://lab/P")
    said("cp", "-r", "fw://lab/P/s/e/a", "back")
    assert content_of(Path("back")) == content_of(folder)


def test_what_is_left_behind_is_not_sent(said: Say, tmp_path: Path, uploaded: Path) -> None:
    for left in (".README.md.0123456789ab.part", ".x.0123456789ab.part"):
        (uploaded / left).write_bytes(b"incomplete")
    assert set(states(said("sync", str(uploaded), "fw://lab/P", "--json")).values()) == {"same"}


def test_one_file_that_fails(said: Say, uploaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("back/README.md").mkdir(parents=True)
    assert main(["flywheel", "cp", "-r", "fw://lab/P", "back", "--json"]) == 1
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert states(rows)["README.md"] == "failed"
    assert [row["state"] for row in rows].count("copied") == 5
    assert json.loads(err)["error"]["message"].startswith("fw://lab/P/README.md: ")
    assert len(err.splitlines()) == 1


def test_content_that_differs_from_its_record(
    said: Say, uploaded: Path, asyncclient_flywheel: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncclient_flywheel.state.fail_next(200, method="GET", path="/api/projects/*/files/*", body=b"raed me")
    assert main(["flywheel", "cp", "fw://lab/P/README.md", "copy.md"]) == 1
    assert capsys.readouterr().err.startswith("asyncclient: fw://lab/P/README.md: ")
    assert not Path("copy.md").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cp", "a", "b"), "one of the two paths must begin with fw://"),
        (("cp", "fw://lab", "fw://x"), "one of the two paths must begin with fw://"),
        (("cp", "fw://lab/../x", "y"), "a path is of names"),
        (("cp", "fw://lab/P", "y"), "is no file; --recursive copies everything"),
        (("cp", "-r", "fw://", "y"), "name a group"),
        (("cp", "-r", "fw://lab/P", "study/README.md"), "is a file; give a folder"),
        (("cp", "study", "fw://lab/P"), "is a folder; --recursive copies"),
        (("cp", "missing", "fw://lab/P"), "there is no such file"),
        (("cp", "study/README.md", "fw://lab"), "is of kind group; files go to project"),
        (("cp", "-r", "study", "fw://lab"), "a group holds no files"),
        (("cp", "-r", "study", "fw://lab/P/s-01"), "lies too deep"),
        (("cp", "-r", "study/s-02", "fw://lab/P/README.md"), "is of kind file"),
        (("jobs", "--log"), "need the id of a job"),
        (("view", "fw://lab/P"), "give either --saved"),
        (("view", "fw://lab/P", "--files", "x"), "--files takes kind:pattern"),
        (("view", "fw://lab/P/README.md", "-c", "subject.label"), "views run on containers"),
    ],
)
def test_what_cannot_start(
    uploaded: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert main(["flywheel", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_what_is_not_there(uploaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("fw://nothing", "fw://lab/Q", "fw://lab/P/none.txt"):
        assert main(["flywheel", "cp", path, "x"]) == 4
        err = capsys.readouterr().err
        assert err.startswith("asyncclient: ")
        assert len(err.splitlines()) == 1
    assert main(["flywheel", "ls", "fw://lab/Q", "--debug"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FLYWHEEL_API_KEY", "very-secret")
    assert main(["flywheel", "ls"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("asyncclient: Invalid API key: ")
    assert "very-secret" not in err
    monkeypatch.delenv("FLYWHEEL_API_KEY")
    assert main(["flywheel", "ls"]) == 3
    err = capsys.readouterr().err
    assert all(words in err for words in ("Must login", "FLYWHEEL_API_KEY", "`fw login`", "user.json"))


def test_views(said: Say, uploaded: Path) -> None:
    text = said("view", "fw://lab/P", "-c", "subject.label", "-c", "session.label")
    found = [(row["subject.label"], row["session.label"]) for row in csv.DictReader(io.StringIO(text))]
    assert found == [("s-01", "visit 1"), ("s-02", "visit 1")]
    data = said("view", "fw://lab/P", "-c", "subject.label", "--json")["data"]
    assert [row["subject.label"] for row in data] == ["s-01", "s-02"]
    assert (
        said("view", "fw://lab/P", "-c", "subject.label", "-o", "rows.tsv", "--format", "tsv") == "Wrote 'rows.tsv'\n"
    )
    assert "\ts-01" in Path("rows.tsv").read_text("utf-8")
    assert "subject.label" in {row["name"] for row in said("view", "--json")}


GEAR = {
    "gear": {
        "name": "mygear",
        "label": "My gear",
        "description": "does",
        "version": "1.0",
        "author": "a",
        "license": "MIT",
        "source": "s",
        "url": "u",
        "inputs": {"in": {"base": "file"}},
        "config": {},
    },
    "category": "utility",
    "exchange": {"git-commit": "x", "rootfs-hash": "x", "rootfs-url": "x"},
}


def test_jobs(said: Say, uploaded: Path, asyncclient_flywheel: Server, capsys: pytest.CaptureFixture[str]) -> None:
    state = asyncclient_flywheel.state
    Path("gear.json").write_text(json.dumps(GEAR))
    gear = json.loads(said("api", "gears", "add_gear", "-p", "gear_name=mygear", "-p", "body=@gear.json"))
    source = {"type": "project", "id": state.find("lab", "P").id, "name": "README.md"}
    Path("job.json").write_text(json.dumps({"gear_id": gear, "inputs": {"in": source}}))
    first, second = (json.loads(said("api", "jobs", "add_job", "-p", "body=@job.json")) for _ in range(2))
    assert "mygear 1.0" in said("jobs", first)
    assert {row["state"] for row in said("jobs", "--json")} == {"pending"}
    assert len(said("jobs", "-l", "1").splitlines()) == 3
    said("jobs", first, "--cancel")
    state.finish_job(second)
    assert [row["_id"] for row in said("jobs", "--state", "complete", "--gear", "mygear", "--json")] == [second]
    assert said("jobs", second, "--wait", "--json")["state"] == "complete"
    assert main(["flywheel", "jobs", first, "--wait"]) == 1
    assert "cancelled" in capsys.readouterr().out
    assert said("jobs", second, "--log", "--json") == []
    assert main(["flywheel", "jobs", "unknown"]) == 4
    assert capsys.readouterr().err.startswith("asyncclient: (404)")


def test_operations(
    said: Say, uploaded: Path, asyncclient_flywheel: Server, start: Callable[..., subprocess.Popen[str]]
) -> None:
    project = asyncclient_flywheel.state.find("lab", "P")
    found = json.loads(said("api", "ProjectsApi", "get-project", "--param", f"project-id={project.id}"))
    assert (found["_id"], found["label"]) == (project.id, "P")
    assert said("api", "projects_api", "add_project_tag", "-p", f"cid={project.id}", "-p", "body=new")
    assert project.tags == ["new"]
    rows = said("api", "projects", "get_all_projects", "-p", "limit=1", "-p", "exhaustive=TRUE", "--json")
    assert [row["label"] for row in rows] == ["P"]
    name = "download_file_from_project_as_data"
    options = ("-p", f"project_id={project.id}", "-p", "file_name=README.md")
    child = start("flywheel", "api", "projects", name, *options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (0, "read me", "")
    assert said("api", "projects", "delete_project", "-p", f"project_id={project.id}") is not None


def test_interrupted(start: Callable[..., subprocess.Popen[str]], uploaded: Path, asyncclient_flywheel: Server) -> None:
    asyncclient_flywheel.state.delay(60, path="/api/projects/*/files/*")
    child = start("flywheel", "cp", "-r", "fw://lab/P", "back", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wanted = Path("back/s-01/visit 1/T1w/größe.nii")
    while not wanted.exists() and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "asyncclient: interrupted\n")
    assert not Path("back/README.md").exists()


def test_a_bar_on_a_terminal(start: Callable[..., subprocess.Popen[str]], uploaded: Path) -> None:
    ours, theirs = os.openpty()
    child = start("flywheel", "cp", "-r", "fw://lab/P", "back", "--json", stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side of a terminal is closed
        pass
    os.close(ours)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert "━".encode() in shown
    assert b"6/6 files" in shown
    assert len(json.loads(out)) == 6
