"""What the official client was recorded to send is admitted, except where the service of today would refuse it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from asyncclient.testing._contract import Contract, Refusal, segments_of
from asyncclient.testing.las.app import read_contract

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "wire" / "las.json").read_text("utf-8"))

NOT_NAMED = "the service of 2024 does not name this key, and the body schema is closed"
NULL = "the published schema does not admit null"
REFUSED = {
    "c003": ("body.generateSecret: is not of type boolean", NULL),
    "c021": ("body.content: is not of type string", NULL),
    "c073": ("body: 'width' is not known", NOT_NAMED),
    "c082": ("body: 'width' is not known", f"{NOT_NAMED}; so it is with training_id, defect D1 of the client"),
    "c083": ("body: 'training_id' is not known", "defect D1 of the official client: the key is trainingId"),
    "c100": ("body.metadata: is not of type object", NULL),
    "c202": ("body: 'fooBar' is not known", "an invented keyword of the case"),
    "c215": ("body.content: has fewer than 1 characters", "empty content; the client may refuse it as well"),
    "c225": ("body.retentionInDays: is less than 1", "the case sends zero to show that false values are sent"),
    "c253": ("body: 'width' is not known", NOT_NAMED),
    "c254": ("body: 'training_id' is not known", "defect D1 of the official client"),
    "c256": ("body: 'status' is not known", NOT_NAMED),
    "c268": ("body: 'params' is not known", "the wrong keyword of an example in the old interface description"),
    "c274": (None, "admitted: startTime is any text in the published schema; the emulator itself reads it as a time"),
    "c279": ("body.completedConfig: 'imageUrl' is missing", "the case sends empty objects"),
    "c283": ("query: 'z' is not known", "an id with a bare question mark, defect D10"),
    "c284": ("Not Found", "an id with a bare slash, defect D10; encoded it is an unknown id"),
    "s001": ("body: 'width' is not known", NOT_NAMED),
    "s002": ("body: 'width' is not known", NOT_NAMED),
    "s005": ("body: 'inputJsonSchema' is not known", NOT_NAMED),
    "s007": ("body: 'inputJsonSchema' is not known", NOT_NAMED),
    "s009": ("body: 'width' is not known", NOT_NAMED),
}
LEGACY_ADMITS = {"c073", "c256", "s001", "s002", "s005", "s007", "s009"}


def requests_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    found = case.get("requests") or [case["request"]]
    return [request for request in found if request is not None and request["path"].startswith("/v1/")]


def problem_with(contract: Contract, case: dict[str, Any]) -> str | None:
    for request in requests_of(case):
        try:
            operation, _ = contract.find(request["method"], segments_of(request["path"].encode())[1:])
            assert operation.id == called(case, request)
            contract.query(operation, parse_qsl(request["raw_query"], keep_blank_values=True))
            if operation.body is not None:
                contract.body(operation, request["json"])
        except Refusal as refusal:
            return refusal.message
    return None


def called(case: dict[str, Any], request: dict[str, Any]) -> str:
    """The operation behind a request of a method: ``delete_dataset`` may delete documents first."""
    method: str = case["python"]["method"]
    return "delete_documents" if (request["method"], request["path"]) == ("DELETE", "/v1/documents") else method


@pytest.mark.parametrize("case", [case for case in CASES if requests_of(case)], ids=lambda case: case["id"])
def test_recorded(case: dict[str, Any]) -> None:
    assert problem_with(read_contract(), case) == REFUSED.get(case["id"], (None, ""))[0]


def test_older_fields_are_admitted_on_request() -> None:
    contract = read_contract(legacy=True)
    by_id = {case["id"]: case for case in CASES}
    assert {name for name in REFUSED if problem_with(contract, by_id[name]) is None} - {"c274"} == LEGACY_ADMITS


def test_no_exception_is_left_over() -> None:
    assert set(REFUSED) <= {case["id"] for case in CASES}
