"""Every operation of the description, with required and with all arguments, through both clients.

What is expected is worked out here from the description and the rules of the contract, not from the generated code.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import pytest

from asyncclient.flywheel.client import AsyncClient
from tests.flywheel.fake_service import FakeService, Received

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "asyncclient" / "flywheel" / "openapi.json").read_text("utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
WHEN = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
KEYWORD_BODIES = {"add_collection", "add_group", "add_user"}  # the members of their bodies are keywords too
FEATURES = "Safe-Redirect,multipart_signed_url"


class Operation(NamedTuple):
    name: str
    method: str
    path: str
    raw: dict[str, Any]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        return [p for p in self.raw.get("parameters", ()) if not p.get("x-ignored-on-wire")]

    @property
    def is_form(self) -> bool:
        return "multipart/form-data" in self.raw.get("requestBody", {}).get("content", {})

    @property
    def is_download(self) -> bool:
        return any(entry["name"] == "dest_file" for entry in self.raw["x-python-params"])


def operations() -> Iterator[Operation]:
    for key, item in DOCUMENT["paths"].items():
        for method, raw in item.items():
            yield Operation(raw["operationId"], method.upper(), raw.get("x-path", key.partition("#")[0]), raw)


ALL = {operation.name: operation for operation in operations()}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def sample(name: str, schema: Mapping[str, Any]) -> Any:
    schema = resolved(schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return sample(name, schema[key][0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "array":
        item = resolved(schema.get("items", {"type": "object"}))
        one = sample(name, item)
        return [one, f"{one} b"] if isinstance(one, str) and "enum" not in item else [one]
    if kind == "string":
        return WHEN if schema.get("format") == "date-time" else f"{name} é/%"
    return {"integer": 7, "number": 1.5, "boolean": True, "object": {"label": "x é", "none": None}}[kind]


def text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def arguments_of(operation: Operation, *, everything: bool, folder: Path) -> dict[str, Any]:
    schemas = {p.get("x-python-name", p["name"]): p["schema"] for p in operation.raw.get("parameters", ())}
    found: dict[str, Any] = {}
    for entry in operation.raw["x-python-params"]:
        name = entry["name"]
        if not (everything or entry["required"]):
            continue
        if name == "signed":
            found[name] = False
        elif name == "body":
            content = operation.raw["requestBody"]["content"]
            schema = content.get("application/json", {}).get("schema", {})
            found[name] = "raw é" if operation.name == "upload_signed_fs_file" else sample(name, schema)
        elif name == "dest_file":
            found[name] = folder / "download.bin"
        elif name in ("file", "files"):
            found[name] = [str(folder / "upload é.txt")]
        elif name == "metadata" and operation.is_form:
            found[name] = {"a": 1}
        else:
            found[name] = sample(name, schemas[name])
    return found


def expected_target(operation: Operation, given: Mapping[str, Any]) -> str:
    path = "/api" + operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            value = text(given[parameter.get("x-python-name", parameter["name"])])
            path = path.replace("{" + parameter["name"] + "}", quote(value, safe="_.-~"))
    pairs = []
    for parameter in operation.parameters:
        if parameter["in"] == "query":
            value = given.get(parameter.get("x-python-name", parameter["name"]), parameter.get("x-sent-when-absent"))
            values = value if isinstance(value, list) else [] if value is None else [value]
            pairs += [f"{quote_plus(parameter['name'])}={quote_plus(text(each))}" for each in values]
    return path + ("?" + "&".join(pairs) if pairs else "")


def check_headers(operation: Operation, given: Mapping[str, Any], got: Received) -> None:
    headers = got.headers
    assert headers["authorization"] == "scitran-user abc"
    extra = given.get("x_accept_feature")
    assert headers["x-accept-feature"].encode("latin-1").decode() == ",".join([FEATURES, *(extra or ())])
    if operation.is_form:
        assert re.fullmatch(r"multipart/form-data; boundary=[0-9a-f]{32}", headers["content-type"])
    elif operation.name == "upload_signed_fs_file":
        assert headers["content-type"] == "application/octet-stream"
    else:
        assert headers["content-type"] == "application/json"
    accepts = "application/json"
    if operation.name.startswith("download_") and "application/octet-stream" in str(operation.raw["responses"]):
        accepts = "application/octet-stream" if operation.name != "download_ticket" else accepts
    if operation.name == "get_config_js":
        accepts = "application/javascript"
    assert headers["accept"] == accepts
    if "range" in given:
        assert headers["range"] == given["range"]
    if got.method != "GET":
        assert int(headers.get("content-length", -1)) == len(got.body)


def check_body(operation: Operation, given: Mapping[str, Any], got: Received) -> None:
    if operation.is_form:
        field = "files" if "files" in str(operation.raw["requestBody"]) else "file"
        if field in given:
            assert (
                f'name="{field}"; filename="upload é.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n'.encode()
                in got.body
            )
        assert (b'name="metadata"\r\n\r\n{"a":1}\r\n' in got.body) is ("metadata" in given)
        assert got.body.endswith(b"--\r\n")
    elif "body" not in given:
        assert got.body == b""
    elif operation.name == "upload_signed_fs_file":
        assert got.body == given["body"].encode()
    else:
        assert got.json == given["body"]


def replies_null(value: Any) -> None:
    assert value in (None, b"null", "null", []) or value is None


def prepare(folder: Path) -> None:
    (folder / "upload é.txt").write_bytes(b"hello")


def split(operation: Operation, given: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Give the positional arguments by position, as the official client does."""
    names = [e["name"] for e in operation.raw["x-python-params"] if e["kind"] == "positional" and e["name"] in given]
    return [given[name] for name in names], {name: value for name, value in given.items() if name not in names}


