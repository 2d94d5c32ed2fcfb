"""Options that commands of several groups have, each written once."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["ListenHost", "ListenPort", "Most", "Yes"]

ListenHost = Annotated[str, typer.Option("--host", help="Address to listen on.")]
ListenPort = Annotated[int, typer.Option("--port", help="Port to listen on; 0 takes a free one.", min=0, max=65535)]
Most = Annotated[
    int | None, typer.Option("-l", "--limit", min=1, help="Most to list. Default: all.", show_default=False)
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]
