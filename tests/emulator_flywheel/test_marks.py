"""Tags, notes and info."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.handlers.marks import change_info
from tests.emulator_flywheel.conftest import Api


def test_tags(api: Api) -> None:
    project = api.tree()["project"]
    path = f"/projects/{project}/tags"
    odd = "a/b é.%2F~"
    assert api.ok("POST", path, {"value": odd}) == {"modified": 1}
    api.refused(409, "POST", path, {"value": odd})
    api.refused(422, "POST", path, {"value": ""})
    assert api.ok("GET", f"{path}/{quote(odd, safe='')}") == odd
    assert api.send("PATCH", path, ["b", "c", "b", odd]).status_code == 204
    assert api.state.get(project).tags == [odd, "b", "c"]
    api.refused(409, "PUT", f"{path}/b", {"value": "c"})
    assert api.ok("PUT", f"{path}/b", {"value": "d"}) == "d"
    assert api.ok("DELETE", f"{path}/{quote(odd, safe='')}") == {"deleted": 1}
    assert api.send("DELETE", path, ["c", "x"]).status_code == 204
    assert api.state.get(project).tags == ["d"]
    api.refused(404, "GET", f"{path}/c")


def test_notes(api: Api) -> None:
    ids = api.tree()
    path = f"/sessions/{ids['session']}/notes"
    note = api.ok("POST", path, {"text": "one"})
    assert (note["text"], note["user"]) == ("one", api.state.options.user_id)
    assert api.ok("PUT", f"{path}/{note['_id']}", {"text": "two"}) == 1
    assert api.ok("GET", f"{path}/{note['_id']}")["text"] == "two"
    analysis = api.ok("POST", f"/sessions/{ids['session']}/analyses", {"label": "x"})["_id"]
    inner = api.ok("POST", f"/sessions/{ids['session']}/analyses/{analysis}/notes", {"text": "in"})
    assert [item["text"] for item in api.state.get(analysis).notes] == ["in"]
    assert api.ok("DELETE", f"/sessions/{ids['session']}/analyses/{analysis}/notes/{inner['_id']}") == {"deleted": 1}
    assert api.ok("DELETE", f"{path}/{note['_id']}") == {"deleted": 1}
    api.refused(404, "DELETE", f"{path}/{note['_id']}")


def test_info(api: Api) -> None:
    project = api.tree()["project"]
    path = f"/projects/{project}/info"
    api.ok("PATCH", path, {"set": {"a.b": {"$x": [{"y.z": 1}]}, "c": 2}})
    assert api.state.get(project).info == {"a_b": {"-x": [{"y_z": 1}]}, "c": 2}
    api.ok("PATCH", path, {"set": {"c": 3}, "delete": ["a_b.-x", "nothing", "no.thing"]})
    assert api.ok("GET", f"/projects/{project}")["info"] == {"a_b": {}, "c": 3}
    api.ok("PATCH", path, {"replace": {}})
    assert api.ok("GET", f"/projects/{project}")["info_exists"] is False
    assert "either" in api.refused(422, "PATCH", path, {})
    assert "either" in api.refused(422, "PATCH", path, {"replace": {}, "set": {}})


def test_info_is_changed_without_side_effects() -> None:
    before = {"a": {"b": 1, "c": 2}}
    assert change_info(before, {"delete": ["a.b"]}) == {"a": {"c": 2}}
    assert before == {"a": {"b": 1, "c": 2}}
    with pytest.raises(Refusal):
        change_info(before, {"set": None})
