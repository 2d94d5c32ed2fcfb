"""All classes: construction, defaults, JSON both ways, the schema they show."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from asyncclient import errors
from asyncclient.lfview import exceptions, files, manifests, scene, spatial
from asyncclient.lfview._base import Model, Resource, kinds_of
from asyncclient.lfview.exceptions import NotUploaded, UnknownProperty, ValidationError
from tests.lfview.cases import class_of
from tests.lfview.samples import CLASSES, SAMPLES, SCHEMAS, URL, data, grid, sample


def linked(resource: Any) -> str:
    """Stand for any child."""
    sub = [resource.SUB_TYPE] if resource.SUB_TYPE else []
    return "/".join([URL, resource.BASE_TYPE, *sub, "x1"])


def test_there_are_48_classes_and_a_sample_of_each() -> None:
    assert len(CLASSES) == 48
    assert SAMPLES.keys() == SCHEMAS.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_samples_are_valid(name: str) -> None:
    assert sample(name).validate() is True


@pytest.mark.parametrize("name", CLASSES)
def test_constants_and_properties_are_those_of_the_description(name: str) -> None:
    cls: Any = class_of(name)
    schema = SCHEMAS[name]
    wire_only = {key for key, value in schema["properties"].items() if value.get("x-wire-only")}
    assert list(cls.model_fields) == [key for key in schema["properties"] if key not in wire_only]
    assert {key for key, kind in kinds_of(cls).items() if kind.required} == set(schema.get("required", ()))
    assert issubclass(cls, Resource) == ("x-base-type" in schema)
    if "x-base-type" in schema:
        found = (cls.BASE_TYPE, cls.SUB_TYPE, cls.POINTER_PATTERN)
        assert found == (schema["x-base-type"], schema["x-sub-type"], schema["x-pointer-pattern"])


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_written_can_be_read(name: str) -> None:
    made = sample(name)
    wire = made.to_json(linked)
    again = type(made).from_json(wire)
    assert type(again) is type(made)
    assert again.to_json() == wire
    assert "null" not in str(wire)
    again.validate()


@pytest.mark.parametrize("name", CLASSES)
def test_unset_properties_are_absent_and_required_ones_are_missed(name: str) -> None:
    cls: Any = class_of(name)
    empty = cls()
    for key in cls.model_fields:
        delattr(empty, key)
    assert empty.to_json() == {}
    required = {key for key, kind in kinds_of(cls).items() if kind.required}
    if not required:
        return
    with pytest.raises(ValidationError) as caught:
        empty.validate()
    assert {problem.path for problem in caught.value.problems if problem.message == "is required"} >= required


@pytest.mark.parametrize("name", CLASSES)
def test_defaults_are_those_of_the_description(name: str) -> None:
    made = class_of(name)()
    wire = made.to_json(linked)
    for key, schema in SCHEMAS[name]["properties"].items():
        if "x-default" in schema:
            colour = wire[key]["color"].pop("value")
            assert colour.startswith("#")
            expected = copy.deepcopy(schema["x-default"])
            expected["color"].pop("value")
            assert expected.items() <= wire[key].items()
        elif "default" in schema and not (key == "uid" and isinstance(made, Resource)):
            assert wire[key] == schema["default"] or schema["default"].items() <= wire[key].items()
        else:
            assert key not in wire


@pytest.mark.parametrize("name", CLASSES)
def test_mutable_defaults_are_fresh(name: str) -> None:
    cls = class_of(name)
    first, second = cls(), cls()
    for key in cls.model_fields:
        value = getattr(first, key)
        if value is not None and not isinstance(value, (str, int, float, bool, tuple)):
            assert value is not getattr(second, key)


def strip(schema: Any) -> Any:
    """Leave of a schema what models show: no annotations of ours, no defaults, no descriptions."""
    if isinstance(schema, list):
        return [strip(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: strip(v) for k, v in schema.items() if not k.startswith("x-") and k not in ("default", "description")}
    return kept.get("allOf", [kept])[0]


@pytest.mark.parametrize("name", ["spatial.MappingContinuous", "spatial.DataBasic", "files.Array", "scene.Ruler"])
def test_json_schema_is_that_of_the_description(name: str) -> None:
    shown = class_of(name).model_json_schema()["properties"]
    expected = {key: strip(value) for key, value in SCHEMAS[name]["properties"].items() if not value.get("x-wire-only")}
    assert {key: strip(value) for key, value in shown.items()}.keys() == expected.keys()
    for key, value in expected.items():
        got = {k: v for k, v in shown[key].items() if k not in ("title", "default")}
        assert got == value


@pytest.mark.parametrize("name", CLASSES)
def test_json_schema_can_be_shown(name: str) -> None:
    assert class_of(name).model_json_schema()["type"] == "object"


def test_unknown_names_are_refused_and_the_nearest_is_named() -> None:
    with pytest.raises(UnknownProperty, match=r"DataBasic\.locaton: no such property; did you mean location\?"):
        spatial.DataBasic(locaton="N")  # type: ignore[call-arg]  # the point
    made = data()
    with pytest.raises(AttributeError, match="did you mean mappings"):
        made.maping = []
    with pytest.raises(errors.AsyncClientError, match="there are uid, comment"):
        scene.Feedback(zzzzzzz=1)  # type: ignore[call-arg]  # the point
    with pytest.raises(AttributeError):
        made.links = {}  # type: ignore[misc]  # the point


def test_errors_are_value_errors_with_every_problem_and_travel() -> None:
    with pytest.raises(ValueError, match="2 problems") as caught:
        spatial.ElementPointSet(name=3, vertices=[1, 2])  # type: ignore[arg-type]  # the point
    error = caught.value
    assert isinstance(error, errors.ArgumentError)
    assert isinstance(error, ValidationError)
    assert [problem.path for problem in error.problems] == ["name", "vertices"]
    assert (error.owner, error.argument) == ("ElementPointSet", "name")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), error.problems)


@pytest.mark.parametrize("name", exceptions.__all__)
def test_errors_travel_and_are_of_the_tree(name: str) -> None:
    cls = getattr(exceptions, name)
    if cls is exceptions.Problem:
        return
    error = cls("text")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (cls, "text")
    assert isinstance(error, errors.AsyncClientError)
    assert isinstance(error, ValueError)


def test_problems_of_all_children_come_in_one_error() -> None:
    view = manifests.View(
        name="v", elements=[grid(data=[data(5), spatial.DataBasic(location="cells")]), spatial.ElementPointSet()]
    )
    with pytest.raises(ValidationError) as caught:
        view.validate()
    assert [problem.path for problem in caught.value.problems] == [
        "elements[0].data[0].array",
        "elements[0].data[1].array",
        "elements[1].vertices",
    ]


def test_a_list_that_is_too_long_hides_no_other_problem() -> None:
    view = manifests.View(elements=[spatial.ElementPointSet()] + [f"{URL}/elements/surface/s{n}" for n in range(100)])
    with pytest.raises(ValidationError) as caught:
        view.validate()
    assert [problem.path for problem in caught.value.problems] == ["elements", "elements[0].vertices"]


def test_a_shared_child_is_reported_once() -> None:
    shared = spatial.DataBasic(location="nodes")
    view = manifests.View(elements=[grid(data=[shared]), grid(data=[shared])])
    with pytest.raises(ValidationError) as caught:
        view.validate()
    assert len(caught.value.problems) == 1


def test_nested_problems_have_their_path() -> None:
    with pytest.raises(ValidationError) as caught:
        spatial.ElementPointSet(defaults={"color": {"value": "Red"}, "opacity": {"value": 2}})
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"defaults.color.value", "defaults.opacity.value"}
    with pytest.raises(ValidationError) as caught:
        scene.Scene(plots=[{"lims": [[0, 1], [0]]}])
    assert [problem.path for problem in caught.value.problems] == ["plots[0].lims[1]"]


def test_none_unsets() -> None:
    made: Any = data(name="x")
    made.name = None
    assert made.name is None
    assert "name" not in made.to_json(linked)
    made.name = "y"
    del made.name
    assert made.name is None
    assert scene.Slice(position_b=None).position_b is None
    with pytest.raises(AttributeError):
        del made.nothing


def test_a_refused_assignment_changes_nothing() -> None:
    made = data(name="x")
    with pytest.raises(ValidationError, match=r"DataBasic\.location"):
        made.location = "middle"
    assert made.location == "nodes"


def test_lists_are_copied_and_checked_again_by_validate() -> None:
    given = [0, 1, 2, 3]
    made = continuous_with(given)
    given.append(4)
    assert made.data_controls == [0.0, 1.0, 2.0, 3.0]
    kept = made.data_controls
    assert kept is not None
    kept[0] = True
    made.validate()
    assert made.data_controls is kept
    assert kept[0] == 1.0
    kept.append("text")  # type: ignore[arg-type]  # the point
    with pytest.raises(ValidationError, match=r"data_controls\[4\]: expected a number"):
        made.validate()


def continuous_with(controls: list[Any]) -> spatial.MappingContinuous:
    return spatial.MappingContinuous(gradient=f"{URL}/files/array/a1", data_controls=controls)


def test_objects_equal_only_themselves() -> None:
    first, second = data(), data()
    assert first != second
    assert len({first, second, first}) == 2


def test_uid_is_sent_for_parts_only() -> None:
    assert "uid" not in manifests.View(uid="v1").to_json()
    assert scene.Slice(uid="s").to_json()["uid"] == "s"


def test_children_without_url_cannot_be_written() -> None:
    with pytest.raises(NotUploaded, match="Array has no URL yet"):
        data().to_json()


def test_objects_inside_options_are_sent_as_urls() -> None:
    mapped = data()
    points = spatial.OptionsPoints(color={"data": mapped, "mapping": f"{URL}/mappings/continuous/m1"})
    assert points.to_json(linked)["color"]["data"] == f"{URL}/data/basic/x1"


def test_model_dump_shows_children_that_are_not_uploaded() -> None:
    shown = data(2).model_dump()
    assert shown["array"]["shape"] == [2]
    assert shown["name"] is None
    assert shown["location"] == "nodes"


def test_models_can_be_copied_and_pickled() -> None:
    made = sample("spatial.ElementPointSet")
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again is not made
        assert again.to_json(linked) == made.to_json(linked)
        assert again.vertices.array.tolist() == made.vertices.array.tolist()


def test_repr_is_short() -> None:
    text = repr(sample("manifests.View"))
    assert "<ElementSurfaceGrid>" in text
    assert len(text) < 400
    assert "<Array>" in repr(data())


def test_pydantic_can_build_models_of_dicts() -> None:
    assert spatial.DataBasic.model_validate({"location": "CC"}).location == "cells"
    with pytest.raises(ValueError, match="expected one of nodes, cells"):  # pydantic's own, around ours
        spatial.DataBasic.model_validate({"location": 3})


def test_empty_text_is_kept() -> None:
    assert manifests.View(name="").to_json()["name"] == ""


def test_text_goes_through_unchanged() -> None:
    text = "See “here” 👍"
    assert scene.Feedback(comment=text).to_json() == {"comment": text}


def test_lengths() -> None:
    with pytest.raises(ValidationError, match="at most 300 characters, got 301"):
        manifests.View(name="x" * 301)
    view = manifests.View(elements=[f"{URL}/elements/surface/s{n}" for n in range(101)])
    with pytest.raises(ValidationError, match=r"elements: at most 100 items, got 101"):
        view.validate()
    with pytest.raises(ValidationError, match=r"slices: at least 1 items, got 0"):
        scene.SliceGroup(slices=[]).validate()
    with pytest.raises(ValidationError, match=r"path\[0\]: at least 2 items, got 1"):
        scene.AnnotationInk(position=[0, 0], color="r", path=[[0]]).validate()


def test_models_are_pydantic() -> None:
    assert issubclass(Model, __import__("pydantic").BaseModel)
    assert files.Array.model_fields["shape"].is_required() is False
