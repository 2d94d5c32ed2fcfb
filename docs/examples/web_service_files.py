"""A web service in front of a platform: videos go through it in both directions, and it holds none of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asyncclient import AsyncHub, errors, voxel51


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncHub() as hub:
        app.state.hub = hub
        app.state.videos = voxel51.AsyncAPI(hub=hub, timeout=30)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/videos/{name}")
async def upload(request: Request, name: str) -> dict[str, str]:
    try:
        data = await request.app.state.videos.upload_data(request.stream(), filename=name)
    except ClientDisconnect:  # the browser went away: the upload ends with it
        return {}
    except errors.TransportError as error:
        raise HTTPException(502, "the platform cannot be reached") from error
    return {"id": data["id"]}


class Download(Response):
    """Hands the pieces of a download on as they come; a browser that is slow slows the download down."""

    def __init__(self, videos: voxel51.AsyncAPI, data: Any) -> None:
        super().__init__(media_type="application/octet-stream")
        self.videos = videos
        self.data_id = data["id"]
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fetch and send, until the end or until nobody is there any more."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})

        async def hand_on(piece: bytes) -> None:
            await send({"type": "http.response.body", "body": bytes(piece), "more_body": True})

        async def fetch() -> None:
            await self.videos.download_data(self.data_id, hand_on, resume=False)
            await send({"type": "http.response.body", "body": b""})

        fetching = asyncio.create_task(fetch())
        leaving = asyncio.create_task(left(receive))
        try:
            await asyncio.wait({fetching, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if fetching.done():
                fetching.result()  # an error ends the connection: the browser must not take half a file for a whole
        finally:
            for task in (fetching, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, errors.AsyncClientError):
                    await task


async def left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@app.get("/videos/{data_id}")
async def download(request: Request, data_id: str) -> Response:
    videos = request.app.state.videos
    try:
        return Download(videos, await videos.get_data_details(data_id))
    except errors.NotFound as error:
        raise HTTPException(404, "there is no such video") from error


@app.get("/health")
async def health(request: Request) -> dict[str, Any]:
    seen = request.app.state.hub.statistics()
    return {"open": not request.app.state.hub.closed, "failures": seen.failures, "lanes": seen.lanes}


@app.get("/statistics")
async def statistics(request: Request) -> dict[str, Any]:
    numbers: dict[str, Any] = request.app.state.hub.statistics().as_dict()
    return numbers
