"""Values that contradict one another are refused as the official classes refuse them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.testing.lfview import rules
from asyncclient.testing.lfview.kinds import SCHEMAS
from asyncclient.testing.lfview.tables import Resource
from tests.emulator_lfview.conftest import Api, P, points_body, slide_body

Body = dict[str, Any]

ARRAY = {"shape": [3], "dtype": "Int16Array", "content_length": 6, "content_type": "application/octet-stream"}
CONTINUOUS = {"data_controls": [0, 1], "gradient_controls": [0, 1], "visibility": [True] * 3, "interpolate": False}
DISCRETE = {"values": [1, 2], "end_points": [1], "end_inclusive": [True], "visibility": [True, True]}
CATEGORY = {"values": ["a", "b"], "indices": [0, 1], "visibility": [True, True]}


def row(shape: list[int], dtype: str = "Float64Array") -> Resource:
    return Resource("/a", "files/array", {"shape": shape, "dtype": dtype}, "", "", "")


def data(array: str, location: str) -> Resource:
    return Resource("/d", "data/basic", {"array": array, "location": location}, "", "", "")


KNOWN = {
    "v": row([4, 3]),
    "flat": row([4]),
    "one": row([4, 1]),
    "two": row([2], "Int8Array"),
    "six": row([6]),
    "floats2": row([2, 2]),
    "pairs": row([2, 2], "Uint32Array"),
    "triples": row([2, 3], "Uint32Array"),
    "nodes4": data("flat", "nodes"),
    "cells2": data("two", "cells"),
    "cells4": data("flat", "cells"),
    "nodes6": data("six", "nodes"),
    "lost": data("nowhere", "nodes"),
    "texture": Resource("/t", "textures/projection", {"image": "i"}, "", "", ""),
    "bare": Resource("/b", "files/array", {}, "", "", ""),
}

CASES: list[tuple[str, Body, str | None]] = [
    ("files/array", ARRAY, None),
    ("files/array", ARRAY | {"content_length": 4, "content_encoding": "gzip"}, None),
    ("files/array", ARRAY | {"content_length": 7}, "shape and dtype make 6 bytes"),
    ("files/array", ARRAY | {"content_encoding": "gzip"}, "did not become shorter"),
    ("mappings/continuous", CONTINUOUS, None),
    ("mappings/continuous", CONTINUOUS | {"data_controls": [1, 0]}, "must not decrease"),
    ("mappings/continuous", CONTINUOUS | {"gradient_controls": [0, 0, 1]}, "gradient_controls: as many"),
    ("mappings/continuous", CONTINUOUS | {"visibility": [True] * 4}, "visibility: one more"),
    ("mappings/discrete", DISCRETE, None),
    ("mappings/discrete", DISCRETE | {"end_points": [2, 1]}, "must not decrease"),
    ("mappings/discrete", DISCRETE | {"end_points": []}, "end_points: one less"),
    ("mappings/discrete", DISCRETE | {"end_inclusive": []}, "end_inclusive: one less"),
    ("mappings/discrete", DISCRETE | {"visibility": []}, "visibility: as many"),
    ("mappings/category", CATEGORY, None),
    ("mappings/category", CATEGORY | {"indices": [1, 1]}, "must be unique"),
    ("mappings/category", CATEGORY | {"indices": [1]}, "indices: as many"),
    ("mappings/category", CATEGORY | {"visibility": []}, "visibility: as many"),
    ("data/basic", {"array": "one"}, None),
    ("data/basic", {"array": "nowhere"}, None),
    ("data/basic", {"array": "bare"}, None),
    ("data/basic", {"array": "v"}, "must have one column"),
    ("data/category", {"array": "two"}, None),
    ("data/category", {"array": "flat"}, "must hold integers"),
    ("elements/pointset", {"vertices": "v", "data": ["nodes4", "cells4", "texture", "lost"]}, None),
    ("elements/pointset", {"vertices": "nowhere", "data": ["nodes4", "gone"]}, None),
    ("elements/pointset", {"vertices": "flat", "data": []}, "the shape N x 3"),
    ("elements/pointset", {"vertices": "v", "data": ["nodes4", "nodes6"]}, "data[1]: has 6 values for 4 nodes"),
    ("elements/lineset", {"vertices": "v", "segments": "pairs", "data": ["nodes4", "cells2"]}, None),
    ("elements/lineset", {"vertices": "v", "segments": "nowhere", "data": ["cells4"]}, None),
    ("elements/lineset", {"vertices": "v", "segments": "triples", "data": []}, "segments: must have the shape M x 2"),
    ("elements/lineset", {"vertices": "v", "segments": "floats2", "data": []}, "segments: must hold integers"),
    ("elements/surface", {"vertices": "v", "triangles": "triples", "data": ["cells4"]}, "has 4 values for 2 cells"),
    ("elements/surfacegrid", {"tensor_u": [1], "tensor_v": [1, 1], "data": ["nodes6"], "offset_w": "six"}, None),
    ("elements/surfacegrid", {"tensor_u": [1], "tensor_v": [1], "data": [], "offset_w": "six"}, "the shape 4"),
    ("elements/surfacegrid", {"tensor_u": [1], "tensor_v": [1], "data": [], "offset_w": "nowhere"}, None),
    ("elements/volumegrid", {"tensor_u": [1], "tensor_v": [1], "tensor_w": [1], "data": ["nodes4"]}, "for 8 nodes"),
    ("views", {}, None),
    ("views", {"color": {"data": "x"}}, "body.color: 'mapping' is missing"),
    ("views", {"x": [{"radius": {}}]}, "body.x[0].radius: has neither"),
    ("views", {"x": {"mode": "section", "position_b": []}}, "body.x: a section needs"),
    ("views", {"color": [1, 2, 3], "mode": "normal"}, None),
]


@pytest.mark.parametrize(("kind", "body", "problem"), CASES)
def test_rule(kind: str, body: Body, problem: str | None) -> None:
    assert kind in SCHEMAS
    found = rules.problem(kind, body, KNOWN.get)
    assert found is None if problem is None else problem in (found or "")


def test_they_apply_and_can_be_switched_off(make_api: Callable[..., Api]) -> None:
    strict, lax = make_api(), make_api(check_rules=False)
    for api in (strict, lax):
        flat = api.array([3])["links"]["self"]
        response = api.send("POST", f"{P}/elements/pointset", points_body(flat))
        assert response.status_code == (422 if api is strict else 201)
    assert lax.ok("POST", lax.view()["links"]["slides"], slide_body("elements/pointset/pointset1"))