def given_range(given: dict[str, Any]) -> dict[str, Any]:
    if "range" in given:
        given["range"] = "bytes=0-3"
    return given


@pytest.mark.parametrize("everything", [False, True], ids=["required", "all"])
@pytest.mark.parametrize("blocking", [False, True], ids=["async", "sync"])
def test_every_operation(service: FakeService, tmp_path: Path, blocking: bool, everything: bool) -> None:
    prepare(tmp_path)
    calls = {
        name: given_range(arguments_of(operation, everything=everything, folder=tmp_path))
        for name, operation in ALL.items()
    }
    got = call_all(service, calls) if not blocking else call_all_blocking(service, calls)
    assert len(got) == 500
    for name, request in got.items():
        operation, given = ALL[name], calls[name]
        assert request.method == operation.method, name
        assert request.target == expected_target(operation, given), name
        check_headers(operation, given, request)
        check_body(operation, given, request)


def call_all(service: FakeService, calls: Mapping[str, dict[str, Any]]) -> dict[str, Received]:
    async def run() -> dict[str, Received]:
        found = {}
        async with AsyncClient(service.key, disable_auth_check=True) as client:
            for name, given in calls.items():
                positional, keywords = split(ALL[name], given)
                service.play()
                replies_null(await getattr(client, name)(*positional, **keywords))
                found[name] = service.received[-1]
        return found

    return asyncio.run(run())


def call_all_blocking(service: FakeService, calls: Mapping[str, dict[str, Any]]) -> dict[str, Received]:
    from asyncclient.flywheel import Client

    found = {}
    with Client(service.key, disable_auth_check=True) as client:
        for name, given in calls.items():
            positional, keywords = split(ALL[name], given)
            service.play()
            group = getattr(client, f"{ALL[name].raw['tags'][0]}_api")
            replies_null(getattr(group, name)(*positional, **keywords))
            found[name] = service.received[-1]
    return found


def test_call_shapes_are_the_official_ones() -> None:
    for name, operation in ALL.items():
        signature = inspect.signature(getattr(AsyncClient, name))
        shape = [p for p in signature.parameters.values() if p.name not in ("self", "options")]
        table = operation.raw["x-python-params"]
        if name in KEYWORD_BODIES:
            assert [p.name for p in shape] == ["body", "fields"]
            continue
        assert [p.name for p in shape] == [entry["name"] for entry in table], name
        for parameter, entry in zip(shape, table, strict=True):
            assert (parameter.kind is parameter.KEYWORD_ONLY) is (entry["kind"] == "keyword"), name
            assert (parameter.default is parameter.empty) is entry["required"], name


def test_every_derived_method_is_there() -> None:
    from asyncclient.flywheel import Client

    assert len(DOCUMENT["x-derived-methods"]) == 126
    for entry in DOCUMENT["x-derived-methods"]:
        for kind in (AsyncClient, Client):
            signature = inspect.signature(getattr(kind, entry["name"]))
            required = [
                p.name
                for p in signature.parameters.values()
                if p.default is p.empty and p.name not in ("self", "options")
            ]
            assert required == [p["name"] for p in entry["params"] if p["required"]], entry["name"]


CONTRACT = ROOT.parent / "shared" / "contracts" / "flywheel" / "operations.tsv"


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contracts are not beside the repository")
def test_the_operations_of_the_contract_are_covered_by_name() -> None:
    from asyncclient.flywheel import Client

    header, *rows = [line.split("\t") for line in CONTRACT.read_text("utf-8").splitlines() if line]
    assert len(rows) == 496
    place = header.index("python_name")
    method, path = header.index("method"), header.index("path")
    for row in rows:
        operation = ALL[row[place]]
        assert operation.method == row[method]
        assert operation.path == row[path]
        assert callable(getattr(AsyncClient, row[place]))
        assert callable(getattr(Client, row[place]))
