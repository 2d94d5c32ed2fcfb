"""Descriptions without keys of our own: what is made of them by rule."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from asyncclient._codegen._description import Description
from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._ir import Operation, Page
from asyncclient._codegen._plain import python_name
from asyncclient._codegen._read_operations import read_operations
from asyncclient._codegen._settings import Patch, Service
from asyncclient._codegen._trees import formatted

DEPOT = Path(__file__).parents[2] / "docs" / "examples" / "sixth_service" / "openapi.json"
DICTS = Service("toy", "Toy", "typeddict", {})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sampleId", "sample_id"),
        ("X-Sample-Id", "x_sample_id"),
        ("HTTPServer2Port", "http_server2_port"),
        ("list_samples", "list_samples"),
        ("filter[kind]", "filter_kind"),
        ("from", "from_"),
        ("self", "self_"),
    ],
)
def test_names_are_spelt_as_python_spells_them(text: str, name: str) -> None:
    assert python_name(text) == name


def one(operation: dict[str, Any], path: str = "/things", *, service: Service = DICTS, **more: Any) -> Operation:
    document = {"openapi": "3.1.0", "paths": {path: {"post": {"responses": {"204": {}}, **operation}, **more}}}
    (found,) = read_operations(service, Description(document, service.patches))
    return found


def json_body(schema: dict[str, Any], *, required: bool = True, media: str = "application/json") -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {media: {"schema": schema}}}}


def answer(media: str, schema: dict[str, Any] | None = None, status: str = "200") -> dict[str, Any]:
    return {"responses": {status: {"content": {media: {} if schema is None else {"schema": schema}}}}}


def signature(operation: Operation) -> dict[str, tuple[str, str, str | None]]:
    return {each.name: (each.kind, each.annotation, each.default) for each in operation.arguments}


def test_an_operation_without_any_words_gets_some() -> None:
    found = one({}, "/things/{thingId}", parameters=[{"name": "thingId", "in": "path", "required": True}])
    assert (found.name, found.tag, found.summary) == ("post_things_thing_id", "default", "Post things thing id.")
    assert signature(found) == {"thing_id": ("positional", "Any", None)}


def test_words_that_are_there_are_kept() -> None:
    found = one({"operationId": "makeThing", "tags": ["Lab things"], "summary": "Make a thing"})
    assert (found.name, found.tag, found.summary) == ("make_thing", "lab_things", "Make a thing.")


def test_parameters_of_the_path_are_in_its_order_and_replaced_by_those_of_the_operation() -> None:
    found = one(
        {
            "parameters": [
                {"name": "b", "in": "path", "required": True, "schema": {"type": "integer"}},
                {"name": "Accept", "in": "header", "schema": {"type": "string"}},
                {"name": "X-Mark", "in": "header", "required": True, "schema": {"type": "string"}},
                {"name": "size", "in": "query", "schema": {"type": "integer"}},
                {"name": "crumb", "in": "cookie", "schema": {"type": "string"}},
            ]
        },
        "/{a}/{b}",
        parameters=[
            {"name": "b", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "a", "in": "path", "required": True, "schema": {"type": "string"}},
        ],
    )
    assert list(signature(found).items()) == [
        ("a", ("positional", "str", None)),
        ("b", ("positional", "int", None)),
        ("x_mark", ("keyword", "str", None)),
        ("size", ("keyword", "int | None", "None")),
    ]


def test_members_of_a_body_are_keywords() -> None:
    schema = {
        "required": ["name"],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "name": {"type": "string"},
            "maxSize": {"type": "integer"},
            "endsAt": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
    }
    inherited = {"allOf": [schema, {"required": ["kind"], "properties": {"kind": {"type": "string"}}}]}
    found = one(json_body(inherited, media="application/json; charset=utf-8"))
    assert signature(found) == {
        "name": ("keyword", "str", None),
        "max_size": ("keyword", "int | None", "None"),
        "ends_at": ("keyword", "str | dt.datetime | Unset | None", "UNSET"),
        "kind": ("keyword", "str", None),
    }
    assert {each.name: (each.wire, each.none) for each in found.parameters} == {
        "name": ("name", "omit"),
        "max_size": ("maxSize", "omit"),
        "ends_at": ("endsAt", "null"),
        "kind": ("kind", "omit"),
    }


def test_nothing_in_an_optional_body_is_required() -> None:
    found = one(json_body({"required": ["name"], "properties": {"name": {"type": "string"}}}, required=False))
    assert signature(found) == {"name": ("keyword", "str | None", "None")}


@pytest.mark.parametrize(
    ("schema", "annotation"),
    [({"type": "array", "items": {"type": "string"}}, "Sequence[str]"), ({"type": "object"}, "Mapping[str, Any]")],
)
def test_another_body_is_one_argument(schema: dict[str, Any], annotation: str) -> None:
    found = one(json_body(schema))
    assert (found.body, signature(found)) == ("whole", {"body": ("keyword", annotation, None)})


@pytest.mark.parametrize(
    ("said", "kind", "annotation"),
    [
        (answer("application/json", {"type": "array", "items": {"type": "integer"}}), "json", "list[int]"),
        (answer("application/problem+json"), "json", "Any"),
        (answer("text/csv"), "text", "str"),
        (answer("image/png"), "bytes", "bytes"),
        (answer("application/json", {"type": "boolean"}, "default"), "json", "bool"),
        ({"responses": {"204": {}}}, "none", "None"),
    ],
)
def test_answers(said: dict[str, Any], kind: str, annotation: str) -> None:
    found = one(said).answer
    assert (found.kind, found.annotation) == (kind, annotation)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"parameters": [{"name": "crumb", "in": "cookie", "required": True}]}, "needs 'crumb'"),
        ({"requestBody": {"content": {"multipart/form-data": {}}}}, "sends multipart/form-data; write the method"),
        ({"responses": {"404": {}}}, "no answer of status 2xx"),
        (
            {"parameters": [{"name": "name", "in": "query"}], **json_body({"properties": {"name": {}}})},
            "two places for the argument name",
        ),
    ],
)
def test_what_no_rule_covers_is_refused(operation: dict[str, Any], words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        one(operation)


def test_a_body_that_is_not_json_can_be_written_by_hand() -> None:
    service = dataclasses.replace(DICTS, hand_written={"send": "a form with a file"})
    found = one(
        {"operationId": "send", "requestBody": {"content": {"multipart/form-data": {}}}}, service=service
    )  # fmt: skip
    assert (found.hand_written, found.arguments) == (True, ())


def test_a_name_can_be_given_by_a_patch() -> None:
    patches = (
        Patch("/paths/~1things/post/x-python-name", "make", "shorter", "add"),
        Patch("/paths/~1things/post/parameters/0/x-python-name", "how_many", "says more", "add"),
    )
    found = one(
        {"operationId": "makeThing", "parameters": [{"name": "n", "in": "query"}]},
        service=dataclasses.replace(DICTS, patches=patches),
    )
    assert (found.name, list(signature(found))) == ("make", ["how_many"])


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({"fly": Page("things", "token")}, "pages names fly"),
        ({"listSamples": Page("samples", "token", limit="page_size")}, "no argument is called token"),
        ({"listSamples": Page("samples", "page_token", limit="size")}, "no argument is called size"),
    ],
)
def test_pages_that_match_nothing_are_refused(pages: dict[str, Page], words: str) -> None:
    hand_written = dict.fromkeys(("putContent", "getContent"), "a file")
    service = dataclasses.replace(DICTS, hand_written=hand_written, pages=pages)
    with pytest.raises(OverrideError, match=words):
        read_operations(service, Description(json.loads(DEPOT.read_text("utf-8"))))


def test_answers_can_be_objects_too() -> None:
    service = Service("depot", "Depot", "pydantic", dict.fromkeys(("putContent", "getContent"), "a file"))
    texts = formatted(service_modules(service, DEPOT))
    assert "returns=ModelRef(" in texts["operations/samples.py"]
    models = "".join(text for path, text in texts.items() if path.startswith("models/"))
    assert 'taken_at: dt.datetime | None = _Field(default=None, validation_alias="takenAt"' in models
