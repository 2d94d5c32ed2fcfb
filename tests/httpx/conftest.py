"""Servers for the tests of the httpx side: raw asyncio, uvicorn, hypercorn with HTTP/2, a certificate authority."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvicorn

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., AbstractAsyncContextManager[int]]


@contextlib.asynccontextmanager
async def serve_raw(handler: Handler, *, ssl: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a handler for every connection; yields the port. What the handlers still do at the end is cancelled."""
    tasks: set[asyncio.Task[Any]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=ssl)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def serve_app(app: Any) -> AsyncIterator[int]:
    """Run an ASGI application under uvicorn; yields the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def serve() -> Serve:
    return serve_raw


@pytest.fixture
def uvicorn_port() -> Serve:
    return serve_app


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def http2_port(authority: trustme.CA, tmp_path: Path) -> Serve:
    """Run an ASGI application under hypercorn, HTTP/2 over TLS; yields the port."""
    hypercorn_asyncio = pytest.importorskip("hypercorn.asyncio")
    config_module = pytest.importorskip("hypercorn.config")

    @contextlib.asynccontextmanager
    async def run(app: Any) -> AsyncIterator[int]:
        issued = authority.issue_cert("localhost", "127.0.0.1")
        issued.private_key_pem.write_to_path(tmp_path / "key.pem")
        issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = config_module.Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.certfile, config.keyfile = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
        config.errorlog = config.accesslog = None
        config.graceful_timeout = 1
        stop = asyncio.Event()
        task = asyncio.create_task(hypercorn_asyncio.serve(app, config, shutdown_trigger=stop.wait))
        try:
            yield port
        finally:
            stop.set()
            await task

    return run


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")
