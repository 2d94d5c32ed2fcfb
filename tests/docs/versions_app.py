"""The emulator of las for a server in a process of its own; notes the version of HTTP of each request in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from asyncclient import testing

__all__ = ["app"]

_emulator = testing.app("las")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Note the version, and answer."""
    if scope["type"] == "http":
        with Path(os.environ["VERSIONS_FILE"]).open("a") as file:
            file.write(scope["http_version"] + "\n")
    await _emulator(scope, receive, send)
