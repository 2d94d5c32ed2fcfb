"""All services alike: whatever one of them has, every one has, or it says here why not."""

from __future__ import annotations

import ast
import importlib
import inspect
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from asyncclient._codegen.services import UNITS
from asyncclient._sync.base import SyncFacade
from asyncclient.errors import AsyncClientError
from asyncclient.testing._registry import SERVICES as EMULATORS
from tests.meta.package import PROJECT, ROOT, SERVICES, generated, modules, tree

NO_EMULATOR = {"sticky_pi": "its server itself is part of the package"}
BY_HAND = {
    "BaseAPISpec": "abstract: users derive from it, so it is no facade of anything",
    "URLOrFileOpen": "opens a file for blocking code, which needs no loop",
}
"""Blocking classes that are no generated facades."""


def public() -> list[str]:
    return [name for name in modules() if not any(part.startswith("_") for part in name.split("."))]


def of(service: str) -> list[str]:
    return [name for name in public() if name.split(".")[1:2] == [service]]


def test_there_are_no_other_services() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/openapi.json")}
    assert folders == set(SERVICES) == UNITS.keys() - {"hub"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_parts(service: str) -> None:
    assert UNITS[service].facades
    assert f"asyncclient.{service}.client" in modules()
    assert (ROOT / service / "_generated").is_dir()
    assert (service in EMULATORS) is (service not in NO_EMULATOR)
    assert bool(UNITS[service].contract) is (service in EMULATORS)
    for page in (f"howto/{service}.md", f"reference/{service}.md"):
        assert (PROJECT / "docs" / page).is_file()
        assert f"- {page}\n" in (PROJECT / "docs/mkdocs.yml").read_text("utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_of_where_services_are_listed(service: str) -> None:
    assert f"howto/{service}.md" in (PROJECT / "README.md").read_text("utf-8")
    for page in ("howto", "reference"):
        assert f"({page}/{service}.md)" in (PROJECT / "docs/index.md").read_text("utf-8")
    assert f"::: asyncclient.{service}" in (PROJECT / f"docs/reference/{service}.md").read_text("utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_every_public_async_class_has_a_blocking_one_of_the_same_methods(service: str) -> None:
    pairs = list(_pairs(service))
    assert pairs
    for awaited, blocking in pairs:
        if blocking.__name__ in BY_HAND:
            continue
        assert issubclass(blocking, SyncFacade), blocking
        omitted = {name for facade in _described(service, awaited) for name in facade.omit}
        names = {name for name in dir(awaited) if name[0] != "_"} - {"aclose"} - omitted
        assert sorted(name for name in names if not hasattr(blocking, name)) == []
        assert hasattr(blocking, "close")


def _pairs(service: str) -> Iterator[tuple[type[Any], type[Any]]]:
    for name in of(service):
        module = importlib.import_module(name)
        for entry in getattr(module, "__all__", ()):
            found = getattr(module, entry)
            # Modules named client define the async class; the package beside has both.
            if inspect.isclass(found) and entry.startswith("Async") and entry[5:] in module.__all__:
                yield found, getattr(module, entry[5:])


def _described(service: str, awaited: type[Any]) -> Iterator[Any]:
    pairs = [pair for module in UNITS[service].facades for pair in module.pairs]
    yield from (pair for pair in pairs if pair.name == awaited.__name__)


@pytest.mark.parametrize("service", SERVICES)
def test_no_public_async_class_is_without_a_blocking_one(service: str) -> None:
    blocking = {awaited for awaited, _ in _pairs(service)}
    module = importlib.import_module(f"asyncclient.{service}")
    alone = [entry for entry in module.__all__ if entry.startswith("Async") and getattr(module, entry) not in blocking]
    assert alone == []


def _errors(kind: type[AsyncClientError] = AsyncClientError) -> Iterator[type[AsyncClientError]]:
    for derived in kind.__subclasses__():
        yield derived
        yield from _errors(derived)


@pytest.mark.parametrize("service", [*SERVICES, "testing", "cli"])
def test_every_error_class_can_be_pickled_and_says_what_it_means(service: str) -> None:
    """Those of ``asyncclient.errors`` are made with all their facts in tests/core/test_errors.py."""
    for name in modules():
        if name.split(".")[1:2] == [service] and not name.endswith("__main__"):
            importlib.import_module(name)
    kinds = {kind for kind in _errors() if kind.__module__.split(".")[1:2] == [service]}
    assert bool(kinds) is (service in SERVICES)
    for kind in sorted(kinds, key=lambda kind: kind.__name__):
        error = _made(kind)
        error.add_note("a note")
        back = pickle.loads(pickle.dumps(error))
        assert type(back) is kind
        assert (str(back), back.args, vars(back)) == (str(error), error.args, vars(error))
        assert kind.__doc__, kind


def _made(kind: type[AsyncClientError]) -> AsyncClientError:
    make: Any = kind
    try:
        error: AsyncClientError = make("what happened", status=418)
    except TypeError:
        error = make("what happened")
    return error


@pytest.mark.parametrize("service", SERVICES)
def test_every_public_name_of_every_public_module_has_a_docstring(service: str) -> None:
    missing = []
    for name in of(service):
        module = importlib.import_module(name)
        for entry in getattr(module, "__all__", ()):
            value = getattr(module, entry)
            if (inspect.isclass(value) or inspect.isroutine(value)) and not value.__doc__:
                missing.append(f"{name}.{entry}")
    assert missing == []


WAITS = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
PURE = [
    name
    for name in modules()
    if not generated(name) and (ast.get_docstring(tree(name)) or "").partition("\n\n")[0].rstrip().endswith("Pure.")
]


@pytest.mark.parametrize("name", PURE)
def test_a_module_that_calls_itself_pure_never_waits_and_opens_nothing(name: str) -> None:
    nodes = list(ast.walk(tree(name)))
    assert not [node.lineno for node in nodes if isinstance(node, WAITS)]
    assert not {node.id for node in nodes if isinstance(node, ast.Name)} & {"asyncio", "anyio", "socket", "open"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_decides_somewhere_in_pure_code(service: str) -> None:
    assert [name for name in PURE if name.startswith(f"asyncclient.{service}.")]
