"""Move videos to one platform and invoices to another at the same time, over one pool."""

import asyncio
from pathlib import Path

from asyncclient import AsyncHub, las, voxel51


async def main() -> None:
    async with AsyncHub() as hub:
        documents = las.AsyncClient(hub=hub)
        videos = voxel51.AsyncAPI(hub=hub)

        async def send_invoices() -> int:
            paths = sorted(Path("invoices").glob("*.pdf"))
            return len([row async for row in hub.map(documents.create_document, paths, concurrency=8)])

        async def send_clips() -> int:
            return len([row async for row in hub.map(videos.upload_data, ["clip.mp4"] * 3)])

        async with asyncio.TaskGroup() as tasks:
            invoices = tasks.create_task(send_invoices())
            clips = tasks.create_task(send_clips())

        seen = hub.statistics()
        print(invoices.result(), "invoices,", clips.result(), "clips")
        print("waiting:", seen.waiting, "in flight:", seen.in_flight, "failures:", seen.failures)
        print("MB sent:", seen.bytes_sent // 10**6, "over at most", hub.limits.max_connections, "connections")


asyncio.run(main())
