"""uvicorn, made to be started, stopped and waited for by somebody else. The only importer of uvicorn."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

__all__ = ["HttpServer", "listen"]

_GRACE_S = 0.2  # for answers under way when the server is stopped


def listen(host: str, port: int) -> socket.socket:
    """Bind and listen, so that connections queue up from now on and the port is known."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio sets TCP_NODELAY on what is accepted; else answers in two pieces wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    return listener


class HttpServer(uvicorn.Server):
    """Serves one ASGI application on one socket until :meth:`stop`.

    uvicorn looks ten times a second whether it is to stop and then sleeps once more; here an event says so, which makes
    a server for every single test affordable.

    Attributes:
        ended_by: The signal that ended it, if one did.

    Args:
        app: The application.
        listener: From :func:`listen`; closed at the end.
        on_ready: Called in the loop when requests are being served.
        certificate_file: With ``key_file``: serve https.
    """

    def __init__(
        self,
        app: Any,
        listener: socket.socket,
        on_ready: Callable[[], None],
        *,
        certificate_file: str | None = None,
        key_file: str | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",  # ours in any case; "auto" may choose what else is installed
            lifespan="off",
            ws="none",
            proxy_headers=False,
            log_config=None,  # logging belongs to the program we are in
            log_level=None,
            server_header=False,
            backlog=2048,
            timeout_keep_alive=75,
            ssl_certfile=certificate_file,
            ssl_keyfile=key_file,
        )
        super().__init__(config)
        self._listener = listener
        self._on_ready = on_ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_early = False
        self.ended_by: int | None = None

    def run_until_stopped(self) -> None:
        """Serve in this thread."""
        try:
            self.run(sockets=[self._listener])
        finally:
            self._listener.close()

    def stop(self) -> None:
        """Ask the server to end. May be called from any thread, and before it has started."""
        self._stop_early = True
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal. Installed by uvicorn, and in the main thread only.

        uvicorn itself would raise the signal once more when it has stopped, before anybody can tidy up.
        """
        self.ended_by = sig
        self.stop()

    async def main_loop(self) -> None:
        """Wait for the end."""
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._stop_early:
            return
        await self.on_tick(0)
        self._on_ready()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let answers under way end for a moment, then hang up."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=_GRACE_S)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=_GRACE_S)
        await asyncio.sleep(0)  # transports tell their protocols in the next round of the loop
