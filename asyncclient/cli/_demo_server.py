"""A server of the demo, in a process of its own: of LF View with an account of uploads, or of Sticky Pi.

Run as ``python -m asyncclient.cli._demo_server``. Standard input brings one line of JSON with what to serve. Standard output
gives one line when requests are served; afterwards every empty line that comes in is answered with a line of JSON that says
what has arrived so far. It ends when standard input does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from asyncclient.testing._uvicorn import HttpServer, listen

__all__ = ["Account", "account_of"]

Account = dict[str, Any]
"""What has arrived: ``sessions`` (kept and total bytes, and whether it is complete, by id), ``uploads`` (id of the session and
bytes of the body of each request, in order), ``under_way`` (uploads that are neither answered nor broken off)."""


def account_of(state: Any, under_way: int) -> Account:
    """Tell what an emulator of LF View has seen.

    Args:
        state: Of the emulator.
        under_way: Uploads of which it has not seen the end.
    """
    uploads = [
        (request.path.rpartition("/")[2], request.size_bytes)
        for request in state.requests.copy()
        if request.operation == "upload_content"
    ]
    sessions = {
        name: (session.kept_bytes, session.total_bytes, session.completed is not None)
        for name, session in list(state.sessions.items())
    }
    return {"sessions": sessions, "uploads": uploads, "under_way": under_way}


class _Watched:
    """Counts the uploads that an application is busy with."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        self.under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.under_way -= 1


async def _serve_lfview(order: dict[str, Any], stack: AsyncExitStack) -> tuple[ASGIApp, Callable[[str], Any], Any]:
    from asyncclient.testing import app

    emulator = app("lfview", **order["options"])
    stack.callback(emulator.close)
    watched = _Watched(emulator)
    return watched, emulator.credentials, lambda: account_of(emulator.state, watched.under_way)


async def _serve_sticky_pi(order: dict[str, Any], stack: AsyncExitStack) -> tuple[ASGIApp, Callable[[str], Any], Any]:
    from asyncclient.sticky_pi.server import create_app

    app = create_app(order["options"])
    await stack.enter_async_context(app.router.lifespan_context(app))
    names = {"username": order["options"]["API_ADMIN_NAME"], "password": order["options"]["API_ADMIN_PASSWORD"]}
    return app, lambda url: {"host": url, **names}, dict


_SERVICES: Final = {"lfview": _serve_lfview, "sticky_pi": _serve_sticky_pi}


async def _serve(order: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        app, credentials, account = await _SERVICES[order["service"]](order, stack)
        with listen("127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            ready = {"url": url, "credentials": credentials(url)}
            server = HttpServer(app, listener, lambda: _say(ready))
            threading.Thread(target=_answer, args=(server, account), daemon=True).start()
            await server.serve(sockets=[listener])


def _say(what: Any) -> None:
    line = json.dumps(what).encode() + b"\n"
    while line:
        line = line[os.write(sys.stdout.fileno(), line) :]


def _answer(server: HttpServer, account: Callable[[], Any]) -> None:
    # Not through sys.stdin: its lock would still be held when a signal ends the interpreter.
    descriptor = sys.stdin.fileno()
    while asked := os.read(descriptor, 4096):
        for _ in range(asked.count(b"\n")):
            _say(account())
    server.stop()


def _first_line() -> bytes:
    """Read a line, and not one byte more: the thread that reads on uses the descriptor itself."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(sys.stdin.fileno(), 1)):
        line += byte
    return line


if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())  # what matters is what clients are answered
    asyncio.run(_serve(json.loads(_first_line())))
