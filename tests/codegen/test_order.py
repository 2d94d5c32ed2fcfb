"""Order of definitions and their division into modules."""

from __future__ import annotations

import pytest

from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._ir import Named
from asyncclient._codegen._order import components, group, ordered


def _class(name: str, *uses: str, needs: str = "") -> Named:
    return Named(name, "class", uses=frozenset(uses) | frozenset(needs.split()), needs=frozenset(needs.split()))


def _models(*models: Named) -> dict[str, Named]:
    return {model.name: model for model in models}


def test_what_is_needed_comes_first() -> None:
    models = _models(_class("A", needs="B"), _class("B", needs="C"), _class("C"), Named("Alias", "alias"))
    assert [model.name for model in ordered(models)] == ["C", "B", "A", "Alias"]


def test_needs_in_a_circle_are_refused() -> None:
    with pytest.raises(DescriptionError, match="A needs B needs A"):
        ordered(_models(_class("A", needs="B"), _class("B", needs="A")))


def test_components_come_after_what_they_use() -> None:
    uses = {"a": ["b"], "b": ["c", "d"], "c": ["b"], "d": [], "e": ["a"]}
    assert components(uses, uses.__getitem__) == [["d"], ["b", "c"], ["a"], ["e"]]


def test_modules_never_import_in_circles() -> None:
    models = _models(
        _class("Dog", "Animal", "Kind"),
        _class("Cat", "Animal"),
        _class("Animal", "Leg"),
        _class("Leg", "Animal", "Nail"),
        _class("Nail"),
        Named("Kind", "enum"),
        _class("Ghost", "Dog"),
    )
    groups = group(models, {"dogs": ["Dog"], "cats": ["Cat"]}, lambda _: 10, 25)
    assert {module: sorted(model.name for model in members) for module, members in groups.items()} == {
        "cats": ["Cat"],
        "common": ["Nail"],
        "common_2": ["Animal", "Leg"],
        "dogs": ["Dog"],
        "enums": ["Kind"],
        "other": ["Ghost"],
    }


def test_a_tag_must_not_be_called_like_a_module_of_models() -> None:
    with pytest.raises(DescriptionError, match="'common'"):
        group(_models(_class("A")), {"common": ["A"]}, lambda _: 1, 10)
