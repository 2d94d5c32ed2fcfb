"""Forms of URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.lfview import utils
from asyncclient.lfview.exceptions import BadURL, ValidationError
from asyncclient.lfview.spatial import DataBasic

HOST = "https://lfview.example"
FORMS: dict[str, tuple[Callable[[str], Any] | None, tuple[str, str | None]]] = {
    "/app/o1/p1/v1": (utils.match_url_app, ("views", None)),
    "/embed/o1/p1/v1": (utils.match_url_app, ("views", None)),
    "/api/v1/project/o1/p1/views/v1": (utils.match_url_project, ("views", None)),
    "/api/v1/view/o1/p1/v1": (utils.match_url_view, ("views", None)),
    "/api/v1/view/o1/p1/v1/slides/s1": (utils.match_url_slide, ("slides", None)),
    "/api/v1/view/o1/p1/v1/slides/s1/feedback/f1": (utils.match_url_feedback, ("feedback", None)),
    "/api/v1/project/o1/p1/files/array/a1": (None, ("files", "array")),
    "/api/v1/view/o1/p1/v1/elements/pointset/e1": (None, ("elements", "pointset")),
}
MATCHERS = [
    utils.match_url_app,
    utils.match_url_project,
    utils.match_url_view,
    utils.match_url_slide,
    utils.match_url_feedback,
]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("tail", ["", "/", "?a=b/c", "/?x#y", "#top"])
def test_forms(path: str, tail: str) -> None:
    own, types = FORMS[path]
    url = HOST + path + tail
    assert [matcher for matcher in MATCHERS if matcher(url)] == ([own] if own else [])
    assert utils.types_from_url(url) == types


@pytest.mark.parametrize(
    "url",
    ["", HOST, f"{HOST}/app/O1/p1/v1", f"{HOST}/app/o-1/p1/v1", f"{HOST}/app/o1/p1", f"{HOST}/app/o1/p1/v1/more",
     f"{HOST}/api/v1/project/o1/p1/Files/array/a1", f"{HOST}/api/v2/view/o1/p1/v1", f"{HOST}/app/o1/p1/v1\n"],
)  # fmt: skip
def test_no_forms(url: str) -> None:
    assert not any(matcher(url) for matcher in MATCHERS)
    with pytest.raises(BadURL, match="no URL of a resource"):
        utils.types_from_url(url)


IDS = st.text("abcxyz0189", min_size=1, max_size=8)


@given(IDS, IDS, IDS, st.sampled_from(["app", "embed"]))
def test_conversions(org: str, proj: str, view: str, form: str) -> None:
    project = utils.convert_url_app_to_project(f"{HOST}/{form}/{org}/{proj}/{view}")
    assert project == f"{HOST}/api/v1/project/{org}/{proj}/views/{view}"
    assert utils.convert_url_project_to_view(project) == f"{HOST}/api/v1/view/{org}/{proj}/{view}"


def test_other_conversions_are_refused() -> None:
    with pytest.raises(ValueError, match="no app URL"):
        utils.convert_url_app_to_project(f"{HOST}/api/v1/view/o1/p1/v1")
    with pytest.raises(ValueError, match="no project-service URL"):
        utils.convert_url_project_to_view(f"{HOST}/app/o1/p1/v1")


def test_messages_hold_no_query() -> None:
    secret = f"{HOST}/storage/a1?signature=s3cret"
    for refuse in (utils.types_from_url, utils.convert_url_app_to_project, utils.convert_url_project_to_view):
        with pytest.raises(BadURL) as caught:
            refuse(secret)
        assert "s3cret" not in str(caught.value)
    with pytest.raises(ValidationError, match="with a query") as refused:
        DataBasic(array=secret)
    assert "s3cret" not in str(refused.value)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    for matcher in MATCHERS:
        assert matcher(text) is None or text
