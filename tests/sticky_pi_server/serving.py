"""The server on a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn

from asyncclient.sticky_pi.server import create_app

__all__ = ["ADMIN", "PASSWORD", "serving"]

ADMIN, PASSWORD = "admin", "admin-password-1"


@contextmanager
def serving(conf: Mapping[str, Any]) -> Iterator[str]:
    """Serve a configuration; yields where."""
    app = create_app({"API_ADMIN_NAME": ADMIN, "API_ADMIN_PASSWORD": PASSWORD, **conf})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, ws="none", server_header=False))
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        assert not thread.is_alive()
