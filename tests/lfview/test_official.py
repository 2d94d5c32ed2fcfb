"""Our resource classes judge values as the official ones do, with the differences that are meant.

The official packages live in a virtual environment of their own: the one whose interpreter
``ASYNCCLIENT_OFFICIAL_LFVIEW_PYTHON`` names, or one that is made on first use in pytest's cache.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from asyncclient.lfview import files, manifests, scene, spatial
from tests.lfview import official_models
from tests.support.official import official_lfview

pytestmark = pytest.mark.official


@pytest.fixture(scope="module")
def official_python(request: pytest.FixtureRequest) -> str:
    """The interpreter of an environment that has the official packages."""
    return official_lfview(request)


def ours() -> dict[str, list[Any]]:
    modules = SimpleNamespace(files=files, manifests=manifests, scene=scene, spatial=spatial)
    return official_models.report(modules, lambda made: made.to_json())


def same_body(official: Any, own: Any) -> bool:
    if isinstance(official, dict) and isinstance(own, dict):
        # Random colours differ; so do colours with components below 16, which these values do not have.
        keys = official.keys() - {"color"}
        return official.keys() == own.keys() and all(same_body(official[key], own[key]) for key in keys)
    if isinstance(official, list) and isinstance(own, list):
        return len(official) == len(own) and all(map(same_body, official, own))
    return bool(official == own)


def meant(text: str, official: list[Any], own: list[Any]) -> bool:
    """Tell whether a difference is one that the contract asks for or allows."""
    if "float('" in text:  # what never could be sent is refused at once
        return official[0] == "invalid" and own == ["refused"]
    if text == "spatial.options.OptionsOpacity(data={})":  # objects inside options are sent as URLs, not as they are
        return official[0] == own[0] and own[1] is None
    if text.endswith("={})"):  # a pointer to an array without metadata: found by validate, not by a stray error
        return official == ["refused"] and own[0] == "invalid"
    if "[1,2,3]" in text or "(1,2,3)" in text:  # hexadecimal digits are padded on the left
        return official[0] == own[0] and "#010203" in str(own)
    if "np.bool_" in text:  # can be sent
        return official[0] == own[0] and official[1] is None
    return False


def test_values_are_judged_alike(official_python: str, tmp_path: Path) -> None:
    script = Path(official_models.__file__)
    done = subprocess.run([official_python, "-I", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    official, own = json.loads(done.stdout), json.loads(json.dumps(ours()))
    assert official.keys() == own.keys()
    different = {
        text: (official[text], own[text])
        for text in official
        if official[text][0] != own[text][0] or not same_body(official[text][1:], own[text][1:])
    }
    assert {text: pair for text, pair in different.items() if not meant(text, *pair)} == {}
    assert len(different) < 60
