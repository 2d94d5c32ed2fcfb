"""The upload process of the demo: it sends the sample View and may be killed at any moment.

Run as ``python -m asyncclient.cli._demo_child`` with JSON as its only argument; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from asyncclient import AsyncHub, lfview
from asyncclient.cli._demo_view import make_view
from asyncclient.errors import AsyncClientError
from asyncclient.types import Limits


async def _send(order: dict[str, Any]) -> dict[str, Any]:
    view = make_view(small=order["small"])
    rate = order["bytes_per_s"]
    limits = Limits() if rate is None else Limits(max_bandwidth=(rate, None))
    async with AsyncHub(limits=limits) as hub, lfview.AsyncSession(**order["credentials"], hub=hub) as session:
        url = await session.upload(view, chunk_size=order["part_bytes"])
        return {"url": url, "connections": hub.statistics().connections_opened}


def _main() -> int:
    try:
        print(json.dumps(asyncio.run(_send(json.loads(sys.argv[1])))), flush=True)
    except (AsyncClientError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
