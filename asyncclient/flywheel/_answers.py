"""From an answer to the value a method gives back. Pure."""

from __future__ import annotations

from typing import Any, Final

from asyncclient import _codec
from asyncclient._endpoint import Endpoint, ModelRef
from asyncclient._pipeline import Answer
from asyncclient.errors import DecodeError

__all__ = ["read_answer"]

_TABLES: Final = frozenset({"search"})
"""Operations that answer with text when they are asked for a table."""


def read_answer(endpoint: Endpoint[Any], answer: Answer, *, whole: bool = False) -> Any:
    """Read an answer by what the description says of it, and by what it holds.

    Args:
        endpoint: What was called.
        answer: A good one.
        whole: Whether an answer that is usually unwrapped is given back as it is.

    Raises:
        DecodeError: It is not JSON where objects are expected, or does not fit them.
    """
    if endpoint.answer == "none":
        return None
    if endpoint.answer == "bytes":
        return answer.body
    if endpoint.answer == "text":
        return answer.body.decode("utf-8", "replace")
    value = _json(endpoint, answer)
    if value is None:
        return None
    if endpoint.unwrap is None:
        return value if endpoint.returns is None else _parsed(endpoint, value, endpoint.returns)
    if whole and endpoint.whole is not None:
        return _codec.parse(value, endpoint.whole)
    if not isinstance(value, dict):
        return value  # services answer with the bare member too
    if endpoint.unwrap not in value:
        raise DecodeError(
            f"{endpoint.name}: the answer has no {endpoint.unwrap!r}", status=answer.status, size=len(answer.body)
        )
    return value[endpoint.unwrap]


def _json(endpoint: Endpoint[Any], answer: Answer) -> Any:
    try:
        return _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)
    except DecodeError:
        plain = (endpoint.returns is None and endpoint.unwrap is None) or endpoint.name in _TABLES
        if plain and answer.body:
            return answer.body.decode("utf-8", "replace")  # text where text is expected need not be JSON
        raise


def _parsed(endpoint: Endpoint[Any], value: Any, ref: ModelRef) -> Any:
    if endpoint.page is not None and not endpoint.page.items and isinstance(value, dict) and "results" in value:
        return _page(value, ref)
    if ref.many == "list" and not isinstance(value, list):
        return value  # a search gives facets or a table on request
    return _codec.parse(value, ref)


def _page(value: dict[str, Any], ref: ModelRef) -> Any:
    """Read a page: its results are what would have come as a bare list."""
    from asyncclient.flywheel._generated import models

    page = models.Page.model_validate({**value, "results": []})
    page.results = _codec.parse(value["results"], ref) if isinstance(value["results"], list) else value["results"]
    return page
