"""A graph whose upload was interrupted: the next run creates nothing twice, and sends no content twice."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asyncclient import lfview
from asyncclient._transfers.journal import Journal
from asyncclient._transfers.records import File
from asyncclient._transfers.transfers import list_jobs, prune, resume
from asyncclient.errors import ResumeError
from asyncclient.lfview import exceptions, utils
from asyncclient.lfview._ledger import Ledger, graph_key
from asyncclient.lfview.manifests import View
from asyncclient.lfview.spatial import DataBasic, ElementPointSet
from tests.lfview.fake_service import PROJECT, FakeService
from tests.lfview.playback import Answer, Place, Received

CHUNK = 262_144
Upload = Callable[..., str]


@pytest.fixture
def service(place: Place) -> FakeService:
    return FakeService(place)


@pytest.fixture(params=["async", "sync"])
def upload(request: pytest.FixtureRequest, service: FakeService) -> Upload:
    """Upload in a session of its own, as a new process would."""

    async def once(resource: Any, options: dict[str, Any]) -> str:
        async with lfview.AsyncSession("good-key", discovery_url=service.base, max_retries=0) as session:
            return await session.upload(resource, **options)

    def run(resource: Any, **options: Any) -> str:
        options = {"chunk_size": CHUNK, **options}
        if request.param == "async":
            return asyncio.run(once(resource, options))
        with lfview.Session("good-key", discovery_url=service.base, max_retries=0) as session:
            found: str = session.upload(resource, **options)
            return found

    return run


def view(count: int = 6, *, seed: int = 1, rows: int = 8_000) -> View:
    """Make a View with arrays of 64 kB, and one of three times that, that cannot be compressed."""
    random = np.random.default_rng(seed)
    points = ElementPointSet(vertices=random.random((rows, 3)), defaults={"color": {"value": "red"}})
    points.data = [DataBasic(array=random.random(rows), location="N", name=f"d{at}") for at in range(count)]
    return View(elements=[points], name="v")


def refuse(request: Received) -> Answer:
    return 403, {}, b"not now"


def jobs() -> list[Any]:
    return asyncio.run(list_jobs())


def stored(service: FakeService) -> dict[str, bytes]:
    return {path: service.content(path) for path in service.stored}


def expected(made: View) -> list[bytes]:
    element = made.elements[0]
    return sorted([element.vertices.array.tobytes(), *(data.array.array.tobytes() for data in element.data)])


@pytest.mark.parametrize("parallel", [True, False])
def test_what_a_refusal_left_is_gone_on_with(service: FakeService, upload: Upload, parallel: bool) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden) as caught:
        upload(view(), parallel=parallel)
    assert any("to go on" in note for note in caught.value.__notes__)
    (job,) = jobs()
    created = set(service.resources)
    assert (job.service, job.direction, job.files) == ("lfview", "up", len(created))
    service.requests.clear()
    made = view()
    assert upload(made, parallel=parallel).endswith("/view1")
    assert service.calls("POST") == [f"POST {PROJECT}/views"]
    assert set(service.resources) - created == {f"{PROJECT}/views/view1", "/api/v1/view/org1/proj1/view1"}
    assert sorted(stored(service).values()) == expected(made)
    if not parallel:  # else some were under way
        assert service.calls("PUT", "PATCH") == []
    assert jobs() == []


def test_contents_that_were_not_sent_go_where_they_were_announced(service: FakeService, upload: Upload) -> None:
    service.on("PUT", "/storage/.*", 4, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(view(), parallel=False)
    created = set(service.resources)
    service.requests.clear()
    made = view()
    upload(made, parallel=False)
    assert created < set(service.resources)
    assert len([path for path in service.resources if "/files/array/" in path]) == 7
    assert len(service.calls("PATCH")) == 1, "the one that was refused gets a new session"
    assert len([entry for entry in service.sent("PUT") if entry.body]) == 4
    assert sorted(stored(service).values()) == expected(made)
    assert jobs() == []


def test_all_there_but_for_the_end(service: FakeService, upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    close = Ledger.close
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "close", lambda ledger, *, finished: close(ledger, finished=False))
        upload(view())
    first = dict(service.resources)
    service.requests.clear()
    assert upload(view()).endswith("/view1")
    assert service.calls("POST", "PATCH", "PUT") == []
    assert service.resources == first
    assert jobs() == []


def test_what_is_gone_is_made_anew(service: FakeService, upload: Upload) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(view(), parallel=False)
    gone = next(path for path in service.resources if "/files/array/" in path)
    del service.resources[gone]
    made = view()
    upload(made)
    assert gone not in service.resources
    sent = {data.array.url.removeprefix(service.base) for data in made.elements[0].data}
    assert {*sent, made.elements[0].vertices.url.removeprefix(service.base)} <= set(service.resources)


def test_other_values_of_the_same_shape(service: FakeService, upload: Upload) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(view())
    before = stored(service)
    made = view(seed=2)
    upload(made)
    assert {path: data for path, data in stored(service).items() if path in before} == before
    assert set(expected(made)) <= set(stored(service).values())
    assert jobs() == []


def test_equal_contents_stay_two(service: FakeService, upload: Upload) -> None:
    def twins() -> View:
        made = view(2)
        made.elements[0].data[1].array = made.elements[0].data[0].array.array
        return made

    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(twins(), parallel=False)
    service.requests.clear()
    made = twins()
    upload(made, parallel=False)
    assert service.calls("POST") == [f"POST {PROJECT}/views"]
    first, second = made.elements[0].data
    assert first.array.url != second.array.url


def test_little_is_not_worth_it(service: FakeService, upload: Upload) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(view(2, rows=100))
    assert jobs() == []


def test_nothing_was_created(service: FakeService, upload: Upload) -> None:
    service.on("POST", f"{PROJECT}/files/array", 0, refuse)
    with pytest.raises(exceptions.Forbidden) as caught:
        upload(view())
    assert not any("to go on" in note for note in caught.value.__notes__)
    assert jobs() == []


def test_where_no_journal_can_be_made(
    service: FakeService,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "file"))
    made = view()
    with caplog.at_level(logging.WARNING, "asyncclient"):
        upload(made)
    assert "no journal can be made" in caplog.text
    assert sorted(stored(service).values()) == expected(made)


def test_a_disk_that_is_full_meanwhile(
    service: FakeService, upload: Upload, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Several tasks find it out at the same time; the upload goes on."""
    append = Journal.append

    async def full(journal: Journal, *records: Any, barrier: Any = None) -> None:
        if any(isinstance(record, File) and record.n > 2 for record in records):
            await asyncio.sleep(0)  # so that others are on their way too
            raise OSError(errno.ENOSPC, "No space left on device")
        await append(journal, *records, barrier=barrier)

    monkeypatch.setattr(Journal, "append", full)
    made = view()
    with caplog.at_level(logging.WARNING, "asyncclient"):
        upload(made)
    assert caplog.text.count("is not gone on with") == 1
    assert sorted(stored(service).values()) == expected(made)


