"""The filter grammar, sort orders and pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.filters import Condition, matches, parse_filter, parse_sort, sort_key, values_at
from asyncclient.testing.flywheel.listing import listed

DOCUMENT: dict[str, Any] = {
    "_id": "1",
    "label": "my label",
    "code": "007",
    "age": 30,
    "weight": 70.5,
    "ready": True,
    "operator": None,
    "created": "2020-01-02T03:04:05.000+00:00",
    "tags": ["a", "b"],
    "info": {"deep": {"x": 1}, "list": [{"y": 2}, {"y": 3}]},
    "subject.label": "flat",
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("label=my label", True),
        ('label="my label"', True),
        ("label=my", False),
        ("label=~^my", True),
        ("label=~bel$", True),
        ("label=~^bel", False),
        ("label!=my label", False),
        ("label!=other", True),
        ("label>my", True),
        ("age=30", True),
        ("age=30.0", True),
        ("age>29", True),
        ("age>=30", True),
        ("age<30", False),
        ("age<=30", True),
        ("age>x", False),
        ('age="30"', False),
        ("code=007", True),
        ("weight=70.5", True),
        ("ready=true", True),
        ("ready=false", False),
        ("ready>0", False),
        ("operator=null", True),
        ("operator!=null", False),
        ("missing=null", True),
        ("missing=x", False),
        ("missing!=x", True),
        ("missing>1", False),
        ("created>2018-09-22", True),
        ("created<2018-09-22", False),
        ("created>=2020-01-02T03:04:05", True),
        ("created>2020-01-02T03:04:05Z", False),
        ("created=2020-01-02T04:04:05+01:00", True),
        ('created>"2019"', True),
        ("label>2018-09-22", False),
        ("tags=a", True),
        ("tags=c", False),
        ("tags!=a", False),
        ("tags=~b", True),
        ("tags>a", True),
        ("info>1", False),
        ("info.deep.x=1", True),
        ("info.list.y=3", True),
        ("info.list.y=4", False),
        ("subject.label=flat", True),
        ("label=my label,age>1", True),
        ("label=my label,age>31", False),
        (" label = my label , age = 30 ", True),
        ("", True),
    ],
)
def test_filters(text: str, wanted: bool) -> None:
    assert matches(DOCUMENT, parse_filter(text)) is wanted


def test_quotes() -> None:
    assert parse_filter(r'label="a,\"b\"=\\",x=1') == [
        Condition("label", "=", 'a,"b"=\\', quoted=True),
        Condition("x", "=", "1"),
    ]


@pytest.mark.parametrize("text", ["label", "=x", "label=x,y", 'label="x', 'label="x"y', ",", "label~x", 'la"bel=x'])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_filter(text)
    assert caught.value.status == 422


def test_what_is_no_expression() -> None:
    with pytest.raises(Refusal, match="regular expression"):
        parse_filter("label=~(")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        conditions = parse_filter(text)
    except Refusal:
        return
    assert all(condition.field and condition.op for condition in conditions)
    assert matches(DOCUMENT, conditions) in (True, False)


@given(st.text(max_size=20))
def test_quoted_values_are_found_again(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    (condition,) = parse_filter(f'label="{quoted}"')
    assert condition.value == value
    assert matches({"label": value}, [condition])


@given(st.lists(st.integers(-5, 5), max_size=8), st.booleans())
def test_sorting(ages: list[int], descending: bool) -> None:
    rows = [{"_id": str(place), "age": age} for place, age in enumerate(ages)]
    found = listed(rows, dict, {"sort": "age:desc,_id:asc" if descending else "age"})
    assert [row["age"] for row in found] == sorted(ages, reverse=descending)


def test_sort_orders() -> None:
    assert parse_sort("a, b:desc,c:asc") == [("a", False), ("b", True), ("c", False)]
    assert sorted([{"x": "b"}, {"x": 2}, {}, {"x": "a"}, {"x": 1.5}], key=lambda row: sort_key(row, "x")) == [
        *({}, {"x": 1.5}, {"x": 2}, {"x": "a"}, {"x": "b"})
    ]
    for text in ("a:up", ":desc", "a,"):
        with pytest.raises(Refusal, match="sort"):
            parse_sort(text)


def test_values_at() -> None:
    assert list(values_at(DOCUMENT, "info.list.y")) == [2, 3]
    assert list(values_at(DOCUMENT, "info.nothing")) == []
    assert list(values_at(DOCUMENT, "tags")) == ["a", "b"]
    assert list(values_at(5, "x")) == []


@given(st.integers(0, 12), st.integers(1, 5))
def test_pages_give_every_row_once(count: int, limit: int) -> None:
    rows = [{"_id": f"{place:03}", "n": place % 2} for place in range(count)]
    by_id, after = [], ""
    while page := listed(rows, dict, {"limit": limit, **({"after_id": after} if after else {})}):
        by_id += page
        after = page[-1]["_id"]
    assert by_id == rows
    pages = [listed(rows, dict, {"limit": limit, "page": number, "sort": "_id"}) for number in range(1, count + 2)]
    assert [row for page in pages for row in page] == rows
    whole = listed(rows, dict, {"limit": limit, "filter": "n=1"}, paged=True)
    assert isinstance(whole, dict)
    assert (whole["total"], whole["count"]) == (count // 2, min(limit, count // 2))


def test_windows() -> None:
    rows = [{"_id": str(place)} for place in range(5)]

    def ids(**query: Any) -> list[str]:
        return [row["_id"] for row in listed(rows, dict, query)]

    assert ids(limit=0) == ["0", "1", "2", "3", "4"]
    assert ids(skip=3) == ["3", "4"]
    assert ids(skip=1, limit=2, page=2) == ["3", "4"]
    assert ids(page=2) == []
    assert ids(after_id="2x") == ["3", "4"]  # deleted since
    page = listed(rows, dict, {"after_id": "1", "limit": 1}, paged=True)
    assert page == {"count": 1, "total": 5, "results": [{"_id": "2"}]}


@pytest.mark.parametrize(
    "query",
    [{"limit": -1}, {"skip": -1}, {"page": 0}, *({"after_id": "x", name: 1} for name in ("sort", "page", "skip"))],
)
def test_what_contradicts_itself(query: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        listed([], dict, query)
    assert caught.value.status == 422
