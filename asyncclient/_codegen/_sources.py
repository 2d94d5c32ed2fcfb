"""Classes read from source text: imports, bases, members. Nothing is imported, so nothing has to work yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeGuard

from asyncclient._codegen._errors import FacadeError

__all__ = ["ClassSource", "Function", "Member", "ModuleSource", "Sources"]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_PACKAGE: Final = "asyncclient"


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """One parsed module.

    Attributes:
        name: Dotted name.
        tree: Its syntax tree.
        imports: Local name to ``(module, attribute)``; the attribute is None for ``import module``.
        own: Names the module defines itself.
    """

    name: str
    tree: ast.Module
    imports: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClassSource:
    """A class and where it stands."""

    module: ModuleSource
    node: ast.ClassDef


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a class, the variants of an overloaded function together.

    Attributes:
        owner: The class that defines it.
        nodes: Its definitions in order; more than one if it is overloaded.
    """

    owner: ClassSource
    nodes: tuple[Function | ast.AnnAssign, ...]


class Sources:
    """The modules of the package.

    Args:
        root: The folder of the package.
        overlay: Text that replaces or adds modules, by path relative to the root; what was generated just now.
    """

    def __init__(self, root: Path, overlay: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._overlay = overlay or {}
        self._modules: dict[str, ModuleSource] = {}

    def module(self, name: str) -> ModuleSource:
        """Read a module of the package.

        Raises:
            FacadeError: There is no such module.
        """
        if name not in self._modules:
            tree = ast.parse(self._text(name))
            imports = dict(_imports(tree))
            self._modules[name] = ModuleSource(name, tree, imports, frozenset(_defined(tree)))
        return self._modules[name]

    def _text(self, name: str) -> str:
        inner = name.split(".")[1:]
        for path in ("/".join(inner) + ".py", "/".join([*inner, "__init__.py"])):
            if path in self._overlay:
                return self._overlay[path]
            if (self._root / path).is_file():
                return (self._root / path).read_text("utf-8")
        raise FacadeError(f"there is no module {name}")

    def find_class(self, module: str, name: str) -> ClassSource:
        """Find a class, through re-exports.

        Raises:
            FacadeError: The module has no such class.
        """
        source = self.module(module)
        for node in _top_level(source.tree.body):
            if isinstance(node, ast.ClassDef) and node.name == name:
                return ClassSource(source, node)
        target = source.imports.get(name)
        if target is not None and target[1] is not None and _is_ours(target[0]):
            return self.find_class(target[0], target[1])
        raise FacadeError(f"there is no class {name} in {module}")

    def mro(self, cls: ClassSource) -> list[ClassSource]:
        """Return the class and its bases within the package in method resolution order (C3)."""
        bases = [base for base in (self._base(cls, node) for node in cls.node.bases) if base is not None]
        return [cls, *_merge([*(self.mro(base) for base in bases), bases], cls)]

    def _base(self, cls: ClassSource, node: ast.expr) -> ClassSource | None:
        if isinstance(node, ast.Subscript):
            node = node.value
        if isinstance(node, ast.Attribute) and node.attr == "ABC":
            return None  # abc.ABC has no members of its own
        if not isinstance(node, ast.Name):
            raise FacadeError(f"{cls.node.name}: cannot read the base {ast.unparse(node)}")
        if node.id in cls.module.own:
            return self.find_class(cls.module.name, node.id)
        module, attribute = cls.module.imports.get(node.id, ("", None))
        return self.find_class(module, attribute) if attribute is not None and _is_ours(module) else None

    def members(self, cls: ClassSource) -> dict[str, Member]:
        """Return what the class has by name, its own first; what is overridden is left out."""
        found: dict[str, Member] = {}
        for owner in self.mro(cls):
            own: dict[str, list[Function | ast.AnnAssign]] = {}
            for node in owner.node.body:
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    own.setdefault(node.name, []).append(node)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    own.setdefault(node.target.id, []).append(node)
            for name, nodes in own.items():
                found.setdefault(name, Member(owner, tuple(nodes)))
        return found

    def constructed(self, cls: ClassSource) -> dict[str, Member]:
        """Return the public attributes that constructors set, with their types.

        A type comes from an annotation at the assignment, else from the argument of the same name.

        Raises:
            FacadeError: An attribute has neither.
        """
        found: dict[str, Member] = {}
        for owner in self.mro(cls):
            for node in owner.node.body:
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    for name, annotation in _assigned(owner, node):
                        target = ast.Name(name)
                        found.setdefault(name, Member(owner, (ast.AnnAssign(target, annotation, None, 1),)))
        return found


def _is_ours(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str | None]]]:
    for node in _top_level(tree.body):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], (alias.name, None)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in _top_level(tree.body):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _top_level([*node.body, *node.orelse])


def _merge(lists: list[list[ClassSource]], cls: ClassSource) -> Iterator[ClassSource]:
    remaining = [[_key(entry) for entry in entries] for entries in lists]
    by_key = {_key(entry): entry for entries in lists for entry in entries}
    while remaining := [entries for entries in remaining if entries]:
        tails = {key for entries in remaining for key in entries[1:]}
        head = next((entries[0] for entries in remaining if entries[0] not in tails), None)
        if head is None:
            raise FacadeError(f"the bases of {cls.node.name} contradict each other")
        yield by_key[head]
        remaining = [entries[entries[0] == head :] for entries in remaining]


def _key(cls: ClassSource) -> tuple[str, str]:
    return cls.module.name, cls.node.name


def _assigned(owner: ClassSource, constructor: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    arguments = constructor.args
    types = {arg.arg: arg.annotation for arg in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    for node in ast.walk(constructor):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            if not _is_public_attribute(target):
                continue
            annotation = node.annotation if isinstance(node, ast.AnnAssign) else _not_none(types.get(target.attr))
            if annotation is None:
                raise FacadeError(f"{owner.node.name}.{target.attr} needs an annotation, for its facade")
            yield target.attr, annotation


def _is_public_attribute(target: ast.expr) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
        and not target.attr.startswith("_")
    )


def _not_none(annotation: ast.expr | None) -> ast.expr | None:
    if (
        isinstance(annotation, ast.BinOp)
        and isinstance(annotation.right, ast.Constant)
        and annotation.right.value is None
    ):
        return annotation.left
    return annotation
