"""Modules of blocking facades, written from the source of async classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from asyncclient._codegen._description import pascal
from asyncclient._codegen._facade_names import Names, Origin, dotted
from asyncclient._codegen._facade_writer import FacadeWriter
from asyncclient._codegen._ir import Module
from asyncclient._codegen._settings import FacadeModule, FacadePair
from asyncclient._codegen._sources import Sources
from asyncclient._codegen._text import estimate, header
from asyncclient._codegen._write_packages import lazy_table

__all__ = ["facade_modules"]

_ROOM: Final = 1250
"""Lines of a module, estimated before formatting; the rest is room for imports and what the formatter unfolds."""


def facade_modules(module: FacadeModule, facades: Sequence[FacadeModule], sources: Sources) -> list[Module]:
    """Write one module of facades; a long one is cut, and its generated operations lie beside it.

    Args:
        module: What to write.
        facades: All modules of facades of the package, for the names of the others.
        sources: Where the async classes stand.
    """
    if module.by_tag:
        return _by_tag(module, facades, sources)
    if module.parts_of:
        return _views(module, facades, sources)
    names = Names(facades, sources)
    text = _text(names, module.pairs, [FacadeWriter(pair, sources, names).write() for pair in module.pairs])
    if estimate(text) <= _ROOM or len(module.pairs) > 1:
        return [Module(module.path, text)]
    return _cut(module, facades, sources)


def _cut(module: FacadeModule, facades: Sequence[FacadeModule], sources: Sources) -> list[Module]:
    (pair,) = module.pairs
    folder = module.path.rpartition("/")[0]
    shares = _shares(FacadeWriter(pair, sources, Names(facades, sources)).sizes())
    written: list[Module] = []
    bases: dict[str, Origin] = {}
    for number, members in enumerate(shares, 1):
        suffix = "" if len(shares) == 1 else str(number)
        path = f"{folder}/operations{suffix}.py".lstrip("/")
        part = replace(pair, facade=f"{pair.facade}Operations{suffix}", constructor=False, omit={}, wording=())
        doc = f"Those methods of :class:`{pair.facade}` that are one request{', part ' + suffix if suffix else ''}."
        names = Names(facades, sources)
        text = FacadeWriter(part, sources, names).write(only=members, doc=doc)
        written.append(Module(path, _text(names, [part], [text])))
        bases[part.facade] = (dotted(replace(module, path=path)), part.facade)
    names = Names(facades, sources)
    text = FacadeWriter(pair, sources, names).write(bases=bases)
    return [Module(module.path, _text(names, [pair], [text])), *written]


def _by_tag(module: FacadeModule, facades: Sequence[FacadeModule], sources: Sources) -> list[Module]:
    """Write a client whose generated operations lie in one module per tag, or a few where there are many."""
    (pair,) = module.pairs
    written: list[Module] = []
    bases: dict[str, Origin] = {}
    for part in _tag_parts(module, facades, sources):
        made = replace(pair, facade=part.facade, constructor=False, omit={}, wording=(), first="")
        doc = f"Those methods of :class:`{pair.facade}` that are operations on {part.tag.replace('_', ' ')}."
        names = Names(facades, sources)
        text = FacadeWriter(made, sources, names).write(only=part.members, doc=doc)
        written.append(Module(part.path, _text(names, [made], [text])))
        bases[part.facade] = (dotted(replace(module, path=part.path)), part.facade)
    if module.lazy:
        written.append(_lazy_operations(module, bases, facades, sources))
        bases = {"Operations": (dotted(replace(module, path=written[-1].path)), "Operations")}
    names = Names(facades, sources)
    text = FacadeWriter(pair, sources, names).write(bases=bases)
    return [Module(module.path, _text(names, [pair], [text])), *written]


def _lazy_operations(
    module: FacadeModule, bases: Mapping[str, Origin], facades: Sequence[FacadeModule], sources: Sources
) -> Module:
    """Write one class of all parts, whose methods are loaded when they are first used."""
    (pair,) = module.pairs
    (base_module, _, base), (lazy_module, _, function) = pair.base.partition(":"), module.lazy.partition(":")
    lines = "".join(sorted(f"    from {home} import {name}\n" for name, (home, _) in bases.items()))
    homes = {
        f"{part.path.rpartition('/')[2].removesuffix('.py')}:{part.facade}": sorted(part.members)
        for part in _tag_parts(module, facades, sources)
    }
    package = dotted(module).rpartition(".")[0]
    text = (
        f'{header(pair.module.replace(".", "/") + ".py")}"""The operations of ``{pair.facade}``, each loaded when it is '
        'first used."""\n\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\n'
        f"if TYPE_CHECKING:\n{lines}\n"
        f'    class Operations({", ".join(bases)}):\n        """Every operation that is one request."""\n\n'
        f"else:\n    from {base_module} import {base}\n    from {lazy_module} import {function}\n\n"
        f'    Operations = {function}("Operations", {base}, "{package}", {{\n{lazy_table(homes)}    }})\n\n'
        '__all__ = ["Operations"]\n'
    )
    return Module(f"{module.path.rpartition('/')[0]}/operations.py", text)


