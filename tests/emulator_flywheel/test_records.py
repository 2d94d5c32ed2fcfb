"""Roles, modalities, rules of gears, saved searches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator_flywheel.conftest import Api

QUERY = {"structured_query": "", "unstructured_query": "x", "filters": [], "return_type": "file"}
RULE = {"gear_id": "g", "name": "n"}


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("/roles", {"label": "r", "actions": []}, {"label": "s"}),
        ("/modalities", {"_id": "MR"}, {"description": "d"}),
        ("/site/rules", RULE, {"name": "m"}),
        ("/projects/{project}/rules", RULE, {"name": "m"}),
        (
            "/dataexplorer/queries",
            {"label": "q", "search": QUERY, "parent": {"type": "user", "id": "u"}},
            {"label": "p"},
        ),
    ],
)
def test_records(api: Api, path: str, body: dict[str, Any], change: dict[str, Any]) -> None:
    path = path.format(**api.tree())
    assert api.ok("GET", path) == []
    made = api.ok("POST", path, body)["_id"]
    assert [row["_id"] for row in api.ok("GET", path)] == [made]
    assert body.items() <= api.ok("GET", f"{path}/{made}").items()
    assert change.items() <= api.ok("PUT", f"{path}/{made}", change).items()
    if "_id" in body:
        api.refused(409, "POST", path, body)
    assert api.ok("DELETE", f"{path}/{made}") in (None, {"deleted": 1})
    for method, again in (("GET", None), ("PUT", change), ("DELETE", None)):
        api.refused(404, method, f"{path}/{made}", again)


def test_rules_of_projects_are_their_own(api: Api) -> None:
    one, two = api.tree()["project"], api.tree("Other")["project"]
    made = api.ok("POST", f"/projects/{one}/rules", RULE)
    assert made["project_id"] == one
    assert api.ok("POST", "/site/rules", RULE)["project_id"] == "site"
    assert api.ok("GET", f"/projects/{two}/rules") == []
    api.refused(404, "GET", "/projects/unknown/rules")
