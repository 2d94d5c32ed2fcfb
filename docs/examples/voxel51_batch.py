"""Run an analytic on every video of a folder, eight at a time."""

import asyncio
import sys
from pathlib import Path

from asyncclient import AsyncHub
from asyncclient.voxel51 import AsyncAPI, JobRequest, JobsQuery


async def main(folder: Path) -> None:
    async with AsyncHub() as hub:
        api = AsyncAPI(hub=hub)

        async def run(video: Path) -> Path:
            data = await api.upload_data(video)
            request = JobRequest("voxel51/vehicle-sense")
            request.set_input("video", data_id=data["id"])
            job = await api.upload_job_request(request, video.stem, auto_start=True)
            await api.wait_until_job_completes(job["id"], sleep_time=0.1)
            labels = video.with_suffix(".json")
            await api.download_job_output(job["id"], labels)
            return labels

        async for labels in hub.map(run, sorted(folder.glob("*.mp4")), concurrency=8):
            print("wrote", labels.name)

        query = JobsQuery().add_fields(["id", "name", "state"]).add_search("state", "COMPLETE").sort_by("name", False)
        async for record in api.iterate("query_jobs", query):
            print("job", record["name"], record["state"])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
