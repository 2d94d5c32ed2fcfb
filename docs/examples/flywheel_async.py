"""Fetch every NIfTI file of a project, several at a time."""

import asyncio
import sys
from pathlib import Path

from asyncclient import flywheel


async def main(key: str, path: str, folder: Path) -> None:
    async with flywheel.AsyncClient(key) as fw:
        project = await fw.lookup(path)
        async for session in project.sessions.iter():
            async for acquisition in session.acquisitions.iter():
                files = [file for file in acquisition.files or () if file.type == "nifti"]
                async with asyncio.TaskGroup() as tasks:
                    for file in files:
                        tasks.create_task(file.download(folder / file.name))
                for file in files:
                    print(file.name)


asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
