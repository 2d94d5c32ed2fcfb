"""The project's own client meets the emulator: in the same loop without a socket, and over a socket with faults."""

from __future__ import annotations

import httpx
import pytest

from asyncclient import AsyncHub, las
from asyncclient.testing import Server, app

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8192


async def test_in_process() -> None:
    emulator = app("las")
    async with AsyncHub(transport=httpx.ASGITransport(app=emulator)) as hub:
        client = las.AsyncClient(las.Credentials(**emulator.credentials("http://las.test")), hub=hub)
        document = await client.create_document(PDF)
        prediction = await client.create_prediction(document["documentId"], "las:organization:cradl/las:model:invoice")
    assert prediction["status"] == "succeeded"
    assert emulator.state.counters == {"token": 1, "create_document": 1, "put_file": 1, "create_prediction": 1}
    emulator.close()


async def test_over_a_socket(asyncclient_las: Server) -> None:
    state = asyncclient_las.state
    async with AsyncHub() as hub:
        client = las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub)
        state.fail_next(503, path="/roles")
        assert len((await client.list_roles())["roles"]) == 3
        state.revoke_tokens()
        assert len((await client.list_roles())["roles"]) == 3
    assert state.counters == {"token": 2, "list_roles": 4}
