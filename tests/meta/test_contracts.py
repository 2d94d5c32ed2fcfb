"""The repository's copies of descriptions and recorded cases are the contract's, where that lies beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT.parent / "shared" / "contracts"


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the contracts are not beside the repository")
@pytest.mark.parametrize("service", ["las", "lfview", "voxel51"])
def test_copies_are_equal(service: str) -> None:
    for copy, original in (
        (ROOT / "asyncclient" / service / "openapi.json", CONTRACTS / service / "openapi.json"),
        (ROOT / "tests" / "wire" / f"{service}.json", CONTRACTS / service / "wire_cases.json"),
    ):
        assert json.loads(copy.read_text("utf-8")) == json.loads(original.read_text("utf-8")), copy.name


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the contracts are not beside the repository")
@pytest.mark.parametrize("service", ["flywheel", "sticky_pi"])
def test_descriptions_without_recorded_cases_are_equal(service: str) -> None:
    copy, original = ROOT / "asyncclient" / service / "openapi.json", CONTRACTS / service / "openapi.json"
    assert json.loads(copy.read_text("utf-8")) == json.loads(original.read_text("utf-8"))
