"""The names that a module of facades needs, and where they come from."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from asyncclient._codegen._errors import FacadeError
from asyncclient._codegen._facade_types import ALIASES, sync_type
from asyncclient._codegen._settings import FacadeModule
from asyncclient._codegen._sources import ClassSource, Sources

__all__ = ["Names", "dotted"]

Origin = tuple[str, str | None]
"""Module and attribute; None for the module itself."""

_ABC: Final = frozenset({"Iterator", "Iterable"})


def dotted(facade: FacadeModule) -> str:
    """Return the name a module of facades is imported by."""
    return f"asyncclient/{facade.root}/{facade.path}".removesuffix(".py").replace("/", ".")


class Names:
    """Collects the imports of one module while it is written.

    Args:
        facades: All modules of facades of the package.
        sources: Where the async classes stand.
    """

    def __init__(self, facades: Sequence[FacadeModule], sources: Sources) -> None:
        self.words = {pair.name: pair.facade for facade in facades for pair in facade.pairs}
        self._sources = sources
        self._homes = {
            (pair.module, pair.name): (dotted(facade), pair.facade) for facade in facades for pair in facade.pairs
        }
        self._runtime: dict[str, Origin] = {}
        self._typing: dict[str, Origin] = {}
        self._local: set[str] = set()
        self._facades: dict[str, Origin] = {}
        self._known: dict[str, dict[str, str]] = {}

    def define(self, name: str) -> None:
        """Note a name that the module defines itself."""
        self._local.add(name)

    def renamed(self, owner: ClassSource) -> dict[str, str]:
        """Return the async classes that a module knows by name, and their facades."""
        if owner.module.name in self._known:
            return self._known[owner.module.name]
        found = self._known[owner.module.name] = {}
        own = {name: (owner.module.name, name) for name in owner.module.own}
        for local, origin in {**owner.module.imports, **own}.items():
            home = self._home(origin)
            if home is not None:
                found[local] = home[1]
                self._facades[home[1]] = home
        return found

    def home_of(self, facade: str) -> Origin:
        """Return where a facade stands that :meth:`renamed` has named."""
        return self._facades[facade]

    def _home(self, origin: Origin) -> tuple[str, str] | None:
        module, name = origin
        if name not in self.words or not module.startswith("asyncclient"):
            return None
        source = self._sources.find_class(module, name)
        return self._homes.get((source.module.name, source.node.name))

    def type_text(self, owner: ClassSource, annotation: ast.expr) -> str:
        """Rewrite an annotation for blocking code, note what it needs, and return its text."""
        return self.collected(owner, sync_type(annotation, self.renamed(owner)))

    def collected(self, owner: ClassSource, node: ast.expr, *, runtime: bool = False) -> str:
        """Note what an expression needs, and return its text."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                self.need_name(owner, inner.id, runtime=runtime)
        return ast.unparse(node)

    def need_name(self, owner: ClassSource, name: str, *, runtime: bool = False) -> None:
        """Note a name as the module of ``owner`` knows it.

        Raises:
            FacadeError: That module does not know it.
        """
        module = owner.module
        if name in self._facades:
            self.need(name, self._facades[name], runtime=runtime)
        elif name in _ABC | set(ALIASES.values()) and name not in module.imports:
            self.need(name, ("collections.abc" if name in _ABC else "contextlib", name))
        elif name in module.imports:
            self.need(name, module.imports[name], runtime=runtime)
        elif name in module.own:
            self.need(name, (module.name, name), runtime=runtime)
        elif not hasattr(builtins, name):
            raise FacadeError(f"{owner.node.name}: the name {name} comes from nowhere")

    def need(self, name: str, origin: Origin, *, runtime: bool = False) -> None:
        """Note a name and where it comes from.

        Raises:
            FacadeError: The name already means something else.
        """
        if name in self._local:
            return
        for table in (self._runtime, self._typing):
            if table.get(name, origin) != origin:
                raise FacadeError(f"the name {name} means {origin} and {table[name]}")
        (self._runtime if runtime else self._typing)[name] = origin

    def imports(self) -> str:
        """Write the imports; those only for types are guarded."""
        for name in self._runtime:
            self._typing.pop(name, None)
        typing = list(_lines(self._typing))
        if typing:
            self._runtime["TYPE_CHECKING"] = ("typing", "TYPE_CHECKING")
        lines = list(_lines(self._runtime))
        if typing:
            lines += ["", "if TYPE_CHECKING:", *(f"    {line}" for line in typing)]
        return "".join(f"{line}\n" for line in lines)


def _lines(table: Mapping[str, Origin]) -> Iterator[str]:
    for name, (module, attribute) in sorted(table.items(), key=lambda item: (item[1][0], item[0])):
        if attribute is None:
            yield f"import {module}" + ("" if module.partition(".")[0] == name else f" as {name}")
        else:
            yield f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")
