"""The official names, blocking; and small parts that nothing else needs a database for."""

from __future__ import annotations

import base64
import datetime as dt
import inspect
import sqlite3
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.sticky_pi import specifications, storage
from asyncclient.sticky_pi._api import AsyncRemoteAPI
from asyncclient.sticky_pi._refusals import TooManyAttempts
from asyncclient.sticky_pi._server_auth import Attempts, Gate, NotAuthenticated, read_basic
from asyncclient.sticky_pi.configuration import LocalAPIConf
from asyncclient.sticky_pi.image_parser import ImageParser
from tests.sticky_pi import pictures
from tests.sticky_pi_server.buckets import Bucket
from tests.sticky_pi_server.places import ALWAYS, SECRET

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)


def test_the_embedded_api(tmp_path: Path) -> None:
    path = pictures.write(tmp_path, "0a5bb6f4", T0)
    store = storage.DiskStorage(LocalAPIConf(LOCAL_DIR=tmp_path / "files"))
    store.store_image_files(ImageParser(path))
    with specifications.LocalAPI(LocalAPIConf(LOCAL_DIR=tmp_path / "files")) as api:
        assert api.get_image_series([{"device": "%", **ALWAYS}]) == []
        assert api.get_token() == {"token": None, "expiration": 0}
        api.put_users([{"username": "ada", "password": "x"}])
        assert api.verify_password("ada", "x") == "ada"
        with pytest.raises(ValueError, match="'device' is missing"):
            api.get_images([{"datetime": T0}])
    assert (
        Path(store.get_url_for_image({"device": "0a5bb6f4", "datetime": T0}, "image")).read_bytes() == path.read_bytes()
    )
    assert store.local_bundle_files_info(tmp_path) == storage.DiskStorage.local_bundle_files_info(tmp_path, "all")
    store.close()


def test_the_api_of_a_server(tmp_path: Path, bucket: Bucket) -> None:
    conf = {"SECRET_API_KEY": SECRET, "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", **bucket.conf}
    with specifications.RemoteAPI(conf) as api:
        api.put_users([{"username": "ada", "password": "x"}])
        token = api.get_token({"username": "ada"})["token"]
        assert api.verify_password(token, "") == "ada"
        with pictures.write(tmp_path, "0a5bb6f4", T0).open("rb") as file:
            (row,) = api.put_images({file: None}, {"id": 1})
    assert row["device"] == "0a5bb6f4"
    assert len(bucket.keys()) == 3
    store = storage.S3Storage(bucket.conf)
    store.delete_image_files(row)
    store.close()
    assert bucket.keys() == []


def test_the_list_of_operations() -> None:
    spec = specifications.BaseAPISpec
    assert inspect.isabstract(spec)
    assert inspect.isabstract(specifications.AsyncBaseAPISpec)
    members = {name for name in dir(spec) if not name.startswith("_") and name != "register"}
    assert len(members) == 24
    for name in members:
        assert not inspect.iscoroutinefunction(getattr(spec, name))
        assert (
            list(inspect.signature(getattr(specifications.LocalAPI, name)).parameters)[:2]
            == list(inspect.signature(getattr(spec, name)).parameters)[:2]
        )


def test_set_sqlite_pragma() -> None:
    connection = sqlite3.connect(":memory:")
    try:
        specifications.set_sqlite_pragma(connection, None)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    finally:
        connection.close()
    specifications.set_sqlite_pragma(object(), None)


# --- who calls -------------------------------------------------------------------------------------------------------


@given(st.text().filter(lambda name: ":" not in name), st.text())
def test_basic_credentials(name: str, password: str) -> None:
    try:
        encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
    except UnicodeEncodeError:
        return
    assert read_basic(f"Basic {encoded}") == (name, password)
    assert read_basic(f"bAsIc {encoded}") == (name, password)


@given(st.text())
def test_anything_for_credentials(header: str) -> None:
    assert read_basic(header) is None or isinstance(read_basic(header), tuple)
    read_basic(f"Basic {header}")


@given(st.lists(st.floats(0, 500), max_size=40))
def test_attempts(times: list[float]) -> None:
    attempts, failed = Attempts(3, 60), []
    for now in sorted(times):
        recent = [time for time in failed if time > now - 60]
        wait_s = attempts.wait_s("key", now)
        assert (wait_s > 0) == (len(recent) >= 3)
        assert wait_s <= 61
        if not wait_s:
            attempts.fail("key", now)
            failed.append(now)
    assert attempts.wait_s("other", 1000) == 0
    attempts.succeed("key")
    assert attempts.wait_s("key", 500) == 0


@pytest.mark.anyio
async def test_many_at_the_same_time(quick_api: AsyncRemoteAPI) -> None:
    await quick_api.put_users([{"username": "ada", "password": "right"}])
    gate, outcomes = Gate(quick_api), []

    async def call(password: str) -> None:
        header = "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()
        try:
            outcomes.append((await gate.recognise(header, "here"))["username"])
        except (NotAuthenticated, TooManyAttempts) as error:
            outcomes.append(type(error).__name__)

    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(call, "right")
    assert outcomes == ["ada"] * 12
    outcomes.clear()
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(call, "wrong")
    assert sorted(outcomes) == ["NotAuthenticated"] * 5 + ["TooManyAttempts"] * 7
    await call("right")
    assert outcomes[-1] == "TooManyAttempts"
