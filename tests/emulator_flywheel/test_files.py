"""Facts about files: by name, by id, over versions; and files that come as forms."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from asyncclient.testing.flywheel.store import mimetype_of, type_of
from tests.emulator_flywheel.conftest import Api


@pytest.fixture
def place(api: Api) -> str:
    return f"/acquisitions/{api.tree()['acquisition']}/files"


def test_forms(api: Api, place: str) -> None:
    rows = api.put_form(place, ("a.txt", b"one"), ("b.nii.gz", b""), metadata={"info": {"x": 1}})
    assert [(row["name"], row["size"], row["version"], row["type"]) for row in rows] == [
        *(("a.txt", 3, 1, "text"), ("b.nii.gz", 0, 1, "nifti"))
    ]
    assert rows[0]["hash"] == f"v0-sha384-{hashlib.sha384(b'one').hexdigest()}"
    assert [row["info"] for row in rows] == [{"x": 1}, {"x": 1}]
    (row,) = api.put_form(
        place, ("%22q%22%0A%25.txt", b"x"), metadata=[{"name": "other"}, {"name": '"q"\n%25.txt', "type": "t"}]
    )
    assert (row["name"], row["type"]) == ('"q"\n%25.txt', "t")


def test_forms_that_are_none(api: Api, place: str) -> None:
    boundary = {"Content-Type": "multipart/form-data; boundary=b"}
    assert api.ok("POST", place, content=b"--b--\r\n", headers=boundary) == []
    api.refused(415, "POST", place, {"a": 1})
    api.refused(400, "POST", place, content=b"nothing", headers={"Content-Type": "multipart/form-data"})
    parts = [("metadata", (None, "{")), ("file", ("f", b"x"))]
    assert "JSON" in api.refused(422, "POST", place, files=parts)
    assert "object" in api.refused(422, "POST", place, files=[("metadata", (None, "5")), ("file", ("f", b"x"))])


def test_large_files(make_api: Callable[..., Api]) -> None:
    api = make_api(max_file_bytes=2_000_000, hash_up_to_bytes=1_000_000)
    place = f"/projects/{api.tree()['project']}/files"
    (row,) = api.put_form(place, ("f", bytes(1_500_000)))
    assert (row["size"], row["hash"]) == (1_500_000, None)
    with pytest.raises(AssertionError, match="larger than"):
        api.put_form(place, ("g", bytes(2_000_001)))
    assert api.send("GET", f"{place}/f").content == bytes(1_500_000)


def test_versions(api: Api, place: str) -> None:
    (first,) = api.put_form(place, ("f.txt", b"one"), metadata={"info": {"a": 1}, "tags": ["t"]})
    (second,) = api.put_form(f"{place}?preserve_metadata=true", ("f.txt", b"two!"), metadata={"info": {"b": 2}})
    assert (second["file_id"], second["version"]) == (first["file_id"], 2)
    assert (second["info"], second["tags"]) == ({"a": 1, "b": 2}, ["t"])
    (third,) = api.put_form(place, ("f.txt", b"three"))
    assert (third["info"], third["tags"]) == ({}, [])
    path = f"/files/{first['file_id']}"
    assert [row["version"] for row in api.ok("GET", f"{path}/versions")] == [1, 2, 3]
    assert api.ok("GET", f"{path}?version=1")["replaced"]
    assert api.ok("GET", path)["replaced"] is None
    assert api.ok("DELETE", f"{path}?version=3") == {"deleted": 1}
    assert api.ok("GET", path)["version"] == 2
    api.refused(404, "GET", f"{path}?version=3")
    restored = api.ok("POST", f"{path}/restore?version=1&evaluate_gear_rules=False")
    assert (restored["version"], restored["restored_from"], restored["size"]) == (4, 1, 3)
    api.refused(404, "POST", f"{path}/restore?version=9")
    assert api.ok("DELETE", path) == {"deleted": 1}
    api.refused(404, "GET", f"{place}/f.txt")
    api.refused(404, "GET", path)
    assert api.put_form(place, ("f.txt", b"again"))[0]["version"] == 5


def test_facts(api: Api, place: str) -> None:
    api.put_form(place, ("f.txt", b"one"))
    path = f"{place}/f.txt"
    assert api.ok("PUT", path, {"type": "log", "modality": "MR"}) == {"modified": 1}
    api.ok("PATCH", f"{path}/info", {"set": {"k": 1}})
    api.ok("PATCH", f"{path}/classification", {"add": {"Intent": ["A", "B"]}, "modality": "CT"})
    api.ok("PATCH", f"{path}/classification", {"add": {"Intent": ["A"], "Other": ["x"]}, "delete": {"Intent": ["B"]}})
    shown = api.ok("GET", f"{path}/info")
    assert (shown["type"], shown["modality"], shown["info"]) == ("log", "CT", {"k": 1})
    assert shown["classification"] == {"Intent": ["A"], "Other": ["x"]}
    api.ok("PATCH", f"{path}/classification", {"replace": {"New": ["n"]}})
    api.ok("PATCH", f"{path}/classification", {"delete": {"Nothing": ["n"]}})
    assert api.ok("GET", f"{path}/info")["classification"] == {"New": ["n"]}
    api.refused(404, "PUT", f"{place}/missing", {"type": "x"})


def test_tags(api: Api, place: str) -> None:
    path = f"/files/{api.put_form(place, ('f', b''))[0]['file_id']}/tags"
    assert api.ok("GET", path) == []
    assert api.ok("PUT", path, ["a", "b", "a"]) == {"modified": 1}
    assert api.ok("PATCH", path, ["b", "c"]) == ["a", "b", "c"]
    assert api.send("DELETE", path, ["a"]).status_code == 204
    assert api.ok("GET", path) == ["b", "c"]


def test_moves(api: Api, place: str) -> None:
    session = api.state.get(place.split("/")[2]).parents["session"]
    (row,) = api.put_form(place, ("f", b"x"))
    path = f"/files/{row['file_id']}"
    assert api.ok("POST", f"{path}/move", {"name": "g"}) == {"modified": 1}
    api.put_form(f"/sessions/{session}/files", ("g", b"y"))
    target = {"type": "session", "id": session}
    api.refused(409, "POST", f"{path}/move", {"container_reference": target})
    api.ok("POST", f"{path}/move", {"container_reference": target, "name": "h"})
    shown = api.ok("GET", path)
    assert (shown["name"], shown["parent_ref"]) == ("h", target)
    assert api.send("GET", f"/sessions/{session}/files/h").content == b"x"
    api.refused(404, "GET", f"{place}/f")


def test_lists(api: Api, place: str) -> None:
    rows = api.put_form(place, *((f"{number}.csv", b"x" * number) for number in range(5)))
    page = api.ok("GET", "/files", params={"filter": "type=tabular data,size>1", "limit": 2})
    assert ([row["name"] for row in page["results"]], page["total"]) == (["2.csv", "3.csv"], 3)
    for key in ("file_id", "_id"):  # clients of different age page by different ids
        page = api.ok("GET", "/files", params={"after_id": rows[2][key]})
        assert [row["name"] for row in page["results"]] == ["3.csv", "4.csv"]
    ids = [rows[0]["file_id"], "nothing"]
    assert api.ok("DELETE", "/files", ids) == {"deleted": 1, "not_found": 1}
    query = [{"attribute": "size", "operator": ">", "value": 3}]
    assert api.ok("DELETE", "/files/delete_by_query", query)["deleted"] == 1
    assert [row["name"] for row in api.ok("GET", "/files")["results"]] == ["1.csv", "2.csv", "3.csv"]
    api.refused(422, "DELETE", "/files/delete_by_query", [])


def test_delete_by_name(api: Api, place: str) -> None:
    api.put_form(place, ("f", b"x"))
    assert api.ok("DELETE", f"{place}/f?delete_reason=test_data&force=True") == {"deleted": 1}
    api.refused(404, "DELETE", f"{place}/f")


def test_types() -> None:
    assert [type_of(name) for name in ("a.DCM", "b.dicom.zip", "c.zip", "d.nii.gz", "e.gz", "f")] == [
        *("dicom", "dicom", "archive", "nifti", None, None)
    ]
    assert mimetype_of("x.csv") == "text/csv"
    assert mimetype_of("x.unheard-of") == "application/octet-stream"


def metadata(subject: str | None = "S-9", **acquisition: object) -> dict[str, object]:
    session: dict[str, object] = {"label": "E", "uid": "1.2"}
    if subject is not None:
        session["subject"] = {"code": subject}
    files = [{"name": "f", "type": "dicom", "info": {"a": 1}}]
    acquisition = {"label": "A", "uid": "1.2.3", "files": files, **acquisition}
    return {"group": {"_id": "lab"}, "project": {"label": "P"}, "session": session, "acquisition": acquisition}


@pytest.mark.parametrize("way", ["label", "uid", "reaper"])
def test_placed_by_labels(api: Api, way: str) -> None:
    api.tree()
    for content in (b"x", b"y"):
        (row,) = api.put_form(f"/upload/{way}", ("f", content), ("skipped", b"z"), metadata=metadata(), field="files")
    acquisition = api.state.find("lab", "P", "S-9", "E", "A")
    assert (row["_id"]["version"], row["type"], row["parent_ref"]["id"]) == (2, "dicom", acquisition.id)
    assert list(acquisition.files) == ["f"]
    other = metadata("S-10")
    (row,) = api.put_form(f"/upload/{way}", ("f", b"x"), metadata=other)
    assert (row["parent_ref"]["id"] == acquisition.id) == (way == "reaper")  # which knows uids wherever they are


def test_placing_that_cannot_be(api: Api) -> None:
    api.tree()
    files = [("files", ("f", b"x"))]
    assert "missing" in api.refused(422, "POST", "/upload/label", files=files)
    assert api.refused(400, "POST", "/upload/label?ticket=", files=files)
    with pytest.raises(AssertionError, match="has no label"):
        api.put_form("/upload/label", ("f", b"x"), metadata=metadata(label=""))
    with pytest.raises(AssertionError, match="Group not found"):
        api.put_form("/upload/label", ("f", b"x"), metadata={**metadata(), "group": {}})
    api.put_form("/upload/label", ("f", b"x"), metadata=metadata(None))
    assert api.state.find("lab", "P", "unknown", "E", "A")


def test_packfiles(api: Api) -> None:
    project = api.tree()["project"]
    token = api.ok("POST", f"/projects/{project}/packfile-start")["token"]
    for name in ("1.dcm", "2.dcm"):
        api.http.post(f"/projects/{project}/packfile?token={token}", files={"file": (name, b"x" * 10)})
    text = '{"project": {"_id": "p"}, "session": {"label": "E"}, "acquisition": {"label": "A"}, "packfile": {"type": "dicom"}}'
    path = f"/projects/{project}/packfile-end"
    params = {"token": token, "metadata": text, "file_count": "2"}
    api.refused(404, "GET", path, params={**params, "token": "other"})
    api.refused(422, "GET", path, params={**params, "metadata": "{}"})
    response = api.send("GET", path, params=params)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [line for line in response.text.splitlines() if line.startswith("event")] == [
        *("event: progress", "event: progress", "event: result")
    ]
    acquisition = api.state.find("lab", "P", "unknown", "E", "A")
    members = api.ok("GET", f"/acquisitions/{acquisition.id}/files/A.dicom.zip?info=true")["members"]
    assert [(item["path"], item["size"]) for item in members] == [("1.dcm", 10), ("2.dcm", 10)]
    api.refused(404, "GET", path, params=params)
