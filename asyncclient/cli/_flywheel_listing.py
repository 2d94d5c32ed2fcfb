"""``asyncclient flywheel ls``."""

from __future__ import annotations

from typing import Any, Final

from asyncclient.cli._api import plain
from asyncclient.cli._errors import OK
from asyncclient.cli._flywheel_paths import shown
from asyncclient.cli._flywheel_run import Session
from asyncclient.cli._flywheel_tree import Node, find, step_of
from asyncclient.cli._output import Output
from asyncclient.cli._tables import simple_table

__all__ = ["listing"]

_HEADINGS: Final = ("kind", "size", "modified", "name", "id")


async def listing(session: Session, steps: tuple[str, ...], output: Output) -> int:
    """List what lies in a container, containers first; of a file show the file."""
    node = await find(session, steps)
    records = [node.record] if node.kind == "file" else _sorted(node)
    rows = [_row(record) for record in records]
    found = [{"path": _path(steps, record, node), **plain(record)} for record in records]
    output.result(found, simple_table(_HEADINGS, rows) if rows else None)
    return OK


def _sorted(node: Node) -> list[Any]:
    order = {"file": 1, "analysis": 2}
    return sorted(node.children, key=lambda record: (order.get(record.container_type, 0), step_of(record)))


def _path(steps: tuple[str, ...], record: Any, node: Node) -> str:
    if node.kind == "file":
        return shown(steps)
    between = ("analyses",) if record.container_type == "analysis" else ()
    return shown((*steps, *between, step_of(record)))


def _row(record: Any) -> list[Any]:
    when = getattr(record, "modified", None)
    moment = when.strftime("%Y-%m-%d %H:%M:%S") if when is not None else ""
    if record.container_type == "file":
        return [record.type or "file", record.size, moment, record.name, getattr(record, "file_id", None)]
    return [f"{record.container_type}/", "", moment, step_of(record), record.id]
