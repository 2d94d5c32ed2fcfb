"""The contract the emulator carries is what the description says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from asyncclient._codegen import contract as codegen
from asyncclient.testing._contract import Contract
from asyncclient.testing._schema import KEYWORDS, keywords_of
from asyncclient.testing.lfview.app import read_contract
from asyncclient.testing.lfview.handlers import HANDLERS
from asyncclient.testing.lfview.kinds import FILES, ITEM_BYTES, POINTERS, SCHEMAS, prefix_of
from tests.emulator_lfview.conftest import Json, description


def made() -> Json:
    return codegen.contract_of("lfview", description())


def pointers(value: Any, name: str = "") -> Iterator[str]:
    """Names of the properties that the description calls pointers."""
    if isinstance(value, list):
        for item in value:
            yield from pointers(item, name)
    if isinstance(value, dict):
        if "x-pointer-to" in value:
            yield name
        for key, item in value.items():
            inside = name if key in ("items", "anyOf", "allOf", "properties") else key
            yield from pointers(item, inside)


def test_every_operation_has_a_handler() -> None:
    contract: Contract = read_contract()
    assert {operation.id for operation in contract.operations} == set(HANDLERS)
    assert len(contract.operations) == 23
    assert {operation.status for operation in contract.operations if operation.method == "POST"} <= {200, 201}


def test_contents_have_no_path_of_their_own() -> None:
    ids = {operation["id"] for operation in made()["operations"]}
    assert not ids & {"upload_content", "download_content"}


def test_it_uses_known_keywords_only() -> None:
    source = made()
    for schema in [*(item["body"] for item in source["operations"]), *source["schemas"].values()]:
        assert keywords_of(schema) <= KEYWORDS


def test_classes_are_closed() -> None:
    schemas = made()["schemas"]
    classes = {name for name, part in description()["components"]["schemas"].items() if "x-python-class" in part}
    for name, schema in schemas.items():
        assert (schema.get("additionalProperties") is False) == (name in classes), name


def test_the_types() -> None:
    schemas = description()["components"]["schemas"]
    for kind, name in SCHEMAS.items():
        base, sub = schemas[name]["x-base-type"], schemas[name]["x-sub-type"]
        assert kind == (f"{base}/{sub}" if sub else base)
    typed = {name for name, part in schemas.items() if "x-base-type" in part}
    assert typed - set(SCHEMAS.values()) == {"files_Thumbnail"}
    assert {kind for kind in SCHEMAS if kind.startswith("files/")} == FILES
    assert schemas["files_Array"]["properties"]["dtype"]["x-itemsize"] == ITEM_BYTES
    assert [prefix_of(kind) for kind in ("views", "slides", "feedback", "data/category")] == [
        *("view", "slide", "fb", "category")
    ]


def test_the_pointers() -> None:
    assert set(pointers(description()["components"]["schemas"])) == POINTERS


def test_a_change_shows_as_the_lines_it_touches() -> None:
    text = codegen.render(made())
    assert len(text) < 60_000
    parsed = json.loads(text)
    assert len(text.splitlines()) == len(parsed["operations"]) + len(parsed["schemas"]) + 5
