"""Change how often something is tried again: for a client, and for some of its calls."""

import asyncio

from asyncclient import AsyncHub, RetryPolicy, las


async def main() -> None:
    async with AsyncHub() as hub:
        # --8<-- [start:calls]
        client = las.AsyncClient(hub=hub, max_retries=0)
        await client.with_options(max_retries=5).list_models()
        await client.with_options(retry=RetryPolicy(max_retries=5, cap_s=2), timeout=20).list_models()
        # --8<-- [end:calls]


asyncio.run(main())
