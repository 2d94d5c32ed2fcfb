"""``asyncclient flywheel api``: the operations of Flywheel for the command that all services have."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from asyncclient.cli._api import Catalogue, Service
from asyncclient.cli._flywheel_run import Session, run

__all__ = ["SERVICE", "catalogue"]


@functools.cache
def catalogue() -> Catalogue:
    """Return the operations by group: ``projects``, ``data_view_executions`` and so on."""
    from asyncclient.flywheel._generated.operations import apis

    kinds = {_snake(name.removesuffix("Api")): getattr(apis, name) for name in apis.__all__}
    return Catalogue({group: _operations(kind) for group, kind in kinds.items()})


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _operations(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in sorted(dir(kind)) if not name.startswith("_")}


def _method(session: Session, group: str, name: str) -> Callable[..., Awaitable[Any]]:
    found: Callable[..., Awaitable[Any]] = getattr(getattr(session.client, f"{group}_api"), name)
    return found


SERVICE: Final = Service(catalogue, run, _method)
"""What the command needs of Flywheel."""
