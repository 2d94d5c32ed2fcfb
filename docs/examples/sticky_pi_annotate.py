"""Take images that nobody has annotated yet from a server, and say what is in them."""

import asyncio
import os
import sys
from typing import Any

from asyncclient import AsyncHub
from asyncclient.sticky_pi import AsyncRemoteClient

ALGORITHM = {"algo_name": "brightness", "algo_version": "1"}
SEASON = {"device": "%", "start_datetime": "2022-01-01T00:00:00Z", "end_datetime": "2023-01-01T00:00:00Z"}


def found_in(row: dict[str, Any]) -> dict[str, Any]:
    contour = [[[0, 0]], [[row["width"], 0]], [[row["width"], row["height"]]]]
    metadata = {name: row[name] for name in ("device", "datetime", "md5")}
    return {"annotations": [{"contour": contour, "name": "insect", "value": 1}], "metadata": {**metadata, **ALGORITHM}}


async def main(folder: str, host: str) -> None:
    user, password = os.environ["STICKY_PI_USERNAME"], os.environ["STICKY_PI_PASSWORD"]
    async with AsyncHub() as hub, AsyncRemoteClient(folder, host, user, password, hub=hub) as client:
        while rows := await client.get_images_to_annotate([{**SEASON, **ALGORITHM}], "image"):
            await client.put_uid_annotations([found_in(row) for row in rows])
            print("annotated", len(rows))
        joined = await client.get_images_with_uid_annotations_series([SEASON])
        print(sum(row["n_objects"] for row in joined), "objects in", len(joined), "images")


asyncio.run(main(*sys.argv[1:]))
