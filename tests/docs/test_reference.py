"""The reference names everything that is public."""

from __future__ import annotations

import importlib
import re
import types
from pathlib import Path
from typing import Any

import pytest

from tests.meta.test_public import API

PAGES = Path(__file__).parents[2] / "docs" / "reference"
TEXT = "\n".join(path.read_text("utf-8") for path in sorted(PAGES.glob("*.md")))
DIRECTIVE = re.compile(r"^::: (\S+)((?:\n    .*)*)", re.MULTILINE)
MEMBERS = re.compile(r"members: \[([^\]]*)\]")


def documented() -> set[str]:
    """Return the full names that the pages show: of directives, and of what they list or have in ``__all__``."""
    found: set[str] = set()
    for target, options in DIRECTIVE.findall(TEXT):
        found.add(target)
        listed = MEMBERS.search(options)
        value = resolve(target)
        names = listed[1].replace(" ", "").split(",") if listed else getattr(value, "__all__", ())
        found |= {f"{target}.{name}" for name in names}
        found |= {full_name(getattr(value, name)) or "" for name in names if hasattr(value, name)}
    return found


def resolve(target: str) -> Any:
    try:
        return importlib.import_module(target)
    except ModuleNotFoundError:
        module, _, name = target.rpartition(".")
        return getattr(importlib.import_module(module), name)  # a page must not name what is not there


def full_name(value: Any) -> str | None:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return None if module is None or name is None else f"{module}.{name}"


SHOWN = documented()


@pytest.mark.parametrize("module", sorted(API))
def test_everything_public_is_in_the_reference(module: str) -> None:
    missing = []
    for name in importlib.import_module(module).__all__:
        value = getattr(importlib.import_module(module), name)
        if isinstance(value, types.ModuleType):
            there = any(entry.startswith(f"{value.__name__}.") or entry == value.__name__ for entry in SHOWN)
            there = there or name == "models"  # they are kept in modules of their own; see below
        else:
            inside = (entry for entry in SHOWN if entry.startswith(f"{module}."))
            there = full_name(value) in SHOWN or any(entry.endswith(f".{name}") for entry in inside)
            there = there or f"`{name}`" in TEXT
        missing += [] if there or name == "__version__" else [name]
    assert missing == []


def test_every_module_of_models_is_on_its_page() -> None:
    package = importlib.import_module("asyncclient.flywheel._generated.models")
    assert package.__file__ is not None
    modules = {path.stem for path in Path(package.__file__).parent.glob("*.py") if path.stem[0] != "_"}
    assert {target for target in SHOWN if target.startswith(f"{package.__name__}.")} >= {
        f"{package.__name__}.{name}" for name in modules
    }


@pytest.mark.parametrize("service", ["flywheel", "las", "lfview", "sticky_pi", "voxel51"])
def test_both_forms_are_there(service: str) -> None:
    assert f"::: asyncclient.{service}._generated.sync" in (PAGES / f"{service}_blocking.md").read_text("utf-8")
    assert f"{service}_blocking.md" in (PAGES / f"{service}.md").read_text("utf-8")
