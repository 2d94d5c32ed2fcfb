"""``asyncclient voxel51`` against the emulator: real work, from files to outputs, in text and in JSON."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import main
from asyncclient.testing import Server

Say = Callable[..., Any]


@pytest.fixture
def asyncclient_voxel51_options() -> dict[str, Any]:
    return {"pending_polls": 2}


@pytest.fixture(autouse=True)
def _as_user(asyncclient_voxel51: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("VOXEL51_API_PRIVATE_KEY", asyncclient_voxel51.credentials()["private_key"])
    monkeypatch.setenv("VOXEL51_API_BASE_URL", asyncclient_voxel51.url)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    """A function that runs a command, which has to work, and gives what it prints: text, or with --json the value."""

    def run(*arguments: str) -> Any:
        code = main(["voxel51", *arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip ü.mp4"
    path.write_bytes(bytes(range(256)) * 2000)
    return path


def ready_job(said: Say, clip: Path, *options: str) -> str:
    (data_id,) = said("data", "upload", str(clip), "--print-id").split()
    request = {"analytic": "voxel51/vehicle-sense", "inputs": {"video": {"data-id": data_id}}, "parameters": {}}
    Path("request.json").write_text(json.dumps(request))
    return str(said("jobs", "upload", "-r", "request.json", "-n", "my job", "--print-id", *options)).strip()


def test_from_a_file_to_an_output(said: Say, clip: Path, asyncclient_voxel51: Server) -> None:
    job_id = ready_job(said, clip)
    assert said("jobs", "start", job_id) == "1/1 job(s) started\n"
    states = [said("jobs", "info", job_id, "--json")[job_id]["response"]["state"] for _ in range(3)]
    assert states == ["QUEUED", "SCHEDULED", "COMPLETE"]
    assert said("jobs", "download", job_id) == f"Downloaded '{job_id}' to 'labels.json'\n"
    output = json.loads(Path("labels.json").read_text("utf-8"))
    assert output["inputs"]["video"]["name"] == clip.name
    assert output["inputs"]["video"]["size"] == clip.stat().st_size
    assert said("jobs", "download", job_id, "-p", "folder/o.json", "--json") == {"id": job_id, "path": "folder/o.json"}
    assert Path("folder/o.json").read_bytes() == Path("labels.json").read_bytes()
    assert said("jobs", "download", job_id, "-u").startswith(f"{asyncclient_voxel51.url}/signed/")
    assert json.loads(said("jobs", "request", job_id))["analytic"] == "voxel51/vehicle-sense"
    assert said("jobs", "status", job_id, "-p", "s.json") == f"Status for job '{job_id}' written to 's.json'\n"
    assert json.loads(Path("s.json").read_text())["state"] == "COMPLETE"
    assert said("jobs", "status", job_id, "-p", "s.json", "--json") == {"path": "s.json"}


def test_data_there_and_back(said: Say, clip: Path) -> None:
    rows = said("data", "upload", str(clip), str(clip), "--json")
    assert [row["path"] for row in rows] == [str(clip)] * 2
    listed = said("data", "list", "-c").splitlines()
    assert listed[-2] == "Showing 2 data, 1000KB"
    assert len(said("data", "list", "--json", "-l", "1")) == 1
    data_id = rows[0]["id"]
    clip.rename("original")
    assert said("data", "download", data_id) == f"Downloaded '{data_id}' to 'clip ü.mp4'\n"
    assert clip.read_bytes() == Path("original").read_bytes()
    assert said("data", "download", data_id, "--url", "--json")["url"].startswith("http://127.0.0.1:")
    assert said("data", "ttl", "--date", "2999-12-31T12:00:00Z", data_id) == "1/1 data TTL(s) updated\n"
    assert "2999-12-31" in said("data", "info", "-a", data_id)
    assert said("data", "delete", data_id, "--json") == {data_id: {"success": True}}


def test_a_file_that_is_missing(said: Say, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voxel51", "data", "upload", "missing.mp4", str(clip), "--json"]) == 1
    out, err = capsys.readouterr()
    assert [row["path"] for row in json.loads(out)] == [str(clip)]
    assert json.loads(err.splitlines()[-1])["error"]["message"].startswith("missing.mp4: ")
    assert main(["voxel51", "data", "upload", "missing.mp4"]) == 1
    assert main(["voxel51", "data", "upload", "."]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_all_of_them(said: Say, clip: Path, monkeypatch: pytest.MonkeyPatch, asyncclient_voxel51: Server) -> None:
    for _ in range(2):
        said("data", "upload", str(clip), "--print-id")
    assert len(said("data", "delete", "--all", "--dry-run").split()) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("perhaps\nyes\n"))
    out = said("data", "delete", "--all")
    assert out.splitlines()[0] == "Found 2 data to delete"
    assert out.count("Are you sure you want to continue? [y/N] ") == 2
    assert out.endswith("2/2 data deleted\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert said("data", "list", "--json") == []
    ready_job(said, clip)
    assert said("jobs", "delete", "--all").startswith("Found 1 job(s) to delete\nAre you sure")
    assert len(said("jobs", "list", "--json")) == 1
    assert said("jobs", "list", "-s", "archived:True", "--json") == []
    assert said("jobs", "archive", "--all", "--force").endswith("1/1 job(s) archived\n")
    assert said("jobs", "unarchive", "-a", "-f").endswith("1/1 job(s) unarchived\n")
    assert said("jobs", "start", "-a", "-f").endswith("1/1 job(s) started\n")
    assert said("jobs", "kill", "-a", "-f").endswith("1/1 job(s) killed\n")
    assert said("jobs", "list", "--failed", "--json")[0]["failure_type"] == "USER"
    assert said("jobs", "ttl", "-a", "-f", "--days", "1").endswith("1/1 job TTL(s) updated\n")


def test_what_the_platform_refuses(said: Say, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job_id = ready_job(said, clip)
    assert main(["voxel51", "jobs", "kill", job_id, "nothing"]) == 1
    out, _ = capsys.readouterr()
    assert out.splitlines() == [
        f"Failed to kill job '{job_id}': Only queued and scheduled jobs can be killed",
        "Failed to kill job 'nothing': Job not found",
        "0/2 job(s) killed",
    ]
    assert main(["voxel51", "jobs", "download", job_id]) == 1
    assert capsys.readouterr().err == "asyncclient: 400: The job is not complete\n"
    assert not Path("labels.json").exists()
    Path("bad.json").write_text("[")
    assert main(["voxel51", "jobs", "upload", "-r", "bad.json", "-n", "x"]) == 2
    assert capsys.readouterr().err.startswith("asyncclient: bad.json: is not a job request: ")


def test_an_output_with_a_name_that_leads_away(said: Say, clip: Path, asyncclient_voxel51: Server) -> None:
    job_id = ready_job(said, clip, "--auto-start")
    asyncclient_voxel51.state.give_output(job_id, b"out", "../../away.json")
    asyncclient_voxel51.state.settle()
    assert said("jobs", "download", job_id) == f"Downloaded '{job_id}' to 'away.json'\n"
    assert Path("away.json").read_bytes() == b"out"


def test_analytics(said: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = {"info": {"name": "me/x", "version": "0.10", "description": "D", "supports_cpu": True}}
    Path("a.json").write_text(json.dumps(doc))
    Path("i.tar").write_bytes(b"image")
    out = said("analytics", "upload", "a.json")
    assert "version            0.10" in out.splitlines()
    (row,) = said("analytics", "list", "--user", "--pending-only", "--json")
    said("analytics", "upload-image", "--id", row["id"], "--path", "i.tar", "--image-type", "cpu")
    assert said("analytics", "list", "--user", "--exclude-pending", "-c").endswith("Found 1 analytic(s)\n\n")
    assert len(said("analytics", "list", "--public", "--all-versions", "--json")) == 3
    assert json.loads(said("analytics", "doc", row["id"])) == said("analytics", "doc", row["id"], "--json") == doc
    assert said("analytics", "info", row["id"], "-a").splitlines()[2].endswith("  D")
    assert len(said("analytics", "info", row["id"], row["id"], "--json")) == 1
    Path("r.json").write_text('{"analytic": "me/x"}')
    job = said("jobs", "upload", "-r", "r.json", "-n", "x", "--auto-start", "--json")
    assert "Job queued" in said("jobs", "log", job["id"])
    assert said("jobs", "log", job["id"], "--url").startswith("http://127.0.0.1:")
    assert said("jobs", "log", job["id"], "-p", "l.txt") == f"Logfile for job '{job['id']}' written to 'l.txt'\n"
    assert "Job queued" in Path("l.txt").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "deleted" not in said("analytics", "delete", row["id"])
    assert said("analytics", "delete", row["id"], "-f", "--json") == {"deleted": [row["id"]]}


def test_status(said: Say) -> None:
    assert said("status", "-p").splitlines()[2].split()[:2] == ["platform", "True"]


def test_interrupted(start: Callable[..., subprocess.Popen[str]], clip: Path, asyncclient_voxel51: Server) -> None:
    asyncclient_voxel51.state.delay(60, path="/data")
    child = start("voxel51", "data", "upload", str(clip), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == f"Uploading data '{clip}'\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "asyncclient: interrupted\n")


@pytest.mark.parametrize("piped", [True, False])
def test_bars_on_a_terminal(start: Callable[..., subprocess.Popen[str]], clip: Path, piped: bool) -> None:
    ours, theirs = os.openpty()
    child = start("voxel51", "data", "upload", str(clip), stdout=subprocess.PIPE if piped else theirs, stderr=theirs)
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
    assert b"512.0/512.0 kB" in shown
    assert (b"Uploading data" in shown) is not piped
    if piped:  # the result alone, bars are elsewhere
        assert out.splitlines()[:2] == [f"Uploading data '{clip}'", ""]


def test_any_operation(said: Say, clip: Path) -> None:
    (data_id,) = said("data", "upload", str(clip), "--print-id").split()
    assert [row["id"] for row in json.loads(said("api", "data", "list_data"))] == [data_id]
    assert json.loads(said("api", "data", "get_data_details", "-p", f"data_id={data_id}"))["name"] == clip.name
    assert said("api", "jobs", "--json") == sorted(said("api", "jobs").split())
