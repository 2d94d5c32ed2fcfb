"""Which definition comes first, and which module a definition belongs in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from asyncclient._codegen._errors import DescriptionError
from asyncclient._codegen._ir import Named

__all__ = ["components", "group", "ordered"]

_COMMON: Final = "common"
_ENUMS: Final = "enums"
_OTHER: Final = "other"


def ordered(models: Mapping[str, Named]) -> list[Named]:
    """Return the models so that each comes after what it needs; otherwise alphabetical, classes before aliases."""
    done: dict[str, None] = {}
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in models:
            return
        if name in under_way:
            raise DescriptionError(f"{' needs '.join([*under_way[under_way.index(name) :], name])}")
        under_way.append(name)
        for needed in sorted(models[name].needs):
            visit(needed)
        under_way.pop()
        done[name] = None

    for name in sorted(models, key=lambda name: (models[name].kind != "class", name)):
        visit(name)
    return [models[name] for name in done]


def components(names: Iterable[str], uses: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Return the strongly connected components, used ones first (Tarjan, SIAM J. Comput. 1972)."""
    wanted = set(names)
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for used in sorted(set(uses(name)) & wanted):
            if used not in index:
                visit(used)
                low[name] = min(low[name], low[used])
            elif used in stack:
                low[name] = min(low[name], index[used])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(wanted):
        if name not in index:
            visit(name)
    return found


def group(
    models: Mapping[str, Named], roots: Mapping[str, Iterable[str]], size: Callable[[Named], int], room: int
) -> dict[str, list[Named]]:
    """Put every model into a module, so that modules never import in circles.

    What only one tag uses lies in the module of the tag; sets of values lie in ``enums``; what several tags use lies
    in ``common``; what no operation uses lies in ``other``. Tags import ``common`` and never each other, because
    whatever a shared model uses is shared by the same tags. A module that would become longer than ``room`` is cut;
    later pieces import earlier ones.

    Args:
        models: By name.
        roots: For every tag the models its operations name.
        size: Lines of a model.
        room: Lines of a module.
    """
    tags_of: dict[str, set[str]] = {name: set() for name in models}
    for tag, names in roots.items():
        if tag in (_COMMON, _ENUMS, _OTHER):
            raise DescriptionError(f"a tag is called {tag!r}, which is the name of a module of models")
        for name in _reachable(models, names):
            tags_of[name].add(tag)
    homes: dict[str, list[str]] = {}
    for name in sorted(models):
        homes.setdefault(_home(models[name], tags_of[name]), []).append(name)
    return {
        module: part
        for home in sorted(homes)
        for module, part in _cut(home, [models[name] for name in homes[home]], size, room)
    }


def _home(model: Named, tags: set[str]) -> str:
    if model.kind == "enum":
        return _ENUMS
    if not tags:
        return _OTHER
    return next(iter(tags)) if len(tags) == 1 else _COMMON


def _reachable(models: Mapping[str, Named], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = [name for name in names if name in models]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(models[name].uses)
    return found


def _cut(home: str, members: list[Named], size: Callable[[Named], int], room: int) -> list[tuple[str, list[Named]]]:
    by_name = {model.name: model for model in members}
    parts: list[list[Named]] = [[]]
    filled = 0
    for component in components(by_name, lambda name: by_name[name].uses):
        lines = sum(size(by_name[name]) for name in component)
        if filled and filled + lines > room:
            parts.append([])
            filled = 0
        parts[-1] += [by_name[name] for name in component]
        filled += lines
    return [(home if number == 1 else f"{home}_{number}", part) for number, part in enumerate(parts, 1)]
