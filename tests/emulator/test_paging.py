"""Pages neither repeat nor skip rows, whatever happens between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.paging import Cursor, page_of, read_token, room_on, write_token
from asyncclient.testing.las.tables import Row
from tests.emulator.conftest import Api

FILTERS = {"operation": "list_x", "status": ["running"]}


def all_pages(rows: list[Row], limit: int, **options: Any) -> list[list[int]]:
    pages: list[list[int]] = []
    token: str | None = None
    while True:
        page = page_of(rows, FILTERS, token, limit, **options)
        pages.append([row.number for row in page.rows])
        if page.token is None:
            return pages
        assert page.token != token
        token = page.token


@given(
    keys=st.lists(st.sampled_from(["", "2022", "2023"]), max_size=30),
    limit=st.integers(1, 12),
    short=st.booleans(),
    descending=st.booleans(),
)
def test_every_row_once_in_order(keys: list[str], limit: int, short: bool, descending: bool) -> None:
    rows = [Row(number, {"key": key}) for number, key in enumerate(keys)]
    pages = all_pages(rows, limit, short=short, descending=descending, sort_key=lambda row: row.data["key"])
    wanted = sorted(range(len(keys)), key=lambda number: (keys[number], number), reverse=descending)
    assert [number for page in pages for number in page] == wanted
    assert all(len(page) <= limit for page in pages)


def test_short_pages() -> None:
    rows = [Row(number, {}) for number in range(20)]
    assert [len(page) for page in all_pages(rows, 4, short=True)] == [2, 0, 4, 2, 0, 4, 2, 0, 4, 2]
    assert [room_on(page, 5, short=False) for page in range(3)] == [5, 5, 5]


@given(page=st.integers(0, 10**6), after=st.none() | st.tuples(st.text(), st.integers()))
def test_tokens_are_read_as_written(page: int, after: tuple[str, int] | None) -> None:
    cursor = Cursor(page, after)
    assert read_token(FILTERS, write_token(FILTERS, cursor)) == cursor


@given(st.text(min_size=1))
def test_foreign_tokens_are_refused(token: str) -> None:
    with pytest.raises(Refusal, match="Invalid nextToken"):
        read_token(FILTERS, token)


def test_tokens_belong_to_their_filters() -> None:
    token = write_token(FILTERS, Cursor(1))
    with pytest.raises(Refusal, match="other filters"):
        read_token({**FILTERS, "status": []}, token)
    assert read_token(FILTERS, None) == read_token(FILTERS, "") == Cursor()


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["name"]) for row in rows]


@pytest.mark.parametrize("short", [False, True])
def test_through_the_api(make_api: Callable[..., Api], short: bool) -> None:
    api = make_api(short_pages=short)
    for number in range(25):
        api.ok("POST", "/documents", {"name": str(number)})
    pages = [*api.pages("/documents", "documents", maxResults=10)]
    assert [len(page) for page in pages] == ([5, 0, 10, 5, 0, 5] if short else [10, 10, 5])
    assert [number for page in pages for number in numbers(page)] == [*range(25)]
    down = [*api.pages("/documents", "documents", maxResults=10, order="descending", sortBy="createdTime")]
    assert [number for page in down for number in numbers(page)] == [*reversed(range(25))]


def test_rows_that_go_between_two_pages(api: Api) -> None:
    made = [api.ok("POST", "/documents", {"name": str(number)})["documentId"] for number in range(6)]
    first = api.ok("GET", "/documents", maxResults=2)
    for gone in (made[0], made[1], made[2]):
        api.ok("DELETE", f"/documents/{gone}")
    rest = api.ok("GET", "/documents", nextToken=first["nextToken"])
    assert numbers(rest["documents"]) == [3, 4, 5]
    assert rest["nextToken"] is None


def test_page_sizes(make_api: Callable[..., Api]) -> None:
    api = make_api(page_size=3, max_page_size=5)
    for _ in range(7):
        api.ok("POST", "/datasets", {})
    for asked, size in ((None, 3), (0, 3), (-1, 3), (2, 2), (100, 5)):
        query = {} if asked is None else {"maxResults": asked}
        assert len(api.ok("GET", "/datasets", **query)["datasets"]) == size
    assert "other filters" in api.refused(400, "GET", "/assets", nextToken=api.ok("GET", "/datasets")["nextToken"])


def test_deleting_in_pages(make_api: Callable[..., Api]) -> None:
    api = make_api()
    dataset = api.ok("POST", "/datasets", {})["datasetId"]
    for _ in range(1203):
        api.state.tables.documents.add({"datasetId": dataset, **EMPTY})
    first = api.ok("DELETE", "/documents", datasetId=dataset, maxResults=5000)
    assert len(first["documents"]) == 1000
    second = api.ok("DELETE", "/documents", datasetId=dataset, nextToken=first["nextToken"])
    assert (len(second["documents"]), second["nextToken"]) == (203, None)
    assert len(api.state.tables.documents) == 0


def test_deleting_in_short_pages(make_api: Callable[..., Api]) -> None:
    api = make_api(short_pages=True)
    for _ in range(7):
        api.ok("POST", "/documents", {})
    answer = api.ok("DELETE", "/documents", maxResults=4)
    sizes = [len(answer["documents"])]
    while answer["nextToken"] is not None:
        answer = api.ok("DELETE", "/documents", maxResults=4, nextToken=answer["nextToken"])
        sizes.append(len(answer["documents"]))
    assert sizes == [2, 0, 4, 1]


EMPTY = {
    "name": None,
    "description": None,
    "metadata": None,
    "retentionInDays": 1,
    "createdBy": None,
    "createdTime": None,
    "updatedBy": None,
    "updatedTime": None,
}
