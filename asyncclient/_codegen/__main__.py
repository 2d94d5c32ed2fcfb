"""``python -m asyncclient._codegen [--check] [unit ...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from asyncclient._codegen._errors import CodegenError
from asyncclient._codegen._facade import facade_modules
from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._ir import Module
from asyncclient._codegen._settings import Unit
from asyncclient._codegen._sources import Sources
from asyncclient._codegen._text import header
from asyncclient._codegen._trees import compare, formatted, write
from asyncclient._codegen.services import UNITS

__all__ = ["main", "trees"]


def trees(package: Path, names: Sequence[str], units: Mapping[str, Unit]) -> dict[str, dict[str, str]]:
    """Generate the trees of some units: root, relative to the package, to path to text.

    Facades are made from what was generated in the same run, not from what lies in the package.

    Args:
        package: The folder of the package.
        names: The units to generate.
        units: All there are: a facade may need to know those of other units.
    """
    modules: dict[str, list[Module]] = {}
    for name in names:
        if made := _described(units[name], package / name / "openapi.json"):
            modules[f"{name}/_generated"] = made
    overlay = {f"{root}/{module.path}": module.text for root, members in modules.items() for module in members}
    sources = Sources(package, overlay)
    facades = [facade for unit in units.values() for facade in unit.facades]
    for facade in (facade for name in names for facade in units[name].facades):
        tree = modules.setdefault(facade.root, [])
        made = facade_modules(facade, facades, sources)
        tree += made
        for module in made:
            _add_packages(tree, module.path)
    return {root: formatted(members) for root, members in modules.items()}


def _described(unit: Unit, description: Path) -> list[Module]:
    """Make what comes from the description alone."""
    made = service_modules(unit.service, description) if unit.service is not None else []
    return made + (unit.resources(description) if unit.resources is not None else [])


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
    known = list(UNITS)
    parser = argparse.ArgumentParser(prog="python -m asyncclient._codegen", description="Write the generated code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if anything would change")
    parser.add_argument("unit", nargs="*", help=f"what to generate: {', '.join(known)}; default: everything")
    options = parser.parse_args(argv)
    if unknown := [unit for unit in options.unit if unit not in known]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    try:
        made = trees(package, options.unit or known, UNITS)
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
