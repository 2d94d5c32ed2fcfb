"""The web services of the documents, under uvicorn in a process of their own, over real sockets."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient.testing import Server
from tests.docs.conftest import EXAMPLES
from tests.support.processes import free_port, running

CLIP = bytes(range(256)) * 4096 * 24  # 24 MiB
HALF = len(CLIP) // 2


@contextmanager
def served(app: str, log: Path) -> Iterator[str]:
    port = free_port()
    options = ["--app-dir", str(EXAMPLES), "--port", str(port), "--no-access-log"]
    with running([sys.executable, "-m", "uvicorn", app, *options], port, log) as url:
        yield url


@pytest.fixture
def files(platform: Server, tmp_path: Path) -> Iterator[httpx.Client]:
    with served("web_service_files:app", tmp_path / "log") as url, httpx.Client(base_url=url) as browser:
        yield browser
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_there_and_back(files: httpx.Client) -> None:
    pieces = (CLIP[at : at + 65_536] for at in range(0, len(CLIP), 65_536))
    stored = files.post("/videos/clip.mp4", content=pieces).json()
    assert files.get(f"/videos/{stored['id']}").content == CLIP
    assert files.get("/videos/nothing").status_code == 404
    assert files.get("/health").json() == {"open": True, "failures": 1, "lanes": {"control": 0, "bulk": 0}}


def test_an_upload_goes_through_and_is_not_held(files: httpx.Client) -> None:
    def content() -> Iterator[bytes]:
        yield CLIP[:HALF]
        # Not all of what was sent is read yet on the other side, but it does not wait for the rest.
        until(lambda: httpx.get(files.base_url.join("/statistics")).json()["bytes_sent"] > HALF // 2)
        yield CLIP[HALF:]

    stored = files.post("/videos/clip.mp4", content=content()).json()
    assert files.get(f"/videos/{stored['id']}").content == CLIP


def test_a_browser_that_goes_away_while_it_sends(files: httpx.Client, platform: Server) -> None:
    with socket.create_connection((files.base_url.host, files.base_url.port)) as browser:
        browser.sendall(b"POST /videos/clip.mp4 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(CLIP))
        browser.sendall(CLIP[:HALF])
        until(lambda: files.get("/health").json()["lanes"]["bulk"] == 1)
    until(lambda: files.get("/health").json()["lanes"]["bulk"] == 0)
    assert files.get("/statistics").json()["waiting"] == 0


def test_a_browser_that_goes_away_while_it_receives(files: httpx.Client) -> None:
    stored = files.post("/videos/clip.mp4", content=CLIP).json()
    before = files.get("/statistics").json()["bytes_received"]
    with socket.create_connection((files.base_url.host, files.base_url.port)) as browser:
        browser.sendall(f"GET /videos/{stored['id']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert browser.recv(1000).startswith(b"HTTP/1.1 200")
        assert files.get("/health").json()["lanes"]["bulk"] == 1  # slow browser, slow download: it waits
    until(lambda: files.get("/health").json()["lanes"]["bulk"] == 0)
    assert files.get("/statistics").json()["bytes_received"] - before < len(CLIP)


def test_documents(environment: None, tmp_path: Path) -> None:
    with served("web_service:app", tmp_path / "log") as url, httpx.Client(base_url=url) as browser:
        created = browser.post("/invoices", content=b"%PDF-1.4 an invoice").json()
        assert browser.get(f"/invoices/{created['id']}").json()["contentType"] == "application/pdf"
        assert browser.post("/invoices", content=b"").status_code == 422
        assert browser.get("/invoices/las:document:" + "0" * 32).status_code == 404
