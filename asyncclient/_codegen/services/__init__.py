"""One module per service, and ``hub`` for what they share; each has a ``UNIT``. A module put here is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Final

from asyncclient._codegen._settings import Unit

__all__ = ["UNITS"]


def _units() -> dict[str, Unit]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    units = [importlib.import_module(f"{__name__}.{name}").UNIT for name in names]
    return {unit.name: unit for unit in units}


UNITS: Final[Mapping[str, Unit]] = _units()
"""By name; the order in which they are generated."""
