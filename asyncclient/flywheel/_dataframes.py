"""Rows of data views as tables of the libraries for them, of which one must be installed."""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

from asyncclient.errors import ArgumentError

__all__ = ["Library", "reader_of"]

Library: TypeAlias = Literal["pandas", "polars"]

_LIBRARIES: Final = ("pandas", "polars")
_EXACT: Final = 2**53
"""Whole numbers beyond this are not all told apart as floating point numbers."""
_LONGEST: Final = 2**63
_LONG_NUMBER: Final = re.compile(rb"\d{16}")


def reader_of(library: Library | None) -> Callable[[bytes, Mapping[str, Any] | None], Any]:
    """Return what makes a table of a JSON list of rows; ``None`` takes pandas if it is there, else polars.

    Raises:
        ArgumentError: It is another library.
        ImportError: It is not installed; the message says what to install.
    """
    if library is not None and library not in _LIBRARIES:
        raise ArgumentError(f"library must be one of {', '.join(_LIBRARIES)}, not {library!r}", argument="library")
    wanted = _LIBRARIES if library is None else (library,)
    found = next((name for name in wanted if importlib.util.find_spec(name) is not None), None)
    if found is None:
        raise ImportError(
            f"read_view_dataframe() needs {' or '.join(wanted)}: `pip install {wanted[0]}`"
            + (f" or `pip install {wanted[1]}`" if len(wanted) > 1 else "")
            + "; read_view_data() gives the rows without either",
            name=wanted[0],
        )
    return _with_pandas if found == "pandas" else _with_polars


def _with_pandas(content: bytes, opts: Mapping[str, Any] | None) -> Any:
    """Read with ``pandas.read_json``, as the official client; long whole numbers stay what they are."""
    pandas: Any = importlib.import_module("pandas")
    if opts or _LONG_NUMBER.search(content) is None:
        return pandas.read_json(io.BytesIO(content), **(opts or {}))
    rows = json.loads(content)
    try:
        table = pandas.read_json(io.BytesIO(content))
    except ValueError:  # its parser takes numbers of 64 bits at most
        table = pandas.DataFrame(rows)
    for name in table.columns:
        values = [row.get(name) for row in rows]
        if _loses(values):
            fits = all(value is None or -_LONGEST <= value < _LONGEST for value in values)
            table[name] = pandas.Series(values, index=table.index, dtype="Int64" if fits else object)
    return table


def _loses(values: list[Any]) -> bool:
    """Tell whether a column is of whole numbers, some of which would not survive as floating point numbers."""
    numbers = [value for value in values if value is not None]
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in numbers):
        return False
    return any(abs(value) > _EXACT for value in numbers) and (
        len(numbers) < len(values) or any(not -_LONGEST <= value < _LONGEST for value in numbers)
    )


def _with_polars(content: bytes, opts: Mapping[str, Any] | None) -> Any:
    """Make a frame whose types are told by all rows: values that are first seen late fit too."""
    polars: Any = importlib.import_module("polars")
    return polars.DataFrame(json.loads(content), **{"infer_schema_length": None, **(opts or {})})
