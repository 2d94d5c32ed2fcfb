"""Options of single calls, raw answers, iteration by name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from asyncclient import AsyncHub, flywheel
from asyncclient.errors import TransportError
from asyncclient.flywheel._lazy import lazy_class
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Reply


def test_options_of_a_call(drive: Driver, service: FakeService) -> None:
    out: dict[str, Any] = {}
    service.play({"_id": "p"}, {"_id": "p"}, {"_id": "p"})
    answer = drive("get_project", "p", _preload_content=False, _request_out=out)
    assert isinstance(answer, httpx.Response)
    assert answer.json() == {"_id": "p"}
    assert out == {"url": f"{service.origin}/api/projects/p"}
    assert drive("get_project", "p", _return_http_data_only=True, _request_timeout=(3, 4)).id == "p"
    assert drive("get_project", "p", _request_timeout=2.5).id == "p"


def test_timeouts_of_a_call(service: FakeService) -> None:
    client = flywheel.AsyncClient(service.key, disable_auth_check=True)
    rules = client._rules_of({"_request_timeout": (3, 4)}, bulk=False)
    assert (rules.timeouts.connect, rules.timeouts.read) == (3, 4)
    assert client._rules_of({}, bulk=False) is client._rules


def test_raw_responses(drive: Driver, service: FakeService) -> None:
    service.play({"_id": "5"})
    answer = drive("with_raw_response.add_project", {"label": "x"})
    assert (answer.status_code, answer.json()) == (200, {"_id": "5"})


def test_operations_are_iterated_by_name(drive: Driver, service: FakeService) -> None:
    service.play([{"_id": "1"}], [{"_id": "2"}], [])
    found = drive.listed(drive.client.iterate("get_group_projects", group_id="g", limit=1))
    assert [project.id for project in found] == ["1", "2"]
    assert service.lines[-1] == "GET /groups/g/projects?limit=1&after_id=2"
    with pytest.raises(ValueError, match="pages"):
        drive.listed(drive.client.iterate("get_project", project_id="p"))


def test_groups_know_their_operations_only(drive: Driver) -> None:
    group = drive.client.projects_api
    assert callable(group.get_project)
    with pytest.raises(AttributeError):
        _ = group.get_session
    with pytest.raises(AttributeError):
        _ = group.get_session_with_http_info
    assert "ProjectsApi" in repr(group)


def test_many_clients_share_one_hub(service: FakeService) -> None:
    async def run() -> None:
        async with AsyncHub() as hub:
            clients = [flywheel.AsyncClient(service.key, hub=hub, disable_auth_check=True) for _ in range(3)]
            async with asyncio.TaskGroup() as tasks:
                for number in range(30):
                    tasks.create_task(clients[number % 3].get_project(f"p{number}"))
            assert hub.statistics().requests == 30

    asyncio.run(run())
    assert len(service.received) == 30


def test_a_cancelled_download_leaves_the_old_file(service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    service.play(rule=lambda request: Reply(body=bytes(1000), length=10_000_000))

    async def run() -> None:
        async with flywheel.AsyncClient(service.key, disable_auth_check=True, max_retries=0) as client:
            with pytest.raises((TimeoutError, TransportError)):
                async with asyncio.timeout(0.2):
                    await client.download_file_from_project("p", "f", tmp_path / "f")

    asyncio.run(run())
    assert (tmp_path / "f").read_bytes() == b"old"


def test_two_threads_may_meet_at_the_first_use_of_a_method() -> None:
    """Both have found what stands for it; the second comes when the first has put the method in its place."""
    made = lazy_class("Made", object, "asyncclient.flywheel", {"_helpers:Helpers": "lookup resolve"})
    found = made.__dict__["lookup"]
    first = made().lookup  # type: ignore[attr-defined]  # made above
    assert made.__dict__["lookup"] is first.__func__
    assert found.__get__(made(), made).__func__ is first.__func__
