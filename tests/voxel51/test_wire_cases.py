"""Every recorded call of the official client, through our async sessions and through the blocking ones."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, errors, voxel51
from asyncclient.voxel51.waiting import Clock
from tests.voxel51.cases import (
    CASES,
    SESSIONS,
    Place,
    VirtualClock,
    check_request,
    content_of,
    function_of,
    restore,
    shown,
)
from tests.voxel51.deviations import DEVIATIONS, Deviation
from tests.voxel51.wire_server import WireServer

RAISED: dict[str, type[BaseException]] = {
    "APIError": voxel51.APIError,
    "ApplicationAPIError": voxel51.ApplicationAPIError,
    "TokenError": voxel51.TokenError,
    "ApplicationTokenError": voxel51.ApplicationTokenError,
    "JobExecutionError": voxel51.JobExecutionError,
    "RemoteDataPathError": voxel51.RemoteDataPathError,
    "FileNotFoundError": FileNotFoundError,
    "IsADirectoryError": IsADirectoryError,
    "TypeError": TypeError,
    "ValueError": ValueError,
}
OWN_MESSAGES = {"TypeError"}


@dataclass
class Came:
    """What came of a call."""

    value: Any = None
    error: BaseException | None = None


def check(case: dict[str, Any], came: Came, wire: WireServer, place: Place) -> None:
    deviation = DEVIATIONS.get(case["id"], Deviation())
    requests = case["requests"] if deviation.requests is None else deviation.requests
    assert [f"{r.method} {r.path}" for r in wire.received] == [f"{r['method']} {r['path']}" for r in requests]
    for got, want in zip(wire.received, requests, strict=True):
        check_request(got, want)
    if deviation.raises is not None:
        assert isinstance(came.error, deviation.raises), repr(came.error)
        assert deviation.says in str(came.error)
    elif "raises" in case["outcome"] and not deviation.succeeds:
        check_error(case, came, place, deviation)
    elif came.error is not None:
        raise came.error
    else:
        check_value(case, came, place, deviation)
    check_files(case, place, deviation)


def check_error(case: dict[str, Any], came: Came, place: Place, deviation: Deviation) -> None:
    raised = place.filled(case["outcome"]["raises"])
    assert isinstance(came.error, RAISED[raised["class"]]), repr(came.error)
    if raised["class"] == "APIError":
        assert not isinstance(came.error, voxel51.ApplicationAPIError)
    if deviation.says:
        assert place.filled(deviation.says) in str(came.error)
    elif raised["class"] not in OWN_MESSAGES:
        assert str(came.error) == raised["message"]


def check_value(case: dict[str, Any], came: Came, place: Place, deviation: Deviation) -> None:
    want = case["outcome"].get("result") if deviation.result is None else deviation.result
    assert shown(came.value) == place.filled(want)


def check_files(case: dict[str, Any], place: Place, deviation: Deviation) -> None:
    """Compare the files that are new or changed with those of the recording."""
    for folder, key in ((place.work, "files_after"), (place.home, "home_after")):
        after = case.get(key, {}) if getattr(deviation, key) is None else getattr(deviation, key)
        given = (case.get("setup") or {}).get("files" if key == "files_after" else "home_files") or {}
        want = {name.removeprefix("~/").rstrip("/"): spec for name, spec in place.filled(after).items()}
        files = {name.removeprefix("~/"): content_of(spec) for name, spec in place.filled(given).items()}
        files |= {name: content_of(spec) for name, spec in want.items() if "dir" not in spec}
        seen = place.seen(folder)
        if key == "home_after" and not case.get(key) and getattr(deviation, key) is None:
            continue  # recorded only where something changed
        assert {name: content for name, content in seen.items() if content is not None} == {
            name: content for name, content in files.items() if name in seen or name in want
        }
        for name, spec in want.items():
            assert "dir" not in spec or (folder / name).is_dir(), name


def check_log(case: dict[str, Any], place: Place, caplog: pytest.LogCaptureFixture) -> None:
    if case["id"] in DEVIATIONS and DEVIATIONS[case["id"]].log is not None:
        want: Any = DEVIATIONS[case["id"]].log
    else:
        want = case.get("log", [])
    found = [[r.levelname, r.getMessage()] for r in caplog.records if r.name.startswith("asyncclient.voxel51")]
    assert found == place.filled(want)


def check_sleeps(case: dict[str, Any], clock: VirtualClock) -> None:
    deviation = DEVIATIONS.get(case["id"], Deviation())
    want = case.get("sleeps", []) if deviation.sleeps is None else deviation.sleeps
    assert clock.sleeps == want


def token_of(python: dict[str, Any], place: Place) -> voxel51.Token:
    init = restore(place.filled(python.get("init") or {}))
    if "token" in init:
        found: voxel51.Token = init["token"]
        return found
    base = place.names["{BASE}"]
    if python["class"] == "ApplicationAPI":
        return voxel51.ApplicationToken.from_private_key("app-key-456", base)
    return voxel51.Token.from_private_key("user-key-123", base)


def call(api: Any, case: dict[str, Any], place: Place) -> Any:
    python = place.filled(case["python"])
    for name, *args in (case.get("setup") or {}).get("before") or []:
        getattr(api, name)(*args)
    return getattr(api, python["method"])(*restore(python["args"]), **restore(python["kwargs"]))


def made(case: dict[str, Any]) -> bool:
    """Tell whether a case is about making a session."""
    return case["python"]["method"] in ("__init__", "from_json")


CALLS = [case for case in CASES if case["python"]["class"] in SESSIONS and not made(case)]
SESSIONS_MADE = [case for case in CASES if case["python"]["class"] in SESSIONS and made(case)]
FUNCTIONS = [case for case in CASES if case["python"]["class"] not in SESSIONS]


@pytest.fixture
def place(wire: WireServer, home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Place:
    caplog.set_level(logging.INFO, "asyncclient.voxel51")
    return Place(wire.origin, home, tmp_path / "work")


def keep_alive(case: dict[str, Any]) -> bool:
    return bool((case["python"].get("init") or {}).get("keep_alive", False))


@pytest.mark.anyio
@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("case", CALLS, ids=lambda case: case["id"])
async def test_async(
    case: dict[str, Any],
    wire: WireServer,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place.set_up(case, monkeypatch)
    clock, came = VirtualClock(), Came()
    wire.play(*case.get("responses", []))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # dates without a time zone are recorded on purpose
        async with AsyncHub() as hub:
            kind: Any = voxel51.AsyncAPI if case["python"]["class"] == "API" else voxel51.AsyncApplicationAPI
            api = kind(token_of(case["python"], place), keep_alive(case), hub=hub, max_retries=0)
            monkeypatch.setattr(type(api), "_clock", Clock(clock.now, clock.sleep))
            try:
                came.value = await call(api, case, place)
            except Exception as error:
                came.error = error
    check(case, came, wire, place)
    check_log(case, place, caplog)
    check_sleeps(case, clock)


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("case", CALLS, ids=lambda case: case["id"])
def test_sync(
    case: dict[str, Any],
    wire: WireServer,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place.set_up(case, monkeypatch)
    clock, came = VirtualClock(), Came()
    wire.play(*case.get("responses", []))
    monkeypatch.setattr(voxel51.AsyncAPI, "_clock", Clock(clock.now, clock.sleep))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with Hub() as hub:
            kind: Any = voxel51.API if case["python"]["class"] == "API" else voxel51.ApplicationAPI
            api = kind(token_of(case["python"], place), keep_alive(case), hub=hub, max_retries=0)
            try:
                came.value = call(api, case, place)
            except Exception as error:
                came.error = error
            finally:
                if hasattr(api, "exit_user"):
                    api.exit_user()
    check(case, came, wire, place)
    check_log(case, place, caplog)
    check_sleeps(case, clock)


@pytest.mark.parametrize("way", ["async", "sync"])
@pytest.mark.parametrize("case", SESSIONS_MADE, ids=lambda case: case["id"])
def test_sessions(
    case: dict[str, Any],
    way: str,
    wire: WireServer,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place.set_up(case, monkeypatch)
    python, came = place.filled(case["python"]), Came()
    kind: Any = getattr(voxel51, python["class"] if way == "sync" else f"Async{python['class']}")
    try:
        make = kind if python["method"] == "__init__" else kind.from_json
        came.value = make(*restore(python["args"]), **restore(python["kwargs"]))
    except Exception as error:
        came.error = error
    check(case, came, wire, place)
    check_log(case, place, caplog)


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case["id"])
def test_functions(
    case: dict[str, Any],
    wire: WireServer,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place.set_up(case, monkeypatch)
    python, came = place.filled(case["python"]), Came()
    try:
        came.value = function_of(python)(*restore(python["args"]), **restore(python["kwargs"]))
    except Exception as error:
        came.error = error
    check(case, came, wire, place)
    check_log(case, place, caplog)


def test_no_case_is_lost() -> None:
    assert len(CALLS) + len(SESSIONS_MADE) + len(FUNCTIONS) == len(CASES) == 267
    assert {case["id"] for case in CASES} >= DEVIATIONS.keys()


def test_every_error_of_ours_is_in_the_tree() -> None:
    for name in RAISED:
        kind = getattr(voxel51, name, None)
        assert kind is None or issubclass(kind, errors.AsyncClientError)
