"""Paths of labels: ``/resolve`` and ``/lookup``."""

from __future__ import annotations

from collections.abc import Iterable

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel import tree
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import shown, shown_file
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import Container, Json

__all__ = ["TABLE"]

TABLE: Table = {}

_WORDS = frozenset({"GROUPS", "PROJECTS", "SUBJECTS", "SESSIONS", "ACQUISITIONS"})
_FILES, _ANALYSES, _GEARS = "files", "analyses", "gears"
_FULL_TREE = {"FILES": _FILES, "ANALYSES": _ANALYSES}


class _Walk:
    """The way along a path.

    Attributes:
        nodes: JSON of what was passed.
        container: The last container; None at the root, and behind a file or gear.
        section: ``files``, ``analyses`` or ``gears`` when the path ends in that word.
    """

    def __init__(self, state: FlywheelState) -> None:
        self._state = state
        self.nodes: list[Json] = []
        self.container: Container | None = None
        self.section: str | None = None
        self._ended = False

    def go(self, element: str) -> None:
        """Take one step.

        Raises:
            Refusal: 404, there is nothing of this name.
        """
        if self._ended:
            raise Refusal(404, f"There is nothing below a {self.nodes[-1]['container_type']}")
        section, self.section = self.section, None
        if section == _FILES:
            self._end(_named(element, self._files(), "name", "file_id"))
        elif section == _GEARS:
            self._end(_named(element, self._gears(), "name", "_id"))
        elif (section is None and element in (_FILES, _ANALYSES) and self.container is not None) or (
            section is None and element == _GEARS and self.container is None
        ):
            self.section = element
        else:
            self._enter(element, self._below(section))

    def _enter(self, element: str, rows: Iterable[Container]) -> None:
        wanted = element.removeprefix("<id:").removesuffix(">") if element.startswith("<id:") else None
        for row in rows:
            if (row.id == wanted) if wanted is not None else (element == _label(row)):
                self.container = row
                self.nodes.append(_node(self._state, row))
                return
        raise Refusal(404, f"No {element!r} found" if wanted is None else "No container of this id found")

    def _end(self, node: Json) -> None:
        self.nodes.append(node)
        self.container, self._ended = None, True

    def _below(self, section: str | None) -> Iterable[Container]:
        if section == _ANALYSES:
            assert self.container is not None
            parent = self.container.id
            return (row for row in self._state.of_kind("analysis") if row.data["parent"]["id"] == parent)
        return self._state.of_kind("group") if self.container is None else tree.children(self._state, self.container)

    def _files(self) -> list[Json]:
        row = self.container
        return [] if row is None else [_file_node(row, shown_file(row, *pair)) for pair in row.live_files()]

    def _gears(self) -> list[Json]:
        return [{**row, "name": row["gear"]["name"], "container_type": "gear"} for row in self._state.gears.values()]

    def children(self) -> list[Json]:
        """Return what is below the end of the path."""
        if self._ended:
            return []
        if self.section == _GEARS:
            return self._gears()
        if self.section == _FILES:
            return self._files()
        rows = [_node(self._state, row) for row in self._below(self.section)]
        if self.section == _ANALYSES or self.container is None:
            return rows
        analyses = [_node(self._state, row) for row in self._below(_ANALYSES)]
        return [*rows, *self._files(), *analyses]


def _label(row: Container) -> str:
    return row.id if row.kind == "group" else row.label


def _node(state: FlywheelState, row: Container) -> Json:
    return {**shown(state, row, full=False), "container_type": row.kind, "node_type": row.kind}


def _file_node(container: Container, file: Json) -> Json:
    return {**file, "container_type": "file", "node_type": "file"}


def _named(element: str, rows: list[Json], name: str, key: str) -> Json:
    wanted = element.removeprefix("<id:").removesuffix(">") if element.startswith("<id:") else None
    for row in rows:
        if (row[key] if wanted is not None else row[name]) == (element if wanted is None else wanted):
            return row
    raise Refusal(404, f"No {element!r} found")


def _walked(call: Call) -> _Walk:
    path: list[str] = list(call.body["path"])
    if call.query.get("full_tree"):
        path = [_FULL_TREE.get(item, item) for item in path if item not in _WORDS]
    walk = _Walk(call.state)
    for element in path:
        walk.go(element)
    return walk


@handles(TABLE, "POST resolve")
def resolve(call: Call) -> Json:
    walk = _walked(call)
    nodes, children = walk.nodes, walk.children()
    if call.query.get("minattr"):
        nodes, children = ([_short(node) for node in rows] for rows in (nodes, children))
    return {"path": nodes, "children": children}


def _short(node: Json) -> Json:
    kept = ("_id", "file_id", "label", "name", "code", "created", "modified", "container_type", "node_type")
    return {name: node[name] for name in kept if name in node}


@handles(TABLE, "POST lookup")
def lookup(call: Call) -> Json:
    walk = _walked(call)
    if not walk.nodes or walk.section is not None:
        raise Refusal(404, "The path names no container or file")
    return walk.nodes[-1]
