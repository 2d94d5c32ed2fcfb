"""The documents of the demo, and what is noted when something is wrong, with an emulator that makes it so."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncclient.cli import _facade
from asyncclient.cli._demo import _few
from asyncclient.cli._demo_las import Documents
from asyncclient.cli._demo_record import Part
from asyncclient.cli._files import Item, scan
from asyncclient.testing import Server
from tests.cli.demo_parts import done

STEPS = ["upload", "read back", "list", "delete"]


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("one", "two", "three"):
        (folder / name).write_bytes(name.encode() * 1000)
    (folder / "empty").write_bytes(b"")
    return scan(folder)


@pytest.fixture
def part() -> Part:
    return Part("las", "Lucidtech")


@pytest.fixture
def back(tmp_path: Path) -> Path:
    (tmp_path / "back").mkdir()
    return tmp_path / "back"


async def work(part: Part, server: Server, items: list[Item], back: Path) -> list[int]:
    await done(part, server.url, lambda hub: Documents(part, hub, server.credentials(), items, back))
    assert [step.name for step in part.steps] == STEPS
    return [step.files for step in part.steps]


@pytest.mark.anyio
async def test_all_is_well(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    assert await work(part, asyncclient_las, items, back) == [4, 3, 3, 3]
    assert part.ok
    assert part.refused == ["empty"]
    size = sum(item.size_bytes for item in items)
    assert (part.files, part.verified_bytes, part.expected_bytes) == (3, size, 2 * size)
    assert part.traffic.up >= size  # and what is around the content
    assert part.traffic.down >= size
    assert part.traffic.requests == asyncclient_las.state.counters.total()
    assert list(back.iterdir()) == []
    assert asyncclient_las.state.counters["delete_dataset"] == 1


@pytest.mark.anyio
async def test_other_bytes_come_back(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(200, method="GET", path="/fileserver/*", body=b"other bytes")
    assert await work(part, asyncclient_las, items, back) == [4, 2, 3, 3]
    (problem,) = part.problems
    assert ": sent with md5 " in problem
    assert part.files == 2


@pytest.mark.anyio
async def test_what_the_hub_repeats_is_counted(
    part: Part, items: list[Item], back: Path, asyncclient_las: Server
) -> None:
    asyncclient_las.state.fail_next(503, times=2, method="GET", path="/fileserver/*")
    await work(part, asyncclient_las, items, back)
    assert part.ok
    assert part.traffic.failed == 2


@pytest.mark.anyio
async def test_a_file_is_gone_when_it_is_fetched(
    part: Part, items: list[Item], back: Path, asyncclient_las: Server
) -> None:
    asyncclient_las.state.fail_next(404, method="GET", path="/fileserver/*")
    assert await work(part, asyncclient_las, items, back) == [4, 2, 3, 3]
    assert len(part.problems) == 1


@pytest.mark.anyio
async def test_a_file_is_gone_when_it_is_sent(
    part: Part, items: list[Item], back: Path, asyncclient_las: Server
) -> None:
    next(item.path for item in items if item.name == "two").unlink()
    assert await work(part, asyncclient_las, items, back) == [3, 2, 2, 2]
    (problem,) = part.problems
    assert problem.startswith("two: ")


@pytest.mark.anyio
async def test_a_list_with_strange_rows(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    rows = {"documents": [{"documentId": "las:document:stranger", "contentMD5": None}], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="GET", path="/documents", body=rows)
    await work(part, asyncclient_las, items, back)
    assert part.problems[0] == "las:document:stranger: listed with md5 None, sent with None"
    assert sum(problem.endswith(": not listed") for problem in part.problems) == 3


@pytest.mark.anyio
async def test_fewer_are_deleted_than_were_sent(
    part: Part, items: list[Item], back: Path, asyncclient_las: Server
) -> None:
    answer = {"documents": [], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="DELETE", path="/documents", body=answer, applied=True)
    await work(part, asyncclient_las, items, back)
    assert part.problems == ["0 documents deleted, not 3"]


def test_blocking_all_is_well(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    _facade.run(part, asyncclient_las.credentials(), items, back)
    assert part.ok
    assert [step.files for step in part.steps] == [3]
    assert part.notes == ["3 files more went there and back through the blocking client, which has its own hub."]
    assert asyncclient_las.state.counters["delete_dataset"] == 1


def test_blocking_what_is_wrong_is_noted(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(200, method="GET", path="/fileserver/*", body=b"other bytes")
    next(item.path for item in items if item.name == "two").unlink()
    rows = {"documents": [], "nextToken": None}
    asyncclient_las.state.fail_next(200, method="GET", path="/documents", body=rows)
    _facade.run(part, asyncclient_las.credentials(), items, back)
    assert any("came back different" in problem for problem in part.problems)
    assert any(problem.startswith("two: ") for problem in part.problems)
    assert part.problems[-1] == "blocking client: 2 files sent, 0 listed"


def test_blocking_without_a_service(part: Part, items: list[Item], back: Path, asyncclient_las: Server) -> None:
    asyncclient_las.state.fail_next(400, times=None, path="/datasets")
    _facade.run(part, asyncclient_las.credentials(), items, back)
    (problem,) = part.problems
    assert problem.startswith("blocking client: ")


def test_few_are_spread_over_the_sizes() -> None:
    items = [Item(Path(str(size)), str(size), size) for size in range(100)]
    assert [item.size_bytes for item in _few(items)] == [0, 10, 20, 30, 40]
    assert _few(items[:2]) == items[:2]
