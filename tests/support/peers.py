"""Servers that nobody here wrote, each in a process of its own on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["google", "moto", "nginx"]

_NGINX = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {root}; }}
        location /plain/ {{ alias {root}/; max_ranges 0; }}
        location /noetag/ {{ alias {root}/; etag off; }}
    }}
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[str]:
    """Run a server and yield its base URL once it listens."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                break
            assert child.poll() is None, f"{command[0]} did not start"
            assert time.monotonic() < end_s, f"{command[0]} does not listen"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def _need(found: object, what: str) -> None:
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)


@contextlib.contextmanager
def nginx(root: Path, folder: Path) -> Iterator[str]:
    """Serve a folder; below ``/plain/`` without ranges, below ``/noetag/`` without etags."""
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # Debian: not in a user's path
    _need(binary, "nginx is not installed; tests/install-servers.sh installs it on Debian")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, root=root, port=port), "utf-8")
    with running([str(binary), "-p", str(folder), "-c", str(config)], port) as url:
        yield url


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """Run moto's S3."""
    _need(find_spec("moto") and find_spec("flask"), "moto[server] is not installed")
    port = free_port()
    with running(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port
    ) as url:
        yield url


@contextlib.contextmanager
def google(bucket: str) -> Iterator[str]:
    """Run an emulator of Google storage, in memory."""
    _need(find_spec("gcp_storage_emulator"), "gcp-storage-emulator is not installed")
    port = free_port()
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running([*command, "--in-memory", "--default-bucket", bucket], port) as url:
        yield url
