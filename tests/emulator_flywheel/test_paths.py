"""Paths of labels."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator_flywheel.conftest import Api
from tests.emulator_flywheel.test_work import GEAR


@pytest.fixture
def ids(api: Api) -> dict[str, str]:
    made = api.tree()
    api.put_form(f"/acquisitions/{made['acquisition']}/files", ("f x.txt", b"x"))
    made["file"] = api.ok("GET", "/files")["results"][0]["file_id"]
    made["analysis"] = api.ok("POST", f"/sessions/{made['session']}/analyses", {"label": "An"})["_id"]
    api.put_form(f"/analyses/{made['analysis']}/files", ("out", b"x"))
    made["gear"] = api.ok("POST", "/gears/mygear", GEAR)["_id"]
    return made


def resolved(api: Api, *path: str, **query: Any) -> tuple[list[str], list[str]]:
    answer = api.ok("POST", "/resolve", {"path": list(path)}, params=query)
    assert all(node["container_type"] == node["node_type"] for node in answer["path"] if "node_type" in node)
    return [node["container_type"] for node in answer["path"]], [node["container_type"] for node in answer["children"]]


def test_resolve(api: Api, ids: dict[str, str]) -> None:
    assert resolved(api) == ([], ["group"])
    assert resolved(api, "lab") == (["group"], ["project"])
    assert resolved(api, "lab", "P", "S") == (["group", "project", "subject"], ["session"])
    assert resolved(api, "lab", "P", "S", "E")[1] == ["acquisition", "analysis"]
    assert resolved(api, "lab", "P", "S", "E", "analyses")[1] == ["analysis"]
    assert resolved(api, "lab", "P", "S", "E", "A")[1] == ["file"]
    assert resolved(api, "lab", "P", "S", "E", "A", "files")[1] == ["file"]
    assert resolved(api, "lab", "P", "S", "E", "A", "files", "f x.txt")[0][-1] == "file"
    assert resolved(api, "lab", "P", "S", "E", "analyses", "An", "files", "out")[0][-2:] == ["analysis", "file"]
    assert resolved(api, "gears") == ([], ["gear"])
    assert resolved(api, "gears", "mygear") == (["gear"], [])


def test_ids_in_paths(api: Api, ids: dict[str, str]) -> None:
    path = ["lab", f"<id:{ids['project']}>", "S", "E", "A", "files", f"<id:{ids['file']}>"]
    assert api.ok("POST", "/lookup", {"path": path})["name"] == "f x.txt"
    assert api.ok("POST", "/lookup", {"path": ["gears", f"<id:{ids['gear']}>"]})["_id"] == ids["gear"]
    api.refused(404, "POST", "/lookup", {"path": ["lab", "<id:x>"]})


def test_full_tree(api: Api, ids: dict[str, str]) -> None:
    words = ["lab", "PROJECTS", "P", "SUBJECTS", "S", "SESSIONS", "E", "ACQUISITIONS", "A", "FILES", "f x.txt"]
    assert resolved(api, *words, full_tree="True")[0][-1] == "file"
    api.refused(404, "POST", "/resolve", {"path": words})


def test_short_nodes(api: Api, ids: dict[str, str]) -> None:
    answer = api.http.post("/resolve?minattr=true", json={"path": ["lab", "P"]}).json()
    assert set(answer["path"][1]) == {"_id", "label", "created", "modified", "container_type", "node_type"}


def test_lookup(api: Api, ids: dict[str, str]) -> None:
    assert api.ok("POST", "/lookup", {"path": ["lab", "P", "S", "E", "A"]})["_id"] == ids["acquisition"]
    for path in (
        [],
        ["lab", "Q"],
        ["lab", "P", "S", "E", "A", "x"],
        ["lab", "P", "files"],
        ["lab", "P", "files", "no"],
    ):
        api.refused(404, "POST", "/lookup", {"path": path})
    assert "below a file" in api.refused(
        404, "POST", "/lookup", {"path": ["lab", "P", "S", "E", "A", "files", "f x.txt", "y"]}
    )
