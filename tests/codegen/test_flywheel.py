"""The generators on a large description: Flywheel's, where it lies beside the repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from asyncclient._codegen._generate import service_modules
from asyncclient._codegen._settings import Service
from asyncclient._codegen._trees import formatted, write

ROOT = Path(__file__).parents[2]
DESCRIPTION = ROOT.parent / "shared/contracts/flywheel/openapi.json"

pytestmark = pytest.mark.skipif(not DESCRIPTION.exists(), reason="needs the contracts beside the repository")

FLYWHEEL = Service(name="flywheel", title="Flywheel", answers="pydantic", hand_written={}, hand_written_transfers=True)

SERVICE_BASE = """
from collections.abc import Mapping
from typing import Any, TypeVar

from asyncclient._endpoint import Endpoint

T = TypeVar("T")


class ServiceBase:
    async def _call(self, endpoint: Endpoint[T], arguments: Mapping[str, Any]) -> T:
        raise NotImplementedError
"""

IMPORT_ALL = """
import importlib, pkgutil, sys

import asyncclient.flywheel._generated.operations as operations
from asyncclient._endpoint import Endpoint, ModelRef

assert "pydantic" not in sys.modules, "operations load pydantic"
assert not any("_generated.models" in name for name in sys.modules), "operations load models"
endpoints = {}
for found in pkgutil.iter_modules(operations.__path__):
    module = importlib.import_module(f"{operations.__name__}.{found.name}")
    endpoints.update({value.name: value for value in vars(module).values() if isinstance(value, Endpoint)})
print(len(endpoints), sum(name in dir(operations.Operations) for name in endpoints))

from asyncclient._codec import load_model, parse
from asyncclient.flywheel._generated import models

for name in models._HOMES:
    getattr(models, name)
for endpoint in endpoints.values():
    assert len(endpoint.plan.names) == len(endpoint.params), endpoint.name
    if endpoint.returns is not None:
        load_model(endpoint.returns)

project = parse({"_id": "p1", "label": 7, "unheard_of": [1]}, ModelRef(models.ProjectOutput.__module__, "ProjectOutput"))
assert (project.id, project.label, project.unheard_of, project.created) == ("p1", "7", [1], None)
assert project.model_dump(by_alias=True, exclude_unset=True) == {"_id": "p1", "label": "7", "unheard_of": [1]}
node = ModelRef(models._HOMES["ResolverNode"] and "asyncclient.flywheel._generated.models", "ResolverNode")
assert isinstance(parse({"container_type": "Project"}, node), models.ProjectNode)
assert isinstance(parse({"node_type": "file"}, node), models.FileNode)
assert parse({"node_type": "new"}, node).node_type == "new"
assert models.Rule(not_=[]).model_dump(by_alias=True, exclude_unset=True) == {"not": []}
assert models.NoteInput(text="a").model_dump(exclude_unset=True) == {"text": "a"}
assert models.AccessPermissionOutput.model_validate({"access": "brand-new"}).access == "brand-new"
assert "ProjectOutput" in dir(models)
try:
    models.Unheard
except AttributeError as error:
    assert "Unheard" in str(error)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("flywheel")
    package = root / "asyncclient"
    write(package / "flywheel/_generated", formatted(service_modules(FLYWHEEL, DESCRIPTION)))
    for name in ("__init__.py", "py.typed", "flywheel/__init__.py"):
        (package / name).write_text("", "utf-8")
    (package / "_service.py").write_text(textwrap.dedent(SERVICE_BASE), "utf-8")
    for name in ("_endpoint.py", "_codec.py", "errors.py", "types.py"):
        shutil.copy(ROOT / "asyncclient" / name, package / name)
    return root


def test_everything_imports_and_every_model_compiles(tree: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL], cwd=tree, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["500", "442"]
