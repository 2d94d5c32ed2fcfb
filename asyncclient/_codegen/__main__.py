"""``python -m asyncclient._codegen [--check] [unit ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from asyncclient._codegen._errors import CodegenError
from asyncclient._codegen._facade import facade_modules
from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._ir import Module
from asyncclient._codegen._services import FACADES, SERVICES, FacadeModule, Service
from asyncclient._codegen._sources import Sources
from asyncclient._codegen._text import header
from asyncclient._codegen._trees import compare, formatted, write
from asyncclient._codegen.lfview_models import lfview_modules

__all__ = ["RESOURCES", "main", "trees"]

RESOURCES: Final[Mapping[str, Callable[[Path], list[Module]]]] = {"lfview": lfview_modules}
"""Units whose classes have a generator of their own."""


def trees(
    package: Path, units: Sequence[str], services: Mapping[str, Service], facades: Sequence[FacadeModule]
) -> dict[str, dict[str, str]]:
    """Generate the trees of some units: root, relative to the package, to path to text.

    Facades are made from what was generated in the same run, not from what lies in the package.
    """
    modules: dict[str, list[Module]] = {}
    for unit in units:
        if unit in services:
            modules[f"{unit}/_generated"] = service_modules(services[unit], package / unit / "openapi.json")
        if unit in RESOURCES:
            modules.setdefault(f"{unit}/_generated", []).extend(RESOURCES[unit](package / unit / "openapi.json"))
    overlay = {f"{root}/{module.path}": module.text for root, members in modules.items() for module in members}
    sources = Sources(package, overlay)
    for facade in facades:
        if facade.unit in units:
            tree = modules.setdefault(facade.root, [])
            made = facade_modules(facade, facades, sources)
            tree += made
            for module in made:
                _add_packages(tree, module.path)
    return {root: formatted(members) for root, members in modules.items()}


def _add_packages(tree: list[Module], path: str) -> None:
    """Make every folder on the way to a module a package."""
    there = {module.path for module in tree}
    for folder in Path(path).parents:
        name = (folder / "__init__.py").as_posix()
        if name not in there:
            tree.append(Module(name, f'{header("the async classes")}"""Blocking facades of the async classes."""\n'))


_PACKAGE: Final = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None, *, package: Path = _PACKAGE) -> int:
    """Write or check the generated trees; return the exit status."""
    known = list(dict.fromkeys([*SERVICES, *RESOURCES, *(facade.unit for facade in FACADES)]))
    parser = argparse.ArgumentParser(prog="python -m asyncclient._codegen", description="Write the generated code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything would change")
    parser.add_argument("unit", nargs="*", help=f"what to generate: {', '.join(known)}; default: everything")
    options = parser.parse_args(argv)
    if unknown := [unit for unit in options.unit if unit not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        made = trees(package, options.unit or known, SERVICES, FACADES)
    except CodegenError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return _check(package, made) if options.check else _write(package, made)


def _write(package: Path, made: Mapping[str, Mapping[str, str]]) -> int:
    for root, texts in made.items():
        write(package / root, texts)
        print(f"{package.name}/{root}: {len(texts)} files")
    return 0


def _check(package: Path, made: Mapping[str, Mapping[str, str]]) -> int:
    differences = [difference for root, texts in made.items() for difference in compare(package / root, texts)]
    for difference in differences:
        print(difference, end="")
    if differences:
        print(f"{len(differences)} generated files are not up to date; run `nox -s generate`", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
