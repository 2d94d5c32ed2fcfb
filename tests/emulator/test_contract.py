"""The contract the emulator carries is what the description says, and what it says can be checked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import asyncclient
from asyncclient._codegen import contract as codegen
from asyncclient.testing._contract import Contract, Refusal, segments_of
from asyncclient.testing._schema import KEYWORDS, keywords_of
from asyncclient.testing.las.app import read_contract
from asyncclient.testing.las.handlers import HANDLERS
from tests.emulator.answers import description

PACKAGE = Path(asyncclient.__file__).parent
ID = "las:model:" + "0" * 32


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract()


def test_it_has_not_drifted_from_the_description() -> None:
    assert codegen.main(["--check"]) == 0, "run python -m asyncclient._codegen.contract"


def test_a_stale_contract_is_found_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for service in codegen.SERVICES:
        (tmp_path / service).mkdir()
        shutil.copy(PACKAGE / service / "openapi.json", tmp_path / service)
        (tmp_path / "testing" / service).mkdir(parents=True)
    assert codegen.main(["--check"], package=tmp_path) == 1
    assert "las: contract.json is stale" in capsys.readouterr().out
    assert codegen.main([], package=tmp_path) == 0
    assert codegen.main(["--check"], package=tmp_path) == 0
    written = (tmp_path / "testing" / "las" / "contract.json").read_bytes()
    assert written == (PACKAGE / "testing" / "las" / "contract.json").read_bytes()


def test_every_operation_has_a_handler(contract: Contract) -> None:
    assert len(contract.operations) == 85
    assert {operation.id for operation in contract.operations} == set(HANDLERS)


def test_it_uses_known_keywords_only() -> None:
    source = codegen.contract_of("las", description())
    bodies = [operation["body"] for operation in source["operations"]]
    queries = [schema for operation in source["operations"] for schema in operation["query"].values()]
    for schema in [*bodies, *queries, *source["schemas"].values()]:
        assert keywords_of(schema) <= KEYWORDS


def test_what_the_service_adds_becomes_plain_schema() -> None:
    source = {
        "type": "object",
        "properties": {"one": {"type": "string", "default": "x", "x-note": "n"}, "description": {"type": "string"}},
        "x-server-only-properties": {"two": {"allOf": [{"$ref": "#/components/schemas/Two"}]}},
        "x-server-closed": True,
        "x-server-min-properties": 1,
        "description": "text",
    }
    assert codegen.schema_of(source) == {
        "type": "object",
        "properties": {"one": {"type": "string"}, "description": {"type": "string"}, "two": {"$ref": "Two"}},
        "additionalProperties": False,
        "minProperties": 1,
    }


@pytest.mark.parametrize("legacy", [False, True])
def test_members_of_older_versions_are_an_option(legacy: bool) -> None:
    contract = read_contract(legacy=legacy)
    operation, _ = contract.find("PATCH", ["models", ID])
    if legacy:
        contract.body(operation, {"width": 640})
        with pytest.raises(Refusal, match="less than 97"):
            contract.body(operation, {"width": 1})
    else:
        with pytest.raises(Refusal, match="'width' is not known"):
            contract.body(operation, {"width": 640})


def test_finding_operations(contract: Contract) -> None:
    operation, params = contract.find("GET", ["models", "a/b", "trainings", "c"])
    assert (operation.id, params) == ("get_training", {"modelId": "a/b", "trainingId": "c"})
    with pytest.raises(Refusal) as missing:
        contract.find("GET", ["batches"])
    assert missing.value.status == 404
    with pytest.raises(Refusal) as wrong:
        contract.find("PUT", ["models", "m"])
    assert (wrong.value.status, wrong.value.headers) == (405, {"allow": "DELETE, GET, PATCH"})


def test_the_query_becomes_values(contract: Contract) -> None:
    operation, _ = contract.find("GET", ["documents"])
    dataset = "las:dataset:" + "0" * 32
    pairs = [("maxResults", "5"), ("datasetId", dataset), ("datasetId", dataset), ("documentId", "d")]
    assert contract.query(operation, pairs) == {"maxResults": 5, "datasetId": [dataset, dataset], "documentId": "d"}


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ([("limit", "5")], "query: 'limit' is not known"),
        ([("maxResults", "five")], "query.maxResults: is not of type integer"),
        ([("order", "down")], "query.order: is not one of ascending, descending"),
        ([("order", "ascending")] * 2, "query.order: is given 2 times"),
        ([("datasetId", "x")], "query.datasetId[0]: does not match ^las:dataset:[a-f0-9]{32}$"),
    ],
)
def test_a_wrong_query_is_refused(contract: Contract, pairs: list[tuple[str, str]], problem: str) -> None:
    operation, _ = contract.find("GET", ["documents"])
    with pytest.raises(Refusal) as refusal:
        contract.query(operation, pairs)
    assert (refusal.value.status, refusal.value.message) == (400, problem)


def test_paths_are_split_before_they_are_decoded() -> None:
    assert segments_of(b"/v1/models/las%3Aorganization%3Aa%2Flas%3Amodel%3Ab") == [
        *("v1", "models", "las:organization:a/las:model:b")
    ]
    assert segments_of("/v1/logs/æ".encode()) == ["v1", "logs", "æ"]


def test_the_files_are_small_and_one_operation_a_line() -> None:
    text = (PACKAGE / "testing" / "las" / "contract.json").read_text("utf-8")
    assert len(text) < 60_000
    parsed: dict[str, Any] = json.loads(text)
    assert len(text.splitlines()) == len(parsed["operations"]) + len(parsed["schemas"]) + 5
