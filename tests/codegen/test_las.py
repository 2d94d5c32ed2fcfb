"""The generated tree of las against its description."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncclient._codegen._sources import Function, Sources
from asyncclient._codegen.services import UNITS

PACKAGE = Path(__file__).parents[2] / "asyncclient"
LAS = UNITS["las"].service
assert LAS is not None
POSITIONAL = {(each.operation, each.argument) for each in LAS.positional}
DESCRIPTION = json.loads((PACKAGE / "las/openapi.json").read_text("utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for item in DESCRIPTION["paths"].values() for operation in item.values()
}


def _methods(module: str, name: str) -> dict[str, Function]:
    sources = Sources(PACKAGE)
    members = sources.members(sources.find_class(module, name))
    nodes = {name: member.nodes[-1] for name, member in members.items() if not name.startswith("_")}
    return {name: node for name, node in nodes.items() if not isinstance(node, ast.AnnAssign)}


ASYNC = _methods("asyncclient.las.client", "AsyncClient")
SYNC = _methods("asyncclient.las._generated.sync.client", "Client")


def _signature(node: Function) -> list[tuple[str, str, str]]:
    """Name, kind and default of every argument; a required one has the default ``!``."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args][1:]
    defaults = ["!"] * (len(named) - len(arguments.defaults)) + [ast.unparse(each) for each in arguments.defaults]
    found = [(each.arg, "positional", default) for each, default in zip(named, defaults, strict=True)]
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append((each.arg, "keyword", "!" if default is None else ast.unparse(default)))
    return found


def _expected(name: str) -> list[tuple[str, str, str]]:
    operation = OPERATIONS[name]
    found = []
    for entry in operation.get("x-merged-python-params", operation["x-python-params"]):
        kind = "positional" if (name, entry["name"]) in POSITIONAL else entry["kind"]
        value = entry.get("default")
        found.append((entry["name"], kind, "!" if entry["required"] else "UNSET" if value == "$unset" else repr(value)))
    return found


def test_all_operations_are_there() -> None:
    assert len(OPERATIONS) == 85
    assert set(OPERATIONS) <= set(ASYNC)
    assert set(OPERATIONS) <= set(SYNC)
    assert all(isinstance(ASYNC[name], ast.AsyncFunctionDef) for name in OPERATIONS)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - set(LAS.hand_written)))
def test_generated_signatures_are_those_of_the_merged_table(name: str) -> None:
    assert _signature(ASYNC[name]) == _expected(name)
    assert (ASYNC[name].args.kwarg is not None) == ("x-var-keyword" in OPERATIONS[name])


@pytest.mark.parametrize("name", sorted(set(LAS.hand_written) - {"create_model"}))
def test_hand_written_signatures_hold_the_merged_table(name: str) -> None:
    # What goes beyond the table is by keyword and optional. create_model takes its first arguments in two orders.
    found, expected = _signature(ASYNC[name]), _expected(name)
    names = [argument for argument, _, _ in expected]
    assert [each for each in found if each[0] in names] == expected
    assert all(kind == "keyword" and default != "!" for argument, kind, default in found if argument not in names)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_facade_and_client_have_the_same_signature(name: str) -> None:
    assert ast.unparse(SYNC[name].args) == ast.unparse(ASYNC[name].args)


def test_descriptors_hold_what_the_description_says() -> None:
    from asyncclient._endpoint import Endpoint
    from asyncclient._values import CONVERTERS
    from asyncclient.las._generated import operations

    found: dict[str, Endpoint[Any]] = {}
    for cls in operations.Operations.__mro__[1:-2]:
        for value in vars(sys.modules[cls.__module__]).values():
            if isinstance(value, Endpoint):
                found[value.name] = value
    assert found.keys() == OPERATIONS.keys()
    for name, endpoint in found.items():
        operation = OPERATIONS[name]
        assert endpoint.plan.names == {param.name for param in endpoint.params}
        assert (endpoint.body == "none") == ("requestBody" not in operation)
        assert (endpoint.empty_body == "error") == ("x-empty-body" in operation)
        assert (endpoint.page is not None) == ("x-pagination" in operation)
        assert {param.convert for param in endpoint.params} <= {None, *CONVERTERS}
        assert {param.wire for param in endpoint.params if param.place != "body"} == {
            parameter["name"] for parameter in operation.get("parameters", ())
        }


def test_role_ids_of_none_are_an_empty_list() -> None:
    from asyncclient.las._generated.operations.users import CREATE_USER, UPDATE_USER

    for endpoint in (CREATE_USER, UPDATE_USER):
        assert {param.name: param.none for param in endpoint.params}["role_ids"] == "empty-list"


def test_ids_keep_their_colons_where_the_service_wants_them() -> None:
    from asyncclient.las._generated.operations.datasets import GET_DATASET
    from asyncclient.las._generated.operations.models import GET_MODEL

    assert GET_DATASET.params[0].safe == ":@"
    assert GET_MODEL.params[0].safe == ""


def test_the_models_are_for_type_checkers_only() -> None:
    code = "import sys, asyncclient.las; sys.exit('asyncclient.las._generated.models' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_models_can_be_imported() -> None:
    from asyncclient.las._generated import models

    assert models.Asset.__optional_keys__ >= {"assetId", "content"}
    assert not models.Asset.__required_keys__
