"""The official names are where scripts look for them, with the official signatures; the documents list every deviation."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asyncclient import voxel51
from asyncclient.voxel51 import utils
from tests.voxel51.cases import CASES
from tests.voxel51.deviations import DEVIATIONS

ROOT = Path(__file__).parents[2]
DESCRIPTION = json.loads((ROOT / "asyncclient" / "voxel51" / "openapi.json").read_text())
DOCUMENT = (ROOT / "docs" / "howto" / "voxel51.md").read_text("utf-8")
EMPTY = inspect.Parameter.empty

OFFICIAL = {
    "users.api": "API APIError AnalyticType AnalyticImageType",
    "apps.api": "ApplicationAPI ApplicationAPIError",
    "users.auth": """Token TokenError activate_token deactivate_token get_active_token_path load_token TOKEN_ENV_VAR
        PRIVATE_KEY_ENV_VAR BASE_API_URL_ENV_VAR TOKEN_PATH DEFAULT_BASE_API_URL HELP_URL""",
    "apps.auth": """ApplicationToken ApplicationTokenError activate_application_token deactivate_application_token
        get_active_application_token_path load_application_token KEY_HEADER USER_HEADER TOKEN_ENV_VAR
        PRIVATE_KEY_ENV_VAR BASE_API_URL_ENV_VAR TOKEN_PATH""",
    "users.jobs": """JobRequest RemoteDataPath RemoteDataPathError JobState JobComputeMode JobFailureType
        JobExecutionError DATA_ID_FIELD""",
    "users.query": "BaseQuery AnalyticsQuery DataQuery JobsQuery",
    "users.utils": """urljoin read_json load_json json_to_str write_json copy_file ensure_basedir query_yes_no
        to_human_bytes_str to_human_bits_str to_human_decimal_str to_human_time_str Serializable""",
    "users.logging": "setup_logging",
}


def described() -> list[tuple[str, str, list[dict[str, Any]]]]:
    operations = [op for item in DESCRIPTION["paths"].values() for op in item.values() if "operationId" in op]
    found = [(op["x-python-class"], op["x-python-name"], op["x-python-params"]) for op in operations]
    return found + [(op["class"], op["name"], op["x-python-params"]) for op in DESCRIPTION["x-derived-methods"]]


@pytest.mark.parametrize(
    ("owner", "name", "table"), described(), ids=lambda value: value if isinstance(value, str) else ""
)
@pytest.mark.parametrize("way", ["async", "sync"])
def test_signatures_are_the_official_ones(owner: str, name: str, table: list[dict[str, Any]], way: str) -> None:
    kind = getattr(voxel51, owner if way == "sync" else f"Async{owner}")
    if name == "close" and way == "async":
        name = "aclose"
    parameters = [p for p in inspect.signature(getattr(kind, name)).parameters.values() if p.name != "self"]
    official = [entry for entry in table if not entry["name"].startswith("*")]
    given = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [p.name for p in given] == [entry["name"] for entry in official]
    for parameter, entry in zip(given, official, strict=True):
        assert parameter.default == (EMPTY if entry["required"] else entry["default"])
    assert all(p.default is not EMPTY for p in parameters if p.kind is p.KEYWORD_ONLY)


@pytest.mark.parametrize("module", OFFICIAL)
def test_official_modules(module: str) -> None:
    found = importlib.import_module(f"asyncclient.voxel51.{module}")
    assert not [name for name in OFFICIAL[module].split() if not hasattr(found, name)]
    with pytest.raises(AttributeError):
        found.nothing_of_that_name  # noqa: B018  # asked for on purpose


def test_importing_configures_no_logging() -> None:
    code = "import logging, asyncclient.voxel51.users.api, asyncclient.voxel51.users.logging as own\n"
    code += "assert not logging.root.handlers; own.setup_logging(); assert logging.root.handlers"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_async_method_has_its_facade() -> None:
    for name in ("API", "ApplicationAPI"):
        for method, function in inspect.getmembers(getattr(voxel51, f"Async{name}"), inspect.isroutine):
            if not method.startswith("_") and method not in ("aclose", "map"):
                twin = inspect.signature(getattr(getattr(voxel51, name), method))
                assert list(twin.parameters) == list(inspect.signature(function).parameters), method


def test_the_document_lists_every_deviation_and_no_other() -> None:
    recorded = {case["id"] for case in CASES}
    assert set(re.findall(r"`([\w.]+)`", DOCUMENT)) & recorded == set(DEVIATIONS)


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        ("bytes", 0, "0B"),
        ("bytes", 1023, "1023B"),
        ("bytes", 2560, "2.5KB"),
        ("bytes", 1048575, "1024KB"),
        ("bytes", 3 * 1024**3, "3GB"),
        ("bits", 2560, "2.5Kb"),
        ("decimal", 45600, "45.6K"),
        ("time", 0, "0 seconds"),
        ("time", 2e-06, "2us"),
        ("time", 0.25, "250ms"),
        ("time", 1, "1 second"),
        ("time", 90, "1.5 minutes"),
        ("time", 5400, "1.5 hours"),
        ("time", 180000, "2.1 days"),
    ],
)
def test_numbers_for_people(function: str, value: float, text: str) -> None:
    assert getattr(utils, f"to_human_{function}_str")(value) == text


def test_no_digit_that_counts_is_cut() -> None:
    assert utils.to_human_bytes_str(10 * 1024, decimals=0) == "10KB"
    assert utils.to_human_bytes_str(5 * 1024**2, max_unit="KB") == "5120KB"


def test_an_unknown_unit_is_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert utils.to_human_bytes_str(2048, max_unit="XB") == "2KB"
    assert "Unsupported max_unit = XB; ignoring" in caplog.text


def test_questions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("maybe\nYE\n\nno\n"))
    assert utils.query_yes_no("Go?") is True
    assert utils.query_yes_no("Go?", "no") is False
    assert utils.query_yes_no("Go?", "yes") is False
    shown = capsys.readouterr().out
    assert shown == "Go? [y/n] Please respond with 'y[es]' or 'n[o]'\nGo? [y/n] Go? [y/N] Go? [Y/n] "
    with pytest.raises(ValueError, match="default"):
        utils.query_yes_no("Go?", "maybe")


def test_json_files(tmp_path: Path) -> None:
    request = voxel51.JobRequest("a/ü", "0.3", voxel51.JobComputeMode.GPU)
    request.set_input("video", data_id="D")
    request.set_parameter("nested", {"list": [voxel51.RemoteDataPath("E"), 1.5, None]})
    request.to_json(tmp_path / "deep" / "r.json")
    text = (tmp_path / "deep" / "r.json").read_text("ascii")
    assert text == str(request)
    again = voxel51.JobRequest.from_json(tmp_path / "deep" / "r.json")
    assert again.to_dict() == request.to_dict()
    assert again.inputs == {"video": voxel51.RemoteDataPath("D")}
    assert utils.urljoin("/a/", "b/", "/c") == "a/b/c"
    with pytest.raises(ValueError, match="JSON"):
        utils.write_json(float("nan"), tmp_path / "deep" / "r.json")
    assert (tmp_path / "deep" / "r.json").read_text("ascii") == text
