"""From one service's description to its tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from asyncclient._codegen._derived import derived_operations
from asyncclient._codegen._description import Description
from asyncclient._codegen._ir import Module, Operation
from asyncclient._codegen._order import group
from asyncclient._codegen._read_models import read_models
from asyncclient._codegen._read_operations import read_operations
from asyncclient._codegen._settings import Service
from asyncclient._codegen._text import header
from asyncclient._codegen._unions import name_unions
from asyncclient._codegen._write_operations import write_operations
from asyncclient._codegen._write_pydantic import lines_of, write_pydantic
from asyncclient._codegen._write_typeddicts import write_typeddicts

__all__ = ["service_modules"]

_ROOM: Final = 1150
"""Lines of models in a module, counted before formatting; the rest is room for imports and lists of names."""


def service_modules(service: Service, description_path: Path) -> list[Module]:
    """Write operations and models of a service, not yet formatted."""
    description = Description.load(description_path, service.patches)
    if service.model_base is not None:
        name_unions(description)
    operations = read_operations(service, description)
    if service.surface is not None:
        operations += derived_operations(description, operations)
    models = read_models(service, description, operations)
    if service.answers == "typeddict":
        written, homes = write_typeddicts(service, models), dict.fromkeys(models, "models")
    else:
        groups = group(models, _roots(operations), lines_of, _ROOM)
        written = write_pydantic(service, groups)
        homes = {model.name: f"models.{module}" for module, members in groups.items() for model in members}
    package = f'{header(f"asyncclient/{service.name}/openapi.json")}"""Generated from the description of {service.title}."""\n'
    return [
        Module("__init__.py", package),
        *write_operations(service, description.tags(), operations, homes),
        *written,
    ]


def _roots(operations: Iterable[Operation]) -> dict[str, set[str]]:
    roots: dict[str, set[str]] = {}
    for operation in operations:
        texts = [operation.answer.annotation, *(argument.annotation for argument in operation.arguments)]
        names = roots.setdefault(operation.tag, set())
        names.update(name for text in texts for name in re.findall(r"models\.(\w+)", text))
        names.update(name for name in (operation.answer.model, operation.answer.whole) if name is not None)
    return roots
