"""Queries in the form of releases before 2020: in the URL, for front ends that refuse a GET with a body. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from asyncclient._endpoint import Endpoint, Param
from asyncclient._values import members

__all__ = ["in_query_string"]

T = TypeVar("T")

_LISTS = ("fields", "search")


def in_query_string(endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> tuple[Endpoint[T], Mapping[str, Any]]:
    """Return the operation, and its arguments, that send a query in the URL; other operations as they are."""
    if endpoint.method != "GET" or endpoint.body == "none":
        return endpoint, arguments
    if endpoint.body == "object":
        return _moved(endpoint), arguments
    name = endpoint.params[0].name
    query = arguments.get(name)
    described = _described(endpoint)
    found = dict(members(described, name, query))
    # Repeated, not joined: fields=id&fields=name.
    found.update({key: value for key in _LISTS if isinstance(value := getattr(query, key, None), list) and value})
    return described, found


@cache
def _moved(endpoint: Endpoint[Any]) -> Endpoint[Any]:
    params = tuple(param._replace(place="query") for param in endpoint.params)
    return replace(endpoint, params=params, body="none")


@cache
def _described(endpoint: Endpoint[Any]) -> Endpoint[Any]:
    names = ("fields", "search", "sort", "offset", "limit", "all_versions")
    return replace(endpoint, params=tuple(Param(name, name, "query") for name in names), body="none")
