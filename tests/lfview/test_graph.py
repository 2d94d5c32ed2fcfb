"""Children, and what is known of the state of a resource."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from asyncclient.lfview import files, manifests, scene, spatial, utils
from asyncclient.lfview._graph import forget, mark_fetched, mark_sent, resolve
from asyncclient.lfview.exceptions import NotAResource, NotUploaded, ValidationError
from tests.lfview.samples import URL, VERTICES, category, continuous, data, grid

COUNTER = iter(range(10**6))


def links(resource: Any) -> dict[str, str]:
    sub = f"/{resource.SUB_TYPE}" if resource.SUB_TYPE else ""
    return {"self": f"{URL}/{resource.BASE_TYPE}{sub}/x{next(COUNTER)}"}


def upload(root: Any) -> list[Any]:
    """Send what has to be sent, in order."""
    sent = [node for node in [*utils.compute_children(root), root] if not utils.is_uploaded(node)]
    for node in sent:
        mark_sent(node, links(node))
    # What points to a child that got another URL is sent too.
    return sent


def view_of(*elements: Any) -> manifests.View:
    return manifests.View(elements=list(elements))


def test_children_come_before_their_parents_each_once() -> None:
    shared = files.Array([1.0, 2.0, 3.0, 4.0])
    mapping = continuous()
    first, second = data(array=shared, mappings=[mapping]), data(array=shared)
    points = spatial.ElementPointSet(vertices=VERTICES, data=[first, second])
    url = f"{URL}/elements/surface/s1"
    view = view_of(points, url, url)
    found = utils.compute_children(view)
    assert found == [shared, mapping.gradient, mapping, first, second, points.vertices, points, url]
    assert utils.compute_children(shared) == utils.compute_children(url) == []


def test_names_are_taken_in_alphabetical_order() -> None:
    made = spatial.DataCategory(array=[0], categories=category(), mappings=[category(values=["r", "g"])])
    assert utils.compute_children(made) == [made.array, made.categories, made.mappings[0]]
    lines = spatial.ElementLineSet(vertices=VERTICES, segments=[[0, 1]])
    assert utils.compute_children(lines) == [lines.segments, lines.vertices]


def test_a_view_that_contains_itself_has_an_end() -> None:
    view = view_of(grid())
    other = manifests.View(contents=[view])
    view.contents = [view, other]
    assert utils.compute_children(view) == [other, view.elements[0]]
    view.contents = utils.compute_children(view)
    assert utils.compute_children(view) == [other, view.elements[0]]


def test_options_and_scenes_are_not_looked_into() -> None:
    mapped = data()
    made = spatial.ElementPointSet(vertices=f"{URL}/files/array/a1", defaults={"color": {"data": mapped}})
    assert utils.compute_children(made) == [f"{URL}/files/array/a1"]
    assert utils.compute_children(scene.Slide(scene={})) == []


def test_uploaded_is_what_was_sent_and_did_not_change() -> None:
    view = view_of(spatial.ElementPointSet(vertices=VERTICES, data=[data(name="x")]))
    assert len(upload(view)) == 5
    assert upload(view) == []
    made: Any = view.elements[0].data[0]  # type: ignore[union-attr]  # it is an element
    made.name = made.name
    assert upload(view) == []
    made.name = "y"
    assert upload(view) == [made]
    made.name = "z"
    made.name = "y"
    assert upload(view) == []


def change_array(points: Any) -> Any:
    points.vertices.array[0, 0] = 7
    return points.vertices


def append_data(points: Any) -> Any:
    points.data.append(f"{URL}/data/basic/d9")
    return points


def change_options(points: Any) -> Any:
    points.defaults.color.value = "#010203"
    return points


def change_nested_list(points: Any) -> Any:
    points.data[0].mappings[0].data_controls[0] = -9.0
    return points.data[0].mappings[0]


def change_vector_a_little(points: Any) -> Any:
    points.data[1].origin[0] += 1e-6
    return points.data[1]


def change_image(points: Any) -> Any:
    points.data[1].image.image.getbuffer()[0] = 0
    return points.data[1].image


def same_shape(points: Any) -> Any:
    points.vertices.array = np.ones((4, 3))
    return points.vertices


CHANGES = [
    change_array,
    append_data,
    change_options,
    change_nested_list,
    change_vector_a_little,
    change_image,
    same_shape,
]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_in_place_are_noticed(change: Any) -> None:
    image = files.Image(io.BytesIO(b"png"))
    texture = spatial.TextureProjection(origin=[500000, 6000000, 100], axis_u="x", axis_v="y", image=image)
    points = spatial.ElementPointSet(vertices=VERTICES, data=[data(mappings=[continuous()]), texture])
    upload(points)
    changed = change(points)
    assert upload(points) == [changed]
    assert upload(points) == []


def test_validate_is_no_change() -> None:
    made = grid(axis_u=[0.3, -0.7, 0.11])
    upload(made)
    made.validate()
    assert utils.is_uploaded(made)


def test_a_parent_is_sent_when_its_child_has_another_url() -> None:
    made = data()
    array = made.array
    assert isinstance(array, files.Array)
    upload(made)
    forget(array)
    assert not utils.is_uploaded(array)
    assert array.links is None
    assert upload(made) == [array, made]
    assert upload(made) == []


def test_touch() -> None:
    made = data()
    upload(made)
    utils.touch(made)
    assert upload(made) == [made]
    utils.touch(made, recursive=True)
    assert upload(made) == [made.array, made]
    utils.touch("text")


def test_state_may_be_of_an_earlier_moment() -> None:
    made = data()
    upload(made.array)
    state = utils.fingerprint(made)
    made.name = "changed while it was sent"
    mark_sent(made, links(made), state=state)
    assert not utils.is_uploaded(made)


def test_links_of_the_first_answer_are_kept() -> None:
    made = files.Array([1])
    mark_sent(made, {"self": "first"})
    mark_sent(made, {"self": "second"})
    mark_sent(made)
    assert (made.url, made.links) == ("first", {"self": "first"})
    assert utils.url_of(made) == "first"
    assert utils.url_of("text") == "text"
    with pytest.raises(NotUploaded):
        utils.url_of(files.Array([1]))


def test_resolving_is_no_change() -> None:
    made = spatial.DataBasic(array=f"{URL}/files/array/a1", location="N", mappings=[f"{URL}/mappings/discrete/m1"])
    array = files.Array([1.0])
    mark_fetched([(made, {"self": f"{URL}/data/basic/d1"}), (array, {"self": f"{URL}/files/array/a1"})])
    resolve(made, {f"{URL}/files/array/a1": array})
    assert made.array is array
    assert made.mappings == [f"{URL}/mappings/discrete/m1"]
    assert utils.is_uploaded(made)
    with pytest.raises(ValidationError):
        resolve(made, {f"{URL}/mappings/discrete/m1": array})


def test_bodies_are_of_resources() -> None:
    with pytest.raises(NotAResource, match="ViewMetadata cannot be uploaded on its own"):
        utils.construct_upload_dict(manifests.ViewMetadata(name="x"))  # type: ignore[arg-type]  # the point
    assert utils.construct_upload_dict(scene.Feedback(comment="x")) == {"comment": "x"}


def test_an_invalid_object_has_a_fingerprint_too() -> None:
    made = continuous()
    upload(made)
    controls: Any = made.data_controls
    controls.append(object())
    assert not utils.is_uploaded(made)
    made.description = "\ud800"
    assert utils.fingerprint(made)


def test_synchronous_executor() -> None:
    executor = utils.SynchronousExecutor()
    future = executor.submit(pow, 2, exp=3)
    assert future.done()
    assert future.result() == 8
    executor.shutdown()
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0)
