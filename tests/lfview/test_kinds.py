"""What each kind of property accepts, keeps and refuses."""

from __future__ import annotations

import fractions
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.lfview import utils
from asyncclient.lfview._colour_names import NAMES
from asyncclient.lfview._colours import PALETTE, ColourKind, parse_colour, random_colours, to_hex
from asyncclient.lfview._composites import List, Object, Union
from asyncclient.lfview._kinds import Boolean, Choice, Float, Integer, Kind, Text
from asyncclient.lfview._vectors import VectorKind
from asyncclient.lfview.exceptions import ValidationError
from asyncclient.lfview.scene import CameraStandard, Light
from asyncclient.lfview.spatial import DataBasic, MappingCategory, MappingDiscrete

ACCEPTED: list[tuple[Kind, Any, Any]] = [
    (Text(), "", ""),
    (Text(max_length=2), "ab", "ab"),
    (Integer(), 2.0, 2),
    (Integer(), True, 1),
    (Integer(), np.int64(7), 7),
    (Integer(), np.bool_(True), 1),
    (Integer(minimum=0), 0, 0),
    (Float(), 1, 1.0),
    (Float(), True, 1.0),
    (Float(), np.float32(0.5), 0.5),
    (Float(), fractions.Fraction(1, 4), 0.25),
    (Float(minimum=0, maximum=1), 1, 1.0),
    (Boolean(), np.bool_(False), False),
    (Boolean(cast=True), "no", True),
    (Boolean(cast=True), 0, False),
    (Choice(words=("nodes",), aliases={"nodes": ("N",)}), "n", "nodes"),
    (Choice(words=("nodes",)), "NODES", "nodes"),
    (List(item=Float()), [1, 2], [1.0, 2.0]),
    (List(item=Float(), coerce=True), (1, 2), [1.0, 2.0]),
    (List(item=Float(), coerce=True), {3}, [3.0]),
    (List(item=Float(), coerce=True), np.array([1, 2]), [1.0, 2.0]),
    (List(item=Float(), coerce=True), np.array(4), [4.0]),
    (List(item=Float(), coerce=True), 5, [5.0]),
    (Union(kinds=(Integer(), Text())), "x", "x"),
    (VectorKind(size=2), "West", [-1.0, 0.0]),
    (VectorKind(size=3), "-Z", [0.0, 0.0, -1.0]),
    (VectorKind(size=3), (True, 2, 3.5), [1.0, 2.0, 3.5]),
    (VectorKind(size=3), [1, float("nan"), 2], [1.0, float("nan"), 2.0]),
    (VectorKind(size=3, unit=True), [0, 0, 2], [0.0, 0.0, 1.0]),
]
REFUSED: list[tuple[Kind, Any]] = [
    (Text(), 3),
    (Text(), b"x"),
    (Text(max_length=2), "abc"),
    (Integer(), 2.5),
    (Integer(), "2"),
    (Integer(), float("nan")),
    (Integer(), float("inf")),
    (Integer(minimum=0), -1),
    (Float(), "1"),
    (Float(), 1j),
    (Float(), float("nan")),
    (Float(), float("-inf")),
    (Float(), 10**400),
    (Float(minimum=0), -0.1),
    (Float(maximum=1), 1.1),
    (Boolean(), 1),
    (Boolean(), "true"),
    (Boolean(cast=True), np.array([1, 2])),
    (Choice(words=("nodes", "cells")), "middle"),
    (Choice(words=("nodes", "cells")), 1),
    (List(item=Float()), (1, 2)),
    (List(item=Float()), np.array([1.0])),
    (List(item=Float()), "12"),
    (List(item=Float()), [1, None]),
    (List(item=Float(), coerce=True), "12"),
    (Union(kinds=(Integer(), Text())), 1.5),
    (Object(cls=Light), 3),
    (Object(cls=Light), {1: 2}),
    (VectorKind(size=2), "up"),
    (VectorKind(size=3), "left"),
    (VectorKind(size=3), [1, 2]),
    (VectorKind(size=3), ["1", "2", "3"]),
    (VectorKind(size=3), [1, [2], 3]),
    (VectorKind(size=3), [1, 2, 10**400]),
    (VectorKind(size=3), {1, 2, 3}),
    (VectorKind(size=3), [[1, 2, 3]]),
    (VectorKind(size=3, unit=True), "zero"),
    (VectorKind(size=3, unit=True), [float("inf"), 0, 0]),
]


@pytest.mark.parametrize(("kind", "value", "kept"), ACCEPTED)
def test_accepted(kind: Kind, value: Any, kept: Any) -> None:
    found = kind.set(value)
    if isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, kept)
    else:
        assert found == kept
        assert type(found) is type(kept)


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_refused(kind: Kind, value: Any) -> None:
    with pytest.raises(ValidationError, match=r"expected|at (least|most)|no alternative"):
        kind.set(value)


def test_none_is_unset() -> None:
    assert Integer().set(None) is None


@pytest.mark.parametrize("word", ["true", "YES", "y", "On"])
def test_answers_may_use_words_for_truth(word: str) -> None:
    assert Boolean().set(Boolean().read(word)) is True
    assert Boolean().read("nO") is False
    assert Boolean().read("perhaps") == "perhaps"
    assert Boolean(cast=True).set(Boolean(cast=True).read(1)) is True


