"""Modules of blocking facades, written from the source of async classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from asyncclient._codegen._facade_names import Names, Origin, dotted
from asyncclient._codegen._facade_writer import FacadeWriter
from asyncclient._codegen._ir import Module
from asyncclient._codegen._services import FacadeModule, FacadePair
from asyncclient._codegen._sources import Sources
from asyncclient._codegen._text import estimate, header

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
