"""Servers for benchmarks: they cost as little as possible, so that the client is what is measured."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httptools

__all__ = ["ANSWER", "PATH", "TOKEN", "serving"]

ASSET_ID: Final = "las:asset:" + "0123456789abcdef" * 2
PATH: Final = f"/v1/assets/{ASSET_ID}"
TOKEN: Final = json.dumps({"access_token": "t" * 800, "expires_in": 86_400, "token_type": "Bearer"})
# What the service answers to get_asset, about 1 KiB.
ANSWER: Final = json.dumps(
    {
        "assetId": ASSET_ID,
        "content": "A" * 700,
        "createdBy": "las:app-client:" + "fedcba9876543210" * 2,
        "createdTime": "2024-11-29T10:11:12.131415+00:00",
        "description": "a small answer, as most answers are",
        "name": "benchmark",
        "updatedBy": None,
        "updatedTime": None,
    }
)

_CONFIG: Final = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location /token {{ return 200 '{token}'; }}
        location /v1/ {{ return 200 '{answer}'; }}
    }}
}}
"""


@contextlib.contextmanager
def serving(kind: str | None = None) -> Iterator[tuple[str, str]]:
    """Serve ``PATH`` and ``/token``; yield the base URL and the name of the server.

    Args:
        kind: ``nginx`` or ``asyncio``. Default: nginx where it is installed.
    """
    kind = kind or ("nginx" if _nginx() else "asyncio")
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="asyncclient-benchmark-") as folder:
        child = subprocess.Popen(_command(kind, port, Path(folder)))
        try:
            _wait_until_listening(port, child)
            yield f"http://127.0.0.1:{port}", kind
        finally:
            child.terminate()
            child.wait(10)


def _command(kind: str, port: int, folder: Path) -> list[str]:
    if kind == "asyncio":
        return [sys.executable, __file__, str(port)]
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, token=TOKEN, answer=ANSWER), "utf-8")
    return [_nginx() or "nginx", "-p", str(folder), "-c", str(config)]


def _nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")  # Debian: not in a user's path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_until_listening(port: int, child: subprocess.Popen[bytes], timeout_s: float = 10.0) -> None:
    end_s = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        if child.poll() is not None or time.monotonic() > end_s:
            raise RuntimeError("the benchmark server did not start")
        time.sleep(0.02)


class _StaticAnswers(asyncio.Protocol):
    """Answers every request from memory; for machines without nginx."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._body = TOKEN if url.startswith(b"/token") else ANSWER

    def on_message_complete(self) -> None:
        body = self._body.encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(head + body)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_StaticAnswers, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
