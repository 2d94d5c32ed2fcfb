"""What is particular in the description of the Voxel51 Platform: names used twice, queries as one argument, constants."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from asyncclient._codegen._description import Description
from asyncclient._codegen._read_operations import read_operations
from asyncclient._codegen.services import UNITS
from asyncclient._endpoint import Endpoint, Param
from asyncclient._values import CONVERTERS, members
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.voxel51._generated.operations import (
    ApplicationOperations,
    Operations,
    analytics,
    applications,
    data,
    jobs,
    status,
)

PATH = Path(inspect.getfile(Operations)).parents[2] / "openapi.json"
VOXEL51 = UNITS["voxel51"].service
assert VOXEL51 is not None


def test_every_operation_has_its_descriptor() -> None:
    description = Description.load(PATH)
    modules = {"analytics": analytics, "applications": applications, "data": data, "jobs": jobs, "status": status}
    found = [(raw["tags"][0], raw["x-python-name"], path) for path, _, raw in description.operations()]
    assert len(found) == 56
    for tag, name, path in found:
        endpoint = getattr(modules[tag], name.upper())
        assert (endpoint.name, endpoint.path) == (name, path)


def test_what_applications_do_otherwise_has_a_class_of_its_own() -> None:
    both = set(vars(applications.ApplicationsOperations)) & set(dir(Operations))
    assert {"list_analytics", "query_analytics", "get_platform_status"} <= both
    assert not issubclass(Operations, applications.ApplicationsOperations)
    assert ApplicationOperations.list_analytics is not Operations.list_analytics


def test_queries_of_applications_are_one_argument() -> None:
    (operation,) = [
        operation
        for operation in read_operations(VOXEL51, Description.load(PATH, VOXEL51.patches))
        if operation.name == "query_application_jobs"
    ]
    assert operation.members_of == "jobs_query"
    assert [argument.name for argument in operation.arguments] == ["jobs_query"]
    assert [parameter.name for parameter in operation.parameters] == ["fields", "search", "sort", "offset", "limit"]


def test_constants_are_sent_without_being_asked_for() -> None:
    assert jobs.BATCH_KILL_JOBS.params[0] == Param("action", "action", "body", types=("string",), default="kill")
    assert list(inspect.signature(Operations.batch_kill_jobs).parameters) == ["self", "job_ids"]


def test_answers_are_unwrapped_as_the_description_says() -> None:
    assert (data.LIST_DATA.unwrap, data.QUERY_DATA.unwrap, jobs.BATCH_KILL_JOBS.unwrap) == ("data", None, "responses")


class Query:
    def to_dict(self) -> dict[str, object]:
        return {"limit": 5}


def test_members_of_an_argument() -> None:
    endpoint: Endpoint[object] = Endpoint("find", "GET", "/x", params=(Param("limit", "limit", "query"),))
    assert members(endpoint, "query", Query()) == members(endpoint, "query", {"limit": 5}) == {"limit": 5}
    with pytest.raises(ArgumentTypeError, match="query must be a query or a mapping, not type"):
        members(endpoint, "query", Query)
    with pytest.raises(ArgumentError, match="limti; accepted: limit"):
        members(endpoint, "query", {"limti": 5})


def test_lists_of_ids() -> None:
    listed = CONVERTERS["listed"]
    assert listed(iter("ab")) == listed(("a", "b")) == ["a", "b"]
    assert (listed("ab"), listed(5), listed(None)) == ("ab", 5, None)
    with pytest.raises(ArgumentError, match="empty"):
        listed(["a", ""])
    with pytest.raises(ArgumentTypeError, match="int"):
        listed([5])
