"""Puts data views together. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from asyncclient.errors import ArgumentError, ArgumentTypeError

__all__ = ["ViewBuilder", "view_of"]

_ORDER: Final = (
    "label",
    "description",
    "columns",
    "fileSpec",
    "filter",
    "groupBy",
    "includeIds",
    "includeLabels",
    "errorColumn",
    "missingDataStrategy",
    "sort",
)


class ViewBuilder:
    """Puts a data view together; every method gives the builder back.

    Args:
        label: Of the view.
        description: Of the view.
        match: Which of several matching files: ``first``, ``last``, ``newest``, ``oldest`` or ``all``.
        zip_files: Pattern of the members to read out of zip files.
        columns: A source, a tuple of arguments of :meth:`column`, or a list of these.
        process_files: Whether files are opened.
        include_ids: Whether ids of containers are columns.
        include_labels: Whether labels of containers are columns.
        error_column: Whether errors are a column. Default: unless rows without data are dropped.
        group_by: Source, or sources, to group by.
        filter: Conditions on rows.
        container: Kind of container the files lie in.
        filename: Pattern of the files to read.
        analysis_label: Pattern, where the files are those of analyses.
        analysis_gear_name: Pattern, likewise.
        analysis_gear_version: Pattern, likewise.
        sort: Whether rows are sorted.

    Raises:
        ArgumentError: Options contradict each other (also a ``ValueError``).
    """

    def __init__(
        self,
        label: str | None = None,
        description: str | None = None,
        match: str | None = None,
        zip_files: str | None = None,
        columns: Any = None,
        process_files: bool = True,
        include_ids: bool = True,
        include_labels: bool = True,
        error_column: bool | None = None,
        group_by: Any = None,
        filter: str | None = None,  # noqa: A002  # the official name
        container: str | None = None,
        filename: str | None = None,
        analysis_label: str | None = None,
        analysis_gear_name: str | None = None,
        analysis_gear_version: str | None = None,
        sort: bool = True,
    ) -> None:
        self._view: dict[str, Any] = {
            "label": label,
            "description": description,
            "filter": filter,
            "includeIds": include_ids,
            "includeLabels": include_labels,
            "errorColumn": error_column,
            "sort": sort,
        }
        self._columns: list[dict[str, Any]] = []
        self._groups: list[dict[str, Any]] = []
        self._files: dict[str, Any] = {}
        self._file_columns: list[dict[str, Any]] = []
        self._process = process_files
        self._group(group_by)
        if filename is not None:
            if container is None:
                raise ArgumentError(
                    "filename needs container, the kind of container the files lie in", argument="container"
                )
            self.files(container, filename, analysis_label, analysis_gear_name, analysis_gear_version)
        self._add_columns(columns)
        if match is not None:
            self.file_match(match)
        if zip_files is not None:
            self.zip_member_filter(zip_files)

    def _group(self, group_by: Any) -> None:
        if group_by is None:
            return
        if isinstance(group_by, str):
            self.group_by(group_by)
        elif isinstance(group_by, Sequence):
            for source in group_by:
                self.group_by(source)
        else:
            self._view["groupBy"] = group_by

    def _add_columns(self, columns: Any) -> None:
        if columns is None:
            return
        for column in columns if isinstance(columns, list) else [columns]:
            if isinstance(column, str):
                self.column(column)
            elif isinstance(column, tuple):
                self.column(*column)
            else:
                raise ArgumentTypeError(
                    f"columns must be text, a tuple or a list of these, not {type(column).__name__}", argument="columns"
                )

    # --- the view as a whole -----------------------------------------------------------------------------------------

    def _set(self, name: str, value: Any) -> ViewBuilder:
        self._view[name] = value
        return self

    def label(self, label: str) -> ViewBuilder:
        """Set the label."""
        return self._set("label", label)

    def description(self, description: str) -> ViewBuilder:
        """Set the description."""
        return self._set("description", description)

    def public(self, value: bool = True) -> ViewBuilder:
        """Accepted; the service knows no public views any more."""
        return self

    def filter(self, value: str) -> ViewBuilder:
        """Set conditions on rows."""
        return self._set("filter", value)

    def include_labels(self, value: bool = True) -> ViewBuilder:
        """Set whether labels of containers are columns."""
        return self._set("includeLabels", value)

    def include_ids(self, value: bool = True) -> ViewBuilder:
        """Set whether ids of containers are columns."""
        return self._set("includeIds", value)

    def error_column(self, value: bool = True) -> ViewBuilder:
        """Set whether errors are a column."""
        return self._set("errorColumn", value)

    def missing_data_strategy(self, value: str) -> ViewBuilder:
        """Set what becomes of rows without data: ``none`` or ``drop-row``."""
        return self._set("missingDataStrategy", value)

    def sort(self, value: bool = True) -> ViewBuilder:
        """Set whether rows are sorted."""
        return self._set("sort", value)

    def group_by(self, src: str, dst: str | None = None) -> ViewBuilder:
        """Add a source to group by."""
        self._groups.append(_present({"src": src, "dst": dst}))
        return self

    # --- columns -----------------------------------------------------------------------------------------------------

    def column(
        self,
        src: str,
        dst: str | None = None,
        type: str | None = None,  # noqa: A002  # the official name
        accumulator: str | None = None,
        expr: str | None = None,
    ) -> ViewBuilder:
        """Add a column: a field of a container, or with ``.file.`` in the source an attribute of its files.

        Raises:
            ArgumentError: Attributes of files of two kinds of containers are asked for (also a ``ValueError``).
        """
        parts = src.split(".")
        if "file" in parts[1:]:
            place = parts.index("file", 1)
            self._attributes_of(parts[0], analyses=place != 1)
            dst, src = dst or src, ".".join(parts[place:])
        self._columns.append(_present({"src": src, "dst": dst, "type": type, "expr": expr, "accumulator": accumulator}))
        return self

    def _attributes_of(self, container: str, *, analyses: bool) -> None:
        known = self._files.get("container")
        if known is None:
            self.file_container(container).file_filter("*").file_match("all")
            self.error_column(False).missing_data_strategy("drop-row").process_files(False)
            del self._files["filter"]["regex"]
            if analyses:
                self._files["analysisFilter"] = {"label": {"value": "*"}}
        elif known != container or ("analysisFilter" in self._files) != analyses:
            raise ArgumentError(
                "a view reads the files of one kind of container, or of its analyses", argument="columns"
            )

    def file_column(self, src: str, dst: str | None = None, type: str | None = None) -> ViewBuilder:  # noqa: A002
        """Add a column of the content of files."""
        self._file_columns.append(_present({"src": src, "dst": dst, "type": type}))
        return self

    # --- files -------------------------------------------------------------------------------------------------------

    def files(
        self,
        container: str,
        filename: str,
        analysis_label: str | None = None,
        analysis_gear_name: str | None = None,
        analysis_gear_version: str | None = None,
    ) -> ViewBuilder:
        """Read the files whose names match, in a kind of container or its analyses."""
        self.file_container(container).file_filter(filename)
        del self._files["filter"]["regex"]
        if analysis_label or analysis_gear_name or analysis_gear_version:
            self.analysis_filter(analysis_label, analysis_gear_name, analysis_gear_version)
        return self

    def file_container(self, container: str) -> ViewBuilder:
        """Set the kind of container the files lie in."""
        self._files["container"] = container
        return self

    def file_match(self, match: str) -> ViewBuilder:
        """Set which of several matching files is read."""
        self._files["match"] = match
        return self

    def file_filter(self, value: str, regex: bool = False) -> ViewBuilder:
        """Set the pattern of the files to read."""
        self._files["filter"] = {"value": value, "regex": regex}
        return self

    def analysis_filter(
        self,
        label: str | None = None,
        gear_name: str | None = None,
        gear_version: str | None = None,
        regex: bool = False,
    ) -> ViewBuilder:
        """Set which analyses the files are taken of."""
        given = {"label": label, "gear.name": gear_name, "gear.version": gear_version}
        found = {name: {"value": value, "regex": regex} for name, value in given.items() if value is not None}
        self._files.setdefault("analysisFilter", {}).update(found)
        return self

    def zip_member_filter(self, value: str, regex: bool = False, match: str | None = None) -> ViewBuilder:
        """Set the pattern of the members to read out of zip files."""
        self._files["zipMember"] = _present({"value": value, "regex": regex, "match": match})
        return self

    def file_format(self, name: str) -> ViewBuilder:
        """Set the format of the files, where their names do not tell."""
        self._files["format"] = name
        return self

    def file_format_options(self, **options: Any) -> ViewBuilder:
        """Set options of the format."""
        self._files.setdefault("formatOptions", {}).update(options)
        return self

    def process_files(self, value: bool) -> ViewBuilder:
        """Set whether files are opened."""
        self._process = value
        return self

    # --- the result --------------------------------------------------------------------------------------------------

    def build(self) -> dict[str, Any]:
        """Return the view as it is sent.

        Raises:
            ArgumentError: Something is said of files, but not which (also a ``ValueError``).
        """
        view = {name: value for name, value in self._view.items() if value is not None}
        if self._columns:
            view["columns"] = self._columns
        if self._groups:
            view["groupBy"] = {"columns": self._groups}
        if self._files or self._file_columns:
            view["fileSpec"] = self._file_spec()
        if "errorColumn" not in view:
            view["errorColumn"] = view.get("missingDataStrategy") != "drop-row"
        return {name: view[name] for name in _ORDER if name in view}

    def _file_spec(self) -> dict[str, Any]:
        if "container" not in self._files or "filter" not in self._files:
            raise ArgumentError(
                "a view of files needs the kind of container and a pattern of names", argument="filename"
            )
        order = ("container", "analysisFilter", "filter", "zipMember", "match", "format")
        found = {name: self._files[name] for name in order if name in self._files}
        found["formatOptions"] = self._files.get("formatOptions", {})
        found["processFiles"] = self._process
        found["columns"] = self._file_columns
        return found


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def view_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view that options of a :class:`ViewBuilder` make.

    Raises:
        ArgumentTypeError: There is no such option.
    """
    known = list(inspect.signature(ViewBuilder).parameters)
    for name in options:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ArgumentTypeError(f"View() has no argument {name!r}{hint}", argument=name)
    return ViewBuilder(**options).build()
