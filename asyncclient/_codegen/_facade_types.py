"""Types and words of async code, as blocking code says them."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Final, cast

__all__ = ["ALIASES", "awaits", "is_callback", "renamed", "returns_one_of", "sync_text", "sync_type"]

ALIASES: Final[Mapping[str, str]] = {
    "AsyncIterator": "Iterator",
    "AsyncIterable": "Iterable",
    "AsyncGenerator": "Iterator",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncContextManager": "AbstractContextManager",
}
"""Generic types and their blocking counterparts; only the first argument is kept."""

_WAITED: Final[Mapping[str, int]] = {"Awaitable": 0, "Coroutine": 2}
"""Types that stand for their nth argument."""

_PHRASES: Final = (
    (re.compile(r"\bawait "), ""),
    (re.compile(r"\basync (with|for)\b"), r"\1"),
    (re.compile(r"\baclose\b"), "close"),
    (re.compile(r",? awaited\b"), ""),
    (re.compile(r"\bcoroutine function\b"), "function"),
    (
        re.compile(r"\bDefault: a hub of its own, closed with the (?:client|session)\."),
        "Default: the hub that all blocking clients share.",
    ),
)


def sync_text(text: str, names: Mapping[str, str]) -> str:
    """Rewrite a docstring: no ``await``, plain ``with`` and ``for``, facades in place of async classes."""
    for pattern, words in _PHRASES:
        text = pattern.sub(words, text)
    for name, facade in names.items():
        text = re.sub(rf"(?<!\bhttpx\.)\b{name}\b", facade, text)
    return text


def sync_type(annotation: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """Rewrite an annotation."""
    return cast("ast.expr", _Types(names).visit(_parsed(annotation)))


class _Types(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._names.get(node.id, ALIASES.get(node.id, node.id)))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = _last_name(node.value)
        if name in _WAITED:
            return cast("ast.expr", self.visit(_arguments(node)[_WAITED[name]]))
        if name in ALIASES:
            return ast.Subscript(ast.Name(ALIASES[name]), cast("ast.expr", self.visit(_arguments(node)[0])))
        self.generic_visit(node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        # ``Iterable[T] | AsyncIterable[T]`` has become twice the same.
        return node.left if ast.unparse(node.left) == ast.unparse(node.right) else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return node


def _parsed(annotation: ast.expr) -> ast.expr:
    # A copy, because transforming changes in place; an annotation written as text is read as one.
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    return ast.parse(text if isinstance(text, str) else ast.unparse(annotation), mode="eval").body


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def returns_one_of(annotation: ast.expr | None, names: frozenset[str]) -> bool:
    """Tell whether an annotation is one of these types, with or without arguments."""
    if annotation is None:
        return False
    node = _parsed(annotation)
    return _last_name(node.value if isinstance(node, ast.Subscript) else node) in names


def awaits(annotation: ast.expr | None) -> bool:
    """Tell whether an argument is a function whose result has to be awaited."""
    return any(
        isinstance(node, ast.Subscript) and _last_name(node.value) == "Callable" and _mentions_awaitable(node)
        for node in _walk(annotation)
    )


def streams(annotation: ast.expr | None) -> bool:
    """Tell whether an argument may be an async iterable, which blocking code gives as a plain one."""
    return any(
        isinstance(node, ast.Name) and node.id in ("AsyncIterable", "AsyncIterator") for node in _walk(annotation)
    )


def is_callback(annotation: ast.expr | None) -> bool:
    """Tell whether an argument is a function that is called with news."""
    return any(
        isinstance(node, (ast.Name, ast.Attribute)) and _last_name(node) == "Callable" for node in _walk(annotation)
    )


def renamed(annotation: ast.expr | None, names: Mapping[str, str]) -> set[str]:
    """Return the async classes that an annotation mentions."""
    return {node.id for node in _walk(annotation) if isinstance(node, ast.Name) and node.id in names}


def _walk(annotation: ast.expr | None) -> list[ast.AST]:
    return [] if annotation is None else list(ast.walk(_parsed(annotation)))


def _mentions_awaitable(node: ast.Subscript) -> bool:
    return any(_last_name(inner) in _WAITED for inner in ast.walk(node) if isinstance(inner, ast.expr))
