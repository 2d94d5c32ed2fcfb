"""Rows of data views: run by the site at once, or by its task manager, and fetched when they are ready."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

from asyncclient.errors import ArgumentTypeError, DecodeError
from asyncclient.flywheel._generated.operations import Operations
from asyncclient.flywheel._receiving import Receiving

if TYPE_CHECKING:
    from asyncclient.flywheel._surface import Destination

__all__ = ["ViewFailed", "ViewRows"]

_OLD_VIEWS: Final = (16, 8, 0)
"""Before this release views knew no ``errorColumn``."""
_LONGEST_PAUSE_S: Final = 10.0


class ViewFailed(DecodeError, RuntimeError):
    """The execution of a data view failed."""


class ViewRows(Receiving, Operations):
    """Methods of the client that run data views."""

    def View(self, **options: Any) -> dict[str, Any]:  # noqa: N802  # the official name
        """Put a data view together; see :class:`asyncclient.flywheel.ViewBuilder` for the options."""
        from asyncclient.flywheel.views import view_of

        return view_of(options)

    async def print_view_columns(
        self,
        filter: str | None = None,  # noqa: A002  # the official name
        limit: int = 25,
        file: TextIO | None = None,
    ) -> None:
        """Write the columns that data views know, one a line.

        Args:
            filter: Part of the names to write.
            limit: Lines at most.
            file: Where to; default: standard output.
        """
        out = file if file is not None else sys.stdout
        columns = [c for c in await self.data_view_columns() or () if not filter or filter in str(c.name)]
        for column in columns[:limit]:
            kind = "group" if getattr(column, "group", None) else column.type
            print(f"{column.name} ({kind}): {column.description}", file=out)

    async def read_view_data(self, view: Any, container_id: str, decode: bool = True, **options: Any) -> Any:
        """Run a data view and give its rows, as something to read from.

        Args:
            view: Id of a saved view, or a view.
            container_id: What it is run on.
            decode: Whether text is read, not bytes.
            options: ``format``, ``filter``, ``sort``, ``skip``, ``limit``, ``filename``.

        Raises:
            ViewFailed: The service could not run it (also a ``RuntimeError``).
        """
        content = await self._rows(await self._fitting(view), container_id, options)
        return io.StringIO(content.decode("utf-8")) if decode else io.BytesIO(content)

    async def read_view_dataframe(
        self,
        view: Any,
        container_id: str,
        opts: Mapping[str, Any] | None = None,
        *,
        library: Literal["pandas", "polars"] | None = None,
        **options: Any,
    ) -> Any:
        """Run a data view and give its rows as a table.

        Args:
            view: Id of a saved view, or a view.
            container_id: What it is run on.
            opts: Of ``pandas.read_json``, which by default turns text that looks like numbers or dates into these
                (``{"dtype": False}`` keeps it), or of ``polars.DataFrame``, which keeps it.
            library: Which one, which must be installed. Default: pandas if it is there, else polars.
            options: As in :meth:`read_view_data`, without ``format``.

        Raises:
            ImportError: The library is not installed.
        """
        from asyncclient.flywheel._dataframes import reader_of

        read = reader_of(library)  # before the service is asked for rows that nothing can be made of
        content = await self._rows(await self._fitting(view), container_id, {**options, "format": "json-flat"})
        return read(content, opts)

    async def save_view_data(self, view: Any, container_id: str, dest_file: Destination, **options: Any) -> None:
        """Run a data view and save its rows; as :meth:`read_view_data`."""
        endpoint, arguments = await self._row_source(view, container_id, options)
        call = self._checked(endpoint, arguments, {})
        if endpoint.method == "GET":
            await self._fetched(endpoint, call, dest_file, {"resume": False})
            return
        from asyncclient.flywheel._receiving import save_content

        await save_content(dest_file, await self._whole(endpoint, call))

    async def save_view_data_task_manager(
        self, view: Any, container_id: str, dest_file: Destination, **options: Any
    ) -> None:
        """Run a data view by the task manager of the site and save its rows."""
        endpoint, arguments = await self._queued(view, container_id, options)
        await self._fetched(endpoint, self._checked(endpoint, arguments, {}), dest_file, {"resume": False})

    async def _rows(self, view: Any, container_id: str, options: Mapping[str, Any]) -> bytes:
        endpoint, arguments = await self._row_source(view, container_id, options)
        return await self._whole(endpoint, self._checked(endpoint, arguments, {}))

    async def _row_source(self, view: Any, container_id: str, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return what gives the rows: the operation and its arguments."""
        from asyncclient.flywheel._generated.operations.views import EVALUATE_VIEW, EVALUATE_VIEW_ADHOC

        _check_view_options(options)
        if (await self._features()).get("task_manager_data_views"):
            return await self._queued(view, container_id, options)
        if isinstance(view, str):
            return EVALUATE_VIEW, {"view_id": view, "container_id": container_id, **options}
        return EVALUATE_VIEW_ADHOC, {"container_id": container_id, "body": view, **options}

    async def _queued(self, view: Any, container_id: str, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        from asyncclient.flywheel._generated.operations.data_view_executions import GET_DATA_VIEW_EXECUTION_DATA

        given = dict(options)
        form = given.pop("format", None) or "json"
        for name in ("filename", "ticket"):
            given.pop(name, None)
        if isinstance(view, str):
            execution = await self.queue_saved(view, container_id, **given)
        else:
            execution = await self.queue_adhoc(container_id, view, **given)
        await self._completed(str(execution.id))
        return GET_DATA_VIEW_EXECUTION_DATA, {"data_view_execution_id": execution.id, "file_format": form}

    async def _completed(self, execution_id: str) -> None:
        pause_s = 0.25
        while True:
            execution = await self.get_data_view_execution(execution_id)
            if execution.state == "completed":
                return
            if execution.state == "failed":
                raise ViewFailed("Execution of data view failed")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def _fitting(self, view: Any) -> Any:
        """Return a view as the release of the service knows it."""
        version = await self.get_version()
        numbers = re.findall(r"\d+", str(getattr(version, "release", None) or ""))[:3]
        old = len(numbers) == 3 and tuple(int(number) for number in numbers) < _OLD_VIEWS
        if isinstance(view, str) or not old:
            return view
        members = view.to_wire() if hasattr(view, "to_wire") else dict(view)
        return {name: value for name, value in members.items() if name != "errorColumn"}


_VIEW_OPTIONS: Final = frozenset({"format", "filter", "sort", "skip", "limit", "filename", "ticket"})


def _check_view_options(options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in _VIEW_OPTIONS:
            raise ArgumentTypeError(
                f"a view has no option {name!r}; there are {', '.join(sorted(_VIEW_OPTIONS))}", argument=name
            )
