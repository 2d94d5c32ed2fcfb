"""Methods that are loaded when they are first used: with hundreds of operations, few scripts need more than some.

Type checkers see the generated classes themselves. While a program runs, a class made here has a placeholder for each
method; the first use of one imports the module it lies in and puts the method in its place.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from itertools import repeat
from typing import Any

__all__ = ["lazy_class"]


class _Method(tuple[str, str]):
    """Stands for a method until it is used: its name, and ``module:Class`` that has it.

    A tuple, because hundreds are made whenever the package is imported.
    """

    __slots__ = ()

    def __get__(self, instance: Any, kind: type | None = None) -> Any:
        name, address = self
        module, _, cls = address.partition(":")
        method = getattr(importlib.import_module(module), cls).__dict__[name]
        for owner in (kind or type(instance)).__mro__:
            if owner.__dict__.get(name) is self:  # nowhere, if another thread has put the method there meanwhile
                setattr(owner, name, method)
        return method.__get__(instance, kind)


def lazy_class(name: str, base: type, package: str, table: Mapping[str, str]) -> Any:
    """Make a class.

    Args:
        name: Of the class.
        base: What it inherits from.
        package: Where the modules lie.
        table: ``module:Class`` within the package, to the names of its methods, with blanks between.
    """
    members: dict[str, Any] = {"__module__": package, "__doc__": base.__doc__}
    for address, text in table.items():
        names = text.split()
        members.update(zip(names, map(_Method, zip(names, repeat(f"{package}.{address}"))), strict=True))
    return type(name, (base,), members)
