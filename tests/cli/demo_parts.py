"""A part of the demo by itself: one service, one server, a hub that counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from asyncclient import AsyncHub
from asyncclient.cli._demo_hub import make_hub
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_work import Work


@asynccontextmanager
async def hub_for(part: Part, url: str) -> AsyncIterator[AsyncHub]:
    async with make_hub({url: part.traffic}) as hub:
        yield hub


async def done(part: Part, url: str, make: Callable[[AsyncHub], Work]) -> Any:
    """Let a part do what it does in the demo: open, a small call, all the work; returns the answer of the call."""
    async with hub_for(part, url) as hub, AsyncExitStack() as stack:
        work = make(hub)
        call = await work.open(stack)
        answer = await call()
        await work.run()
        return answer
