"""One facade class, written from the source of one async class."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection, Mapping
from typing import Final, Literal

from asyncclient._codegen._errors import FacadeError
from asyncclient._codegen._facade_names import Names, Origin
from asyncclient._codegen._facade_types import (
    awaits,
    is_callback,
    renamed,
    returns_one_of,
    streams,
    sync_text,
    sync_type,
)
from asyncclient._codegen._settings import FacadePair
from asyncclient._codegen._sources import ClassSource, Function, Member, Sources
from asyncclient._codegen._text import estimate

__all__ = ["FacadeWriter"]

Kind = Literal["run", "iterate", "enter", "derive", "part", "property", "plain"]

_FROM_BASE: Final = frozenset({"aclose", "__aenter__", "__aexit__", "__init__"})
"""What ``SyncFacade`` does itself, and the constructor, which is written apart."""
_ITERATORS: Final = frozenset({"AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_MANAGERS: Final = frozenset({"AbstractAsyncContextManager", "AsyncContextManager"})
_AWAITABLES: Final = frozenset({"Awaitable", "Coroutine"})
_DECORATORS: Final = frozenset({"property", "overload", "asynccontextmanager", "staticmethod"})


class FacadeWriter:
    """Writes the facade of one async class.

    Args:
        pair: The class and its facade.
        sources: Where it stands.
        names: Where the imports are collected.
    """

    def __init__(self, pair: FacadePair, sources: Sources, names: Names) -> None:
        self._pair = pair
        self._sources = sources
        self._names = names
        self._cls = sources.find_class(pair.module, pair.name)
        self._members = self._chosen()

    def write(
        self,
        *,
        only: Collection[str] | None = None,
        bases: Mapping[str, Origin] | None = None,
        doc: str | None = None,
    ) -> str:
        """Write the class.

        Args:
            only: The members to write; None for all.
            bases: Classes that hold the generated members, and where they stand; None for no such classes.
            doc: Its docstring, in place of that of the async class.

        Raises:
            FacadeError: The class has a member that no facade can stand for.
        """
        pair, names = self._pair, self._names
        names.define(pair.facade)
        if pair.constructor or not bases:
            names.need(pair.name, (pair.module, pair.name), runtime=True)
        base, base_origin = self._base()
        for name, origin in (bases or {base: base_origin}).items():
            names.need(name, origin, runtime=True)
        parts = [self._constructor()] if pair.constructor else []
        for name, member in self._members.items():
            if (only is None or name in only) and not (bases and _is_generated(member)):
                parts.append(self._member(name, member))
        text = self._doc(self._cls.node, 4) if doc is None else f'    """{doc}"""\n'
        parents = ", ".join(bases) if bases else f"{base}[{pair.name}]"
        body = "\n".join(part for part in parts if part)
        return self._reworded(f"class {pair.facade}({parents}):\n{text}\n{body}")

    def sizes(self) -> dict[str, int]:
        """Return the lines of the generated members."""
        return {
            name: estimate(self._member(name, member))
            for name, member in self._members.items()
            if _is_generated(member)
        }

    def sizes_by_tag(self) -> dict[str, dict[str, int]]:
        """Return the lines of the generated operations, by the tag whose module defines them."""
        found: dict[str, dict[str, int]] = {}
        for name, size in self.sizes().items():
            package, _, module = self._members[name].owner.module.name.rpartition(".")
            if package.endswith(".operations"):
                found.setdefault(re.sub(r"_\d+$", "", module), {})[name] = size
        return dict(sorted(found.items()))

    def _chosen(self) -> dict[str, Member]:
        pair = self._pair
        members = {**self._sources.constructed(self._cls), **self._sources.members(self._cls)}
        if unknown := pair.omit.keys() - members.keys():
            raise FacadeError(f"{pair.name} has no {', '.join(sorted(unknown))} to omit")
        return {
            name: member
            for name, member in members.items()
            if name not in _FROM_BASE | pair.omit.keys() and (not name.startswith("_") or name == "__getattr__")
        }

    def _base(self) -> tuple[str, Origin]:
        module, _, name = (self._pair.base or "asyncclient._sync.base:SyncFacade").partition(":")
        return name, (module, name)

    def _constructor(self) -> str:
        pair = self._pair
        member = self._sources.members(self._cls).get("__init__")
        first = f"        self._complete(self._async.{pair.first})\n" if pair.first else ""
        if member is None:
            return f"    def __init__(self) -> None:\n        self._async = self._build({pair.name})\n{first}"
        node = member.nodes[-1]
        assert isinstance(node, ast.FunctionDef)
        signature = self._signature(member.owner, node)
        call = ", ".join([pair.name, *_passed(node, {})])
        return f"    def __init__({signature}) -> None:\n        self._async = self._build({call})\n{first}"

    # --- members -----------------------------------------------------------------------------------------------------

    def _member(self, name: str, member: Member) -> str:
        *variants, node = member.nodes
        if isinstance(node, ast.AnnAssign):
            return self._attribute(name, member.owner, node)
        if name == "__getattr__":
            return self._getattr(member.owner, node)
        self._check(member.owner, node)
        parts = [self._overload(member.owner, each) for each in variants if not isinstance(each, ast.AnnAssign)]
        return "\n".join([*parts, self._function(member.owner, node)])

    def _attribute(self, name: str, owner: ClassSource, node: ast.AnnAssign) -> str:
        if returns_one_of(node.annotation, frozenset({"ClassVar", "Final"})):
            return ""
        if renamed(node.annotation, self._names.renamed(owner)):
            raise FacadeError(f"{owner.node.name}.{name} is an async object; make it a property")
        returned = self._names.type_text(owner, node.annotation)
        doc = f'"""The ``{name}`` of this object."""'
        return f"    @property\n    def {name}(self) -> {returned}:\n        {doc}\n        return self._async.{name}\n"

    def _getattr(self, owner: ClassSource, node: Function) -> str:
        assert node.returns is not None
        self._names.need("functools", ("functools", None), runtime=True)
        return (
            f"    def __getattr__(self, name: str) -> {self._names.type_text(owner, node.returns)}:\n"
            '        if name.startswith("_"):\n'
            "            raise AttributeError(name)\n"
            "        return functools.partial(self._run, getattr(self._async, name))\n"
        )

    def _overload(self, owner: ClassSource, node: Function) -> str:
        self._names.need("overload", ("typing", "overload"), runtime=True)
        returned = self._returned(owner, node)
        return f"    @overload\n    def {node.name}({self._signature(owner, node)}) -> {returned}: ...\n"

    def _function(self, owner: ClassSource, node: Function) -> str:
        returned = self._returned(owner, node)
        head = f"    def {node.name}({self._signature(owner, node)}) -> {returned}:\n"
        for decorator in ("property", "staticmethod"):
            if decorator in _decorators(node):
                head = f"    @{decorator}\n{head}"
        keep = "" if returned == "None" else "return "
        return f"{head}{self._doc(node, 8)}{self._late_import(owner, node)}        {keep}{self._body(owner, node)}\n"

    def _late_import(self, owner: ClassSource, node: Function) -> str:
        """Import the facade of a part where it is made, if the async class does so too."""
        if self._kind(owner, node) != "part" or not _imports_late(node):
            return ""
        facades = self._names.renamed(owner)
        (name,) = renamed(node.returns, facades)
        module, attribute = self._names.home_of(facades[name])
        return f"        from {module} import {attribute}\n\n"

    def _body(self, owner: ClassSource, node: Function) -> str:
        kind = self._kind(owner, node)
        if kind == "property":
            return f"self._async.{node.name}"
        if kind == "part":
            facades = self._names.renamed(owner)
            (name,) = renamed(node.returns, facades)
            if not _imports_late(node):
                self._names.need_name(owner, facades[name], runtime=True)
            return f'self._part({facades[name]}, "{node.name}")'
        given = _passed(node, self._wrappers(owner, node))
        if kind == "derive":
            return f"self._derive({', '.join([f'{chr(34)}{node.name}{chr(34)}', *given])})"
        target = self._pair.name if "staticmethod" in _decorators(node) else "self._async"
        if kind == "plain":
            return f"{target}.{node.name}({', '.join(given)})"
        return f"self._{kind}({', '.join([f'{target}.{node.name}', *given])})"

    def _wrappers(self, owner: ClassSource, node: Function) -> dict[str, str]:
        wrappers: dict[str, str] = {}
        for argument in _all_arguments(node):
            if renamed(argument.annotation, self._names.renamed(owner)):
                raise FacadeError(f"{self._where(node)}: the argument {argument.arg} is an async object")
            if awaits(argument.annotation):
                wrappers[argument.arg] = "_awaitable"
            elif streams(argument.annotation):
                wrappers[argument.arg] = "_pulled"
            elif is_callback(argument.annotation):
                wrappers[argument.arg] = "_deliver"
        return wrappers

    def _check(self, owner: ClassSource, node: Function) -> None:
        where = self._where(node)
        if unknown := _decorators(node) - _DECORATORS:
            raise FacadeError(f"{where} has the decorator {', '.join(sorted(unknown))}, which no facade stands for")
        if node.returns is None:
            raise FacadeError(f"{where} needs a return type")
        waits = isinstance(node, ast.AsyncFunctionDef) or returns_one_of(node.returns, _AWAITABLES)
        if renamed(node.returns, self._names.renamed(owner)) and (waits or "property" not in _decorators(node)):
            raise FacadeError(f"{where} returns an async object; only properties and Self are understood")

    def _kind(self, owner: ClassSource, node: Function) -> Kind:
        decorators = _decorators(node)
        if "property" in decorators:
            return "part" if renamed(node.returns, self._names.renamed(owner)) else "property"
        if "asynccontextmanager" in decorators or returns_one_of(node.returns, _MANAGERS):
            return "enter"
        if returns_one_of(node.returns, _ITERATORS) and (isinstance(node, ast.FunctionDef) or _yields(node)):
            return "iterate"
        if isinstance(node, ast.AsyncFunctionDef) or returns_one_of(node.returns, _AWAITABLES):
            return "run"
        return "derive" if returns_one_of(node.returns, frozenset({"Self"})) else "plain"

    def _where(self, node: Function) -> str:
        return f"{self._pair.name}.{node.name}"

    # --- signatures and words ----------------------------------------------------------------------------------------

    def _returned(self, owner: ClassSource, node: Function) -> str:
        assert node.returns is not None
        if "asynccontextmanager" not in _decorators(node):
            return self._names.type_text(owner, node.returns)
        iterator = sync_type(node.returns, self._names.renamed(owner))
        assert isinstance(iterator, ast.Subscript)
        self._names.need("AbstractContextManager", ("contextlib", "AbstractContextManager"))
        return f"AbstractContextManager[{self._names.collected(owner, iterator.slice)}]"

    def _signature(self, owner: ClassSource, node: Function) -> str:
        # Written out and read again: a copy, so that the class can be written more than once.
        stub = ast.FunctionDef("f", node.args, [ast.Pass()], [], None, lineno=1)
        copied = ast.parse(ast.unparse(stub)).body[0]
        assert isinstance(copied, ast.FunctionDef)
        for argument in _all_arguments(copied):
            if argument.annotation is not None:
                text = self._names.type_text(owner, argument.annotation)
                argument.annotation = ast.parse(text, mode="eval").body
        for default in [*copied.args.defaults, *copied.args.kw_defaults]:
            if default is not None:
                self._names.collected(owner, default, runtime=True)
        return ast.unparse(copied.args)

    def _doc(self, node: Function | ast.ClassDef, indent: int) -> str:
        text = ast.get_docstring(node)
        if text is None:
            return ""
        text = sync_text(text, {**self._names.words, self._pair.name: self._pair.facade})
        quotes = 'r"""' if "\\" in text else '"""'
        closing = '\n"""' if "\n" in text else '"""'
        return textwrap.indent(f"{quotes}{text}{closing}", " " * indent) + "\n"

    def _reworded(self, text: str) -> str:
        for old, new in self._pair.wording:
            lines = old.split("\n")
            indented = next((found for indent in (4, 8) if (found := f"\n{' ' * indent}".join(lines)) in text), None)
            if indented is None:
                raise FacadeError(f"{self._pair.facade}: no docstring says {old!r}")
            text = text.replace(indented, new)
        return text


def _is_generated(member: Member) -> bool:
    module = member.owner.module.name
    return "._generated." in module and not module.endswith(
        (".operations.apis", ".operations.owner")
    )  # groups are members like any other


def _imports_late(node: Function) -> bool:
    return any(isinstance(statement, ast.ImportFrom) for statement in node.body)


def _decorators(node: Function) -> set[str]:
    return {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}


def _yields(node: ast.AsyncFunctionDef) -> bool:
    todo: list[ast.AST] = list(node.body)
    while todo:
        inner = todo.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(inner))
    return False


def _all_arguments(node: Function) -> list[ast.arg]:
    arguments = node.args
    variadic = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *variadic]


def _passed(node: Function, wrappers: Mapping[str, str]) -> list[str]:
    """Return the arguments of a call with the values of one's own arguments."""
    arguments = node.args
    positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
    if "staticmethod" not in _decorators(node):
        positional = positional[1:]

    def value(name: str) -> str:
        return f"self.{wrappers[name]}({name})" if name in wrappers else name

    given = [value(name) for name in positional]
    given += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    given += [f"{argument.arg}={value(argument.arg)}" for argument in arguments.kwonlyargs]
    return [*given, f"**{arguments.kwarg.arg}"] if arguments.kwarg else given
