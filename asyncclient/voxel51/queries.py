"""Query builders: fields, search terms, order and limits of a search. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlencode

from asyncclient.errors import ArgumentError

__all__ = ["AnalyticsQuery", "BaseQuery", "DataQuery", "JobsQuery", "escape_search"]

_SPECIAL: Final = re.compile(r"([,:|\\])")


def escape_search(text: str) -> str:
    """Put a backslash before what the search language gives a meaning: comma, colon, bar and backslash."""
    return _SPECIAL.sub(r"\\\1", text)


class BaseQuery:
    """What all queries share; every method but ``to_dict`` and ``to_str`` returns the query itself.

    Args:
        strict: Whether a field that cannot be asked for or sorted by, a limit below 1 and an offset below 0 are errors.
            By default they are ignored, as the official client does.

    Attributes:
        fields: Wanted in each record; empty for those the platform chooses.
        search: Terms that must all match.
        sort: ``field:asc`` or ``field:desc``, or None.
        offset: Records to leave out, or None.
        limit: Greatest number of records, or None.
    """

    SUPPORTED_FIELDS: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self.fields: list[str] = []
        self.search: list[str] = []
        self.sort: str | None = None
        self.offset: int | None = None
        self.limit: int | None = None

    def add_field(self, field: str) -> Self:
        """Ask for a field."""
        if self._supports(field):
            self.fields.append(field)
        return self

    def add_fields(self, fields: Iterable[str]) -> Self:
        """Ask for several fields."""
        for field in fields:
            self.add_field(field)
        return self

    def add_all_fields(self) -> Self:
        """Ask for every field there is."""
        return self.add_fields(self.SUPPORTED_FIELDS or ())

    def add_search(self, field: str, search_str: Any, *, escape: bool = False) -> Self:
        """Want a text within a field.

        Args:
            field: Which; the platform refuses those it cannot search.
            search_str: The text; anything else is written with ``str``.
            escape: Whether commas, colons and bars in the text stand for themselves.
        """
        self.search.append(f"{field}:{escape_search(str(search_str)) if escape else search_str}")
        return self

    def add_search_or(self, field: str, search_strs: Iterable[str], *, escape: bool = False) -> Self:
        """Want one of several texts within a field."""
        texts = [escape_search(text) for text in search_strs] if escape else search_strs
        self.search.append(f"{field}:{'|'.join(texts)}")
        return self

    def add_search_over_all_fields(self, search_str: str) -> Self:
        """Want a text within any field that can be searched."""
        self.search.append(search_str)
        return self

    def add_search_direct(self, search_str: str) -> Self:
        """Add an expression of the search language, such as ``name:a,type:b``."""
        self.search.append(search_str)
        return self

    def sort_by(self, field: str, descending: bool = True) -> Self:
        """Set the order; the last call wins."""
        if self._supports(field):
            self.sort = f"{field}:{'desc' if descending else 'asc'}"
        return self

    def set_offset(self, offset: int) -> Self:
        """Leave out the first records."""
        if self._is_count("offset", offset, 0):
            self.offset = offset
        return self

    def set_limit(self, limit: int) -> Self:
        """Want at most so many records."""
        if self._is_count("limit", limit, 1):
            self.limit = limit
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return what is sent: set members only, lists joined by commas."""
        members = ((name, value) for name, value in vars(self).items() if value and not name.startswith("_"))
        return {name: ",".join(value) if isinstance(value, list) else value for name, value in members}

    def to_str(self) -> str:
        """Return the same as a query string."""
        return urlencode(self.to_dict())

    def __str__(self) -> str:
        return self.to_str()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.to_str()!r})"

    def _supports(self, field: str) -> bool:
        supported = self.SUPPORTED_FIELDS or ()
        if self._strict and field not in supported:
            raise ArgumentError(f"field must be one of {', '.join(supported)}, not {field!r}", argument="field")
        return field in supported

    def _is_count(self, name: str, value: object, least: int) -> bool:
        fits = isinstance(value, int) and value >= least
        if self._strict and (not fits or isinstance(value, bool)):
            raise ArgumentError(f"{name} must be a whole number of at least {least}, not {value!r}", argument=name)
        return fits


class AnalyticsQuery(BaseQuery):
    """A search for analytics.

    Attributes:
        all_versions: Whether older versions are found too.
    """

    SUPPORTED_FIELDS = (
        "id",
        "name",
        "version",
        "scope",
        "supports_cpu",
        "supports_gpu",
        "pending",
        "upload_date",
        "description",
    )

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__(strict=strict)
        self.all_versions = False

    def set_all_versions(self, all_versions: bool) -> Self:
        """Find every version, or the newest of each analytic only."""
        self.all_versions = all_versions
        return self


class DataQuery(BaseQuery):
    """A search for data."""

    SUPPORTED_FIELDS = ("id", "name", "size", "type", "upload_date", "expiration_date", "encoding")


class JobsQuery(BaseQuery):
    """A search for jobs."""

    SUPPORTED_FIELDS = (
        "id",
        "name",
        "state",
        "archived",
        "upload_date",
        "expiration_date",
        "expired",
        "analytic_id",
        "compute_mode",
        "auto_start",
        "start_date",
        "completion_date",
        "fail_date",
        "failure_type",
    )
