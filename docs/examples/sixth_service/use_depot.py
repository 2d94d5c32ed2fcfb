"""Register a sample, store its file, fetch it back; twice, with ``await`` and without."""

import asyncio
import sys

from asyncclient.depot import AsyncClient, Client, NameTaken


async def awaited(url: str, key: str) -> None:
    async with AsyncClient(key, base_url=url) as client:
        sample = await client.create_sample(name="core 7", kind="rock", depth_m=12.5)
        sample_id = sample["sampleId"]
        await client.put_content(sample_id, b"layers" * 1000)
        print(await client.get_content(sample_id, "core-7.bin"), "bytes")
        print([each["name"] async for each in client.iterate("list_samples", page_size=1)])
        try:
            await client.create_sample(name="core 7", kind="rock")
        except NameTaken as error:
            print(error, error.status, error.code)


def blocking(url: str, key: str) -> None:
    with Client(key, base_url=url) as client:
        sample = client.create_sample(name="lake", kind="water")
        print(client.put_content(sample["sampleId"], "core-7.bin")["contentSize"], "bytes")
        client.update_sample(sample["sampleId"], taken_at=None)
        print([each["name"] for each in client.iterate("list_samples", kind="water")])
        client.delete_sample(sample["sampleId"])


if __name__ == "__main__":
    asyncio.run(awaited(*sys.argv[1:]))
    blocking(*sys.argv[1:])
