"""Queries: what they send, in the body or in the URL, and how their pages are walked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient import errors, voxel51
from asyncclient.voxel51 import AnalyticsQuery, DataQuery, JobsQuery
from tests.voxel51.wire_server import Received, WireServer


def paged(key: str, count: int, most: int) -> Callable[[Received], dict[str, Any]]:
    """Answer queries over ``count`` records, never more than ``most`` at a time."""

    def respond(request: Received) -> dict[str, Any]:
        query = json.loads(request.body) if request.body else {k: v[0] for k, v in parse_qs(request.raw_query).items()}
        begin, limit = int(query.get("offset", 0)), min(int(query["limit"]), most)
        return {"json": {key: [{"id": str(n)} for n in range(begin, min(begin + limit, count))], "total": count}}

    return respond


@pytest.mark.anyio
@pytest.mark.parametrize(("count", "limit", "most"), [(0, 5, 100), (5, 5, 100), (12, 5, 100), (12, 100, 5), (3, 1, 1)])
async def test_every_record_once(
    wire: WireServer,
    token: voxel51.Token,
    application_token: voxel51.ApplicationToken,
    count: int,
    limit: int,
    most: int,
) -> None:
    async with voxel51.AsyncAPI(token) as api:
        app = voxel51.AsyncApplicationAPI(application_token, hub=api._hub)
        for session, operation, key, query in (
            (api, "query_data", "data", DataQuery()),
            (api, "query_jobs", "jobs", JobsQuery()),
            (api, "query_analytics", "analytics", AnalyticsQuery()),
            (app, "query_analytics", "analytics", AnalyticsQuery()),
            (app, "query_application_data", "data", DataQuery()),
            (app, "query_application_jobs", "jobs", JobsQuery()),
            (app, "query_jobs", "jobs", JobsQuery()),
        ):
            wire.play(respond=paged(key, count, most))
            found = [record["id"] async for record in session.iterate(operation, query.set_limit(limit))]
            assert found == [str(number) for number in range(count)]
            assert query.offset is None


@pytest.mark.anyio
async def test_pages_have_an_order_and_begin_at_the_offset(wire: WireServer, token: voxel51.Token) -> None:
    async with voxel51.AsyncAPI(token) as api:
        wire.play(respond=paged("data", 7, 100))
        assert [r["id"] async for r in api.iterate("query_data", data_query=DataQuery().set_offset(4))] == [
            "4",
            "5",
            "6",
        ]
        sent = [json.loads(request.body) for request in wire.received]
        assert sent == [
            {"sort": "upload_date:asc", "limit": 200, "offset": 4},
            {"sort": "upload_date:asc", "limit": 200, "offset": 7},
        ]
        wire.play(respond=paged("data", 0, 100))
        assert not [r async for r in api.iterate("query_data", {"sort": "name:desc", "limit": 3})]
        assert json.loads(wire.received[0].body) == {"sort": "name:desc", "limit": 3}


@pytest.mark.anyio
async def test_a_service_that_ignores_the_offset_does_not_go_on_for_ever(
    wire: WireServer, token: voxel51.Token
) -> None:
    wire.play(respond=lambda request: {"json": {"jobs": [{"id": "1"}]}})
    async with voxel51.AsyncAPI(token) as api:
        with pytest.raises(errors.DecodeError, match="same page twice"):
            [record async for record in api.iterate("query_jobs", JobsQuery())]


@pytest.mark.anyio
async def test_what_cannot_be_iterated(wire: WireServer, token: voxel51.Token) -> None:
    async with voxel51.AsyncAPI(token) as api:
        for operation, args in (
            ("list_data", ()),
            ("nothing", ()),
            ("_call", ()),
            ("query_application_data", (DataQuery(),)),
            ("query_data", ()),
            ("query_data", (DataQuery(), DataQuery())),
            ("query_data", (5,)),
            ("query_data", ({"limit": 0},)),
            ("query_data", ({"limit": True},)),
        ):
            with pytest.raises((errors.ArgumentError, errors.ArgumentTypeError)):
                [record async for record in api.iterate(operation, *args)]
    assert wire.received == []


def test_the_blocking_form_iterates_too(wire: WireServer, token: voxel51.Token) -> None:
    wire.play(respond=paged("jobs", 5, 2))
    with voxel51.API(token) as api:
        assert [record["id"] for record in api.iterate("query_jobs", JobsQuery())] == list("01234")


@pytest.mark.anyio
async def test_queries_in_the_url(
    wire: WireServer, token: voxel51.Token, application_token: voxel51.ApplicationToken
) -> None:
    def answer(request: Received) -> dict[str, Any]:
        return {"json": {"analytics": [], "data": [], "jobs": []}}

    wire.play(respond=answer)
    async with voxel51.AsyncAPI(token, query_string=True) as api:
        query = JobsQuery().add_fields(["id", "name"]).add_search("name", "a b").add_search("archived", False)
        await api.query_jobs(query.sort_by("name").set_limit(5).set_offset(0))
        await api.list_analytics(True)
        await api.query_data({"fields": "id,name"})
        await api.query_analytics(AnalyticsQuery().set_all_versions(True))
        await voxel51.AsyncApplicationAPI(application_token, query_string=True, hub=api._hub).list_analytics()
        await api.list_jobs()
    assert [(request.path, request.raw_query) for request in wire.received] == [
        ("/v1/jobs", "fields=id&fields=name&search=name%3Aa+b&search=archived%3AFalse&sort=name%3Adesc&limit=5"),
        ("/v1/analytics/list", "all_versions=True"),
        ("/v1/data", "fields=id%2Cname"),
        ("/v1/analytics", "all_versions=True"),
        ("/v1/apps/analytics/list", "all_versions=False"),
        ("/v1/jobs/list", ""),
    ]
    assert not any(request.body or "content-type" in request.headers for request in wire.received)


def test_lenient_builders_ignore_what_they_do_not_know() -> None:
    query = JobsQuery().add_field("nope").add_fields("id").sort_by("nope").set_limit(0).set_offset(-1)
    assert query.to_dict() == {}
    assert str(query) == ""


@pytest.mark.parametrize(
    "use",
    [
        lambda q: q.add_field("nope"),
        lambda q: q.add_fields(["id", "nope"]),
        lambda q: q.sort_by("nope"),
        lambda q: q.set_limit(0),
        lambda q: q.set_limit(True),
        lambda q: q.set_limit("5"),
        lambda q: q.set_offset(-1),
        lambda q: q.set_offset(1.0),
    ],
)
@pytest.mark.parametrize("kind", [AnalyticsQuery, DataQuery, JobsQuery])
def test_strict_builders_refuse_it(kind: Any, use: Callable[[Any], Any]) -> None:
    with pytest.raises(errors.ArgumentError):
        use(kind(strict=True))


@given(st.text())
def test_escaped_texts_hold_no_operators(text: str) -> None:
    escaped = voxel51.escape_search(text)
    bare = escaped.replace("\\\\", "").replace("\\,", "").replace("\\:", "").replace("\\|", "")
    assert not set(bare) & set(",:|\\")
    unescaped, skip = [], False
    for char in escaped:
        skip = char == "\\" and not skip
        if not skip:
            unescaped.append(char)
    assert "".join(unescaped) == text


def test_escaping_is_asked_for() -> None:
    query = DataQuery().add_search("name", "a,b.mp4").add_search("name", "a,b.mp4", escape=True)
    query.add_search_or("type", ["a|b", "c"], escape=True)
    assert query.search == ["name:a,b.mp4", r"name:a\,b.mp4", r"type:a\|b|c"]
    assert repr(DataQuery().set_limit(1)) == "DataQuery('limit=1')"
