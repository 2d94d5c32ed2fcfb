"""Rules between properties. Those for assignment take a value; those for ``validate()`` take an object.

A rule says nothing about what is unset or only a URL: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, TypeAlias

from asyncclient.lfview._arrays import INTEGER_TYPES, ArrayContent
from asyncclient.lfview._base import Model, Rule
from asyncclient.lfview.exceptions import Problem, ValidationError

__all__ = [
    "ascending",
    "column",
    "data_lengths",
    "grid",
    "grid_length",
    "indices",
    "indices_within",
    "integers",
    "mapped",
    "rows",
    "same_length",
    "section_complete",
    "triples",
    "unique",
]

Count: TypeAlias = "Callable[[Any], int | None]"
"""Counts something of an element; None if it cannot be known."""


def ascending(values: list[float]) -> None:
    """Refuse numbers that decrease."""
    for index, (before, after) in enumerate(pairwise(values)):
        if after < before:
            raise ValidationError(f"must not decrease: item {index} is {before:g}, the next is {after:g}")


def unique(values: list[int]) -> None:
    """Refuse a number that occurs twice."""
    if doubles := sorted({value for value in values if values.count(value) > 1}):
        raise ValidationError(f"must be unique; more than once: {', '.join(map(str, doubles))}")


def column(array: Any) -> None:
    """Refuse an array with more than one value per row."""
    shape = _shape(array)
    if shape is not None and any(size != 1 for size in shape[1:]):
        raise ValidationError(f"every dimension after the first must be 1, the shape is {shape}")


def integers(array: Any) -> None:
    """Refuse an array of floats."""
    if isinstance(array, ArrayContent) and array.dtype is not None and array.dtype not in INTEGER_TYPES:
        raise ValidationError(f"must hold integers, the array is {array.dtype}")


def triples(array: Any) -> None:
    """Refuse an array that is not N x 3."""
    _columns(array, 3)


def indices(width: int) -> Callable[[Any], None]:
    """Refuse what cannot be ``width`` indices per row."""

    def rule(array: Any) -> None:
        _columns(array, width)
        integers(array)
        values = array.array if isinstance(array, ArrayContent) else None
        if values is not None and values.dtype.kind == "i" and values.size and values.min() < 0:
            raise ValidationError(f"indices must not be negative, the least is {values.min()}")

    return rule


def _columns(array: Any, width: int) -> None:
    shape = _shape(array)
    if shape is not None and (len(shape) != 2 or shape[1] != width):
        raise ValidationError(f"the shape must be N x {width}, it is {shape}")


def _shape(array: Any) -> list[int] | None:
    return array.shape if isinstance(array, ArrayContent) else None


def same_length(name: str, other: str, *, plus: int = 0) -> Rule:
    """Ask that ``len(name) == len(other) + plus``."""

    def rule(model: Model) -> Iterator[Problem]:
        values, others = getattr(model, name), getattr(model, other)
        if values is not None and others is not None and len(values) != len(others) + plus:
            more = f" and {plus} more" if plus else ""
            yield Problem(name, f"needs as many items as {other}{more} ({len(others) + plus}), has {len(values)}")

    return rule


def mapped(model: Any) -> Iterator[Problem]:
    """Ask for a mapping where there are data, for a value where there are none."""
    if model.data is not None and model.mapping is None:
        yield Problem("mapping", "is required where data is set")
    if model.data is None and model.value is None:
        yield Problem("value", "is required where data is not set")


def section_complete(model: Any) -> Iterator[Problem]:
    """Ask for the second plane of a section."""
    if model.mode == "section":
        for name in ("position_b", "color_b"):
            if getattr(model, name) is None:
                yield Problem(name, "is required for the mode section")


def rows(name: str) -> Count:
    """Count the rows of an array."""

    def count(model: Any) -> int | None:
        shape = _shape(getattr(model, name))
        return shape[0] if shape else None

    return count


def grid(*names: str, plus: int) -> Count:
    """Count the nodes (``plus`` 1) or cells (0) of a grid with these spacings."""

    def count(model: Any) -> int | None:
        product = 1
        for name in names:
            spacings = getattr(model, name)
            if spacings is None:
                return None
            product *= len(spacings) + plus
        return product

    return count


def indices_within(name: str, of: str) -> Rule:
    """Ask that every index has a row in another array."""

    def rule(model: Any) -> Iterator[Problem]:
        array, limit = getattr(model, name), rows(of)(model)
        values = array.array if isinstance(array, ArrayContent) else None
        if values is not None and limit is not None and values.size and (greatest := int(values.max())) >= limit:
            yield Problem(name, f"the greatest index is {greatest}, {of} has {limit} rows")

    return rule


def grid_length(name: str, *, nodes: Count) -> Rule:
    """Ask that an array has one dimension with a value for every node."""

    def rule(model: Any) -> Iterator[Problem]:
        shape, count = _shape(getattr(model, name)), nodes(model)
        if shape is not None and count is not None and shape != [count]:
            yield Problem(name, f"the shape must be [{count}], one value per node; it is {shape}")

    return rule


def data_lengths(*, nodes: Count, cells: Count) -> Rule:
    """Ask that data have a value for every node or every cell, as their location says."""

    def rule(model: Any) -> Iterator[Problem]:
        counts = {"nodes": nodes(model), "cells": cells(model)}
        for index, data in enumerate(model.data or ()):
            location, shape = getattr(data, "location", None), _shape(getattr(data, "array", None))
            count = counts.get(location) if location else None
            if shape and count is not None and shape[0] != count:
                yield Problem(f"data[{index}].array", f"has {shape[0]} values for {count} {location}")

    return rule
