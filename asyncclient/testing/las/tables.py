"""The service's data: tables of rows. Pure."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asyncclient.testing._contract import Refusal

__all__ = ["Row", "Table", "now"]


def now() -> str:
    """Return the present time as the service writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass(slots=True)
class Row:
    """One resource.

    Attributes:
        number: Order of creation within its table.
        data: What the service shows.
        hidden: What it knows beside that: secrets, files.
        unfinished_polls: For jobs: how often it is still to be seen unfinished; None when it is done.
        finish: What happens when a job is done.
    """

    number: int
    data: dict[str, Any]
    hidden: dict[str, Any] = field(default_factory=dict, repr=False)
    unfinished_polls: int | None = None
    finish: Callable[[Row], None] | None = None

    def settle(self) -> None:
        """Let a job be done now."""
        if self.unfinished_polls is not None:
            self.unfinished_polls = None
            if self.finish is not None:
                self.finish(self)

    def poll(self) -> None:
        """Let a job come one look closer to its end."""
        if self.unfinished_polls is None:
            return
        if self.unfinished_polls > 0:
            self.unfinished_polls -= 1
        else:
            self.settle()


class Table:
    """Rows of one kind, by id, in order of creation.

    Args:
        key: Name of the id in the rows, for instance ``assetId``.
        prefix: What new ids start with, for instance ``las:asset:``.
    """

    def __init__(self, key: str, prefix: str) -> None:
        self.key = key
        self._prefix = prefix
        self._rows: dict[str, Row] = {}
        self._numbers = itertools.count(1)

    def add(self, data: dict[str, Any], **hidden: Any) -> Row:
        """Add a row; it gets a new id unless ``data`` has one."""
        row_id = data.get(self.key) or self._prefix + uuid.uuid4().hex
        row = Row(next(self._numbers), {self.key: row_id, **data}, hidden)
        self._rows[row_id] = row
        return row

    def find(self, row_id: str | None, **parents: Any) -> Row | None:
        """Return a row, if there is one with these values beside its id."""
        row = None if row_id is None else self._rows.get(row_id)
        if row is None or any(row.data.get(name) != value for name, value in parents.items()):
            return None
        return row

    def get(self, row_id: str | None, **parents: Any) -> Row:
        """Return a row.

        Raises:
            Refusal: 404, there is none.
        """
        row = self.find(row_id, **parents)
        if row is None:
            raise Refusal(404, f"There is no such {self._prefix.split(':')[1]}")
        return row

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._rows.pop(row.data[self.key], None)

    def where(self, **values: Any) -> list[Row]:
        """Return the rows with these values, in order of creation."""
        return [row for row in self if all(row.data.get(name) == value for name, value in values.items())]

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)
