"""An application speaks for one user per task and thread, and never for another's."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, errors, voxel51
from tests.voxel51.wire_server import Received, WireServer, wire_server

KEY, USER = "x-voxel51-application", "x-voxel51-application-user"


def anything(request: Received) -> dict[str, Any]:
    """Answer any request well."""
    if request.path.endswith("/download"):
        return {"body": b"content of " + request.path.encode()}
    return {"json": {"data": {"id": "D", "name": "x"}, "jobs": [], "users": [], "job": {"state": "COMPLETE"}}}


def users_of(wire: WireServer) -> list[tuple[str, str | None]]:
    return [(request.path, request.headers.get(USER)) for request in wire.received]


@pytest.fixture
def served(wire: WireServer) -> WireServer:
    wire.play(respond=anything)
    return wire


@pytest.mark.anyio
async def test_tasks_never_carry_the_header_of_another(
    served: WireServer, application_token: voxel51.ApplicationToken, tmp_path: Path
) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"v")
    async with AsyncHub() as hub:
        api = voxel51.AsyncApplicationAPI(application_token, hub=hub)

        async def work(name: str) -> None:
            draw = random.Random(name)
            async with api.with_user(name):
                for number in range(4):
                    await asyncio.sleep(draw.random() / 500)
                    await api.get_data_details(f"{name}.{number}")
                    await api.download_data(f"{name}.file{number}", tmp_path / f"{name}.{number}")
                    await api.upload_data(source, filename=f"{name}.mp4")
                    await api.with_options(max_retries=0).delete_data(f"{name}.{number}")
            await api.get_data_details("nobody")

        await asyncio.gather(*(work(f"user{number}") for number in range(40)), work("nobody.at.all"))
        assert api.active_user is None
    assert len(served.received) == 41 * 17
    for request in served.received:
        assert request.headers[KEY] == "app-key-456"
        if request.path == "/v1/data":
            assert request.parts()[0].headers[0].endswith(f'filename="{request.headers[USER]}.mp4"')
        elif request.path == "/v1/data/nobody":
            assert USER not in request.headers
        else:
            assert request.path.split("/")[3].rpartition(".")[0] == request.headers[USER]


def test_threads_never_carry_the_header_of_another(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    with Hub() as hub:
        api = voxel51.ApplicationAPI(application_token, hub=hub)
        barrier = threading.Barrier(8)

        def work(number: int) -> None:
            barrier.wait()
            api.with_user(f"user{number}")
            for turn in range(10):
                api.get_data_details(f"user{number}.{turn}")
            api.exit_user()
            api.get_data_details("nobody")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    for path, user in users_of(served):
        name = path.rpartition("/")[2]
        assert user == (None if name == "nobody" else name.partition(".")[0])


@pytest.mark.anyio
async def test_what_a_task_starts_inherits_its_user_and_nothing_flows_back(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    async with voxel51.AsyncApplicationAPI(application_token) as api:

        async def child() -> None:
            await api.get_data_details("inherited")
            api.with_user("bob")
            await api.get_data_details("own")

        api.with_user("alice")
        await asyncio.create_task(child())
        await api.get_data_details("after")
        api.exit_user()
        api.exit_user()
        await api.get_data_details("left")
    assert [user for _, user in users_of(served)] == ["alice", "bob", "alice", None]


@pytest.mark.anyio
async def test_the_manager_brings_the_user_before_back(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    async with voxel51.AsyncApplicationAPI(application_token) as api:
        with api.with_user("alice") as manager:
            assert manager.username == api.active_user == "alice"
            with pytest.raises(ZeroDivisionError):
                async with api.with_user("bob"):
                    assert api.active_user == "bob"
                    raise ZeroDivisionError
            assert api.active_user == "alice"
            with api.with_user(""):
                await api.get_data_details("none")
        assert api.active_user is None
        api.with_user(None)
        await api.get_data_details("none")
    assert [user for _, user in users_of(served)] == [None, None]


@pytest.mark.anyio
async def test_a_copy_for_a_user_keeps_it_everywhere(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    async with voxel51.AsyncApplicationAPI(application_token) as api:
        alice = api.for_user("alice")
        with api.with_user("bob"):
            await alice.get_data_details("1")
            await api.get_data_details("2")
            await alice.with_options(timeout=30).get_data_details("3")
            response = await alice.with_raw_response.get_data_details("4")
        alice.exit_user()
        await alice.get_data_details("5")
        await api.get_data_details("6")
        await alice.aclose()
        await api.get_data_details("7")  # a copy does not close the hub
    assert response.status_code == 200
    assert [user for _, user in users_of(served)] == ["alice", "bob", "alice", "alice", "alice", None, None]


@pytest.mark.anyio
async def test_a_request_never_names_two_users(served: WireServer, application_token: voxel51.ApplicationToken) -> None:
    async with voxel51.AsyncApplicationAPI(application_token) as api:
        fixed = api.with_options(headers={USER: "carol"})
        await fixed.list_data()
        with api.with_user("alice"):
            await fixed.list_data()
    assert [user for _, user in users_of(served)] == ["carol", "alice"]


@pytest.mark.anyio
async def test_two_sessions_in_one_task_have_users_of_their_own(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    async with AsyncHub() as hub:
        one = voxel51.AsyncApplicationAPI(application_token, hub=hub)
        two = voxel51.AsyncApplicationAPI(application_token, hub=hub)
        with one.with_user("alice"), two.with_user("bob"):
            await one.list_data()
            await two.list_data()
        await one.list_data()
    assert [user for _, user in users_of(served)] == ["alice", "bob", None]


def test_the_map_over_threads_sees_the_user_of_its_caller(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    with Hub() as hub:
        api = voxel51.ApplicationAPI(application_token, hub=hub)
        with api.with_user("alice"):
            api.thread_map(api.get_data_details, ["a", "b", "c"], max_workers=2)
    assert [user for _, user in users_of(served)] == ["alice"] * 3


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["日本", "a\r\nx-evil: 1", " alice", "alice ", "a\x00b", "a\tb"])
async def test_names_no_header_can_hold_are_refused(
    served: WireServer, application_token: voxel51.ApplicationToken, name: str
) -> None:
    async with voxel51.AsyncApplicationAPI(application_token) as api:
        for use in (api.with_user, api.for_user):
            with pytest.raises(errors.ArgumentError) as caught:
                use(name)
            assert caught.value.argument == "username"
        assert api.active_user is None
    assert served.received == []


@pytest.mark.anyio
async def test_a_session_with_a_users_token_cannot_speak_for_others(served: WireServer, token: voxel51.Token) -> None:
    async with voxel51.AsyncApplicationAPI(token) as api:
        with pytest.raises(TypeError, match="ApplicationToken"):
            api.with_user("alice")
        await api.list_users()
    assert served.received[0].headers["authorization"] == "Bearer user-key-123"


@pytest.mark.anyio
async def test_the_header_decides_not_the_class(
    served: WireServer, application_token: voxel51.ApplicationToken
) -> None:
    async with voxel51.AsyncAPI(application_token) as api:
        await api.list_data()
    assert served.received[0].headers[KEY] == "app-key-456"
    assert "authorization" not in served.received[0].headers


@pytest.mark.anyio
async def test_a_redirect_to_another_place_carries_no_secret(
    wire: WireServer, application_token: voxel51.ApplicationToken, token: voxel51.Token, tmp_path: Path
) -> None:
    with wire_server() as storage:
        storage.play(respond=lambda request: {"body": b"stored"})
        place = f"{storage.origin}/bucket/x?signature=s"
        wire.play(respond=lambda request: {"status": 302, "headers": {"Location": place}})
        async with AsyncHub() as hub:
            app = voxel51.AsyncApplicationAPI(application_token, hub=hub)
            with app.with_user("alice"):
                await app.download_data("D", tmp_path / "app")
            await voxel51.AsyncAPI(token, hub=hub).download_job_output("J", tmp_path / "user")
        assert (tmp_path / "app").read_bytes() == (tmp_path / "user").read_bytes() == b"stored"
        for request in storage.received:
            assert not {"authorization", KEY, USER, "cookie"} & request.headers.keys()
