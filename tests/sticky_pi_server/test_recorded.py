"""The recorded sequences of calls, through the client over HTTP, to the server on each database with S3."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from asyncclient.sticky_pi._database import database_url
from asyncclient.sticky_pi.client import AsyncRemoteClient
from tests.sticky_pi import cases
from tests.sticky_pi.scenarios import LocalPlayer, make_fixtures, outcome_of
from tests.sticky_pi_server.buckets import Bucket
from tests.sticky_pi_server.places import SECRET, DatabaseServers
from tests.sticky_pi_server.serving import ADMIN, PASSWORD, serving

pytestmark = [cases.needs_contract, pytest.mark.anyio]

# The client's own: when it repeats, and what it remembers, is played in tests/sticky_pi.
CLIENT = ("token-refresh", "retries", "cache")
SCENARIOS = [
    scenario
    for scenario in cases.load()["scenarios"]
    if scenario["id"] not in CLIENT and any("remote" in step["expect"] for step in scenario["steps"])
]

# Intended deviations from the recordings: (scenario, number of the step) and why.
DEVIATIONS: dict[tuple[str, int], str] = {
    ("images-get", 15): "no images are asked for: an empty answer in place of an error",
    ("projects-series", 16): "the deleted row is returned, in place of the first one of the table",
    ("ml-bundle", 20): "an empty file of a bundle can be fetched",
}


class RemotePlayer(LocalPlayer):
    """Plays calls on clients of a server, one for each user."""

    side = "remote"

    def __init__(self, url: str, local_dir: Path, database: str, bucket: Bucket) -> None:
        self.local_dir = local_dir
        self._url, self._database, self._bucket = url, database, bucket
        self._clients: dict[str, AsyncRemoteClient] = {}

    def _client(self, name: str, password: str) -> AsyncRemoteClient:
        if name not in self._clients:
            where = urlsplit(self._url)
            self._clients[name] = AsyncRemoteClient(
                str(self.local_dir), str(where.hostname), name, password, "http", where.port or 0, max_retries=0
            )
        return self._clients[name]

    async def play(self, name: str, args: list[Any], kwargs: dict[str, Any], as_user: str | None) -> Any:
        known = (ADMIN, PASSWORD) if as_user is None else (as_user, f"{as_user}-password")
        self.client = self._client(*known)
        return await (self.help(name, args) if name.startswith("$") else self.call(name, *args, **kwargs))

    async def help(self, name: str, args: list[Any]) -> Any:
        if name == "$listing":
            return self._bucket.keys()
        if name in ("$count", "$age"):
            return await self._sql(name, args[0])
        return await super().help(name, args)

    async def _sql(self, name: str, argument: Any) -> Any:
        engine = create_async_engine(database_url(self._database))
        try:
            async with engine.begin() as connection:
                if name == "$count":
                    return (await connection.execute(text(f"SELECT count(*) FROM {argument}"))).scalar()
                change = {
                    "sqlite": f"datetime(datetime_created, '-{argument} seconds')",
                    "mysql": f"datetime_created - INTERVAL {argument} SECOND",
                    "postgresql": f"datetime_created - INTERVAL '{argument} seconds'",
                }[engine.dialect.name]
                await connection.execute(text(f"UPDATE uid_intents SET datetime_created = {change}"))
        finally:
            await engine.dispose()
        return None

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()


# All on MariaDB, which the recorded server had; those with few pictures on the other databases too.
LIGHT = ("projects-series", "itc-labels")
PLAYED = [
    pytest.param(scenario, kind, id=f"{scenario['id']}-{kind}", marks=[] if kind == "sqlite" else pytest.mark.servers)
    for scenario in SCENARIOS
    for kind in ("mariadb", "postgresql", "sqlite")
    if kind == "mariadb" or scenario["id"] in LIGHT
]


@pytest.mark.parametrize(("scenario", "kind"), PLAYED)
async def test_remote(
    scenario: dict[str, Any],
    kind: str,
    database_servers: DatabaseServers,
    bucket: Bucket,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fixtures = tmp_path / "fixtures"
    fixtures.mkdir()
    make_fixtures(scenario, fixtures)
    where = cases.places(FIXTURES=str(fixtures), LOCAL_DIR=str(tmp_path / "client"))
    differences = []
    url = await database_servers.empty(kind, tmp_path)
    conf = {"SECRET_API_KEY": SECRET, "DATABASE_URL": url, **bucket.conf}
    with serving({**conf, "UID_USER": "spi_uid", "UID_PASSWORD": "uid-password-123"}) as address:
        player = RemotePlayer(address, tmp_path / "client", url, bucket)
        saved: dict[str, Any] = {}
        try:
            for number, step in enumerate(scenario["steps"]):
                if "remote" not in step["expect"]:
                    continue
                outcome = await outcome_of(player, step["call"], where, saved, caplog)
                difference = _difference(step, outcome, where, kind)
                if ((scenario["id"], number) in DEVIATIONS) != bool(difference):
                    differences.append((number, step["call"], difference or "no deviation any more"))
        finally:
            await player.aclose()
    assert not differences


def _difference(step: dict[str, Any], outcome: Any, where: dict[str, str], kind: str) -> str:
    expected = step["expect"]["remote"]
    if "raises" in expected:
        return "" if outcome.error is not None else f"returned {outcome.result!r} in place of {expected['raises']}"
    if outcome.error is not None:
        return f"raised {outcome.error!r} in place of {expected['returns']!r}"
    returns = expected.get("returns")
    if step["call"]["method"] == "put_tiled_tuboids":  # ours gives rows, as the embedded client does
        returns = [row for rows in returns for row in rows]
    got, wanted = _comparable(outcome.result, kind, where), _comparable(returns, kind, where)
    ordered = step["call"]["method"] in ("$listing", "$bfi", "$tree")
    if cases.same_rows(got, wanted, ordered=ordered):
        return ""
    return f"returned {got!r} in place of {wanted!r}"


_OTHER_NUMBERS = ("alt", "temp", "hum", "lum")  # of which MariaDB keeps less, or prints less
_IDS = (
    "id",
    "api_user_id",
    "parent_image_id",
    "parent_series_id",
    "parent_user_id",
    "id_annot",
    "id_itc",
    "api_user_id_itc",
    "parent_tuboid_id",
)


def _comparable(value: Any, kind: str, where: dict[str, str]) -> Any:
    """Leave out what differs between databases, numbers of rows (some may be skipped), and where S3 is."""
    if isinstance(value, list):
        return [_comparable(item, kind, where) for item in value]
    if isinstance(value, dict) and not (len(value) == 1 and next(iter(value)).startswith("$")):
        hidden = _IDS if kind == "mariadb" else (*_IDS, *_OTHER_NUMBERS)
        return {key: _comparable(item, kind, where) for key, item in value.items() if key not in hidden}
    if isinstance(value, str):
        return _place(cases.filled(copy.copy(value), where))
    return value


def _place(url: str) -> str:
    """Return the path of a link into the bucket, without the bucket."""
    for prefix in ("https://${S3_HOST}/${S3_BUCKET_NAME}", "http://127.0.0.1:"):
        if url.startswith(prefix):
            path = url[len("https://${S3_HOST}") :] if "${" in prefix else urlsplit(url).path
            return "/" + path.partition("?")[0].strip("/").partition("/")[2]
    return url
