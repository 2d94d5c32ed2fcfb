"""Session start, resources of all types, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from asyncclient.testing import app
from asyncclient.testing.lfview import Options
from tests.emulator_lfview.conftest import Api, Json, P, V, options, points_body, slide_body

Z = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
AXES = {"axis_u": [1.0, 0, 0], "axis_v": [0, 1.0, 0]}
NONE = f"{P}/files/array/none"


def test_discovery(api: Api) -> None:
    found = api.plain.get(f"{api.url}/v1/endpoints/lookup", params={"client_version": "x", "service": "a b"}).json()
    assert found == {
        "upload_api_url_spec": "{upload_base_url}/{base_type}{type_delimiter}{sub_type}",
        "user_api_url": f"{api.url}/api/v1/user",
    }
    assert api.refused(400, "GET", "/v1/endpoints/lookup") == "query: 'client_version' is missing"
    assert api.refused(400, "GET", "/v1/endpoints/lookup?client_version=x&a=b") == "query: 'a' is not known"


def test_user(api: Api, as_user: Callable[..., Api]) -> None:
    assert api.ok("GET", "/api/v1/user") == {
        "accepted_terms": True,
        "links": {"default_upload_location": f"{api.url}{P}"},
    }
    assert as_user(None).refused(401, "GET", "/api/v1/user") == "unauthorized"
    api.http.headers["Authorization"] = "bearer wrong"
    assert api.refused(401, "GET", "/api/v1/user") == "unauthorized"
    api.http.headers["Authorization"] = "Basic good-key"
    assert api.refused(401, "GET", "/api/v1/user") == "unauthorized"
    api.http.headers["Authorization"] = "Bearer good-key"
    api.ok("GET", "/api/v1/user")


def test_options(make_api: Callable[..., Api]) -> None:
    api = make_api(api_key="k", user_id="me", organization="o", project="p", accepted_terms=False)
    user = api.ok("GET", "/api/v1/user")
    assert user["accepted_terms"] is False
    location = user["links"]["default_upload_location"]
    assert location == f"{api.url}/api/v1/project/o/p"
    made = api.ok("POST", f"{location}/files/image", {"content_type": "image/png", "content_length": 1})
    assert made["author"] == "me"
    with pytest.raises(ValueError, match="no option 'apikey'; it has: api_key"):
        app("lfview", apikey="x")
    assert app("lfview").credentials("http://x/") == {"api_key": Options().api_key, "discovery_url": "http://x"}


def test_a_resource(api: Api) -> None:
    made = api.array()
    facts = {name: made.pop(name) for name in ("date_created", "date_modified")}
    assert all(Z.fullmatch(text) for text in facts.values())
    self_url = f"{api.url}{P}/files/array/array1"
    assert made == {
        "shape": [3, 3],
        "dtype": "Float64Array",
        "content_length": 72,
        "content_type": "application/octet-stream",
        "uid": "array1",
        "type": "files/array",
        "author": "user1",
        "links": {"self": self_url, "location": f"{api.url}/storage/array1"},
    }
    assert api.ok("GET", self_url) == made | facts
    assert api.array()["uid"] == "array2"
    assert api.send("DELETE", self_url).status_code == 204
    assert api.refused(404, "GET", self_url) == "not found"
    assert api.refused(404, "DELETE", self_url) == "not found"
    assert api.plain.get(made["links"]["location"]).status_code == 404
    assert api.array()["uid"] == "array3"


def everything(api: Api) -> dict[str, Json]:
    """One resource of every type."""
    made: dict[str, Json] = {}

    def post(kind: str, body: Json) -> str:
        made[kind] = api.ok("POST", f"{P}/{kind}", body)
        return str(made[kind]["links"]["self"])

    def array(shape: list[int], dtype: str = "Float64Array") -> str:
        made["files/array"] = api.array(shape, dtype)
        return str(made["files/array"]["links"]["self"])

    made["files/image"] = api.image()
    image = made["files/image"]["links"]["self"]
    vertices, three = array([3, 3]), array([3], "Int32Array")
    gradient = array([2, 3], "Uint32Array")
    continuous = post(
        "mappings/continuous",
        {
            "gradient": gradient,
            "data_controls": [0, 1],
            "gradient_controls": [0, 1],
            "visibility": [False, True, False],
            "interpolate": False,
        },
    )
    discrete = post(
        "mappings/discrete",
        {"values": ["#FF0000", "#00FF00"], "end_points": [1], "end_inclusive": [True], "visibility": [True, True]},
    )
    category = post("mappings/category", {"values": ["a", "b"], "indices": [0, 1], "visibility": [True, True]})
    basic = post("data/basic", {"array": three, "location": "nodes", "mappings": [continuous, discrete]})
    labels = post(
        "data/category", {"array": three, "location": "nodes", "categories": category, "mappings": [category]}
    )
    texture = post("textures/projection", {"origin": [0, 0, 0], **AXES, "image": image})
    post("elements/pointset", points_body(vertices, data=[basic, labels, texture], name="Points"))
    tubes = options(radius={"value": 10.0})
    cells = array([2, 2], "Int32Array")
    post("elements/lineset", {"vertices": vertices, "segments": cells, "data": [basic], "defaults": tubes})
    triangles = array([1, 3], "Int32Array")
    surface = options(wireframe={"active": False}, textures=[{"data": texture, "value": 1.0, "visible": True}])
    post("elements/surface", {"vertices": vertices, "triangles": triangles, "data": [texture], "defaults": surface})
    post(
        "elements/surfacegrid",
        {
            "origin": [0, 0, 0],
            **AXES,
            "tensor_u": [1],
            "tensor_v": [1, 1],
            "offset_w": array([6]),
            "data": [],
            "defaults": surface,
        },
    )
    post(
        "elements/volumegrid",
        {
            "origin": [0, 0, 0],
            **AXES,
            "axis_w": [0, 0, 1.0],
            "tensor_u": [1],
            "tensor_v": [1],
            "tensor_w": [1],
            "data": [],
            "defaults": options(wireframe={"active": True}),
        },
    )
    return made


def test_every_type(api: Api) -> None:
    made = everything(api)
    elements = [item for kind, item in made.items() if kind.startswith("elements/")]
    contents = tuple(row["links"]["self"] for row in made.values())
    made["views"] = api.view(*elements, contents=contents, name="All")
    assert len(made) == 14
    for kind, item in made.items():
        assert item["type"] == kind
        assert api.ok("GET", item["links"]["self"]) == item
    # Mappings and data count together, as their types end alike.
    assert [made[kind]["uid"] for kind in ("mappings/category", "data/category", "views")] == [
        *("category1", "category2", "view1")
    ]


def test_changes_are_merged(api: Api) -> None:
    points = api.points(name="One", description="")
    url = points["links"]["self"]
    changed = api.ok("PATCH", url, {"name": "Two"})
    assert (changed["name"], changed["description"], changed["vertices"]) == ("Two", "", points["vertices"])
    assert api.ok("GET", url) == changed
    assert changed["links"] == points["links"]
    assert api.refused(404, "PATCH", f"{P}/elements/pointset/none", {}) == "not found"


def test_pointers_lead_somewhere(api: Api) -> None:
    vertices = api.array()
    missing = f"{api.url}{NONE}"
    assert api.refused(422, "POST", f"{P}/elements/pointset", points_body(missing)) == (
        "body.vertices: there is no such resource"
    )
    assert "body.data[0]" in api.refused(
        422, "POST", f"{P}/elements/pointset", points_body(vertices["links"]["self"], data=["x/data/basic/none"])
    )
    colour = {"data": f"{P}/data/basic/none", "mapping": f"{P}/mappings/discrete/none"}
    body = points_body(vertices["links"]["self"], defaults=options(color=colour, size={"value": 1}, shape="sphere"))
    assert "body.defaults.color.data" in api.refused(422, "POST", f"{P}/elements/pointset", body)
    # Relative, of another host, and of the view service: each means the same.
    for pointer in ("files/array/array1", f"https://other.example{P}/files/array/array1", f"{V}/v1/files/array/array1"):
        assert api.ok("POST", f"{P}/elements/pointset", points_body(pointer))["vertices"] == vertices["links"]["self"]


def test_pointers_that_died_may_stay(api: Api) -> None:
    one, two = api.points(), api.points()
    view = api.view(one, two)
    api.ok("DELETE", one["links"]["self"])
    body = {"contents": view["contents"], "elements": [two["links"]["self"]]}
    changed = api.ok("PATCH", view["links"]["self"], body)
    assert changed["contents"] == view["contents"]
    assert "body.elements[0]" in api.refused(
        422, "PATCH", view["links"]["self"], {"elements": [f"{P}/elements/surface/abc"]}
    )


def test_pointers_unchecked(make_api: Callable[..., Api]) -> None:
    api = make_api(check_pointers=False)
    text = f"https://lfview.example{P}/elements/surface/abc123"
    view = api.ok("POST", f"{P}/views", {"contents": [text], "elements": [text]})
    assert view["elements"] == [text]
    assert api.ok("PATCH", view["links"]["self"], {"contents": [text]})["contents"] == [text]


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("files/array", {}, "body: 'content_length' is missing"),
        ("files/array", [], "body: must be an object without 'uid'"),
        ("files/image", {"content_type": "image/png", "content_length": 1, "uid": "x"}, "without 'uid'"),
        ("files/image", {"content_type": "image/jpeg", "content_length": 1}, "is not one of image/png"),
        ("files/image", {"content_type": "image/png", "content_length": 1, "links": {}}, "'links' is not known"),
        ("views", {"contents": [], "elements": [], "name": "x" * 301}, "more than 300 characters"),
        ("views", {"contents": [], "elements": [], "name": None}, "body.name: is not of type string"),
        ("mappings/category", {"values": ["a"], "indices": [-1], "visibility": [True]}, "less than 0"),
    ],
)
def test_schemas(api: Api, kind: str, body: Json, problem: str) -> None:
    assert problem in api.refused(400, "POST", f"{P}/{kind}", body)
    assert len(api.state.resources) == 0


def test_bodies_that_are_not_json(api: Api) -> None:
    for content, kind, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415)):
        response = api.http.post(f"{P}/views", content=content, headers={"Content-Type": kind})
        assert response.status_code == status
    response = api.http.post(f"{P}/views", content=b'{"a": NaN}', headers={"Content-Type": "application/json"})
    assert response.json() == {"message": "body: is not JSON"}


def test_paths_and_methods(api: Api) -> None:
    assert api.refused(404, "GET", "/nowhere") == "Not Found"
    assert api.refused(404, "GET", "/storage") == "Not Found"
    assert api.refused(404, "POST", f"{P}/files/video", {}) == "not found"
    assert api.refused(405, "PUT", f"{P}/views/view1", {}) == "Method Not Allowed"
    assert api.refused(404, "GET", "/storage/none") == "not found"
    location = api.array()["links"]["location"]
    assert api.plain.post(location).status_code == 405


def test_somebody_elses_project(api: Api, as_user: Callable[..., Api]) -> None:
    array = api.array()["links"]["self"]
    other = as_user("other-key")
    for method in ("GET", "PATCH", "DELETE"):
        assert other.refused(403, method, array, {} if method == "PATCH" else None) == "forbidden"
    assert other.refused(403, "POST", f"{P}/views", {}) == "forbidden"
    project = "/api/v1/project/org1/proj2"
    assert "body.vertices" in other.refused(422, "POST", f"{project}/elements/pointset", points_body(array))
    assert as_user(None).refused(401, "GET", array) == "unauthorized"


def test_source(api: Api) -> None:
    api.http.headers["Source"] = "My Importer 2.0"
    row = api.state.find(api.array()["links"]["self"])
    assert row is not None
    assert row.source == "My Importer 2.0"


def test_pages(api: Api) -> None:
    api.view()
    for path in ("/app/org1/proj1/view1", "/embed/org1/proj1/view1"):
        page = api.plain.get(api.url + path)
        assert page.headers["content-type"].startswith("text/html")
        assert f"{P}/views/view1" in page.text
    assert api.refused(404, "GET", "/app/org1/proj1/view2") == "not found"
    assert api.state.counters["view_page"] == 3


def test_deleting_a_view_deletes_what_is_below(api: Api) -> None:
    points = api.points()
    view = api.view(points)
    slide = api.ok("POST", view["links"]["slides"], slide_body(points["links"]["self"]))
    api.ok("PUT", slide["links"]["thumbnail"], {"content_type": "image/png", "content_length": 1})
    api.ok("PUT", view["links"]["thumbnail"], {"content_type": "image/png", "content_length": 1})
    assert len(api.state.sessions) == 3
    api.ok("DELETE", view["links"]["self"])
    assert [row.kind for row in api.state.resources] == ["files/array", "elements/pointset"]
    assert list(api.state.sessions) == ["array1"]
    assert api.refused(404, "GET", slide["links"]["self"]) == "not found"


def test_the_record_and_reset(api: Api) -> None:
    api.array()
    api.http.get("/nowhere")
    assert [item.operation for item in api.state.requests] == ["upload", None]
    assert api.state.requests[0].headers["authorization"] == "bearer"
    api.state.reset()
    assert (len(api.state.resources), len(api.state.sessions), len(api.state.requests)) == (0, 0, 0)
    assert api.array()["uid"] == "array1"
