"""What importing costs and needs, and that the generated classes are up to date."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient import lfview
from asyncclient._codegen import lfview_models
from asyncclient._codegen._errors import DescriptionError, OverrideError
from asyncclient._codegen._lfview_kinds import kind_of
from asyncclient._codegen._trees import compare, formatted

PACKAGE = Path(lfview.__file__).parent


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_the_package_loads_neither_numpy_nor_pydantic() -> None:
    code = "import sys, asyncclient.lfview; print({'numpy', 'pydantic', 'httpx'} & set(sys.modules))"
    assert run(code).strip() == "set()"


def test_without_numpy_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["numpy"] = None
from asyncclient import lfview
try:
    lfview.spatial
except ImportError as error:
    print(error)
"""
    assert run(code).strip() == "the LF View resource models need numpy: pip install 'asyncclient[lfview]'"


def test_types_of_arguments_exist_at_run_time_too() -> None:
    inputs = importlib.import_module("asyncclient.lfview._inputs")
    assert all(hasattr(inputs, name) for name in inputs.__all__)


def test_submodules_are_loaded_on_demand() -> None:
    assert lfview.spatial.options.OptionsColor is lfview.spatial.OptionsPoints().color.__class__
    assert set(lfview.__all__) <= set(dir(lfview))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        lfview.nothing  # noqa: B018  # the point


def test_generated_classes_are_up_to_date() -> None:
    texts = formatted(lfview_models.lfview_modules(PACKAGE / "openapi.json"))
    made = {path: text for path, text in texts.items() if path.startswith("models/")}
    assert (
        compare(PACKAGE / "_generated" / "models", {path.removeprefix("models/"): text for path, text in made.items()})
        == []
    )


def changed(tmp_path: Path, schema: str, **values: object) -> Path:
    document = json.loads((PACKAGE / "openapi.json").read_text("utf-8"))
    document["components"]["schemas"][schema] |= values
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_a_rule_that_nobody_wrote_is_an_error(tmp_path: Path) -> None:
    path = changed(tmp_path, "scene_Slice", **{"x-validators": ["on validate: a new rule"]})
    with pytest.raises(DescriptionError, match="a new rule"):
        lfview_models.lfview_modules(path)


def test_a_rule_that_nothing_asks_for_is_an_error(tmp_path: Path) -> None:
    path = changed(tmp_path, "scene_Slice", **{"x-validators": []})
    with pytest.raises(OverrideError, match="needs position_b"):
        lfview_models.lfview_modules(path)


def test_a_property_without_a_kind_is_an_error() -> None:
    with pytest.raises(DescriptionError, match="no kind of property"):
        kind_of({"type": "odd"})


def test_the_copy_of_the_description_is_that_of_the_contract() -> None:
    contract = Path(__file__).parents[3] / "shared" / "contracts" / "lfview" / "openapi.json"
    if not contract.exists():
        pytest.skip("the contract is not beside the repository")
    assert json.loads(contract.read_text("utf-8")) == json.loads((PACKAGE / "openapi.json").read_text("utf-8"))
