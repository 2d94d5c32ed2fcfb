"""The recorded sequences of calls, through the embedded client, async and blocking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncclient.sticky_pi import AsyncLocalClient, LocalClient
from tests.sticky_pi import cases
from tests.sticky_pi.scenarios import LocalPlayer, called, make_fixtures, outcome_of

pytestmark = [cases.needs_contract, pytest.mark.anyio]

SCENARIOS = [s for s in cases.load()["scenarios"] if any("local" in step["expect"] for step in s["steps"])]
ORDERED = ("get_images_with_uid_annotations_series", "$listing", "$bfi", "$tree")

# What is said on purpose where the platform is silent.
ADDED = "are left out, as bundles hold only"
# Intended deviations from the recordings: (scenario, number of the step) and why.
_PROJECTS = "projects without permissions can be deleted too (defect 3)"
DEVIATIONS: dict[tuple[str, int], str] = {
    ("images-get", 15): "nothing asked for is no error (defect 7)",
    ("projects", 20): _PROJECTS,
    ("projects", 21): _PROJECTS,
    ("projects-series", 16): "the answer holds the deleted row, not the first one of the table (defect 4)",
    ("cache", 3): "the file of the cache is found, and removed (defect 12)",
    ("cache", 4): "what is in memory is forgotten too (defect 12)",
}


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["id"])
async def test_local(
    scenario: dict[str, Any],
    blocking: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    local_dir, fixtures = tmp_path / "local", tmp_path / "fixtures"
    fixtures.mkdir()
    make_fixtures(scenario, fixtures)
    where = cases.places(FIXTURES=str(fixtures), LOCAL_DIR=str(local_dir))
    cls: Any = LocalClient if blocking else AsyncLocalClient
    client = cls(str(local_dir), **scenario["client"])
    saved: dict[str, Any] = {}
    differences = []
    try:
        for number, step in enumerate(scenario["steps"]):
            if "local" not in step["expect"]:
                continue
            outcome = await outcome_of(LocalPlayer(client, local_dir), step["call"], where, saved, caplog)
            difference = differs(step, outcome, where)
            if ((scenario["id"], number) in DEVIATIONS) != bool(difference):
                differences.append((number, step["call"], difference or "no deviation any more"))
    finally:
        await called(client, "close" if blocking else "aclose")
    assert not differences


def differs(step: dict[str, Any], outcome: Any, where: dict[str, str]) -> str:
    expected = step["expect"]["local"]
    if "raises" in expected:
        if outcome.error is None:
            return f"returned {outcome.result!r} in place of {expected['raises']}"
        return ""
    if outcome.error is not None:
        return f"raised {outcome.error!r} in place of {expected['returns']!r}"
    returns = filled_places(expected["returns"], where)
    if not cases.same_rows(outcome.result, returns, ordered=step["call"]["method"] in ORDERED):
        return f"returned {outcome.result!r} in place of {returns!r}"
    log = [line for line in filled_places(expected.get("log", []), where) if line[0] == "WARNING"]
    logged = [line for line in outcome.log if ADDED not in line[1]]
    if sorted(logged) != sorted(log):
        return f"logged {logged} in place of {log}"
    return ""


def filled_places(value: Any, where: dict[str, str]) -> Any:
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
        return value
    if isinstance(value, dict):
        return {key: filled_places(item, where) for key, item in value.items()}
    if isinstance(value, list):
        return [filled_places(item, where) for item in value]
    return cases.filled(value, where)
