"""The contract the emulator carries is what the description says, and every operation of it is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asyncclient._codegen import contract as codegen
from asyncclient._codegen._examples import example_of
from asyncclient.testing._schema import KEYWORDS, keywords_of
from asyncclient.testing.flywheel.handlers import HANDLERS
from asyncclient.testing.flywheel.route import Route
from tests.emulator_flywheel.conftest import Answers, Api, Json, description, router


def made() -> Json:
    return codegen.contract_of("flywheel", description())


def test_every_operation_is_there() -> None:
    wanted = {item["operationId"] for methods in description()["paths"].values() for item in methods.values()}
    assert len(wanted) == 500
    assert {name for route in router().routes for name in route.names} == wanted


def test_every_handler_is_used() -> None:
    used = {id(route.handler) for route in router().routes if route.handler is not None}
    assert {id(handler) for handler in HANDLERS.values()} == used
    acted_on = [name for route in router().routes if route.handler is not None for name in route.names]
    assert len(acted_on) > 380


def test_it_uses_known_keywords_only() -> None:
    source = made()
    for schema in [*(item["body"] for item in source["operations"]), *source["schemas"].values()]:
        assert keywords_of(schema) <= KEYWORDS


def test_words_come_before_values() -> None:
    assert router().find("GET", ["projects", "catalog-list"]).operation.id == "catalog_list"
    assert router().find("GET", ["projects", "x"]).operation.id == "get_project"
    assert router().find("GET", ["users", "self"]).operation.id == "get_current_user"
    assert router().find("GET", ["sessions", "x", "acquisitions", "analyses"]).operation.id == "get_analyses"


def test_examples_fit_the_description(answers: Answers) -> None:
    for route in router().routes:
        if route.example is not None:
            answers.check(route.operation.id, route.example)


def test_examples_of_all_forms() -> None:
    schemas: dict[str, Any] = {
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}, "required": ["next"]},
        "One": {"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
        "Two": {"type": "object", "properties": {"_id": {"type": "string"}}, "required": ["_id"]},
    }
    both = {"allOf": [{"$ref": "#/components/schemas/One"}, {"$ref": "#/components/schemas/Two"}]}
    assert example_of(both, schemas) == {"a": 0, "_id": "0" * 24}
    assert example_of({"$ref": "#/components/schemas/Node"}, schemas) == {"next": None}
    assert example_of({"anyOf": [both, {"type": "array", "items": both}]}, schemas) == []
    assert example_of({"anyOf": [{"type": "boolean"}, both]}, schemas) is False
    assert example_of({"type": "string", "format": "date-time"}, schemas).startswith("2020-01-01T")
    assert example_of({}, schemas) == {}


def test_operations_that_differ_in_their_queries_are_one() -> None:
    route = router().find("GET", ["projects", "x", "files", "f"])
    assert set(route.names) == {
        *("download_file_from_project", "get_project_download_ticket", "get_project_file_zip_info")
    }
    assert {"ticket", "info", "member", "version", "hash", "view"} <= set(route.operation.query)


def request_of(route: Route) -> tuple[str, str, Any]:
    """Return the smallest request that the description admits."""
    schemas = description()["components"]["schemas"]
    path = "/".join("x" if part.startswith("{") else part for part in route.operation.path)
    source = next(
        item
        for methods in description()["paths"].values()
        for item in methods.values()
        if item["operationId"] == route.operation.id
    )
    content = source.get("requestBody", {}).get("content", {}).get("application/json")
    return route.operation.method, f"/{path}", None if content is None else example_of(content["schema"], schemas)


def test_operations_without_a_handler_are_answered(api: Api) -> None:
    described = [route for route in router().routes if route.handler is None]
    assert 80 < len(described) < 130
    for route in described:
        method, path, body = request_of(route)
        response = api.send(method, path, body)
        assert response.status_code in (200, 204), (route.operation.id, response.text)
        assert (response.status_code == 204) == (route.example is None and route.media is None)
        if route.media == "text/csv":
            assert response.headers["content-type"].startswith("text/csv")


def test_every_request_is_checked(api: Api) -> None:
    for route in router().routes:
        method, path, body = request_of(route)
        response = api.send(method, path, body)
        assert response.status_code < 500, (route.operation.id, response.text)
        if route.operation.id not in ("get_version", "get_config", "get_config_js", "upload_signed_fs_file"):
            response = api.plain.request(method, api.server.url + "/api" + path)
            assert response.status_code == 401, route.operation.id
        assert "is not known" in api.refused(422, method, path, body, params={"surely_unknown": "1"})
        if isinstance(body, (dict, list)) and route.operation.body:
            api.refused(422, method, path, "a text")


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "/projects", {"label": "x"}, "'group' is missing"),
        ("POST", "/projects", {"label": 5, "group": "g"}, "is not of type string"),
        ("POST", "/projects", {"label": None, "group": "g"}, "'label' is missing"),
        ("GET", "/projects?limit=x", None, "is not of type integer"),
        ("GET", "/projects?exhaustive=perhaps", None, "is not of type boolean"),
        ("DELETE", "/projects/x?delete_reason=because", None, "is not one of"),
    ],
)
def test_what_is_refused(api: Api, method: str, path: str, body: Any, text: str) -> None:
    assert text in api.refused(422, method, path, body)


def test_what_is_not_held_against_a_client(api: Api) -> None:
    ids = api.tree()
    api.ok("PUT", f"/projects/{ids['project']}", {"description": "x", "label": None})
    api.ok("GET", "/version?exhaustive=true")
    answer = api.http.post(f"/projects/{ids['project']}/analyses?job=False&job=False", json={"label": "x"})
    assert answer.status_code == 200
    assert api.http.get(f"/projects/{ids['project']}?join=origin&join=other").status_code == 422


def test_unknown_paths(api: Api) -> None:
    assert api.http.get("/nowhere").status_code == 404
    assert api.http.delete("/version").headers["allow"] == "GET"
    assert api.plain.get(api.server.url + "/elsewhere").status_code == 404
    assert api.http.request("POST", "/projects", content=b"{").status_code == 422
    assert api.http.get("/projects//tags/x").status_code == 404


def test_a_change_shows_as_the_lines_it_touches() -> None:
    text = codegen.render(made())
    assert len(text) < 250_000
    parsed = json.loads(text)
    assert len(text.splitlines()) == len(parsed["operations"]) + len(parsed["schemas"]) + 5
