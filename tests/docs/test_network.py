"""The ways through the network of the documents, each with a real proxy or server on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvicorn

from asyncclient import testing
from tests.docs.conftest import EXAMPLES
from tests.httpx.conftest import serve_raw
from tests.httpx.test_proxies import ForwardProxy, pipe
from tests.support.processes import free_port, running


class Application:
    """The emulator of las, and how it was reached."""

    def __init__(self) -> None:
        self.emulator = testing.app("las")
        self.versions: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.versions.add(scope["http_version"])
        await self.emulator(scope, receive, send)


@pytest.fixture
def application() -> Application:
    return Application()


async def run(application: Application, url: str, *arguments: str) -> None:
    """Run the example against the emulator at an address."""
    names = application.emulator.credentials(url)
    environment = {**os.environ, **{f"LAS_{name.upper()}": value for name, value in names.items()}}
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        str(EXAMPLES / "network.py"),
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await program.communicate()
    assert program.returncode == 0, err.decode()
    assert out.decode() == "{'datasets': [], 'nextToken': None}\n"


@contextlib.asynccontextmanager
async def served(application: Application, **options: Any) -> AsyncIterator[int]:
    config = uvicorn.Config(
        application, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1, **options
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1] if "uds" not in options else 0
    finally:
        server.should_exit = True
        await task


@pytest.mark.anyio
async def test_http2_through_a_proxy(
    application: Application, authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued, port, proxy = authority.issue_cert("localhost"), free_port(), ForwardProxy()
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    monkeypatch.setenv("VERSIONS_FILE", str(tmp_path / "versions"))
    command = [sys.executable, "-m", "hypercorn", "tests.docs.versions_app:app", "--bind", f"127.0.0.1:{port}"]
    command += ["--certfile", str(tmp_path / "cert.pem"), "--keyfile", str(tmp_path / "key.pem")]
    # In a process of its own: what hypercorn says of streams that end early is its affair.
    with running(command, port, tmp_path / "log"):
        async with serve_raw(proxy) as at:
            way = ("http2", f"http://ada:word@127.0.0.1:{at}", str(ca_file))
            await run(application, f"https://localhost:{port}", *way)
    assert set(proxy.lines) == {f"CONNECT localhost:{port} HTTP/1.1"}
    assert set((tmp_path / "versions").read_text().split()) == {"2"}


@pytest.mark.anyio
async def test_the_proxy_of_the_environment(
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = ForwardProxy()
    async with served(application) as port, serve_raw(proxy) as at:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{at}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        await run(application, f"http://127.0.0.1:{port}", "limits")
    assert proxy.lines
    assert all(f"http://127.0.0.1:{port}/" in line for line in proxy.lines)


@pytest.mark.anyio
async def test_socks(application: Application) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 1928, without a login, for IPv4 addresses."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        request = await reader.readexactly(10)
        asked.append(request[:4])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int.from_bytes(request[8:], "big"))
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        try:
            await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        finally:
            far_writer.close()

    async with served(application) as port, serve_raw(proxy) as at:
        await run(application, f"http://127.0.0.1:{port}", "socks", f"socks5://127.0.0.1:{at}")
    assert set(asked) == {b"\x05\x01\x00\x01"}


@pytest.mark.anyio
async def test_unix_socket(application: Application, tmp_path: Path) -> None:
    async with served(application, uds=str(tmp_path / "s")):
        await run(application, "http://127.0.0.1:1", "unix", str(tmp_path / "s"))
    assert application.versions == {"1.1"}


@pytest.mark.anyio
async def test_certificates(
    application: Application,
    authority: trustme.CA,
    ca_file: Path,
    tmp_path: Path,
) -> None:
    for name in ("127.0.0.1", "client"):
        issued = authority.issue_cert(name)
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    options = {
        "ssl_certfile": str(tmp_path / "127.0.0.1.pem"),
        "ssl_keyfile": str(tmp_path / "127.0.0.1.key"),
        "ssl_ca_certs": str(ca_file),
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }
    pair = [str(tmp_path / "client.pem"), str(tmp_path / "client.key")]
    async with served(application, **options) as port:
        await run(application, f"https://127.0.0.1:{port}", "certificates", str(ca_file), *pair)
