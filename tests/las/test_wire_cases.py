"""Every recorded call of the official client, through our async client and through the facade."""

from __future__ import annotations

import base64
import datetime as dt
import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, las
from asyncclient.errors import APIError
from asyncclient.types import RetryPolicy
from tests.las.wire_server import Received, WireServer

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "wire" / "las.json").read_text())
NO_WAIT = RetryPolicy(max_retries=2, max_throttle_retries=3, base_transport_s=0, base_server_s=0, base_throttle_s=0)

# Where the new client differs from the recording, as the contract allows or recommends; see docs/howto/las.md.
REFUSED_LOCALLY = {"c215": las.EmptyRequestError, "c222": las.EmptyRequestError, "c227": las.EmptyRequestError}
PATHS = {"c283": ("/v1/assets/las:asset:x%20y%3Fz%23f", ""), "c284": ("/v1/logs/a%2Fb%20c:%C3%A9", "")}
RAISED = {
    "EmptyRequestError": las.EmptyRequestError,
    "FileNotFoundError": FileNotFoundError,
    "TypeError": TypeError,
    "BadRequest": las.BadRequest,
    "NotFound": las.NotFound,
    "InvalidCredentialsException": las.InvalidCredentialsException,
    "TooManyRequestsException": las.TooManyRequestsException,
    "LimitExceededException": las.LimitExceededException,
    "HTTPError": APIError,
    "AssertionError": las.FileFormatException,  # s016: allowed deviation
}
OWN_MESSAGES = {"EmptyRequestError", "FileNotFoundError", "TypeError", "HTTPError", "AssertionError"}


def restore(value: Any, folder: Path, opened: list[Any]) -> Any:
    """Turn tagged values of a case back into Python objects."""
    if isinstance(value, list):
        return [restore(item, folder, opened) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$bytearray" in value:
        return bytearray(base64.b64decode(value["$bytearray"]))
    if "$datetime" in value:
        return dt.datetime.fromisoformat(value["$datetime"])
    if "$file" in value:
        return restore_file(value["$file"], folder, opened)
    return {key: restore(item, folder, opened) for key, item in value.items()}


def restore_file(spec: dict[str, Any], folder: Path, opened: list[Any]) -> Any:
    path = folder / spec["name"]
    path.write_bytes(base64.b64decode(spec["bytes"]))
    if spec["as"] in ("str", "Path"):
        return str(path) if spec["as"] == "str" else path
    stream: Any = path.open("rb") if spec["as"] == "binary_stream" else path.open(encoding="utf-8")
    opened.append(stream)
    return stream


def expected_requests(case: dict[str, Any]) -> list[dict[str, Any]]:
    if case["id"] in REFUSED_LOCALLY:
        return []
    requests = [dict(r) for r in case.get("requests") or ([case["request"]] if case["request"] else [])]
    deviation = case.get("deviation") or {}
    if "json" in deviation:
        requests[0]["json"] = deviation["json"]
    if case["id"] in PATHS:
        requests[0]["path"], requests[0]["raw_query"] = PATHS[case["id"]]
        requests[0]["query"] = []
    return requests


def check_request(got: Received, want: dict[str, Any]) -> None:
    assert (got.method, got.path) == (want["method"], want["path"])
    assert got.query == want["query"]
    interest = dict(want["headers_of_interest"])
    length = interest.pop("content-length", None)
    for name, value in interest.items():
        assert got.headers.get(name) == value, name
    if want.get("body_base64") is not None:
        assert got.body == base64.b64decode(want["body_base64"])
        assert got.headers["content-length"] == length
    elif want.get("json") is not None:
        assert json.loads(got.body) == want["json"]
    else:
        assert got.body == b""


def check_outcome(case: dict[str, Any], wire: WireServer, value: Any, error: BaseException | None) -> None:
    requests = expected_requests(case)
    assert len(wire.received) == len(requests), [f"{r.method} {r.path}" for r in wire.received]
    for got, want in zip(wire.received, requests, strict=True):
        check_request(got, want)
    if case["id"] in REFUSED_LOCALLY:
        assert isinstance(error, REFUSED_LOCALLY[case["id"]])
        return
    if "raises" in case:
        raised = case["raises"]
        assert isinstance(error, RAISED[raised["type"]]), error
        if raised["type"] not in OWN_MESSAGES:
            assert str(error) == raised["message"]
        return
    if error is not None:
        raise error
    check_value(case, wire, value)


def check_value(case: dict[str, Any], wire: WireServer, value: Any) -> None:
    returns = case["returns"]
    same = returns.get("same_as_response")
    want = returns["value"] if same is None else case["responses"][same]["json"]
    if case["python"]["method"] == "send_heartbeat":
        want = None  # recommended: None in place of a constant dict
    if case["python"]["method"] == "delete_documents" and case["python"]["kwargs"].get("delete_all"):
        want = {**want, "nextToken": None}  # D5: no page is left
    assert value == json.loads(json.dumps(want).replace("{origin}", wire.origin))


def prepared(
    case: dict[str, Any], wire: WireServer, folder: Path, opened: list[Any]
) -> tuple[list[Any], dict[str, Any]]:
    wire.play(*case["responses"])
    args = restore(case["python"]["args"], folder, opened)
    kwargs = restore(case["python"]["kwargs"], folder, opened)
    kwargs.update(case.get("merged_call", {}).get("kwargs_added", {}))
    return args, kwargs


def close(opened: list[Any]) -> None:
    for stream in opened:
        stream.close()


def ids(case: dict[str, Any]) -> str:
    return f"{case['id']}-{case['python']['method']}"


@pytest.mark.anyio
@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("case", CASES, ids=ids)
async def test_async(
    case: dict[str, Any],
    wire: WireServer,
    credentials: las.Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[Any] = []
    value, error = None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # obsolete and unknown keywords are recorded on purpose
        async with AsyncHub() as hub:
            client = las.AsyncClient(credentials, hub=hub).with_options(retry=NO_WAIT)
            args, kwargs = prepared(case, wire, tmp_path, opened)
            try:
                value = await getattr(client, case["python"]["method"])(*args, **kwargs)
            except Exception as caught:
                error = caught
            finally:
                close(opened)
    check_outcome(case, wire, value, error)


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_sync(
    case: dict[str, Any],
    wire: WireServer,
    credentials: las.Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    opened: list[Any] = []
    value, error = None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Hub() as hub:
            client = las.Client(credentials, hub=hub).with_options(retry=NO_WAIT)
            args, kwargs = prepared(case, wire, tmp_path, opened)
            try:
                value = getattr(client, case["python"]["method"])(*args, **kwargs)
            except Exception as caught:
                error = caught
            finally:
                close(opened)
    check_outcome(case, wire, value, error)


def test_no_case_is_lost() -> None:
    assert len(CASES) == 193
    named = {case["id"] for case in CASES if case.get("deviation")}
    handled = {*REFUSED_LOCALLY, *PATHS, "s016", *(c["id"] for c in CASES if "json" in (c.get("deviation") or {}))}
    assert named == handled


def test_every_method_has_its_facade() -> None:
    for name, method in inspect.getmembers(las.AsyncClient, inspect.iscoroutinefunction):
        if not name.startswith("_") and name != "aclose":
            twin = getattr(las.Client, name)
            assert list(inspect.signature(twin).parameters) == list(inspect.signature(method).parameters), name
