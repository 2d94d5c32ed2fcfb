"""An application that works for several of its users at the same time."""

import asyncio
import sys

from asyncclient.voxel51 import AsyncApplicationAPI


async def main(path: str) -> None:
    async with AsyncApplicationAPI() as api:  # the active application token, or VOXEL51_APP_PRIVATE_KEY
        known = await api.list_users()

        async def work(username: str) -> None:
            if username not in known:  # creating one twice is a conflict
                await api.create_user(username)
            async with api.with_user(username):  # for this task only
                await api.upload_data(path, filename=f"{username}.mp4")
                print(username, "has", [record["name"] for record in await api.list_data()])

        async with asyncio.TaskGroup() as tasks:
            for username in ("alice", "bob"):
                tasks.create_task(work(username))

        print("users", sorted(await api.list_users()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
