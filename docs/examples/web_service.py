"""A web service that keeps invoices: one hub for as long as it runs, however many requests there are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from asyncclient import AsyncHub, las


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncHub() as hub:
        app.state.documents = las.AsyncClient(hub=hub, timeout=30)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/invoices")
async def create(request: Request) -> dict[str, str]:
    content = las.RawBytes(await request.body())
    try:
        document = await request.app.state.documents.create_document(content)
    except las.EmptyRequestError as error:
        raise HTTPException(422, str(error)) from error
    return {"id": document["documentId"]}


@app.get("/invoices/{document_id}")
async def read(request: Request, document_id: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = await request.app.state.documents.get_document(document_id)
    except las.NotFound as error:
        raise HTTPException(404, "there is no such invoice") from error
    return document
