"""The examples are programs: each runs, against the emulator, as it is printed in the documents."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from asyncclient.testing import Server

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

RunExample = Callable[..., str]


@pytest.fixture
def environment(asyncclient_las: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's credentials where programs look for them."""
    for name, value in asyncclient_las.credentials().items():
        monkeypatch.setenv(f"LAS_{name.upper()}", value)


@pytest.fixture
def run_example(environment: None) -> RunExample:
    def run(name: str, *arguments: object) -> str:
        command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    return run


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


@pytest.fixture
def platform(asyncclient_voxel51: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The emulator of the Voxel51 Platform, its keys where programs look for them."""
    given = asyncclient_voxel51.credentials()
    for level, key in (("API", "private_key"), ("APP", "application_key")):
        monkeypatch.setenv(f"VOXEL51_{level}_PRIVATE_KEY", given[key])
        monkeypatch.setenv(f"VOXEL51_{level}_BASE_URL", given["base_api_url"])
    return asyncclient_voxel51


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

    lines = run_example("voxel51_application.py", tmp_path / "clip.mp4").splitlines()

    assert sorted(lines) == [
        "alice has ['alice.mp4']",
        "bob has ['bob.mp4']",
        "users ['alice', 'bob']",
    ]


@pytest.mark.anyio
async def test_web_service(environment: None) -> None:
    app = _load("web_service").app
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as browser,
    ):
        created = await browser.post("/invoices", content=b"%PDF-1.4 an invoice")
        found = await browser.get(f"/invoices/{created.json()['id']}")
        refused = await browser.post("/invoices", content=b"")
        missing = await browser.get("/invoices/las:document:" + "0" * 32)

    assert found.json()["contentType"] == "application/pdf"
    assert (refused.status_code, missing.status_code) == (422, 404)
    assert app.state.documents._hub.closed


def test_the_example_of_a_test_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "test_invoices.py")]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_every_example_is_run() -> None:
    """Here, or with the tests of its service."""
    folders = [Path(__file__).parent, *(Path(__file__).parents[1] / name for name in ("flywheel", "sticky_pi"))]
    tests = "".join(path.read_text("utf-8") for folder in folders for path in folder.glob("test_*.py"))
    assert [path.name for path in EXAMPLES.glob("*.py") if path.stem not in tests] == []


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
