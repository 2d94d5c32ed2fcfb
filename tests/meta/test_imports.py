from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest

from tests.meta.package import SERVICES, Import, generated, imports, modules, reaches, tree

# From the ground up; a module may import what is on its own line or above it in this list, that is, below it in the
# layers of docs/design.md.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "_extras", "_version"),
    ("_snapshots", "types"),
    ("_messages", "_auth", "_events"),
    ("_adaptive", "_bandwidth", "_budget"),
    ("_places",),
    ("_flows",),
    (
        "_codec",
        "_deadlines",
        "_endpoint",
        "_map",
        "_paging",
        "_proxies",
        "_redirect",
        "_retry",
        "_scheduler",
        "_shielded",
    ),
    ("_build", "_failure", "_logging", "_redact", "_url", "_values"),
    ("_log_events", "_observe", "_observers"),
    ("_net",),
    ("_attempt", "_bulk", "_foreign_logs", "_httpx", "_pipeline", "_rules", "_watched"),
    ("hub", "_opentelemetry", "telemetry"),
    ("_service",),
    ("_transfers",),
    ("digests", "progress"),
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
    [
        ("httpx", "asyncclient._httpx"),
        ("orjson", "asyncclient._codec"),
        ("opentelemetry", "asyncclient._opentelemetry"),
        ("aiofiles", "asyncclient._transfers"),
    ],
)
def test_one_importer_each(library: str, importer: str) -> None:
    found = {
        item.source
        for item in imports()
        if reaches(item.target, library) and not item.typing and not reaches(item.source, "asyncclient.testing")
    }
    assert found or library == "aiofiles"
    assert not [name for name in found if not reaches(name, importer)]


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


HEAVY = (
    "httpx",
    "opentelemetry",
    "pydantic",
    "starlette",
    "uvicorn",
    "rich",
    "typer",
    "tqdm",
    "numpy",
    "aiofiles",
    "trustme",
)


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


_LOADED_ANYWAY = "asyncio, dataclasses, logging, random, ssl"
_FILES = {"bz2", "lzma", "fnmatch", "ntpath", "pathlib", "shutil", "tempfile"}
_THREADS = {"anyio", "sniffio"}
_URLS = {"ipaddress", "urllib"}
_ENGINE = {"hashlib", "hmac", "isal", "json", "platformdirs", "secrets", *_FILES, *_THREADS, *_URLS}
_ALLOWED: dict[str, set[str]] = {
    "flywheel": set(),
    "las": {"configparser", "json", *_FILES, *_THREADS, *_URLS},
    "lfview": {*_THREADS, *_URLS},
    "sticky_pi": {"datetime", "decimal", "numbers", *_ENGINE},
    "voxel51": {"datetime", "difflib", "mimetypes", *_ENGINE},
}
"""What importing a service may load beside zlib, which is built in, and what any program with asyncio has: scripts pay
for it each time they start. Let it shrink."""


@pytest.mark.parametrize("service", SERVICES)
def test_importing_a_service_loads_no_more_than_it_did(service: str) -> None:
    module = f"asyncclient.{service}.client"
    assert module in modules()
    code = (
        f"import {_LOADED_ANYWAY}, sys\nbefore = set(sys.modules)\nimport {module}\n"
        "print(*(name for name in sys.modules if name not in before))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    found = {name.partition(".")[0] for name in done.stdout.split()}
    assert not {name for name in found if not name.startswith("_")} - _ALLOWED[service] - {"asyncclient", "zlib"}
    if service == "flywheel":
        assert not {
            name
            for name in done.stdout.split()
            if reaches(name, "asyncclient._events", "asyncclient._redact", "asyncclient._transfers")
        }


@pytest.mark.slow
def test_every_module_imports_without_a_warning() -> None:
    """Neither while it is imported, nor for something left open when the interpreter ends."""
    code = "import gc, importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\ngc.collect()"
    names = [name for name in modules() if not name.endswith("__main__")]
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", code, *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_generated_modules_say_so() -> None:
    for name in modules():
        first = modules()[name].read_text(encoding="utf-8").partition("\n")[0]
        says_so = first.startswith("# Generated by `nox -s generate`")
        empty = not tree(name).body or (len(tree(name).body) == 1 and modules()[name].name == "__init__.py")
        assert says_so is generated(name) or (generated(name) and empty), name
