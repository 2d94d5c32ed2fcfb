"""Analytics, applications and their users, and the platform's status."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator_voxel51.conftest import Api


def doc(**info: Any) -> dict[str, Any]:
    whole = {"info": {"name": "me/sense", "version": "1.0", "description": "d", **info}, "inputs": []}
    return {"files": {"file": ("a.json", json.dumps(whole), "application/json")}}


def names(answer: dict[str, Any]) -> list[str]:
    return [f"{row['name']} {row['version']}" for row in answer["analytics"]]


def test_lists_of_analytics(api: Api) -> None:
    newest = ["voxel51/vehicle-sense 0.10", "voxel51/scene-sense 1.0"]
    assert names(api.ok("GET", "/analytics/list", json={"all_versions": False})) == newest
    assert names(api.ok("GET", "/analytics/list")) == newest
    assert names(api.ok("GET", "/analytics/list", params={"all_versions": "True"}))[0] == "voxel51/vehicle-sense 0.9"
    assert len(names(api.ok("GET", "/analytics/list", json={"all_versions": True}))) == 3


def test_queries_of_analytics(api: Api) -> None:
    query = {"search": "name:sense,scope:public", "sort": "upload_date:desc", "limit": 1}
    answer = api.ok("GET", "/analytics", json=query)
    assert (names(answer), answer["count"]) == (["voxel51/scene-sense 1.0"], 2)
    assert len(api.ok("GET", "/analytics", json={"all_versions": True, "search": "type:platform"})["analytics"]) == 3


def test_an_analytic_of_ones_own(api: Api) -> None:
    made = api.ok("POST", "/analytics", **doc(supports_cpu=True, supports_gpu=True))["analytic"]
    assert (made["scope"], made["pending"], made["is_image_to_video"]) == ("user", True, False)
    assert api.ok("GET", f"/analytics/{made['id']}/doc")["info"]["name"] == "me/sense"
    assert "me/sense 1.0" not in names(api.ok("GET", "/analytics/list"))
    assert "me/sense 1.0" in names(api.ok("GET", "/analytics", json={"search": "pending:true"}))
    image = {"files": {"file": ("i.tar", b"image")}}
    path = f"/analytics/{made['id']}/images"
    assert api.refused(400, "POST", path, **image) == "query.type: is required"
    assert "not one of" in api.refused(400, "POST", path, params={"type": "TPU"}, **image)
    for kind in ("cpu", "GPU"):
        api.ok("POST", path, params={"type": kind}, **image)
    assert not api.ok("GET", f"/analytics/{made['id']}")["analytic"]["pending"]
    assert api.refused(409, "POST", "/analytics", **doc()).startswith("This version")
    answers = api.batch("analytics", "details", made["id"], "x")
    assert answers[made["id"]]["response"]["name"] == "me/sense"
    assert answers["x"]["error"]["message"] == "Analytic not found"
    api.ok("DELETE", f"/analytics/{made['id']}")
    assert api.refused(404, "GET", f"/analytics/{made['id']}") == "Analytic not found"


def test_images_it_does_not_want(api: Api) -> None:
    made = api.ok("POST", "/analytics", **doc(supports_cpu=True))["analytic"]
    form = {"params": {"type": "GPU"}, "files": {"file": ("i.tar", b"image")}}
    assert api.refused(400, "POST", f"/analytics/{made['id']}/images", **form).startswith("type: ")


def test_public_analytics_stay(api: Api) -> None:
    (row, *_) = api.ok("GET", "/analytics/list")["analytics"]
    assert api.refused(403, "DELETE", f"/analytics/{row['id']}") == "The analytic belongs to somebody else"
    api.state.add_user("other-key", "user2")
    made = api.ok("POST", "/analytics", **doc())["analytic"]
    other = {"Authorization": "Bearer other-key"}
    assert api.refused(404, "GET", f"/analytics/{made['id']}", headers=other) == "Analytic not found"


def test_the_newest_version_is_the_highest(api: Api) -> None:
    for version in ("2.0", "10.0", "9.9"):
        api.ok("POST", "/analytics", **doc(version=version))
    assert names(api.ok("GET", "/analytics", json={"search": "name:me"})) == ["me/sense 10.0"]


def test_image_to_video(api: Api) -> None:
    form = doc()
    made = api.ok("POST", "/analytics", data={"analytic_type": "IMAGE_TO_VIDEO"}, **form)["analytic"]
    assert made["is_image_to_video"] is True
    assert "not one of" in api.refused(400, "POST", "/analytics", data={"analytic_type": "X"}, **form)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "file.info: is required"),
        ("{}", "file.info: is required"),
        ('{"info": {"name": ""}}', "file.info: name and version are texts"),
        ('{"info": {"name": "x", "version": 1}}', "file.info: name and version are texts"),
        ("{", "file: is not JSON"),
    ],
)
def test_wrong_documents(api: Api, text: str, said: str) -> None:
    assert api.refused(400, "POST", "/analytics", files={"file": ("a.json", text)}) == said


def test_users_of_an_application(app: Api, with_headers: Callable[..., Api]) -> None:
    assert app.ok("GET", "/apps/users/list") == {"users": []}
    for name in ("alice", "Jörg 日本"):
        app.ok("POST", "/apps/users", json={"username": name})
    assert app.ok("GET", "/apps/users/list") == {"users": ["alice", "Jörg 日本"]}
    assert app.refused(409, "POST", "/apps/users", json={"username": "alice"}) == "User already exists"
    assert app.refused(400, "POST", "/apps/users", json={"username": ""}) == "body.username: is empty"
    assert app.refused(400, "POST", "/apps/users", json={"username": None}).startswith("body.username")
    assert app.refused(400, "GET", "/data/list") == "x-voxel51-application-user: is required"
    assert app.refused(400, "POST", "/data/batch", json={"action": "delete", "ids": ["x"]}).startswith("x-voxel51")
    stranger = with_headers(x_voxel51_application="app-key-456", x_voxel51_application_user="bob")
    assert stranger.refused(404, "GET", "/data/list") == "User not found"
    assert with_headers(x_voxel51_application="x").refused(401, "GET", "/data/list") == "Invalid application token"


def test_data_and_jobs_of_all_users(api: Api, app: Api, with_headers: Callable[..., Api]) -> None:
    rows = {}
    api.upload()
    for name in ("alice", "bob"):
        app.ok("POST", "/apps/users", json={"username": name})
        user = with_headers(x_voxel51_application="app-key-456", x_voxel51_application_user=name)
        rows[name] = user.upload(name.encode(), f"{name}.mp4")
        user.job(data_id=rows[name]["id"])
        assert user.ok("GET", "/data/list")["data"] == [rows[name]]
        assert user.state.requests[-1].headers["x-voxel51-application-user"] == name
        if name == "bob":
            assert user.refused(404, "GET", f"/data/{rows['alice']['id']}") == "Data not found"
    answer = app.ok("GET", "/apps/data", params={"fields": "id,name", "search": "name:mp4", "sort": "name:desc"})
    assert answer == {"data": [{"id": rows[n]["id"], "name": f"{n}.mp4"} for n in ("bob", "alice")], "count": 2}
    assert len(app.ok("GET", "/apps/jobs", params={"limit": "5"})["jobs"]) == 2
    assert api.refused(403, "GET", "/apps/data") == "An application token is required"


def test_analytics_of_an_application(api: Api, app: Api, with_headers: Callable[..., Api]) -> None:
    app.ok("POST", "/apps/users", json={"username": "alice"})
    user = with_headers(x_voxel51_application="app-key-456", x_voxel51_application_user="alice")
    made = app.ok("POST", "/apps/analytics", **doc())["analytic"]
    assert user.ok("GET", f"/analytics/{made['id']}")["analytic"]["name"] == "me/sense"
    assert user.refused(403, "DELETE", f"/analytics/{made['id']}") == "The analytic belongs to somebody else"
    assert api.refused(404, "GET", f"/analytics/{made['id']}") == "Analytic not found"
    assert app.batch("analytics", "details", made["id"])[made["id"]]["success"]  # needs no user
    query = {"search": "name:me", "all_versions": "True"}
    assert names(app.ok("GET", "/apps/analytics", params=query)) == ["me/sense 1.0"]
    assert "me/sense 1.0" in names(app.ok("GET", "/apps/analytics/list", json={"all_versions": True}))
    assert api.refused(403, "GET", "/apps/analytics/list") == "An application token is required"
    app.ok("DELETE", f"/apps/analytics/{made['id']}")


def test_status(api: Api, app: Api) -> None:
    assert api.ok("GET", "/status/all") == app.ok("GET", "/apps/status/all")
    api.state.statuses["jobs"] = {"operational": False, "message": "down"}
    assert api.ok("GET", "/status/all")["statuses"]["jobs"]["operational"] is False
    assert api.refused(403, "GET", "/apps/status/all") == "An application token is required"


def test_another_application(app: Api, with_headers: Callable[..., Api]) -> None:
    app.state.add_application("second-key", "second", ["carol"])
    second = with_headers(x_voxel51_application="second-key")
    assert second.ok("GET", "/apps/users/list") == {"users": ["carol"]}
    assert app.ok("GET", "/apps/users/list") == {"users": []}
