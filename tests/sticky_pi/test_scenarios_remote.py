"""The recorded sequences of calls, through the client of a server, async and blocking, against our server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.sticky_pi import AsyncRemoteClient, RemoteAPIException, RemoteClient
from asyncclient.types import RetryPolicy
from tests.sticky_pi import cases
from tests.sticky_pi.scenarios import called, help_files, make_fixtures, outcome_of, query, stored_files
from tests.sticky_pi.serving import ADMIN, Running, serving

pytestmark = [cases.needs_contract, pytest.mark.anyio]

SCENARIOS = [s for s in cases.load()["scenarios"] if any("remote" in step["expect"] for step in s["steps"])]
ORDERED = ("get_images_with_uid_annotations_series", "$listing", "$bfi", "$tree")
QUICK = RetryPolicy(max_retries=5, base_server_s=0.001)
DEVIATIONS: dict[tuple[str, int], str] = {
    ("images-get", 8): "names of devices are compared exactly on SQLite, without case on the recorded MySQL",
    ("images-get", 15): "nothing asked for is no error (defect 7)",
    ("projects-series", 16): "the answer holds the deleted row, not the first one of the table (defect 4)",
    ("ml-bundle", 16): "an empty file can be fetched (defect 13)",
    ("images-synthetic", 2): "an image that cannot be stored is refused before it is sent",
    ("cache", 3): "the file of the cache is found, and removed (defect 12)",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path / "server") as running:
        yield running


class RemotePlayer:
    def __init__(self, server: Running, cls: Any, local_dir: Path, options: dict[str, Any]) -> None:
        self.server = server
        self.cls = cls
        self.local_dir = local_dir
        self.options = options
        self.clients: dict[str, Any] = {}

    def client(self, name: str | None) -> Any:
        user, password = ADMIN if name is None else (name, f"{name}-password")
        if user not in self.clients:
            made = self.cls(str(self.local_dir), self.server.url, user, password, **self.options)
            self.clients[user] = made
        return self.clients[user]

    async def play(self, name: str, args: list[Any], kwargs: dict[str, Any], as_user: str | None) -> Any:
        client = self.client(as_user)
        if name == "$listing":
            return stored_files(self.server.folder)
        if name in ("$count", "$age"):
            return query(self.server.folder / "database.db", name, args[0])
        if name == "$srt":
            method, *rest = args
            return sorted(await called(client, method, *rest), key=lambda row: str(row["key"]))
        if name == "$set_token_life":
            login = (client if self.cls is AsyncRemoteClient else client._object)._login
            login.token = {**login.token, "expiration": int(time.time()) + args[0]}
            return None
        if name == "$flaky":
            count, method, *rest = args
            self.server.busy = count
            return await called(client.with_options(retry=QUICK), method, *rest)
        if name.startswith("$"):
            return help_files(name, args, self.local_dir)
        return await called(client, name, *args, **kwargs)

    async def close(self) -> None:
        for client in self.clients.values():
            await called(client, "close" if self.cls is RemoteClient else "aclose")


# The blocking client is made from the async one: some scenarios are enough, those with files among them.
BLOCKING = ("images-put-basic", "annot-series", "projects", "ml-bundle", "retries")
PLAYED = [(scenario, AsyncRemoteClient) for scenario in SCENARIOS]
PLAYED += [(scenario, RemoteClient) for scenario in SCENARIOS if scenario["id"] in BLOCKING]


@pytest.mark.parametrize(("scenario", "cls"), PLAYED, ids=[f"{s['id']}-{cls.__name__}" for s, cls in PLAYED])
async def test_remote(
    scenario: dict[str, Any], cls: Any, server: Running, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fixtures = tmp_path / "fixtures"
    fixtures.mkdir()
    make_fixtures(scenario, fixtures)
    where = cases.places(FIXTURES=str(fixtures), LOCAL_DIR=str(tmp_path / "local"))
    player = RemotePlayer(server, cls, tmp_path / "local", scenario["client"])
    saved: dict[str, Any] = {}
    differences = []
    try:
        for number, step in enumerate(scenario["steps"]):
            if "remote" not in step["expect"]:
                continue
            before = len(server.requests)
            outcome = await outcome_of(player, step["call"], where, saved, caplog)
            difference = differs(step, outcome, where)
            if scenario["id"] == "token-refresh" and not difference:
                expected = [exchange["request"]["path"] for exchange in step["expect"]["remote"].get("http", [])]
                if server.requests[before:] != expected:
                    difference = f"requests {server.requests[before:]} in place of {expected}"
            if ((scenario["id"], number) in DEVIATIONS) != bool(difference):
                differences.append((number, step["call"], difference or "no deviation any more"))
    finally:
        await player.close()
    assert not differences


def differs(step: dict[str, Any], outcome: Any, where: dict[str, str]) -> str:
    expected = step["expect"]["remote"]
    if "raises" in expected:
        if outcome.error is None:
            return f"returned {outcome.result!r} in place of {expected['raises']}"
        if "RemoteAPIException" in expected["raises"]["type"] and not isinstance(outcome.error, RemoteAPIException):
            return f"raised {outcome.error!r} in place of {expected['raises']}"
        return ""
    if outcome.error is not None:
        return f"raised {outcome.error!r} in place of {expected['returns']!r}"
    returns = ours(expected["returns"], where)
    if step["call"]["method"] == "put_tiled_tuboids":
        returns = [row for part in returns for row in part]  # not wrapped in lists of one (defect 6)
    if not cases.same_rows(outcome.result, returns, ordered=step["call"]["method"] in ORDERED, loose=True):
        return f"returned {outcome.result!r} in place of {returns!r}"
    return ""


def ours(value: Any, where: dict[str, str]) -> Any:
    """Put in what our server says where the recorded one had its bucket: links to files, and forms to send them."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
        return value
    if isinstance(value, dict):
        found = {key: ours(item, where) for key, item in value.items()}
        if str(found.get("path")).startswith("ml/"):
            found["path"] = {"$volatile": "path"}  # in the storage of the server, whatever that is
        return {"$volatile": "form"} if set(value) == {"url", "fields"} else found
    if isinstance(value, list):
        return [ours(item, where) for item in value]
    if isinstance(value, str) and "${S3_HOST}" in value:
        key = re.search(r"\$\{S3_BUCKET_NAME\}/([^?]*)", value)
        return "${volatile}" + (key[1] if key else "") + "${volatile}"
    return cases.filled(value, where)
