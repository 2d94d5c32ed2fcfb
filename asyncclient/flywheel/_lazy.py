"""Methods that are loaded when they are first used: with hundreds of operations, few scripts need more than some.

Type checkers see the generated classes themselves. While a program runs, a class made here has a placeholder for each
method; the first use of one imports the module it lies in and puts the method in its place.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

__all__ = ["lazy_class"]


class _Method:
    """Stands for a method until it is used."""

    __slots__ = ("_address", "_name", "_owner")

    def __init__(self, owner: type, name: str, address: str) -> None:
        self._owner = owner
        self._name = name
        self._address = address

    def __get__(self, instance: Any, kind: type | None = None) -> Any:
        module, _, cls = self._address.partition(":")
        method = getattr(importlib.import_module(module), cls).__dict__[self._name]
        setattr(self._owner, self._name, method)
        return method.__get__(instance, kind)


def lazy_class(name: str, base: type, package: str, table: Mapping[str, str]) -> Any:
    """Make a class.

    Args:
        name: Of the class.
        base: What it inherits from.
        package: Where the modules lie.
        table: ``module:Class`` within the package, to the names of its methods, with blanks between.
    """
    made = type(name, (base,), {"__module__": package, "__doc__": base.__doc__})
    for address, names in table.items():
        for method in names.split():
            setattr(made, method, _Method(made, method, f"{package}.{address}"))
    return made
