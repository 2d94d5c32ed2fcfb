"""The upload process of the demo: it sends the sample View and may be killed at any moment.

Run as ``python -m asyncclient.cli._demo_child``. Its order is one line of JSON on standard input; the URL of the View is one
line on standard output. It ends when standard input does, as that means that whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from typing import Any

from asyncclient import AsyncHub, lfview
from asyncclient.cli._demo_view import make_view
from asyncclient.errors import AsyncClientError
from asyncclient.types import Limits


async def _send(order: dict[str, Any]) -> str:
    view = make_view(order["side"], order["pixels"])
    limits = Limits(max_bandwidth=(order["bytes_per_s"], None))
    async with (
        AsyncHub(limits=limits, trust_env=False) as hub,
        lfview.AsyncSession(**order["credentials"], hub=hub) as session,
    ):
        return await session.upload(view, chunk_size=order["part_bytes"])


def _end_with_input(descriptor: int) -> None:
    while os.read(descriptor, 4096):
        pass
    os._exit(1)


def _main() -> int:
    order = json.loads(sys.stdin.buffer.readline())
    # Not through sys.stdin: its lock would still be held when the interpreter ends.
    threading.Thread(target=_end_with_input, args=(sys.stdin.fileno(),), daemon=True).start()
    try:
        print(asyncio.run(_send(order)), flush=True)
    except (AsyncClientError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
