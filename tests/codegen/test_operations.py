"""Operations and models of the toy description, compared with golden trees, and what is refused."""

from __future__ import annotations

import copy
import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest

from asyncclient._codegen._description import Description
from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._facts import readable_pattern
from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._read_operations import read_operations
from asyncclient._codegen._settings import Convert, Patch, Positional, Service
from tests.codegen.toy_trees import DICTS, OBJECTS, TOY, golden, trees

DESCRIPTION: dict[str, Any] = json.loads((TOY / "openapi.json").read_text("utf-8"))


def _stored(name: str) -> dict[str, str]:
    root = TOY / "golden" / name
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.txt")}


@pytest.mark.parametrize("name", ["dicts", "objects", "facades"])
def test_golden_trees(name: str) -> None:
    assert golden(trees()[name]) == _stored(name)


def test_two_runs_are_equal() -> None:
    assert trees() == trees()


@pytest.mark.parametrize("service", [DICTS, OBJECTS], ids=["dicts", "objects"])
def test_order_of_keys_is_irrelevant_where_it_has_no_meaning(service: Service, tmp_path: Path) -> None:
    document = copy.deepcopy(DESCRIPTION)
    # Paths, operations of a path, properties and mappings have an order that reaches the wire or the reader.
    document["components"]["schemas"] = _shuffled(document["components"]["schemas"])
    for item in document["paths"].values():
        for method, operation in item.items():
            item[method] = _shuffled(operation)
            item[method]["parameters"] = [_shuffled(parameter) for parameter in operation.get("parameters", ())]
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(_shuffled(document)), "utf-8")
    assert service_modules(service, path) == service_modules(service, TOY / "openapi.json")


def _shuffled(value: dict[str, Any]) -> dict[str, Any]:
    keys = list(value)
    random.Random(7).shuffle(keys)
    return {key: value[key] for key in keys}


def _read(service: Service, document: dict[str, Any] = DESCRIPTION) -> Any:
    return read_operations(service, Description(document, service.patches))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hand_written": {**DICTS.hand_written, "fly": "it cannot"}}, "hand_written names fly"),
        ({"positional": (Positional("get_thing", "kind", "no such argument"),)}, "no keyword kind"),
        ({"positional": (Positional("get_thing", "thing_id", "already positional"),)}, "no keyword thing_id"),
        ({"converts": (Convert("never", "iso", "no such argument"),)}, "argument never"),
        ({"patches": (Patch("/info/colour", "red", "not there"),)}, "there is nothing"),
        ({"patches": (Patch("/paths/~1nothing/get", {}, "not there"),)}, "there is nothing"),
        ({"patches": (Patch("/info/title", "Toy", "is so already"),)}, "already says so"),
        ({"patches": (Patch("/info/title", "Toys", "is there", action="add"),)}, "already is something"),
        ({"patches": (Patch("/tags/9", None, "not there", action="remove"),)}, "there is nothing"),
    ],
)
def test_an_override_that_matches_nothing_is_an_error(change: dict[str, Any], words: str) -> None:
    with pytest.raises(OverrideError, match=words):
        _read(dataclasses.replace(DICTS, **change))


def test_patches_replace_add_and_remove() -> None:
    patches = (
        Patch("/paths/~1things~1{thingId}/get/summary", "Get it.", "shorter"),
        Patch("/paths/~1things~1{thingId}/get/x-returns", "the thing", "says more", action="add"),
        Patch("/paths/~1things/get/parameters/1", None, "unused", action="remove"),
        Patch("/paths/~1things/get/x-python-params/1", None, "unused", action="remove"),
    )
    operations = {operation.name: operation for operation in _read(dataclasses.replace(DICTS, patches=patches))}
    assert operations["get_thing"].summary == "Get it."
    assert operations["get_thing"].answer.note == "the thing."
    assert [argument.name for argument in operations["list_things"].arguments] == ["kind", "next_token", "sort_by"]
    assert "x-returns" not in DESCRIPTION["paths"]["/things/{thingId}"]["get"]


