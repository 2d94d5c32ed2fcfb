from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._transfers.plan import GIB, MIB, Part, missing, plan_parts
from asyncclient.errors import ArgumentError


@given(
    size=st.integers(0, 10**14),
    alignment=st.sampled_from([1, 3, 4096, 256 * 1024, MIB]),
    min_part=st.integers(1, 100 * MIB),
    max_part=st.integers(1, 6 * GIB),
    max_count=st.integers(1, 20_000),
    preferred=st.none() | st.integers(1, 200 * MIB),
)
def test_a_plan_fits_the_service_or_is_refused(size, alignment, min_part, max_part, max_count, preferred):
    limits = {"alignment": alignment, "min_part": min_part, "max_part": max_part, "max_count": max_count}
    try:
        plan = plan_parts(size, **limits, preferred=preferred)
    except ArgumentError:
        assert size > max_part  # one part would otherwise always do
        largest = max_part // alignment * alignment
        assert largest < min_part or largest * max_count < size
        return
    count = len(plan.parts)
    assert plan.size == size
    assert 1 <= count <= max_count
    last = plan.parts[-1]
    assert last.stop == size
    assert last.length > 0 or size == 0
    assert last.length <= max_part
    if count > 1:
        assert plan.part_size % alignment == 0
        assert min_part <= plan.part_size <= max_part
        assert [part.length for part in plan.parts[: min(count - 1, 5)]] == [plan.part_size] * min(count - 1, 5)
        assert last.offset == (count - 1) * plan.part_size


@given(size=st.integers(0, 5000), part=st.integers(1, 700), seed=st.sets(st.integers(-3, 60)))
def test_parts_cover_the_file_and_missing_is_the_rest(size, part, seed):
    plan = plan_parts(size, preferred=part)
    parts = list(plan.parts)
    assert [p.index for p in parts] == list(range(len(plan.parts)))
    assert sum(p.length for p in parts) == size
    assert all(a.stop == b.offset for a, b in itertools.pairwise(parts))
    assert all(p.length for p in parts) or parts == [Part(0, 0, 0)]
    assert [p.index for p in missing(plan, seed)] == [p.index for p in parts if p.index not in seed]


@pytest.mark.parametrize(
    ("size", "part_size"),
    [
        (0, 8 * MIB),
        (1, 8 * MIB),
        (8_000 * MIB, 8 * MIB),
        (8_001 * MIB, 9 * MIB),
        (20_000 * MIB, 20 * MIB),
        (64_000 * MIB, 64 * MIB),
        (200_000 * MIB, 64 * MIB),
    ],
)
def test_the_rule(size, part_size):
    assert plan_parts(size).part_size == part_size


@pytest.mark.parametrize("unit", [1, 256 * 1024])
@pytest.mark.parametrize("delta", [-1, 0, 1])
@pytest.mark.parametrize("times", [1, 3])
def test_edges_of_alignment(unit, delta, times):
    size = unit * times + delta
    plan = plan_parts(size, alignment=unit, preferred=unit)
    assert len(plan.parts) == max(1, -(-size // unit))
    assert sum(part.length for part in plan.parts) == size


def test_count_raises_the_part_size():
    plan = plan_parts(1000 * GIB, max_count=10_000)
    assert len(plan.parts) <= 10_000
    assert plan.part_size == -(-1000 * GIB // 10_000)
    assert plan_parts(100, preferred=1, max_count=7).part_size == 15


def test_one_part_needs_no_alignment():
    plan = plan_parts(5, alignment=4, max_part=5, max_count=1)
    assert list(plan.parts) == [Part(0, 0, 5)]
    assert list(plan_parts(0, alignment=10, max_part=3).parts) == [Part(0, 0, 0)]


def test_parts_are_a_sequence():
    parts = plan_parts(25, preferred=10).parts
    assert parts[-1] == Part(2, 20, 5)
    assert parts[:2] == [Part(0, 0, 10), Part(1, 10, 10)]
    assert parts[::2] == [Part(0, 0, 10), Part(2, 20, 5)]
    with pytest.raises(IndexError):
        parts[3]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"size": -1}, "size"),
        ({"size": 1, "alignment": 0}, "alignment"),
        ({"size": 1, "max_count": 0}, "max_count"),
        ({"size": 1, "preferred": 0}, "preferred"),
        ({"size": 11, "max_part": 5, "max_count": 2}, "size"),
        ({"size": 11, "max_part": 3, "alignment": 4}, "size"),
    ],
)
def test_what_cannot_be_planned(arguments, name):
    with pytest.raises(ArgumentError) as error:
        plan_parts(**arguments)
    assert error.value.argument == name