@given(st.lists(st.floats(), min_size=3, max_size=3))
def test_vectors_survive_json(values: list[float]) -> None:
    kind = VectorKind(size=3)
    wire = kind.dump(kind.set(values), lambda child: child)
    assert all(isinstance(item, float) or item in ("nan", "inf", "-inf") for item in wire)
    np.testing.assert_array_equal(kind.set(kind.read(wire)), values)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3).filter(lambda v: sum(c * c for c in v) > 1e-12))
def test_unit_vectors_have_length_one_and_stay_as_they_are(values: list[float]) -> None:
    kind = VectorKind(size=3, unit=True)
    once = kind.set(values)
    assert np.linalg.norm(once) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(kind.set(once), once, rtol=1e-15)


def test_unit_vectors_are_scaled_as_recorded() -> None:
    assert VectorKind(size=3, unit=True).set([3, 4, 0]).tolist() == [0.6000000000000001, 0.8, 0.0]


def test_vectors_are_copies() -> None:
    given_array = np.array([1.0, 2.0, 3.0])
    camera = CameraStandard(target=given_array)
    given_array[0] = 9
    assert camera.target.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#f00", (255, 0, 0)),
        ("f00", (255, 0, 0)),
        ("red", (255, 0, 0)),
        ("r", (255, 0, 0)),
        ((255, 0, 0), (255, 0, 0)),
        ([1, 2, 3], (1, 2, 3)),
        ("#0102FF", (1, 2, 255)),
        ("bad", (0xBB, 0xAA, 0xDD)),
        ("b", (0, 0, 255)),
        ("firebrick", (0xB2, 0x22, 0x22)),
        ("irebrick", (0xB2, 0x22, 0x22)),
    ],
)
def test_colours(value: Any, colour: Any) -> None:
    assert parse_colour(value) == colour


@pytest.mark.parametrize(
    "value",
    ["Red", "#ff", "#12345", "ff00001", "", "#", 7, (1, 2), (1, 2, 3, 4), (1.0, 2, 3), (256, 0, 0), (-1, 0, 0),
     (True, 0, 0), np.array([1, 2, 3]), tuple(np.array([1, 2, 3]))],
)  # fmt: skip
def test_no_colours(value: Any) -> None:
    with pytest.raises(ValidationError, match="expected a colour"):
        parse_colour(value)


def test_there_are_156_names_and_one_spelling_more() -> None:
    assert len(NAMES) == 157
    assert all(parse_colour(name) == parse_colour(f"#{digits}") for name, digits in NAMES.items())


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_survive_json(colour: tuple[int, int, int]) -> None:
    assert parse_colour(to_hex(colour)) == colour
    assert parse_colour(to_hex(colour).lower()[1:]) == colour
    assert ColourKind(hex=False).dump(colour, lambda child: child) == list(colour)
    assert len(to_hex(colour)) == 7
    assert to_hex(colour) == to_hex(colour).upper()


@given(st.text() | st.lists(st.integers() | st.floats(), max_size=4))
def test_anything_is_a_colour_or_refused(value: Any) -> None:
    try:
        colour = parse_colour(value)
    except ValidationError:
        return
    assert len(colour) == 3
    assert all(0 <= component <= 255 for component in colour)


def test_random_colours_are_of_the_palette_and_can_be_repeated() -> None:
    assert len(set(PALETTE)) == 20
    assert {parse_colour("RanDom") for _ in range(500)} == set(PALETTE)
    drawn = []
    for _ in range(2):
        with random_colours(random.Random(7)):
            drawn.append([parse_colour("random") for _ in range(10)])
    assert drawn[0] == drawn[1]
    assert utils.random_colour() in PALETTE


def test_labels_that_are_colours_are_colours() -> None:
    made = MappingDiscrete(values=["red", "hello"])
    assert made.to_json()["values"] == ["red", "hello"]
    assert MappingDiscrete(values=["red", "blue"]).to_json()["values"] == ["#FF0000", "#0000FF"]
    assert MappingDiscrete(values=["bad", "fed"]).to_json()["values"] == ["#BBAADD", "#FFEEDD"]
    assert MappingDiscrete(values=[]).to_json()["values"] == []
    assert MappingDiscrete(values=[1, 2]).values == [1.0, 2.0]
    assert MappingCategory(values=[[1, 2, 255], [10, 15, 16]]).to_json()["values"] == ["#0102FF", "#0A0F10"]
    with pytest.raises(ValidationError, match="no alternative accepts it"):
        MappingDiscrete(values=["text", 3])  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("alias", ["N", "n", "node", "Vertices", "corners"])
def test_aliases_of_nodes(alias: str) -> None:
    assert DataBasic(location=alias).location == "nodes"


@pytest.mark.parametrize("alias", ["CC", "cc", "cell", "segments", "FACES", "blocks"])
def test_aliases_of_cells(alias: str) -> None:
    assert DataBasic(location=alias).location == "cells"


def test_lists_name_every_wrong_item() -> None:
    with pytest.raises(ValidationError) as caught:
        List(item=Float()).set([1, "x", 2, None])
    assert [problem.path for problem in caught.value.problems] == ["[1]", "[3]"]


def test_base_kinds_have_no_behaviour_of_their_own() -> None:
    with pytest.raises(NotImplementedError):
        Kind().set(1)
    with pytest.raises(NotImplementedError):
        Kind().schema()
    assert Text().pointers("x") == ()
    assert Union(kinds=(Text(), Integer())).schema() == {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert ColourKind(hex=False).schema()["maxItems"] == 3
    assert Union(kinds=(Text(), Integer())).unknown("x") == 0
