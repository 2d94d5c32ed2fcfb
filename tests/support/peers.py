"""Servers that nobody here wrote, each in a process of its own on a free port."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.support.processes import free_port, need, require, running

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


@contextlib.contextmanager
def nginx(root: Path, folder: Path) -> Iterator[str]:
    """Serve a folder; below ``/plain/`` without ranges, below ``/noetag/`` without etags."""
    binary, port = require("nginx"), free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, root=root, port=port), "utf-8")
    with running([binary, "-p", str(folder), "-c", str(config)], port, folder / "output.log") as url:
        yield url


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[str]:
    """Run moto's S3; its output goes into a folder."""
    need(find_spec("moto") and find_spec("flask"), "moto[server] is not installed")
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, folder / "moto.log") as url:
        yield url


@contextlib.contextmanager
def google(folder: Path, bucket: str) -> Iterator[str]:
    """Run an emulator of Google storage, in memory; its output goes into a folder."""
    need(find_spec("gcp_storage_emulator"), "gcp-storage-emulator is not installed")
    port = free_port()
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running([*command, "--in-memory", "--default-bucket", bucket], port, folder / "google.log") as url:
        yield url
