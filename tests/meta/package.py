"""The source of the package as data: modules, and who imports whom."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncclient

ROOT = Path(asyncclient.__file__).parent
PROJECT = ROOT.parent
SERVICES = ("flywheel", "las", "lfview", "sticky_pi", "voxel51")


class Import(NamedTuple):
    """One import: of ``target`` (a module), by ``source``, in ``line``; ``typing`` if only type checkers run it."""

    source: str
    target: str
    line: int
    typing: bool


def name_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def modules() -> dict[str, Path]:
    """All modules by dotted name; templates of the generator are no modules."""
    return {name_of(path): path for path in sorted(ROOT.rglob("*.py")) if "templates" not in path.parts}


@functools.cache
def tree(name: str) -> ast.Module:
    path = modules()[name]
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def generated(name: str) -> bool:
    return "_generated" in name.split(".")


@functools.cache
def imports() -> tuple[Import, ...]:
    return tuple(found for name in modules() for found in _imports_of(name))


def _imports_of(name: str) -> Iterator[Import]:
    typing_only = {id(child) for node in _guarded(tree(name)) for child in ast.walk(node)}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(name, node)
            targets = [_longest(f"{base}.{alias.name}", base) for alias in node.names]
        else:
            continue
        for target in targets:
            yield Import(name, target, node.lineno, id(node) in typing_only)


def _guarded(module: ast.Module) -> Iterator[ast.stmt]:
    for node in ast.walk(module):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from node.body


def _base(name: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def _longest(full: str, base: str) -> str:
    return full if full in modules() else base


def reaches(name: str, *packages: str) -> bool:
    """Tell whether a module is one of ``packages`` or inside of one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
