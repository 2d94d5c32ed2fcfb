from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field

from asyncclient._endpoint import Page
from asyncclient._paging import items, page_items
from asyncclient.errors import DecodeError

pytestmark = pytest.mark.anyio

TOKEN = Page("things", "token", next="next")
AFTER = Page("", "after_id", next="_id", style="after_id")
OFFSET = Page("results", "skip", style="offset")


class Service:
    """Answers page after page, and remembers what it was asked."""

    def __init__(self, *pages: Any) -> None:
        self.pages = list(pages)
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, **arguments: Any) -> Any:
        self.calls.append(arguments)
        return self.pages.pop(0)


async def walk(service: Callable[..., Any], page: Page, **arguments: Any) -> list[Any]:
    return [item async for item in items("list_things", service, page, arguments)]


async def test_tokens() -> None:
    service = Service(
        {"things": [1, 2], "next": "a"}, {"things": [], "next": "b"}, {"next": "c"}, {"things": None, "next": ""}
    )
    assert await walk(service, TOKEN, limit=2) == [1, 2]
    assert service.calls == [{"limit": 2}, *({"limit": 2, "token": token} for token in "abc")]


async def test_it_begins_where_it_is_told() -> None:
    service = Service({"things": [3]})
    assert await walk(service, TOKEN, token="b") == [3]
    assert service.calls == [{"token": "b"}]


async def test_objects_as_answers() -> None:
    first = SimpleNamespace(things=[1], next="a")
    assert await walk(Service(first, SimpleNamespace(things=[2], next=None)), TOKEN) == [1, 2]


async def test_after_the_last_id() -> None:
    service = Service([{"_id": "1"}, {"_id": "2"}], [SimpleNamespace(_id="3")], [])
    assert len(await walk(service, AFTER)) == 3
    assert service.calls == [{}, {"after_id": "2"}, {"after_id": "3"}]
    with pytest.raises(DecodeError, match="list_things: the last item of a page has no '_id'"):
        await walk(Service([{"_id": "1"}, {}]), AFTER)


async def test_after_the_last_id_of_objects_with_names_of_their_own() -> None:
    class Thing(BaseModel):
        id: str = Field(validation_alias="_id")

    class Special(Thing):
        pass

    service = Service([Thing(_id="1"), Special(_id="2")], [])
    assert len(await walk(service, AFTER)) == 2
    assert service.calls == [{}, {"after_id": "2"}]


async def test_offsets() -> None:
    service = Service({"results": [0, 1]}, {"results": [2]}, {"results": []})
    assert await walk(service, OFFSET) == [0, 1, 2]
    assert service.calls == [{}, {"skip": 2}, {"skip": 3}]
    service = Service({"results": [10, 11]}, {"results": []})
    assert await walk(service, OFFSET, skip=10) == [10, 11]
    assert service.calls == [{"skip": 10}, {"skip": 12}]


@pytest.mark.parametrize("tokens", ["aa", "aba", "abcb"])
async def test_round_in_circles(tokens: str) -> None:
    service = Service(*({"things": [token], "next": token} for token in tokens))
    found = []
    with pytest.raises(DecodeError, match="list_things: the service returned a continuation it was given before"):
        async for item in items("list_things", service, TOKEN, {}):
            found.append(item)
    assert found == list(tokens)  # what had arrived was handed out


async def test_the_first_token_counts_too() -> None:
    with pytest.raises(DecodeError):
        await walk(Service({"things": [], "next": "a"}), TOKEN, token="a")


async def test_the_next_page_is_fetched_when_it_is_needed() -> None:
    service = Service({"things": [1], "next": "a"}, {"things": [2]})
    walker = items("list_things", service, TOKEN, {})
    assert await anext(walker) == 1
    assert len(service.calls) == 1
    await walker.aclose()
    assert len(service.calls) == 1


@pytest.mark.parametrize(
    ("page", "answer"),
    [(TOKEN, {"things": {"a": 1}}), (TOKEN, {"things": "text"}), (TOKEN, [1]), (AFTER, {"a": 1}), (AFTER, "text")],
)
def test_no_list(page: Page, answer: object) -> None:
    with pytest.raises(DecodeError, match="list_things: the answer has no list"):
        page_items("list_things", page, answer)


def test_no_answer_is_an_empty_page() -> None:
    assert page_items("x", TOKEN, None) == page_items("x", AFTER, None) == page_items("x", TOKEN, {}) == []
