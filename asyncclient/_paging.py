"""Walk through the pages of an operation. The decisions are pure; :func:`items` acts on them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from asyncclient.errors import DecodeError
from asyncclient.types import UNSET

if TYPE_CHECKING:
    from asyncclient._endpoint import Page

__all__ = ["continuation", "items", "page_items"]


async def items(
    operation: str, method: Callable[..., Awaitable[Any]], page: Page, arguments: Mapping[str, Any]
) -> AsyncGenerator[Any]:
    """Call ``method`` until there is no further page, and yield every item."""
    token = arguments.get(page.token, UNSET)
    if page.style == "page" and not isinstance(token, int):
        token = 1
    count = token if page.style == "offset" and isinstance(token, int) else 0
    seen = {token}
    while True:
        given = {**arguments, page.token: token} if token is not UNSET else dict(arguments)
        answer = await method(**given)
        found = page_items(operation, page, answer)
        for item in found:
            yield item
        count += len(found)
        following = continuation(operation, page, found, answer=answer, count=count, at=token)
        if following is None:
            return
        if following in seen:
            raise DecodeError(f"{operation}: the service returned a continuation it was given before; stopped")
        seen.add(following)
        token = following


def page_items(operation: str, page: Page, answer: Any) -> list[Any]:
    """Return the items of one page.

    Raises:
        DecodeError: The answer has no list where the items should be.
    """
    found = _member(answer, page.items) if page.items and not isinstance(answer, list) else answer
    if found is None:  # services leave out an empty list
        found = []
    if not isinstance(found, list) or (page.items and found is answer):
        raise DecodeError(f"{operation}: the answer has no list {page.items!r}")
    return found


def continuation(operation: str, page: Page, found: list[Any], *, answer: Any, count: int, at: Any = UNSET) -> Any:
    """Return what the next call is to be given, or None at the end.

    A page may be short or empty and still not be the last: only the service's token says so.

    Raises:
        DecodeError: The last item has no id to continue after.
    """
    if page.style == "token":
        return _member(answer, page.next) or None
    if not found:
        return None
    if page.style == "offset":
        return count
    if page.style == "page":
        return at + 1
    last = _member(found[-1], page.next)
    if last is None:
        raise DecodeError(f"{operation}: the last item of a page has no {page.next!r} to continue after")
    return last


def _member(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    found = getattr(value, name, None)
    if found is None:  # the description may use the name on the wire, and objects have one that Python allows
        for attribute, about in getattr(type(value), "model_fields", {}).items():
            if about.validation_alias == name:
                return getattr(value, attribute)
    return found
