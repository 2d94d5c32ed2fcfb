"""The same work with the async session."""

import asyncio
import sys

from asyncclient import AsyncHub, lfview
from asyncclient.lfview import manifests, spatial


async def main(key: str, discovery_url: str) -> None:
    async with AsyncHub() as hub, lfview.AsyncSession(key, discovery_url=discovery_url, hub=hub) as session:
        points = spatial.ElementPointSet(vertices=[[0.0, 0, 0], [1, 1, 1]], defaults={"color": {"value": "red"}})
        url = await session.upload(manifests.View(name="Drill holes", elements=[points]))
        same = await session.download(url)
        print(same.name, len(same.elements))


asyncio.run(main(*sys.argv[1:]))
