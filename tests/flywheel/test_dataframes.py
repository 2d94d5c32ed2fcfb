"""Rows of data views as tables of pandas and polars, as they are."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pandas
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncclient.flywheel._dataframes import reader_of
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService
from tests.flywheel.sites import Sites

ROWS = [
    {"label": "a", "age": 31, "mass": 1.5, "done": True, "code": "001", "size": 2**60 + 1},
    {"label": None, "age": None, "mass": None, "done": False, "code": "002", "size": None},
]


def table(rows: Any, library: Any, opts: Any = None) -> Any:
    return reader_of(library)(json.dumps(rows).encode(), opts)


def test_types_with_pandas() -> None:
    found = table(ROWS, "pandas")
    kinds = {name: str(kind) for name, kind in found.dtypes.items()}
    assert kinds | {"label": "text", "code": "?"} == {
        "label": "text",
        "age": "float64",
        "mass": "float64",
        "done": "bool",
        "code": "?",
        "size": "Int64",
    }
    assert pandas.api.types.is_string_dtype(found["label"].dropna())
    assert found["size"].tolist()[0] == 2**60 + 1
    assert found["size"].isna().tolist() == [False, True]
    assert found["code"].tolist() == [1, 2], "as the official client"
    assert table(ROWS, "pandas", {"dtype": False})["code"].tolist() == ["001", "002"]


def test_types_with_polars() -> None:
    found = table(ROWS, "polars")
    assert found.schema == {
        "label": polars.String,
        "age": polars.Int64,
        "mass": polars.Float64,
        "done": polars.Boolean,
        "code": polars.String,
        "size": polars.Int64,
    }
    assert found.rows(named=True) == ROWS
    late = [{"a": None}] * 300 + [{"a": 1.5}]
    assert table(late, "polars")["a"].dtype == polars.Float64
    assert table(ROWS, "polars", {"schema_overrides": {"age": polars.Float32}})["age"].dtype == polars.Float32


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_no_rows(library: Any) -> None:
    assert table([], library).shape == (0, 0)


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**80), 2**80), st.integers(-(2**63), 2**63 - 1)), min_size=1))
def test_whole_numbers_stay_what_they_are(values: list[int | None]) -> None:
    found = table([{"n": value} for value in values], "pandas")["n"].tolist()
    assert [None if pandas.isna(value) else int(value) for value in found] == values
    if all(value is None or abs(value) < 2**63 for value in values):
        assert table([{"n": value} for value in values], "polars")["n"].to_list() == values


def test_without_a_library(drive: Driver, service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"pandas": False, "polars": False}
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: find(name, *rest) if there.get(name, True) else None
    )
    with pytest.raises(ImportError, match=r"`pip install pandas` or `pip install polars`"):
        drive("read_view_dataframe", "v", "c")
    with pytest.raises(ImportError, match=r"needs polars: `pip install polars`"):
        drive("read_view_dataframe", "v", "c", library="polars")
    assert service.lines == []
    there["polars"] = True
    service.play({}, [{"a": 1}])
    assert isinstance(drive("read_view_dataframe", "v", "c"), polars.DataFrame)
    with pytest.raises(ValueError, match="library must be one of pandas, polars"):
        drive("read_view_dataframe", "v", "c", library="dask")


@pytest.mark.parametrize("task_manager", [True, False])
def test_views_of_a_site(sites: Sites, task_manager: bool) -> None:
    site = sites(task_manager=task_manager)
    view = site.drive.client.View(columns=["project.label", "session.label"])
    found = site.drive("read_view_dataframe", view, site.project.id)
    assert isinstance(found, pandas.DataFrame)
    assert found["session.label"].tolist() == ["visit"]
    frame = site.drive("read_view_dataframe", view, site.project.id, library="polars")
    assert frame["project.label"].to_list() == ["Study"]
    other = site.drive("add_project", {"label": "empty", "group": "lab"})
    assert site.drive("read_view_dataframe", view, other).empty
    assert site.drive("read_view_dataframe", view, other, library="polars").is_empty()
