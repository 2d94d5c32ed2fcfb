"""The API on each kind of database, and the server on a real socket."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from asyncclient.sticky_pi import _passwords
from asyncclient.sticky_pi._api import AsyncRemoteAPI
from tests.sticky_pi_server.buckets import Bucket, make_bucket
from tests.sticky_pi_server.places import SECRET, DatabaseServers
from tests.support import peers

KINDS = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.servers),
    pytest.param("postgresql", marks=pytest.mark.servers),
]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spend less on passwords than they are worth elsewhere."""
    monkeypatch.setattr(_passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    monkeypatch.setattr(_passwords, "_nobody", None)


@pytest.fixture(scope="session")
def database_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServers]:
    with ExitStack() as stack:
        yield DatabaseServers(stack, tmp_path_factory)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """One of the three databases."""
    return str(request.param)


@pytest.fixture
async def database(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return await database_servers.empty(kind, tmp_path)


@pytest.fixture
def conf(database: str, tmp_path: Path) -> dict[str, Any]:
    return {"SECRET_API_KEY": SECRET, "DATABASE_URL": database, "LOCAL_DIR": str(tmp_path / "files")}


@pytest.fixture
async def make_api() -> AsyncIterator[Callable[[dict[str, Any]], AsyncRemoteAPI]]:
    """Make APIs that are closed at the end of the test."""
    async with AsyncExitStack() as stack:

        def make(conf: dict[str, Any]) -> AsyncRemoteAPI:
            api = AsyncRemoteAPI(conf)
            stack.push_async_callback(api.aclose)
            return api

        yield make


@pytest.fixture
def api(conf: dict[str, Any], make_api: Callable[[dict[str, Any]], AsyncRemoteAPI]) -> AsyncRemoteAPI:
    return make_api(conf)


@pytest.fixture
def quick_api(tmp_path: Path, make_api: Callable[[dict[str, Any]], AsyncRemoteAPI]) -> AsyncRemoteAPI:
    """On SQLite, for what is refused before a database is asked."""
    return make_api({"SECRET_API_KEY": SECRET, "LOCAL_DIR": str(tmp_path)})


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with peers.moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def bucket(moto_url: str) -> Bucket:
    """An empty bucket."""
    return make_bucket(moto_url, f"bucket-{secrets.token_hex(4)}")
