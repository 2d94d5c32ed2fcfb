"""Recorded sequences of calls, played through a client."""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from asyncclient.sticky_pi._bundles import list_bundle_files
from tests.sticky_pi import cases


def make_fixtures(scenario: Mapping[str, Any], folder: Path) -> None:
    where = cases.places(FIXTURES=str(folder))
    for fixture in scenario["fixtures"]:
        path = folder / fixture["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if fixture["op"] == "text":
            path.write_text(fixture["text"])
        elif fixture["op"] == "copy":
            shutil.copyfile(cases.filled(fixture["src"], where), path)
        else:
            assert fixture["op"] == "truncate"
            path.write_bytes(Path(cases.filled(fixture["src"], where)).read_bytes()[: fixture["bytes"]])
        if "mtime" in fixture:
            os.utime(path, (fixture["mtime"], fixture["mtime"]))


async def called(client: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method of an async client, or of a blocking one in a thread of its own."""
    method = getattr(client, name, None)
    if method is None:  # private methods have no blocking form
        return await anyio.to_thread.run_sync(lambda: client._run(getattr(client._async, name), *args, **kwargs))
    if inspect.iscoroutinefunction(method):
        return await method(*args, **kwargs)
    return await anyio.to_thread.run_sync(lambda: method(*args, **kwargs))


class Outcome:
    """What one call gave: a result or an error, and what was logged meanwhile."""

    def __init__(self, result: Any = None, error: Exception | None = None) -> None:
        self.result = result
        self.error = error
        self.log: list[list[str]] = []


class LocalPlayer:
    """Plays calls on an embedded client, async or blocking."""

    side = "local"

    def __init__(self, client: Any, local_dir: Path) -> None:
        self.client = client
        self.local_dir = local_dir

    async def play(self, name: str, args: list[Any], kwargs: dict[str, Any], as_user: str | None) -> Any:
        if name.startswith("$"):
            return await self.help(name, args)
        if as_user is not None and name not in ("put_images", "put_tiled_tuboids"):
            kwargs = {**kwargs, "client_info": await self.info(as_user)}
        return await self.call(name, *args, **kwargs)

    async def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return await called(self.client, name, *args, **kwargs)

    async def info(self, username: str) -> dict[str, Any]:
        (user,) = [row for row in await self.call("get_users") if row["username"] == username]
        return {name: user[name] for name in ("id", "username", "is_admin", "can_write")}

    async def help(self, name: str, args: list[Any]) -> Any:
        if name == "$listing":
            return stored_files(self.local_dir)
        if name in ("$count", "$age"):
            return query(self.local_dir / "database.db", name, args[0])
        if name == "$vp":
            return await self.call("verify_password", *args)
        if name == "$srt":
            method, *rest = args
            return sorted(await self.call(method, *rest), key=lambda row: str(row["key"]))
        return help_files(name, args, self.local_dir)


def stored_files(folder: Path) -> list[str]:
    keys = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(key for key in keys if key.startswith(("raw_images", "tiled_tuboids", "ml/")))


def query(path: Path, name: str, argument: Any) -> Any:
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as database, database:
        if name == "$count":
            return database.execute(f"SELECT count(*) FROM {argument}").fetchone()[0]
        older = f"-{argument} seconds"
        database.execute("UPDATE uid_intents SET datetime_created = datetime(datetime_created, ?)", (older,))
    return None


def help_files(name: str, args: list[Any], local_dir: Path) -> Any:
    if name == "$bfi":
        return list_bundle_files(*args)
    if name == "$touch":
        path, text, mtime = args
        Path(path).write_text(text)
        os.utime(path, (mtime, mtime))
        return None
    if name == "$tree":
        root = Path(args[0])
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return [[path.relative_to(root).as_posix(), path.read_text(), path.stat().st_mtime] for path in files]
    assert name == "$cachef", name
    from asyncclient.sticky_pi.client import Cache

    cache = Cache(str(local_dir / "cache" / "images.json"))
    entries = [
        [[Path(path).name, "mtime:float"], list(entry)]
        for known in cache._stored.values()
        for (path, _), entry in sorted(known.items())
    ]
    return {"n_sources": len(cache._stored), "entries": entries}


async def outcome_of(
    player: Any, call: Mapping[str, Any], where: dict[str, str], saved: dict[str, Any], caplog: Any
) -> Outcome:
    for name in cases.saved_names(call["args"]):
        saved.setdefault(name, saved["$last"])  # what the call before gave is what was saved
    args = cases.filled(call["args"], where, saved)
    kwargs = cases.filled(call["kwargs"], where, saved)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        try:
            outcome = Outcome(await player.play(call["method"], args, kwargs, call["as"]))
        except Exception as error:
            outcome = Outcome(error=error)
    outcome.log = [
        [record.levelname, record.getMessage()] for record in caplog.records if record.name.startswith("asyncclient")
    ]
    saved["$last"] = outcome.result
    return outcome