def _changed(path: str, method: str, **changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(DESCRIPTION)
    operation = document["paths"][path][method]
    for key, value in changes.items():
        if value is None:
            del operation[key.replace("_", "-")]
        else:
            operation[key.replace("_", "-")] = value
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            _changed(
                "/things/{thingId}", "get", x_python_params=[{"name": "who", "required": True, "kind": "positional"}]
            ),
            "the argument who goes nowhere",
        ),
        (_changed("/things/{thingId}", "get", x_python_params=[]), "no argument fills thing_id"),
        (_changed("/things/{thingId}", "get", x_python_params=None), "no x-python-params"),
        (
            _changed("/things/{thingId}", "get", operationId="list_things"),
            "more than one operation is called list_thing",
        ),
        (_changed("/things/{thingId}", "get", responses={"400": {}}), "no answer of status 2xx"),
        (
            _changed("/things", "get", x_pagination={"style": "spiral", "params": {}, "items": "$", "next": ""}),
            "unknown style of paging",
        ),
        (
            _changed("/events", "get", x_pagination={"style": "after_id", "params": [], "items": "$", "next": "?"}),
            "cannot read x-pagination.next",
        ),
        (
            _changed("/events", "get", parameters=[{"name": "id", "in": "query", "schema": {"type": "tensor"}}]),
            "unknown type 'tensor'",
        ),
    ],
)
def test_what_has_no_form_is_refused(document: dict[str, Any], words: str) -> None:
    if "tensor" in words:
        document["paths"]["/events"]["get"]["x-python-params"] = [
            {"name": "id", "required": True, "kind": "positional"}
        ]
        del document["paths"]["/events"]["get"]["x-pagination"]
    with pytest.raises(DescriptionError, match=words):
        _read(DICTS, document)


def test_unknown_path_encoding_is_refused() -> None:
    with pytest.raises(DescriptionError, match="no characters are set for 'as it is'"):
        _read(dataclasses.replace(DICTS, path_safe={}))


@pytest.mark.parametrize("name", ["str", "class", "two words"])
def test_schemas_need_names_python_can_use(name: str, tmp_path: Path) -> None:
    document = copy.deepcopy(DESCRIPTION)
    document["components"]["schemas"][name] = {"type": "object", "properties": {"a": {}}}
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(DescriptionError, match="cannot have that name"):
        service_modules(DICTS, path)


def test_schemas_that_only_refer_to_each_other_are_refused() -> None:
    document = copy.deepcopy(DESCRIPTION)
    document["components"]["schemas"]["A"] = {"$ref": "#/components/schemas/B"}
    document["components"]["schemas"]["B"] = {"$ref": "#/components/schemas/A"}
    with pytest.raises(DescriptionError, match="refer to each other"):
        Description(document).target("A")


def test_inline_objects_must_not_take_a_name_that_is_taken() -> None:
    document = copy.deepcopy(DESCRIPTION)
    document["components"]["schemas"]["ThingSize"] = {"type": "string"}
    with pytest.raises(DescriptionError, match="would be called ThingSize"):
        Description(document)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("^las:asset:[a-f0-9]{32}$", "``las:asset:<32 hex digits>``"),
        ("^las:role:[0-9A-Za-z_-]{1,32}$", "``las:role:<name>``"),
        (
            "^(|las:organization:[a-z0-9_-]+/)las:plan:[a-z0-9_-]+(|:@[a-z0-9_-]+|:[0-9]+)$",
            "``[las:organization:<name>/]las:plan:<name>[:@<name>|:<number>]``",
        ),
        ("^http://localhost.*|^https://.*", "``http://localhost...`` or ``https://...``"),
        ("^[A-Za-z0-9][-+._A-Za-z0-9]*@([-_.A-Za-z0-9]+\\.)+[A-Za-z]{2,}$", None),
    ],
)
def test_patterns_are_shown_as_people_write_them(pattern: str, words: str | None) -> None:
    found = readable_pattern(pattern)
    assert found == (words.replace("[a-z0-9_-]+", "<name>") if words else None)
