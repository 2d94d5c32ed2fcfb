"""The recorded cases: what they set up, what they call, what has to come of it."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncclient import voxel51
from tests.voxel51.wire_server import Received

ALL: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "wire" / "voxel51.json").read_text())
CASES = [case for case in ALL if case["kind"] != "cli"]
SESSIONS = ("API", "ApplicationAPI")
EPOCH = 1_000_000.0


class VirtualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = EPOCH
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at += seconds


class Place:
    """The folders of one case, and what its placeholders stand for."""

    def __init__(self, base: str, home: Path, work: Path) -> None:
        self.home = home
        self.work = work
        self.names = {"{BASE}": base, "{HOME}": str(home), "{TMP}": str(work)}

    def filled(self, value: Any) -> Any:
        """Replace placeholders in all texts of a value."""
        if isinstance(value, str):
            for name, text in self.names.items():
                value = value.replace(name, text)
            return value
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        return value

    def set_up(self, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        setup = self.filled(case.get("setup") or {})
        for name, spec in (setup.get("files") or {}).items():
            write(self.work / name, spec)
        for name, spec in (setup.get("home_files") or {}).items():
            write(self.home / name.removeprefix("~/"), spec)
        for name, value in (setup.get("env") or {}).items():
            monkeypatch.setenv(name, value)
        if "TZ" in (setup.get("env") or {}):
            time.tzset()

    def seen(self, folder: Path) -> dict[str, Any]:
        """Return what lies in a folder: bytes of files, None for folders."""
        found = sorted(folder.rglob("*"))
        return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in found}


def write(path: Path, spec: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content_of(spec))
    path.chmod(0o600)


def content_of(spec: Mapping[str, Any]) -> bytes:
    if "json" in spec:
        return json.dumps(spec["json"]).encode()
    if "b64" in spec:
        return base64.b64decode(spec["b64"])
    return bytes(spec["zeros"]) if "zeros" in spec else str(spec["text"]).encode()


def restore(value: Any) -> Any:
    """Turn tagged values of a case back into Python objects."""
    if isinstance(value, list):
        return [restore(item) for item in value]
    if not isinstance(value, dict):
        return value
    for tag, make in _MAKERS.items():
        if tag in value:
            return make(value[tag])
    return {key: restore(item) for key, item in value.items()}


def _query(spec: dict[str, Any]) -> Any:
    query = getattr(voxel51, spec["class"])()
    for name, *args in spec["calls"]:
        getattr(query, name)(*restore(args))
    return query


def _job_request(spec: dict[str, Any]) -> voxel51.JobRequest:
    request = voxel51.JobRequest(*restore(spec["args"]), **restore(spec["kwargs"]))
    for call in spec["calls"]:
        getattr(request, call["method"])(*restore(call.get("args", [])), **restore(call.get("kwargs", {})))
    return request


def _token(spec: dict[str, Any]) -> voxel51.Token:
    kind = voxel51.ApplicationToken if spec.get("app") else voxel51.Token
    return kind(spec["dict"])


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "$datetime": dt.datetime.fromisoformat,
    "$date": dt.date.fromisoformat,
    "$path": Path,
    "$tuple": lambda items: tuple(restore(items)),
    "$iter": lambda items: iter(restore(items)),
    "$query": _query,
    "$job_request": _job_request,
    "$remote_data_path": lambda data_id: voxel51.RemoteDataPath(data_id),
    "$token": _token,
}


def function_of(python: dict[str, Any]) -> Callable[..., Any]:
    """Return what a case calls that is no method of a session."""
    owner, name = python["class"], python["method"]
    if "." in owner:
        return getattr(importlib.import_module(f"asyncclient.voxel51.{owner}"), name)  # type: ignore[no-any-return]
    target: Any = restore(python["instance"]) if "instance" in python else getattr(voxel51, owner)
    return getattr(target, name)  # type: ignore[no-any-return]


def shown(value: Any) -> Any:
    """Return a result in the form of the recordings."""
    if isinstance(value, voxel51.JobRequest):
        return {"$job_request_json": value.to_dict()}
    if isinstance(value, voxel51.Token):
        names = ("id", "creation_date", "private_key", "base_api_url")
        found = {name: getattr(value, name) for name in names}
        return {"$token": {"class": type(value).__name__, **found, "header": value.get_header()}}
    if isinstance(value, voxel51.BaseQuery):
        return {"$query_dict": value.to_dict(), "$query_str": str(value)}
    if hasattr(value, "base_url"):
        found = {"base_url": value.base_url, "keep_alive": value.keep_alive, "header": value.token.get_header()}
        users = {"active_user": value.active_user} if hasattr(value, "active_user") else {}
        return {"$api": {"class": type(value).__name__.removeprefix("Async"), **found, **users}}
    return os.fspath(value) if isinstance(value, Path) else value


def check_request(got: Received, want: dict[str, Any]) -> None:
    assert (got.method, got.path) == (want["method"], want["path"])
    assert got.query == want["query"]
    if "raw_query" in want:
        assert got.raw_query == want["raw_query"]
    check_headers(got, want["headers_of_interest"])
    assert got.framing == want["body_framing"]
    if "json" in want:
        assert json.loads(got.body) == want["json"]
    elif "raw_form" in want:
        assert got.body.decode() == want["raw_form"]
    elif "multipart" in want:
        check_parts(got, want["multipart"])
    else:
        assert got.body == b""


def check_headers(got: Received, want: dict[str, str]) -> None:
    named = ("authorization", "x-voxel51-application", "x-voxel51-application-user", "content-type", "cookie")
    for name in named:
        value = got.headers.get(name)
        expected = want.get(name)
        if expected is not None and expected.endswith("boundary=*"):
            assert value is not None
            assert value.startswith(expected[:-1])
        else:
            assert value == expected, name


def check_parts(got: Received, want: list[dict[str, Any]]) -> None:
    parts = got.parts()
    assert [part.headers for part in parts] == [part["headers"] for part in want]
    for part, expected in zip(parts, want, strict=True):
        assert len(part.content) == expected["size"]
        assert part.content == content_of(expected)


def ids(cases: list[dict[str, Any]]) -> Iterator[str]:
    return (case["id"] for case in cases)
