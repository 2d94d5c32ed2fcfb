"""``Hub.map``: the work of many threads without their trouble."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from asyncclient import Hub, las
from asyncclient._sync.base import awaitable, pulled
from asyncclient.errors import AsyncClientError
from asyncclient.testing import serve


@pytest.fixture(scope="module")
def client() -> Iterator[las.Client]:
    with serve("las") as server, Hub() as hub:
        yield las.Client(las.Credentials(**server.credentials()), hub=hub)


def test_a_method_of_a_client_over_what_another_iterates(client: las.Client) -> None:
    with Hub() as hub:
        made = list(hub.map(lambda n: client.create_dataset(name=str(n))["datasetId"], range(20)))
        ids = (row["datasetId"] for row in client.iterate("list_datasets", max_results=3))
        assert sorted(d["datasetId"] for d in hub.map(client.get_dataset, ids, concurrency=4)) == sorted(made)


def test_order_and_laziness() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        n = 0
        while True:
            taken.append(n)
            yield n
            n += 1

    with Hub() as hub:
        results = hub.map(lambda n: n * 2, endless(), concurrency=3)
        assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
        results.close()  # type: ignore[attr-defined]  # an iterator that can be closed
    assert len(taken) < 200


def test_functions_run_beside_the_loop() -> None:
    with Hub() as hub:
        names = set(hub.map(lambda _: threading.current_thread().name, [1, 2, 3]))
    assert not any(name.startswith("asyncclient-loop") for name in names)


def test_the_first_error_ends_it(client: las.Client) -> None:
    with Hub() as hub, pytest.raises(las.NotFound):
        list(hub.map(client.get_dataset, ["las:dataset:" + "0" * 32] * 10))
    with Hub() as hub, pytest.raises(ZeroDivisionError):
        list(hub.map(lambda n: 1 // n, [1, 0, 1]))
    with Hub() as hub, pytest.raises(AsyncClientError, match="concurrency"):
        list(hub.map(str, [1], concurrency=0))


def test_what_needs_no_thread_gets_none(client: las.Client) -> None:
    async def given(_: int) -> None: ...

    assert awaitable(given) is given
    assert awaitable(client.get_dataset) == client._async.get_dataset
    items = [1, 2]
    assert pulled(items) is items
