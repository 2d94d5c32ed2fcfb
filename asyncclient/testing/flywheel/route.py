"""Which operation a request addresses, and who acts on it. Pure."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from asyncclient.testing._contract import Contract, Operation, Refusal
from asyncclient.testing._emulator import Exchange
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import PLURALS, Container, Json

__all__ = ["Call", "Handler", "Route", "Router", "Table", "handles"]

_FAMILY = {**PLURALS, "containers": None}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked.

    Attributes:
        kind: Of the container, for the operations that several kinds have; None if any kind will do.
        args: Values of the path, in their order.
        features: Names in ``x-accept-feature``, in lower case.
        origin: Who asks.
    """

    state: FlywheelState
    exchange: Exchange
    operation: Operation
    kind: str | None
    args: tuple[str, ...]
    query: Json
    body: Any
    features: frozenset[str]
    origin: Json

    @property
    def container(self) -> Container:
        """The container that the first value of the path names.

        Raises:
            Refusal: 404, there is none.
        """
        return self.state.get(self.args[0], self.kind)

    @property
    def user_id(self) -> str:
        """Whose name is written to what is made."""
        return str(self.origin["id"])


Handler = Callable[[Call], Json | list[Any] | str | int | Response | Awaitable[Response | Any] | None]
Table = dict[tuple[str, str], Handler]


def handles(table: Table, *patterns: str) -> Callable[[Handler], Handler]:
    """Enter a function into a table.

    Args:
        table: By method and pattern.
        patterns: ``GET */{}/notes/{}``: a star first stands for any plural of a container, ``{}`` for any value.
    """

    def enter(handler: Handler) -> Handler:
        for pattern in patterns:
            method, _, path = pattern.partition(" ")
            table[method, path] = handler
        return handler

    return enter


@dataclass(frozen=True, slots=True)
class Route:
    """An operation with what acts on it; without a handler the example is the answer."""

    operation: Operation
    names: tuple[str, ...]
    kind: str | None
    handler: Handler | None
    example: Any
    media: str | None

    def args(self, segments: Sequence[str]) -> tuple[str, ...]:
        """Return the values of the path."""
        pairs = zip(self.operation.path, segments, strict=True)
        return tuple(given for wanted, given in pairs if wanted.startswith("{"))


class Router:
    """Finds routes.

    Args:
        text: The text of ``contract.json``.
        handlers: By method and pattern.
    """

    def __init__(self, text: str, handlers: Mapping[tuple[str, str], Handler]) -> None:
        source = json.loads(text)
        self.contract = Contract(source)
        self.routes: list[Route] = []
        self._by_length: dict[int, list[Route]] = {}
        rows = zip(self.contract.operations, source["operations"], strict=True)
        for operation, row in sorted(rows, key=lambda pair: [part.startswith("{") for part in pair[0].path]):
            self._enter(_route(operation, row, handlers))

    def _enter(self, route: Route) -> None:
        self.routes.append(route)
        self._by_length.setdefault(len(route.operation.path), []).append(route)

    def find(self, method: str, segments: Sequence[str]) -> Route:
        """Return the route of a request; words come before values.

        Raises:
            Refusal: 404, no such path; 405, the path has no such method.
        """
        others = set()
        for route in self._by_length.get(len(segments), ()):
            if _fits(route.operation.path, segments):
                if route.operation.method == method:
                    return route
                others.add(route.operation.method)
        if others:
            raise Refusal(405, "Method Not Allowed", {"allow": ", ".join(sorted(others))})
        raise Refusal(404, "Not Found")


def _fits(template: Sequence[str], segments: Sequence[str]) -> bool:
    pairs = zip(template, segments, strict=True)
    return all(wanted == given or (wanted.startswith("{") and given) for wanted, given in pairs)


def _route(operation: Operation, row: Json, handlers: Mapping[tuple[str, str], Handler]) -> Route:
    parts = ["{}" if part.startswith("{") else part for part in operation.path]
    family = parts[0] in _FAMILY
    starred = "/".join(["*", *parts[1:]]) if family else None
    handler = handlers.get((operation.method, "/".join(parts)))
    if handler is None and starred is not None:
        handler = handlers.get((operation.method, starred))
    return Route(
        operation=operation,
        names=(operation.id, *row.get("also", ())),
        kind=_FAMILY[parts[0]] if family else None,
        handler=handler,
        example=row.get("answer"),
        media=row.get("answer_media"),
    )
