"""Data views."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from asyncclient.testing.flywheel.formats import rendered
from tests.emulator_flywheel.conftest import Api

BARE = {"includeIds": False, "includeLabels": False}


@pytest.fixture
def ids(api: Api) -> dict[str, str]:
    """Two sessions; the first has three acquisitions with files."""
    made = api.tree()
    api.make("sessions", label="D", project=made["project"], subject=made["subject"], age=7)
    for number in (1, 2):
        row = api.make("acquisitions", label=f"B{number}", session=made["session"])
        text = f"x,y\n{number},a\n{number + 10},b\n".encode()
        api.put_form(f"/acquisitions/{row}/files", (f"t{number}.csv", text), ("note.txt", b"n"))
    return made


def rows(api: Api, view: dict[str, Any], container: str, **query: Any) -> Any:
    params = {"containerId": container, "format": "json-flat", **query}
    return api.ok("POST", "/views/data", {**BARE, **view}, params=params)


def columns(*sources: str, **types: str) -> list[dict[str, str]]:
    return [
        {"src": source, **({"type": types[source.rpartition(".")[2]]} if source.rpartition(".")[2] in types else {})}
        for source in sources
    ]


def test_levels(api: Api, ids: dict[str, str]) -> None:
    view = {"columns": columns("subject.code", "session.label")}
    assert rows(api, view, ids["project"]) == [
        {"subject.code": "S", "session.label": "E"},
        {"subject.code": "S", "session.label": "D"},
    ]
    assert [row["session.label"] for row in rows(api, {**view, "sort": True}, ids["project"])] == ["D", "E"]
    assert len(rows(api, {"columns": columns("acquisition.label")}, ids["session"])) == 3
    assert rows(api, {"columns": columns("subject")}, ids["subject"]) == [{"subject": "S"}]
    assert rows(api, {"columns": []}, ids["project"]) == [{}]
    with_ids = rows(api, {"columns": [], "includeIds": True, "includeLabels": True}, ids["project"])
    assert with_ids == [{"project.id": ids["project"], "project.label": "P"}]
    api.refused(404, "POST", "/views/data?containerId=unknown", view)
    api.refused(422, "POST", "/views/data", view)


def test_queries(api: Api, ids: dict[str, str]) -> None:
    view = {"columns": columns("acquisition.label")}
    path = "acquisition.label"
    assert [row[path] for row in rows(api, view, ids["project"], sort=f"{path}:desc", limit=2)] == ["B2", "B1"]
    assert [row[path] for row in rows(api, view, ids["project"], filter=f"{path}=~^B", skip=1)] == ["B2"]
    assert [row[path] for row in rows(api, {**view, "filter": f"{path}=A"}, ids["project"])] == ["A"]


def test_types(api: Api, ids: dict[str, str]) -> None:
    kinds = {"age": "int", "label": "int"}
    found = rows(
        api, {"columns": columns("session.age", "session.label", **kinds), "errorColumn": True}, ids["project"]
    )
    assert found[1] == {"session.age": 7, "session.label": None, "errors": "session.label is not of type int"}
    kinds = {"age": "bool", "label": "string", "revision": "float"}
    found = rows(api, {"columns": columns("session.age", "session.label", "session.revision", **kinds)}, ids["project"])
    assert found[1] == {"session.age": False, "session.label": "D", "session.revision": 1.0}


def spec(**more: Any) -> dict[str, Any]:
    return {"container": "acquisition", "filter": {"value": "*.csv"}, "match": "all", "processFiles": False, **more}


def test_files(api: Api, ids: dict[str, str]) -> None:
    view = {"columns": columns("acquisition.label", "file.name", "file.id"), "fileSpec": spec()}
    found = rows(api, view, ids["project"])
    assert [(row["acquisition.label"], row["file.name"]) for row in found] == [
        *(("A", None), ("B1", "t1.csv"), ("B2", "t2.csv"))
    ]
    assert found[1]["file.id"] in api.state.files
    dropped = {**view, "missingDataStrategy": "drop-row"}
    assert len(rows(api, dropped, ids["project"])) == 2
    anything = {"filter": {"value": "^(t1|note)", "regex": True}}
    for match, name in (("first", "t1.csv"), ("newest", "note.txt"), ("last", "note.txt"), ("oldest", "t1.csv")):
        found = rows(api, {**dropped, "fileSpec": spec(match=match, **anything)}, ids["project"])
        assert found[0]["file.name"] == name
    assert len(rows(api, {**dropped, "fileSpec": spec(**anything)}, ids["project"])) == 3


def test_records(api: Api, ids: dict[str, str]) -> None:
    view = {
        "columns": columns("acquisition.label"),
        "fileSpec": spec(processFiles=True),
        "missingDataStrategy": "drop-row",
    }
    assert rows(api, view, ids["project"])[1:3] == [
        {"acquisition.label": "B1", "x": "11", "y": "b"},
        {"acquisition.label": "B2", "x": "2", "y": "a"},
    ]
    chosen = spec(processFiles=True, columns=[{"src": "x", "dst": "X", "type": "int"}])
    assert [row["X"] for row in rows(api, {**view, "fileSpec": chosen}, ids["project"])] == [1, 11, 2, 12]


@pytest.mark.parametrize(
    ("name", "content", "more"),
    [
        ("x.tsv", b"a\tb\n1\t2\n", {}),
        ("x.tsv", b"a\tb\n1\t2\n", {"format": "tsv"}),
        ("x.json", b'[{"a": "1", "b": "2"}, 5]', {}),
        ("x.json", b'{"a": "1", "b": "2"}', {"format": "json"}),
        ("x.zip", "zip", {"zipMember": {"value": "*.csv"}}),
    ],
)
def test_kinds_of_files(api: Api, name: str, content: Any, more: dict[str, Any]) -> None:
    if content == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("in.csv", "a,b\n1,2\n")
            archive.writestr("other.txt", "no")
        content = out.getvalue()
    session = api.tree()["session"]
    api.put_form(f"/sessions/{session}/files", (name, content))
    given = {"container": "session", "filter": {"value": "x.*"}, "processFiles": True, **more}
    assert rows(api, {"columns": [], "fileSpec": given}, session) == [{"a": "1", "b": "2"}]


def test_members_of_what_is_no_zip_file(api: Api, ids: dict[str, str]) -> None:
    view = {"fileSpec": spec(processFiles=True, zipMember={"value": "*"})}
    assert "zip" in api.refused(422, "POST", f"/views/data?containerId={ids['project']}", view)


def test_files_of_analyses(api: Api, ids: dict[str, str]) -> None:
    for label in ("Use", "Other"):
        analysis = api.ok("POST", f"/sessions/{ids['session']}/analyses", {"label": label})["_id"]
        api.put_form(f"/analyses/{analysis}/files", (f"{label}.csv", b"x"))
    view = {"columns": columns("file.name"), "missingDataStrategy": "drop-row"}
    view["fileSpec"] = spec(container="session", analysisFilter={"label": {"value": "U*"}})
    assert rows(api, view, ids["project"]) == [{"file.name": "Use.csv"}]
    view["fileSpec"] = spec(container="session", analysisFilter={"gear.name": {"value": "g"}})
    assert rows(api, view, ids["project"]) == []


def test_groups(api: Api, ids: dict[str, str]) -> None:
    sources = [{"src": "session.label"}, {"src": "acquisition.label", "dst": "n", "accumulator": "count"}]
    sources.append({"src": "acquisition.revision", "dst": "mean", "accumulator": "mean"})
    sources.append({"src": "acquisition.uid", "dst": "none", "accumulator": "sum"})
    for keys in (["session.label"], [{"src": "session.label"}]):
        found = rows(api, {"columns": sources, "groupBy": {"columns": keys}}, ids["project"])
        assert found == [{"session.label": "E", "n": 3, "mean": pytest.approx(7 / 3), "none": None}]
    expression = {"columns": [{"src": "session.age", "expr": "x*2"}]}
    assert "expressions" in api.refused(422, "POST", f"/views/data?containerId={ids['project']}", expression)


def test_formats(api: Api, ids: dict[str, str]) -> None:
    view = {"columns": columns("session.label", "session.tags"), **BARE}

    def text(form: str) -> str:
        return api.send("POST", f"/views/data?containerId={ids['project']}&format={form}", view).text

    flat = [{"session.label": "E", "session.tags": []}, {"session.label": "D", "session.tags": []}]
    assert json.loads(text("json")) == {"data": flat}
    assert json.loads(text("json-flat")) == flat
    assert [json.loads(line) for line in text("ndjson").splitlines()] == flat
    assert json.loads(text("json-row-column"))["data"] == {
        "columns": ["session.label", "session.tags"],
        "rows": [["E", []], ["D", []]],
    }
    assert list(csv.reader(io.StringIO(text("csv")))) == [["session.label", "session.tags"], ["E", "[]"], ["D", "[]"]]
    assert text("tsv").splitlines()[0] == "session.label\tsession.tags"
    assert rendered([{"a": 'x"\n'}], "csv") == b'a\n"x""\n"\n'
    api.refused(422, "POST", f"/views/data?containerId={ids['project']}&format=xml", view)


def test_saved_views(api: Api, ids: dict[str, str]) -> None:
    body = {"label": "V", "columns": columns("session.label"), **BARE}
    made = api.ok("POST", f"/containers/{ids['project']}/views", body)["_id"]
    api.ok("POST", "/containers/site/views", body)
    api.refused(404, "POST", "/containers/unknown/views", body)
    assert [row["_id"] for row in api.ok("GET", f"/containers/{ids['project']}/views")] == [made]
    assert api.ok("PUT", f"/views/{made}", {"description": "d"}) == {"modified": 1}
    assert api.ok("GET", f"/views/{made}")["description"] == "d"
    path = f"/views/{made}/data?containerId={ids['project']}&format=csv"
    assert api.send("GET", path).text == "session.label\nE\nD\n"
    save = {"viewId": made, "containerType": "project", "containerId": ids["project"], "filename": "v.csv"}
    api.ok("POST", f"/views/save?containerId={ids['project']}&format=csv", save)
    assert api.send("GET", f"/projects/{ids['project']}/files/v.csv").text == "session.label\nE\nD\n"
    api.refused(404, "POST", f"/views/save?containerId={ids['project']}", {**save, "viewId": "unknown"})
    assert api.ok("DELETE", f"/views/{made}") == {"deleted": 1}
    api.refused(404, "GET", path)
    assert {"name": "subject.code", "description": "The code of the subject.", "type": "string"} in api.ok(
        "GET", "/views/columns"
    )


def test_executions(make_api: Callable[..., Api]) -> None:
    api = make_api(view_polls=1)
    project = api.tree()["project"]
    body = {"label": "V", "columns": columns("subject.label"), **BARE}
    made = api.ok("POST", f"/views/queue?containerId={project}&filter=subject.label=S", body)
    path = f"/data_view_executions/{made['_id']}"
    assert (made["state"], made["project_id"], made["data_view_label"]) == ("queued", project, "V")
    api.refused(409, "GET", f"{path}/data")
    assert [api.ok("GET", path)["state"] for _ in range(3)] == ["processing", "completed", "completed"]
    assert api.send("GET", f"{path}/data?file_format=csv").text == "subject.label\nS\n"
    view = api.ok("POST", f"/containers/{project}/views", body)["_id"]
    second = api.ok("POST", f"/views/{view}/queue?containerId={project}")["_id"]
    api.state.settle()
    assert {row["state"] for row in api.ok("GET", "/data_view_executions")} == {"completed"}
    assert api.ok("POST", f"/data_view_executions/{second}/delete") == {"deleted": 1}
    api.refused(404, "GET", f"/data_view_executions/{second}")
    broken = api.ok("POST", f"/views/queue?containerId={project}", {"columns": [{"src": "x", "expr": "y"}]})["_id"]
    api.state.settle()
    assert api.ok("GET", f"/data_view_executions/{broken}")["state"] == "failed"
