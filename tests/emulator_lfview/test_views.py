"""Views, slides, feedback, invitations, thumbnails, and who may do what through the view service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator_lfview.conftest import Api, Json, P, V, options, slide_body

VIEW = f"{V}/view1"
THUMBNAIL = {"content_type": "image/png", "content_length": 3}


@pytest.fixture
def view(api: Api) -> Json:
    """A view of one point set, with everything in its contents."""
    vertices = api.array()
    return api.view(api.points(vertices), contents=(vertices["links"]["self"],), name="Mine")


def invite(api: Api, email: str, role: str = "view.spectator", **more: Any) -> Any:
    return api.ok("POST", f"{VIEW}/invites", {"email": email, "roles": [role], "send_email": False, **more})


def test_links(api: Api, view: Json) -> None:
    assert view["links"] == {
        "self": f"{api.url}{P}/views/view1",
        "thumbnail": f"{api.url}{P}/views/view1/thumbnail",
        "slides": f"{api.url}{VIEW}/slides",
        "invites": f"{api.url}{VIEW}/invites",
    }


def test_the_owner_sees_the_same_in_both_services(api: Api, view: Json) -> None:
    assert api.ok("GET", VIEW) == view
    assert api.refused(404, "GET", f"{V}/view2") == "not found"


def test_an_invited_user_reads_through_the_view_service(api: Api, view: Json, as_user: Callable[..., Api]) -> None:
    other = as_user("other-key")
    assert other.refused(403, "GET", view["links"]["self"]) == "forbidden"
    assert other.refused(403, "GET", VIEW) == "forbidden"
    assert other.refused(403, "GET", f"{V}/view9") == "forbidden"
    assert invite(api, "other@emulator.example") == {"ok": True}
    shared = other.ok("GET", VIEW)
    base = f"{api.url}{VIEW}"
    assert shared["links"] == {"self": base, "slides": f"{base}/slides", "invites": f"{base}/invites"}
    assert shared["contents"] == [f"{base}/files/array/array1", f"{base}/elements/pointset/pointset1"]
    points = other.ok("GET", shared["contents"][1])
    assert points["vertices"] == shared["contents"][0]
    assert points["links"] == {"self": shared["contents"][1]}
    array = other.ok("GET", points["vertices"])
    assert array["links"]["location"] == f"{api.url}/storage/array1"


def test_only_the_contents_are_shared(api: Api, view: Json, as_user: Callable[..., Api]) -> None:
    invite(api, "other@emulator.example")
    api.array()
    other = as_user("other-key")
    assert "does not name" in other.refused(403, "GET", f"{VIEW}/files/array/array2")
    assert "does not name" in api.refused(404, "GET", f"{VIEW}/files/array/array2")
    api.ok("DELETE", f"{P}/files/array/array1")
    assert other.refused(404, "GET", f"{VIEW}/files/array/array1") == "not found"


def test_public_views(api: Api, view: Json, as_user: Callable[..., Api]) -> None:
    nobody, other = as_user(None), as_user("other-key")
    assert nobody.refused(401, "GET", VIEW) == "unauthorized"
    api.state.publish(VIEW)
    assert "elements" not in nobody.ok("GET", VIEW)
    assert other.ok("GET", f"{VIEW}/files/array/array1")["uid"] == "array1"
    assert nobody.refused(403, "POST", f"{VIEW}/slides", slide_body()) == "forbidden"
    api.state.publish(view["links"]["self"], public=False)
    assert other.refused(403, "GET", VIEW) == "forbidden"
    with pytest.raises(ValueError, match="there is no view"):
        api.state.publish(f"{VIEW}9")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"roles": ["view.owner"]}, "body.roles[0]: is not one of"),
        ({"message": "x"}, "body.message: goes with send_email"),
        ({"send_email": True}, "body.message: goes with send_email"),
        ({"email": None}, "body.email: is not of type string"),
    ],
)
def test_invitations_that_are_refused(api: Api, view: Json, change: Json, problem: str) -> None:
    body = {"email": "a@example.com", "roles": ["view.editor"], "send_email": False, **change}
    assert problem in api.refused(400, "POST", f"{VIEW}/invites", body)
    assert api.state.find_view(VIEW).invitations == []  # type: ignore[union-attr]  # it was just made


def test_only_owners_invite(api: Api, view: Json, as_user: Callable[..., Api]) -> None:
    invite(api, "other@emulator.example", "view.editor")
    invite(api, "d@example.com", send_email=True, message=None)
    body = {"email": "a@example.com", "roles": ["view.editor"], "send_email": False}
    assert as_user("other-key").refused(403, "POST", f"{VIEW}/invites", body) == "forbidden"


def test_slides_and_feedback(api: Api, view: Json) -> None:
    (element,) = view["elements"]
    slide = api.ok("POST", view["links"]["slides"], slide_body(element, name="One"))
    base = f"{api.url}{VIEW}/slides/slide1"
    assert slide["links"] == {
        "self": base,
        "view": f"{api.url}{VIEW}",
        "feedback": f"{base}/feedback",
        "thumbnail": f"{base}/thumbnail",
    }
    assert api.ok("PATCH", base, slide_body(element, name="Two"))["name"] == "Two"
    assert api.ok("GET", base)["name"] == "Two"
    comment = api.ok("POST", slide["links"]["feedback"], {"comment": "Nice"})
    assert (comment["uid"], comment["type"], comment["comment"]) == ("fb1", "feedback", "Nice")
    assert comment["links"] == {"self": f"{base}/feedback/fb1", "slide": base}
    assert api.ok("PATCH", comment["links"]["self"], {"comment": "Nicer"})["comment"] == "Nicer"
    assert api.ok("GET", comment["links"]["self"])["comment"] == "Nicer"
    api.ok("DELETE", comment["links"]["self"])
    assert api.refused(404, "GET", comment["links"]["self"]) == "not found"
    api.ok("POST", slide["links"]["feedback"], {"comment": "Again"})
    api.ok("DELETE", base)
    assert api.refused(404, "GET", f"{base}/feedback/fb2") == "not found"
    assert api.refused(404, "POST", slide["links"]["feedback"], {"comment": "?"}) == "not found"
    assert "body.comment" in api.refused(400, "POST", _slide(api, view)["links"]["feedback"], {"comment": 1})


def _slide(api: Api, view: Json) -> Json:
    made: Json = api.ok("POST", f"{VIEW}/slides", slide_body(*view["elements"]))
    return made


def test_a_slide_shows_the_elements_of_the_view(api: Api, view: Json) -> None:
    assert "other elements" in api.refused(422, "POST", f"{VIEW}/slides", slide_body())
    extra = api.points()["links"]["self"]
    assert "other elements" in api.refused(422, "POST", f"{VIEW}/slides", slide_body(*view["elements"], extra))


def test_editors_make_slides_and_everybody_comments(api: Api, view: Json, as_user: Callable[..., Api]) -> None:
    own = _slide(api, view)
    editor, reader = as_user("editor-key"), as_user("reader-key")
    invite(api, "editor@emulator.example", "view.editor")
    invite(api, "reader@emulator.example")
    elements = editor.ok("GET", VIEW)["contents"][1:]
    assert reader.refused(403, "POST", f"{VIEW}/slides", slide_body(*elements)) == "forbidden"
    theirs = editor.ok("POST", f"{VIEW}/slides", slide_body(*elements))
    (item,) = theirs["scene"]["plots"][0]["views"]
    assert item["element"] == elements[0]
    (item,) = api.ok("GET", theirs["links"]["self"])["scene"]["plots"][0]["views"]
    assert item["element"] == view["elements"][0]
    assert reader.ok("GET", own["links"]["self"])["author"] == "user1"
    assert reader.ok("POST", own["links"]["feedback"], {"comment": "?"})["author"] == "reader"
    for other in (editor, reader):
        assert other.refused(403, "DELETE", own["links"]["self"]) == "forbidden"
        assert other.refused(403, "PUT", own["links"]["thumbnail"], THUMBNAIL) == "forbidden"
    editor.ok("PATCH", theirs["links"]["self"], {"name": "Theirs"})
    api.ok("DELETE", theirs["links"]["self"])


def test_thumbnails(api: Api, view: Json) -> None:
    slide = _slide(api, view)
    for link in (view["links"]["thumbnail"], slide["links"]["thumbnail"]):
        announced = api.ok("PUT", link, THUMBNAIL)
        path = link.removeprefix(api.url)
        location = f"{api.url}/storage/thumb-{path.strip('/').replace('/', '-')}"
        assert announced == {**THUMBNAIL, "links": {"self": link, "location": location}}
        assert api.put(location, b"png", "bytes 0-2/3", **{"Content-Type": "image/png"}).json() == {"size": 3}
        assert api.state.content(location) == b"png"
        assert api.ok("PUT", link, {**THUMBNAIL, "content_length": 4})
        assert api.put(location, b"png4", "bytes 0-3/4", **{"Content-Type": "image/png"}).status_code == 200
    assert "is not one of" in api.refused(400, "PUT", link, {**THUMBNAIL, "content_type": "image/gif"})
    assert api.refused(404, "PUT", f"{P}/views/none/thumbnail", THUMBNAIL) == "not found"


def test_options_of_elements_in_a_slide(api: Api, view: Json) -> None:
    body = slide_body(*view["elements"])
    body["scene"]["plots"][0]["views"][0] |= options(color={})
    assert "color: has neither 'value' nor 'data'" in api.refused(422, "POST", f"{VIEW}/slides", body)