def test_the_command_says_how_to_go_on(service: FakeService, upload: Upload) -> None:
    service.on("POST", f"{PROJECT}/views", 1, refuse)
    with pytest.raises(exceptions.Forbidden):
        upload(view())
    (job,) = jobs()
    with pytest.raises(ResumeError, match="make the same call again"):
        asyncio.run(resume(job.id))
    assert len(jobs()) == 1
    assert asyncio.run(prune(0)).jobs == [job.id]


KILLED = """
import sys
from asyncclient import lfview
from tests.lfview.test_ledger import view
with lfview.Session("good-key", discovery_url=sys.argv[1]) as session:
    print(session.upload(view(40), chunk_size=262_144, workers=4))
"""


@pytest.mark.parametrize("at", [5, 20, 39])
def test_killed(service: FakeService, at: int) -> None:
    service.slow["/storage/"] = 0.01
    command = [sys.executable, "-c", KILLED, service.base]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as first:
        deadline = time.monotonic() + 60
        while len(service.calls("PUT")) < at:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(first.pid, signal.SIGKILL)
    time.sleep(0.1)  # requests under way in the server's threads
    created = len(service.resources)
    service.requests.clear()
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert "/view" in done.stdout
    again = [entry for entry in service.sent("PUT") if entry.body]
    assert len(again) <= 41 - at + 4, "no more than was under way"
    posted = len(service.calls("POST"))
    assert created + posted <= 41 + 40 + 1 + 2 + 4, "arrays, data, element, view under two names, those under way"
    assert set(expected(view(40))) <= set(stored(service).values())
    assert jobs() == []


def test_graphs_are_told_apart() -> None:
    keys = [graph_key([*utils.compute_children(made), made]) for made in (view(1), view(1, rows=5), view(1, seed=2))]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2], "values are looked at later"
    assert graph_key([View(name="w")]) != graph_key([View(name="v")])


def test_nothing_is_remembered_without_a_journal() -> None:
    async def body() -> None:
        ledger = Ledger()
        await ledger.created("k", "https://x.example/a")
        await ledger.completed("https://x.example/a")
        assert ledger.take("k") is None
        assert (ledger.kept, ledger.empty) == (False, True)
        await ledger.close(finished=True)

    asyncio.run(body())
