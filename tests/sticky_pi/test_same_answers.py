"""The embedded client and the client of a server give equal answers to the same calls."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncclient.sticky_pi import LocalClient, RemoteClient
from tests.sticky_pi.pictures import jpeg, name_of
from tests.sticky_pi.serving import ADMIN, serving

T0 = dt.datetime(2022, 1, 1)
HIDDEN = frozenset({"id", "datetime_created", "datetime_created_annot", "api_user_id", "api_user_id_annot", "url"})
IDS = frozenset({"parent_image_id", "id_annot"})

Call = tuple[str, Any]
hours = st.integers(0, 4)
devices = st.sampled_from(["1", "2"])
images = st.tuples(devices, hours)


def ranges() -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(["1", "2", "_", "%"]), hours, hours)


def calls() -> st.SearchStrategy[Call]:
    return st.one_of(
        st.tuples(st.just("put_images"), st.lists(st.tuples(devices, hours, st.integers(0, 1)), max_size=4)),
        st.tuples(st.just("get_images"), st.lists(images, max_size=3)),
        st.tuples(st.just("delete_images"), st.lists(images, max_size=2)),
        st.tuples(st.just("put_uid_annotations"), st.lists(st.tuples(images, st.integers(0, 2)), max_size=2)),
        st.tuples(st.just("get_image_series"), ranges()),
        st.tuples(st.just("get_uid_annotations_series"), ranges()),
        st.tuples(st.just("get_images_with_uid_annotations_series"), ranges()),
        st.tuples(st.just("get_images_to_annotate"), ranges()),
    )


class Both:
    """Two clients, and names of devices that no other example has."""

    def __init__(self, clients: list[Any], folder: Path) -> None:
        self.clients = clients
        self.folder = folder
        self._numbers = itertools.count()

    def begin(self) -> None:
        self.prefix = f"{next(self._numbers):07x}"

    def device(self, last: str) -> str:
        return self.prefix + last if last != "%" else f"{self.prefix}%"

    def when(self, hour: int) -> dt.datetime:
        return T0 + dt.timedelta(hours=hour)

    def arguments(self, name: str, drawn: Any) -> list[Any]:
        if name == "put_images":
            return [[self.file(*item) for item in drawn]]
        if name.endswith(("series", "annotate")):
            device, start, end = drawn
            info = {
                "device": self.device(device),
                "start_datetime": self.when(start),
                "end_datetime": self.when(end),
            }
            return [[{**info, "algo_name": "a", "algo_version": "2"} if name.endswith("annotate") else info]]
        if name == "put_uid_annotations":
            return [[self.annotation(*item) for item in drawn]]
        return [[{"device": self.device(device), "datetime": self.when(hour)} for device, hour in drawn]]

    def annotation(self, image: tuple[str, int], version: int) -> dict[str, Any]:
        key = {"device": self.device(image[0]), "datetime": self.when(image[1])}
        rows = self.clients[0].get_images([key])
        metadata = {**key, "md5": rows[0]["md5"] if rows else "0" * 32, "algo_name": "a", "algo_version": str(version)}
        return {"annotations": [{"value": 1}] * version, "metadata": metadata}

    def file(self, device: str, hour: int, seed: int) -> str:
        folder = self.folder / str(seed)
        folder.mkdir(exist_ok=True)
        path = folder / name_of(self.device(device), self.when(hour))
        if not path.exists():
            path.write_bytes(jpeg((16, 16), seed=seed))
        return str(path)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both")
    with (
        serving(folder / "server") as server,
        LocalClient(folder / "local", n_threads=2) as local,
        RemoteClient(folder / "remote", server.url, *ADMIN, n_threads=2) as remote,
    ):
        yield Both([local, remote], folder)


def answer(client: Any, name: str, arguments: list[Any]) -> Any:
    try:
        rows = getattr(client, name)(*arguments)
    except Exception as error:
        return "refused" if isinstance(error, (ValueError, LookupError)) or hasattr(error, "status") else repr(error)
    return sorted((shown(row) for row in rows), key=repr) if "with_uid" not in name else [shown(row) for row in rows]


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what depends on the store, not on the call."""
    kept = {key: value is not None if key in IDS else value for key, value in row.items() if key not in HIDDEN}
    return {key: float(value) if type(value).__name__ == "Decimal" else value for key, value in kept.items()}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.lists(calls(), min_size=3, max_size=10))
def test_random_calls(both: Both, sequence: list[Call]) -> None:
    both.begin()
    for name, drawn in sequence:
        arguments = both.arguments(name, drawn)
        local, remote = (answer(client, name, arguments) for client in both.clients)
        assert local == remote, (name, arguments)
