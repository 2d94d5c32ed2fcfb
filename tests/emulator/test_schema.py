"""The validator knows the keywords of the contracts, and says where and why it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.testing._schema import KEYWORDS, Validator, keywords_of

DEFINITIONS = {
    "Item": {
        "type": "object",
        "properties": {"label": {"type": "string"}, "more": {"type": "array", "items": {"$ref": "Item"}}},
        "required": ["label"],
        "additionalProperties": False,
    }
}

ACCEPTED: list[tuple[Any, dict[str, Any]]] = [
    (None, {"type": ["string", "null"]}),
    (3.0, {"type": "integer"}),
    (3, {"type": "number", "minimum": 3, "maximum": 3}),
    (True, {"type": "boolean"}),
    ("ab", {"pattern": "b", "minLength": 2, "maxLength": 2}),
    ("a$", {"pattern": "^[a$]+$"}),
    ("cost$", {"pattern": "cost\\$"}),
    (5, {"pattern": "b", "minLength": 2}),
    ("x", {"minimum": 3, "required": ["a"], "minItems": 3}),
    ([1, 2], {"uniqueItems": True, "minItems": 2, "maxItems": 2, "items": {"type": "integer"}}),
    ({"a": 1}, {"minProperties": 1, "maxProperties": 1}),
    ({"a_1": 1}, {"patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": False}),
    ({"b": "text"}, {"properties": {"a": {}}, "additionalProperties": {"type": "string"}}),
    ({"label": "l", "more": [{"label": "m"}]}, {"$ref": "Item"}),
    (1, {"anyOf": [{"type": "integer"}, {"type": "number"}]}),
    (1, {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
    (1, {"allOf": [{"type": "integer"}, {"minimum": 1}]}),
    ("a", {"enum": ["a", None]}),
    ("a", {"const": "a"}),
]

REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (True, {"type": "integer"}, "body: is not of type integer"),
    (1.5, {"type": "integer"}, "body: is not of type integer"),
    (float("inf"), {"type": "integer"}, "body: is not of type integer"),
    (None, {"type": ["string", "array"]}, "body: is not of type string or array"),
    (True, {"enum": [1, 2]}, "body: is not one of 1, 2"),
    ("b", {"const": "a"}, "body: is not a"),
    ("abc\n", {"pattern": "^abc$"}, "body: does not match ^abc$"),
    ("", {"minLength": 1}, "body: has fewer than 1 characters"),
    ("abc", {"maxLength": 2}, "body: has more than 2 characters"),
    (0, {"minimum": 1}, "body: is less than 1"),
    (2, {"maximum": 1}, "body: is greater than 1"),
    ([], {"minItems": 1}, "body: has fewer than 1 items"),
    ([1, 2], {"maxItems": 1}, "body: has more than 1 items"),
    ([1, 1], {"uniqueItems": True}, "body: items are not unique"),
    (["a", 2], {"items": {"type": "string"}}, "body[1]: is not of type string"),
    ({}, {"required": ["a"]}, "body: 'a' is missing"),
    ({}, {"minProperties": 1}, "body: has fewer than 1 properties"),
    ({"a": 1}, {"maxProperties": 0}, "body: has more than 0 properties"),
    ({"a": 1}, {"properties": {}, "additionalProperties": False}, "body: 'a' is not known"),
    ({"a": 1}, {"additionalProperties": {"type": "string"}}, "body.a: is not of type string"),
    ({"a": {"b": 1}}, {"properties": {"a": {"properties": {"b": {"type": "null"}}}}}, "body.a.b: is not of type null"),
    ({"a": 1}, {"patternProperties": {"^a$": {"type": "string"}}}, "body.a: is not of type string"),
    ({"label": "l", "more": [{}]}, {"$ref": "Item"}, "body.more[0]: 'label' is missing"),
    ("a", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "body: fits none of the 2 accepted forms"),
    (1, {"oneOf": [{"type": "integer"}, {"minimum": 0}]}, "body: fits 2 forms where only one may fit"),
    (0, {"allOf": [{"type": "integer"}, {"minimum": 1}]}, "body: is less than 1"),
]


@pytest.mark.parametrize(("value", "schema"), ACCEPTED)
def test_accepts(value: Any, schema: dict[str, Any]) -> None:
    assert Validator(DEFINITIONS).problem(value, schema) is None


@pytest.mark.parametrize(("value", "schema", "problem"), REFUSED)
def test_refuses_in_words(value: Any, schema: dict[str, Any], problem: str) -> None:
    assert Validator(DEFINITIONS).problem(value, schema) == problem


def test_a_keyword_it_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        Validator({}).problem(1, {"multipleOf": 2})


def test_the_cases_cover_all_keywords() -> None:
    schemas = [case[1] for case in (*ACCEPTED, *REFUSED)]
    assert set().union(*(keywords_of(schema) for schema in schemas)) == KEYWORDS
    assert keywords_of({"items": {"anyOf": [{"properties": {"a": {"minimum": 1}}}]}}) == {
        *("items", "anyOf", "properties", "minimum")
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_value_is_judged(value: Any) -> None:
    schema = {"anyOf": [{"$ref": "Item"}, {"type": "array", "uniqueItems": True, "items": {"$ref": "Item"}}]}
    problem = Validator(DEFINITIONS).problem(value, schema)
    assert problem is None or problem == "body: fits none of the 2 accepted forms"
