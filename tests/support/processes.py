"""Servers no one here wrote, each in a process of its own, on free ports of 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

__all__ = ["ASGI_SERVERS", "asgi_server", "free_port", "need", "nginx", "require", "running"]

ROOT = Path(__file__).parent.parent.parent
_START_S = 30.0


_PORTS = range(20_000, 32_000)
"""Below those that systems give to connections of clients: nobody gets one between a look at it and its use."""


_given: set[int] = set()


def free_port() -> int:
    """Find a port nobody listens on."""
    for port in random.sample(_PORTS, 100):
        if port not in _given:
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                _given.add(port)
                return port
    raise RuntimeError("no port is free")


def require(program: str) -> str:
    """Return the path of a program; without it skip the test, or fail it with CI=true."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")  # Debian: not in a user's path
    need(path, f"{program} is not installed; tests/install-servers.sh installs it on Debian")
    return str(path)


def need(found: object, what: str) -> None:
    """Skip the test if something was not found, or fail it with CI=true."""
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)


@contextlib.contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[str]:
    """Run a server until the block ends; begins when its port accepts connections. Gives its base URL."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.02)


APP = "tests.support.asgi_app:app"
ASGI_SERVERS = {
    "uvicorn-h11": ["uvicorn", APP, "--http", "h11", "--port", "{port}", "--log-level", "warning"],
    "uvicorn-httptools": ["uvicorn", APP, "--http", "httptools", "--port", "{port}", "--log-level", "warning"],
    "hypercorn": ["hypercorn", APP, "--bind", "127.0.0.1:{port}"],
    "granian": [
        "granian",
        APP,
        "--interface",
        "asgi",
        "--port",
        "{port}",
        "--host",
        "127.0.0.1",
        "--log-level",
        "error",
    ],
}


@contextlib.contextmanager
def asgi_server(name: str, folder: Path) -> Iterator[int]:
    """Run one of :data:`ASGI_SERVERS` with the application of ``asgi_app``; gives its port."""
    module, *arguments = ASGI_SERVERS[name]
    pytest.importorskip(module)
    port = free_port()
    command = [sys.executable, "-m", module, *(argument.format(port=port) for argument in arguments)]
    with running(command, port, folder / f"{name}.log"):
        yield port


_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    types {{ text/plain txt; }}
    root {folder}/www;
    client_max_body_size 0;
{extra}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path, port: int, servers: str) -> Iterator[None]:
    """Run nginx with these ``server`` blocks; files are served from ``folder/www``.

    Args:
        folder: Its own; braces around ``folder`` in ``servers`` are replaced by it.
        port: One of those it listens on.
        servers: Configuration inside ``http``.
    """
    program = require("nginx")
    (folder / "www").mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, extra=servers.replace("{folder}", str(folder))))
    command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
    with running(command, port, folder / "output.log"):
        yield
