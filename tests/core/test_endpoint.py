from __future__ import annotations

from typing import Any

from asyncclient._endpoint import Endpoint, Param


def test_what_may_be_repeated() -> None:
    assert {
        method for method in ("GET", "HEAD", "PUT", "DELETE", "POST", "PATCH") if Endpoint("x", method, "/").repeatable
    } == {
        "GET",
        "HEAD",
        "PUT",
        "DELETE",
    }
    assert Endpoint("x", "POST", "/", idempotent=True).repeatable
    assert not Endpoint("x", "GET", "/", idempotent=False).repeatable


def test_the_plan_is_made_once() -> None:
    endpoint: Endpoint[Any] = Endpoint(
        "x",
        "POST",
        "/a b/{one}/é/{two}.json",
        params=(
            Param("first", "one", "path", required=True),
            Param("second", "two", "path"),
            Param("q", "a b", "query", types=("integer",)),
            Param("text", "text", "query"),
            Param("h", "X-Thing", "header"),
            Param("deep", "a/b", "body", required=True),
        ),
    )
    plan = endpoint.plan
    assert plan is endpoint.plan
    assert [(literal, param and param.name) for literal, param in plan.segments] == [
        ("/a%20b/", "first"),
        ("/%C3%A9/", "second"),
        (".json", None),
    ]
    assert [(param.name, key, text) for param, key, text in plan.query] == [("q", "a+b", False), ("text", "text", True)]
    assert [(param.name, name) for param, name in plan.headers] == [("h", b"x-thing")]
    assert [(param.name, keys) for param, keys in plan.body] == [("deep", ("a", "b"))]
    assert plan.required == ("first", "deep")
    assert plan.names == {"first", "second", "q", "text", "h", "deep"}
    assert "_plan" not in repr(endpoint)
