"""The hierarchy: make, show, list, change, move, delete; collections; permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator_flywheel.conftest import Api


def test_parents_and_children(api: Api) -> None:
    ids = api.tree()
    shown = api.ok("GET", f"/acquisitions/{ids['acquisition']}")
    assert shown["parents"] == {name: ids[name] for name in ("group", "project", "subject", "session")}
    session = api.ok("GET", f"/sessions/{ids['session']}")
    assert (session["subject"]["_id"], session["subject"]["code"]) == (ids["subject"], "S")
    for path in ("projects/{project}/acquisitions", "sessions/{session}/acquisitions"):
        assert [row["_id"] for row in api.ok("GET", "/" + path.format(**ids))] == [ids["acquisition"]]
    for path in ("groups/lab/projects", "projects/{project}/subjects", "subjects/{subject}/sessions"):
        (row,) = api.ok("GET", "/" + path.format(**ids))
        assert row["info"] == {}
    assert api.ok("GET", f"/containers/{ids['subject']}")["container_type"] == "subject"
    assert len(api.ok("GET", f"/users/{api.state.options.user_id}/acquisitions")) == 1


def test_subjects_of_sessions(api: Api) -> None:
    ids = api.tree()
    for given in ({"label": "S"}, {"code": "S"}, ids["subject"], {"_id": ids["subject"]}):
        made = api.make("sessions", label="x", project=ids["project"], subject=given)
        assert api.state.get(made).parents["subject"] == ids["subject"]
    made = api.make("sessions", label="x", project=ids["project"], subject={"label": "new", "sex": "male"})
    assert api.state.get(api.state.get(made).parents["subject"]).data["sex"] == "male"
    other = api.tree("Other")
    body = {"label": "x", "project": ids["project"]}
    assert "another project" in api.refused(422, "POST", "/sessions", {**body, "subject": other["subject"]})
    assert "label or a code" in api.refused(422, "POST", "/sessions", {**body, "subject": {}})
    api.refused(404, "POST", "/sessions", {**body, "subject": "nobody"})


@pytest.mark.parametrize(
    ("status", "path", "body"),
    [
        (409, "/groups", {"_id": "lab", "label": "x"}),
        (422, "/groups", {"_id": "Big Letters", "label": "x"}),
        (409, "/projects", {"label": "P", "group": "lab"}),
        (404, "/projects", {"label": "x", "group": "nowhere"}),
        (404, "/acquisitions", {"label": "x", "session": "nowhere"}),
    ],
)
def test_what_cannot_be_made(api: Api, status: int, path: str, body: Any) -> None:
    api.tree()
    api.refused(status, "POST", path, body)


def test_changes(api: Api) -> None:
    ids = api.tree()
    api.make("subjects", label="T", project=ids["project"])
    api.refused(409, "PUT", f"/subjects/{ids['subject']}", {"label": "T"})
    assert api.state.get(ids["subject"]).label == "S"
    body = {"code": "U", "info": {"a": 1}, "tags": ["x"], "notes": [{"text": "n"}]}
    assert api.ok("PUT", f"/subjects/{ids['subject']}", body) == {"modified": 1}
    shown = api.ok("GET", f"/subjects/{ids['subject']}")
    assert (shown["label"], shown["code"], shown["info"], shown["tags"], shown["revision"]) == (
        "U",
        "U",
        {"a": 1},
        ["x"],
        2,
    )
    api.ok("PUT", f"/containers/{ids['acquisition']}", {"label": "B"})
    assert api.state.get(ids["acquisition"]).label == "B"


def test_moves(api: Api) -> None:
    ids, other = api.tree(), api.tree("Other")
    api.ok("PUT", f"/sessions/{ids['session']}", {"project": other["project"]})
    moved = api.state.get(ids["acquisition"])
    assert (moved.parents["project"], moved.parents["subject"]) == (other["project"], other["subject"])
    api.ok("PUT", f"/sessions/{ids['session']}", {"subject": {"label": "Z"}})
    assert api.state.get(moved.parents["subject"]).label == "Z"
    api.make("groups", _id="second", label="x")
    api.ok("PUT", f"/projects/{other['project']}", {"group": "second"})
    assert moved.parents["group"] == "second"
    api.refused(404, "PUT", f"/projects/{other['project']}", {"group": "nowhere"})


def test_deletes(api: Api) -> None:
    ids, other = api.tree(), api.tree("Other")
    assert "projects" in api.refused(409, "DELETE", "/groups/lab")
    api.put_form(f"/acquisitions/{ids['acquisition']}/files", ("f", b"x"))
    assert api.ok("DELETE", f"/subjects/{ids['subject']}?delete_reason=test_data") == {"deleted": 1}
    assert not api.state.files
    for kind in ("subject", "session", "acquisition"):
        assert [row.id for row in api.state.of_kind(kind)] == [other[kind]]
    both = [other["session"], other["acquisition"], "nowhere"]
    assert api.ok("DELETE", "/sessions", both) == {"deleted": 1, "not_found": 2}
    api.refused(404, "GET", f"/acquisitions/{other['acquisition']}")
    api.refused(404, "DELETE", f"/containers/{other['acquisition']}")


def test_delete_by_query(api: Api) -> None:
    ids = api.tree()
    for label in ("a", "b"):
        api.make("acquisitions", label=label, session=ids["session"])
    path = "/acquisitions/delete_by_query"
    assert "no filter" in api.refused(422, "DELETE", path, [])
    assert "operator" in api.refused(422, "DELETE", path, [{"attribute": "label", "operator": "is", "value": "a"}])
    query = [
        {"attribute": "label", "operator": "!=", "value": "A"},
        {"attribute": "uid", "operator": "=", "value": None},
    ]
    assert api.ok("DELETE", path, query)["deleted"] == 2
    assert [row.label for row in api.state.of_kind("acquisition")] == ["A"]


def test_lists(api: Api) -> None:
    ids = api.tree()
    for number in range(5):
        api.make("acquisitions", label=f"n{number}", session=ids["session"], info={"n": number})
    found = api.ok("GET", "/acquisitions", params={"filter": "info.n>2", "include_all_info": "true"})
    assert [row["info"] for row in found] == [{"n": 3}, {"n": 4}]
    assert [row["info"] for row in api.ok("GET", "/acquisitions", params={"filter": "label=n3"})] == [{}]
    features = {"x-accept-feature": "pagination"}
    page = api.ok("GET", "/acquisitions", params={"limit": 2}, headers=features)
    assert (page["count"], page["total"], len(page["results"])) == (2, 6, 2)
    for letter in "ca":
        api.make("groups", _id=f"{letter}1", label="x")
    assert [row["_id"] for row in api.ok("GET", "/groups")] == ["a1", "c1", "lab"]


def test_collections(api: Api) -> None:
    ids, other = api.tree(), api.tree("Other")
    collection = api.make("collections", label="Best")

    def change(operation: str, level: str, node: str) -> None:
        contents = {"operation": operation, "nodes": [{"_id": node, "level": level}]}
        api.ok("PUT", f"/collections/{collection}", {"contents": contents, "description": "d"})

    def held(kind: str) -> list[str]:
        return [row["_id"] for row in api.ok("GET", f"/collections/{collection}/{kind}s")]

    change("add", "session", ids["session"])
    change("add", "acquisition", other["acquisition"])
    change("add", "acquisition", other["acquisition"])
    assert held("acquisition") == [ids["acquisition"], other["acquisition"]]
    assert held("session") == [ids["session"], other["session"]]
    assert [row["_id"] for row in api.ok("GET", f"/acquisitions?collection_id={collection}")] == held("acquisition")
    path = f"/sessions/{ids['session']}/acquisitions?collection_id={collection}"
    assert [row["_id"] for row in api.ok("GET", path)] == [ids["acquisition"]]
    path = f"/collections/{collection}/acquisitions?session={other['session']}"
    assert [row["_id"] for row in api.ok("GET", path)] == [other["acquisition"]]
    change("remove", "acquisition", other["acquisition"])
    assert held("session") == [ids["session"]]
    change("add", "project", other["project"])
    assert held("session") == [ids["session"], other["session"]]
    assert [row["_id"] for row in api.ok("GET", "/collections/curators")] == [api.state.options.user_id]
    api.ok("DELETE", f"/projects/{other['project']}")
    assert held("session") == [ids["session"]]


@pytest.mark.parametrize(
    "place", ["projects/{project}", "groups/lab", "collections/{collection}", "groups/lab/templates"]
)
def test_permissions(api: Api, place: str) -> None:
    ids = {**api.tree(), "collection": api.make("collections", label="c")}
    api.ok("POST", "/users", {"_id": "b", "firstname": "B", "lastname": "C", "root": None})
    where, _, templates = place.format(**ids).partition("/templates")
    path = f"/{where}/permissions" + ("/templates" if place.endswith("templates") else templates)
    by_role = where.startswith("projects") or place.endswith("templates")
    first, second = ({"role_ids": ["r"]}, {"role_ids": ["w"]}) if by_role else ({"access": "ro"}, {"access": "rw"})
    api.refused(404, "POST", path, {"_id": "nobody", **first})
    assert api.ok("POST", path, {"_id": "b", **first}) == {"_id": "b", **first}
    api.refused(409, "POST", path, {"_id": "b", **first})
    assert api.ok("PUT", f"{path}/b", second) == {"_id": "b", **second}
    assert api.ok("GET", f"{path}/b") == {"_id": "b", **second}
    assert api.ok("DELETE", f"{path}/b") == {"modified": 1}
    api.refused(404, "GET", f"{path}/b")


def test_templates_are_propagated(api: Api) -> None:
    ids = api.tree()
    api.ok("POST", "/users", {"_id": "b", "firstname": "B", "lastname": "C"})
    api.ok("POST", "/groups/lab/permissions/templates?propagate=true", {"_id": "b", "role_ids": ["r"]})
    assert {"_id": "b", "role_ids": ["r"]} in api.state.get(ids["project"]).permissions


def test_state(make_api: Callable[..., Api]) -> None:
    api = make_api()
    ids = api.tree()
    assert api.state.find("lab", "P", "S", "E", "A").id == ids["acquisition"]
    with pytest.raises(Exception, match="Project not found"):
        api.state.find("lab", "Q")
    api.state.reset()
    assert not api.state.containers
    assert api.ok("GET", "/users/self")["_id"] == api.state.options.user_id
