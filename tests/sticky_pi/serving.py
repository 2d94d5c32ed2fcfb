"""The server on a port of this machine, in a thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from asyncclient.sticky_pi.server import create_app
from asyncclient.testing._uvicorn import listen

ADMIN = ("admin", "admin-password-1")
UID = ("spi_uid", "uid-password-123")


class Running:
    """A server that runs.

    Attributes:
        url: Where.
        folder: Its database and files.
        busy: How many of the next requests, other than for tokens, are answered with 503.
        requests: Paths of the requests so far.
    """

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.busy = 0
        self.requests: list[str] = []

    def watched(self, app: Any) -> Any:
        async def watching(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.requests.append(scope["path"])
                if self.busy and scope["path"] != "/get_token":
                    self.busy -= 1
                    await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"4")]})
                    await send({"type": "http.response.body", "body": b"busy"})
                    return
            await app(scope, receive, send)

        return watching


@contextlib.contextmanager
def serving(folder: Path, **more: Any) -> Iterator[Running]:
    """Serve from a folder until the block is left."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    conf = {
        "SECRET_API_KEY": "only for this test",
        "LOCAL_DIR": str(folder),
        "API_ADMIN_NAME": ADMIN[0],
        "API_ADMIN_PASSWORD": ADMIN[1],
        "UID_USER": UID[0],
        "UID_PASSWORD": UID[1],
        **more,
    }
    running = Running(folder, url)
    app = running.watched(create_app(conf))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", log_config=None, log_level=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sticky-pi-server")
    thread.start()
    try:
        yield running
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
    assert not thread.is_alive()