def _views(module: FacadeModule, facades: Sequence[FacadeModule], sources: Sources) -> list[Module]:
    """Write the groups of a client, each made of the parts of its tag."""
    whole = next(facade for facade in facades if (facade.root, facade.path) == (module.root, module.parts_of))
    parts = _tag_parts(whole, facades, sources)
    names = Names(facades, sources)
    classes: list[str] = []
    for pair in module.pairs:
        tag = pair.name.removesuffix("Api")
        bases = {
            part.facade: (dotted(replace(whole, path=part.path)), part.facade)
            for part in parts
            if pascal(part.tag) == tag
        }
        classes.append(FacadeWriter(pair, sources, names).write(bases=bases))
    return [Module(module.path, _text(names, module.pairs, classes))]


class _Part(NamedTuple):
    """Some generated methods of one tag."""

    tag: str
    path: str
    facade: str
    members: set[str]


def _tag_parts(module: FacadeModule, facades: Sequence[FacadeModule], sources: Sources) -> list[_Part]:
    (pair,) = module.pairs
    folder = module.path.rpartition("/")[0]
    found: list[_Part] = []
    for tag, sizes in FacadeWriter(pair, sources, Names(facades, sources)).sizes_by_tag().items():
        shares = _shares(sizes)
        for number, members in enumerate(shares, 1):
            suffix = "" if len(shares) == 1 else f"_{number}"
            name = f"{pascal(tag)}Operations{suffix.strip('_')}"
            found.append(_Part(tag, f"{folder}/{tag}{suffix}.py", name, members))
    return found


def _shares(sizes: Mapping[str, int]) -> list[set[str]]:
    """Cut into parts of about equal size, none longer than a module may be."""
    total = sum(sizes.values())
    parts: list[set[str]] = [set() for _ in range(-(-total // _ROOM))]
    before = 0
    for name, size in sizes.items():
        parts[before * len(parts) // total].add(name)
        before += size
    return parts


def _text(names: Names, pairs: Sequence[FacadePair], classes: Sequence[str]) -> str:
    exported = ", ".join(f'"{pair.facade}"' for pair in sorted(pairs, key=lambda pair: pair.facade))
    origin = " and ".join(dict.fromkeys(pair.module.replace(".", "/") + ".py" for pair in pairs))
    titles = ", ".join(f"``{pair.name}``" for pair in pairs)
    return (
        f'{header(origin)}"""The blocking face of {titles}."""\n\n'
        f"from __future__ import annotations\n\n{names.imports()}\n"
        f"__all__ = [{exported}]\n\n\n" + "\n\n".join(classes)
    )
