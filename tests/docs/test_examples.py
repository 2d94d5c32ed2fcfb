"""The examples are programs: each runs, against the emulator, as it is printed in the documents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient.testing import Server
from tests.docs.conftest import EXAMPLES, RunExample
from tests.support.processes import free_port, running


def test_async_documents(run_example: RunExample, asyncclient_las: Server, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.pdf").write_bytes(b"%PDF-1.4\n" + bytes([number]) * 1000)
    (tmp_path / "other.txt").write_bytes(b"not a PDF")

    lines = run_example("async_documents.py", tmp_path).splitlines()

    uploaded = [line.split()[1] for line in lines if line.startswith("uploaded")]
    listed = [line.split()[1] for line in lines if line.startswith("listed")]
    assert len(uploaded) == 20
    assert sorted(uploaded) == sorted(listed)
    assert asyncclient_las.state.counters["create_document"] == 20


def test_sync_documents(run_example: RunExample, tmp_path: Path) -> None:
    (tmp_path / "invoice.pdf").write_bytes(b"%PDF-1.4\n" + bytes(5000))

    lines = run_example("sync_documents.py", tmp_path / "invoice.pdf", tmp_path / "copy.pdf").splitlines()

    assert lines == ["came back: 5009 bytes", "deleted: 404"]
    assert (tmp_path / "copy.pdf").read_bytes() == (tmp_path / "invoice.pdf").read_bytes()


def test_telemetry_spans(run_example: RunExample) -> None:
    assert run_example("telemetry_spans.py").splitlines() == [
        "POST 200",
        "get_access_token ",
        "GET 200",
        "list_documents ",
        "nightly report ",
    ]


def test_telemetry_observer(run_example: RunExample) -> None:
    assert run_example("telemetry_observer.py").splitlines() == ["{200: 2} {}", '{"control": 0, "bulk": 0}']


def test_voxel51_user(run_example: RunExample, platform: Server, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(bytes(5000))

    lines = run_example("voxel51_user.py", tmp_path / "clip.mp4", tmp_path / "labels.json").splitlines()

    assert lines == ["uploaded clip.mp4", f"wrote {tmp_path / 'labels.json'}"]
    assert json.loads((tmp_path / "labels.json").read_text("utf-8"))


def test_voxel51_batch(run_example: RunExample, platform: Server, tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.mp4").write_bytes(bytes([number]) * 1000)

    lines = run_example("voxel51_batch.py", tmp_path).splitlines()

    assert lines[:10] == [f"wrote {number}.json" for number in range(10)]
    assert sorted(lines[10:]) == [f"job {number} COMPLETE" for number in range(10)]
    assert all((tmp_path / f"{number}.json").stat().st_size for number in range(10))


def test_voxel51_application(run_example: RunExample, platform: Server, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(bytes(5000))

    for names in (["alice.mp4"], ["alice.mp4", "alice.mp4"]):  # the second time the users are there, and have a file
        lines = run_example("voxel51_application.py", tmp_path / "clip.mp4").splitlines()

        assert sorted(lines) == [
            f"alice has {names}",
            f"bob has {[name.replace('alice', 'bob') for name in names]}",
            "users ['alice', 'bob']",
        ]


def test_voxel51_parts(run_example: RunExample, platform: Server, play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = platform.credentials()
    for level, name, key in (("API", "token.json", "private_key"), ("APP", "app-token.json", "application_key")):
        monkeypatch.delenv(f"VOXEL51_{level}_PRIVATE_KEY")
        monkeypatch.delenv(f"VOXEL51_{level}_BASE_URL")
        token = {"access_token": {"private_key": given[key], "base_api_url": given["base_api_url"]}}
        Path(name).touch(0o600)  # else it is said that others could read it
        Path(name).write_text(json.dumps(token), "utf-8")
    for name in ("a.mp4", "b.mp4"):
        Path(name).write_bytes(bytes(5000))

    lines = run_example("voxel51_parts.py").splitlines()

    assert any(line.endswith(" analytics") for line in lines)
    assert "1 file of carol" in lines


def test_retries(run_example: RunExample) -> None:
    assert run_example("retries.py") == ""


def test_digests(run_example: RunExample, tmp_path: Path) -> None:
    (tmp_path / "scan.dcm").write_bytes(b"a")
    assert run_example("digests.py", tmp_path).splitlines() == [
        "scan.dcm 0cc175b9c0f1b6a831c399e269772661",
        "8388608 True",
    ]


def test_lfview_async(run_example: RunExample, asyncclient_lfview: Server) -> None:
    given = asyncclient_lfview.credentials()
    assert run_example("lfview_async.py", given["api_key"], given["discovery_url"]) == "Drill holes 1\n"


def test_telemetry_process(run_example: RunExample) -> None:
    assert run_example("telemetry_process.py").splitlines() == ["get_access_token", "list_documents"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["test_invoices.py", "test_views.py", "test_without_emulator.py"])
def test_the_examples_of_tests_pass(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / name)]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("server", ["command", "application"])
def test_sticky_pi_bundles(server: str, run_example: RunExample, play: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("SECRET_API_KEY", "k" * 40)
    monkeypatch.setenv("LOCAL_DIR", str(play / "store"))
    monkeypatch.setenv("API_ADMIN_NAME", "ada")
    monkeypatch.setenv("API_ADMIN_PASSWORD", "her password")
    monkeypatch.setenv("STICKY_PI_USERNAME", "ada")
    monkeypatch.setenv("STICKY_PI_PASSWORD", "her password")
    command = {
        "command": ["asyncclient.cli", "sticky-pi", "serve", "--local-dir", str(play / "store")],
        "application": ["uvicorn", "--app-dir", str(EXAMPLES), "sticky_pi_app:app"],
    }[server]
    for name in ("output/model_final.pth", "config/config.yaml"):
        path = Path("insect-net") / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode() * 100)
    with running([sys.executable, "-m", *command, "--port", str(port)], port, play / "log") as url:
        run_example("sticky_pi_bundles.py", "cache", url)
    model = Path("insect-net/output/model_final.pth")
    assert (Path("fetched") / model).read_bytes() == model.read_bytes()


def test_every_example_is_run() -> None:
    """Here, or with the tests of its service."""
    folders = [Path(__file__).parent, *(Path(__file__).parents[1] / name for name in ("flywheel", "sticky_pi"))]
    tests = "".join(path.read_text("utf-8") for folder in folders for path in folder.glob("test_*.py"))
    programs = [path for path in EXAMPLES.rglob("*.py") if "sixth_service" not in path.parts]  # tests/codegen runs it
    assert [path.name for path in programs if path.stem not in tests] == []
