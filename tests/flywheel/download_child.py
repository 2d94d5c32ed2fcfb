"""A process of its own that downloads one file, to be killed in the middle."""

from __future__ import annotations

import asyncio
import sys

from asyncclient import flywheel


async def main(how: str, key: str, container: str, name: str, path: str) -> None:
    async with flywheel.AsyncClient(key) as client:
        method = client.download_file_by_ticket if how == "ticket" else client.download_file_from_acquisition
        if how == "record":
            found = await client.get_acquisition(container)
            file = next(file for file in found.files if file.name == name)
            await file.download(path)
        else:
            await method(container, name, path)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
