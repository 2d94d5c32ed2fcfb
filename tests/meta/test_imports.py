from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.meta.package import SERVICES, Import, generated, imports, modules, reaches, tree

# From the ground up; a module may import what is on its own line or above it in this list, that is, below it in the
# layers of docs/design.md.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "_version"),
    ("types",),
    ("_messages", "_auth"),
    ("_adaptive", "_bandwidth", "_budget"),
    ("_places",),
    ("_flows",),
    ("_codec", "_endpoint", "_map", "_paging", "_proxies", "_redirect", "_retry", "_scheduler", "_shielded"),
    ("_build", "_failure", "_url", "_values"),
    ("_net",),
    ("_bulk", "_httpx", "_pipeline", "_rules"),
    ("hub",),
    ("_service",),
    ("_transfers",),
    ("digests",),
    ("_sync",),
    SERVICES,
    ("testing",),
    ("",),  # the table of contents
    ("cli",),
    ("_codegen",),
)
RANKS = {f"asyncclient.{name}".rstrip("."): rank for rank, names in enumerate(LAYERS) for name in names}


def rank(module: str) -> int:
    found = RANKS.get(".".join(module.split(".")[:2]))
    assert found is not None, f"{module} has no place in LAYERS"
    return found


def inside() -> Iterable[Import]:
    return (found for found in imports() if reaches(found.target, "asyncclient"))


def running() -> Iterable[Import]:
    return (found for found in inside() if not found.typing)


def show(found: Iterable[Import]) -> list[str]:
    return [f"{item.source}:{item.line} imports {item.target}" for item in found]


def test_imports_go_down_or_sideways() -> None:
    assert not show(item for item in running() if rank(item.target) > rank(item.source))


def test_no_cycles() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for item in running():
        # A package imports its own parts, and its parts import each other through it: only other modules count.
        if item.source != item.target and not (
            modules()[item.source].name == "__init__.py" and reaches(item.target, item.source)
        ):
            graph[item.source].add(item.target)
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        if name in path:
            raise AssertionError(f"a cycle of imports: {' -> '.join([*path[path.index(name) :], name])}")
        if name not in done:
            path.append(name)
            for target in sorted(graph.get(name, ())):
                visit(target)
            path.pop()
            done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize(
    ("library", "importer"),
    [("httpx", "asyncclient._httpx"), ("orjson", "asyncclient._codec"), ("aiofiles", "asyncclient._transfers")],
)
def test_one_importer_each(library: str, importer: str) -> None:
    found = {
        item.source
        for item in imports()
        if reaches(item.target, library) and not item.typing and not reaches(item.source, "asyncclient.testing")
    }
    if library == "aiofiles":
        assert len(found) <= 1
        assert all(reaches(name, importer) for name in found)
    else:
        assert found == {importer}


def test_services_never_import_one_another() -> None:
    packages = [f"asyncclient.{name}" for name in SERVICES]
    assert not show(
        item
        for item in inside()
        for package in packages
        if reaches(item.source, package) and reaches(item.target, *packages) and not reaches(item.target, package)
    )


def test_nothing_imports_the_generator() -> None:
    assert not show(
        item
        for item in inside()
        if reaches(item.target, "asyncclient._codegen") and not reaches(item.source, "asyncclient._codegen")
    )


def test_the_core_knows_no_service_and_no_facade() -> None:
    tops = [f"asyncclient.{name}" for name in (*SERVICES, "testing", "cli", "_sync")]
    core = [f"asyncclient.{name}" for line in LAYERS[: LAYERS.index(("_sync",))] for name in line]
    assert not show(item for item in inside() if item.source in core and reaches(item.target, *tops))


def test_absolute_imports_of_modules_that_exist() -> None:
    assert not show(item for item in inside() if item.target not in modules())


def loaded(*names: str) -> set[str]:
    code = f"import json, sys, {', '.join(names)}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


HEAVY = ("httpx", "pydantic", "starlette", "uvicorn", "rich", "typer", "tqdm", "numpy", "aiofiles", "trustme")


@pytest.mark.parametrize(
    "names",
    [
        ("asyncclient",),
        ("asyncclient", "asyncclient.hub", "asyncclient.errors", "asyncclient.types"),
        *(
            (f"asyncclient.{name}", f"asyncclient.{name}.client")
            for name in SERVICES
            if f"asyncclient.{name}.client" in modules()
        ),
    ],
    ids=" ".join,
)
def test_importing_is_light(names: tuple[str, ...]) -> None:
    found = loaded(*names)
    assert not {name for name in found if reaches(name, *HEAVY)}
    assert not {name for name in found if "_generated.models" in name}
    assert not {
        name for name in found if reaches(name, "asyncclient.testing", "asyncclient.cli", "asyncclient._codegen")
    }
    assert not {name for name in found if reaches(name, "asyncclient._sync._generated", "asyncclient._net.pool")}


def test_every_module_imports_without_a_warning() -> None:
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    names = [name for name in modules() if not name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_generated_modules_say_so() -> None:
    for name in modules():
        first = modules()[name].read_text(encoding="utf-8").partition("\n")[0]
        says_so = first.startswith("# Generated by `nox -s generate`")
        empty = not tree(name).body or (len(tree(name).body) == 1 and modules()[name].name == "__init__.py")
        assert says_so is generated(name) or (generated(name) and empty), name
