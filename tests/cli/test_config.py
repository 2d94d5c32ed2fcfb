"""``asyncclient config``: which source wins is what the clients do; nothing of a secret is shown; checks of credentials."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import main
from asyncclient.cli._sources import report_of
from asyncclient.flywheel import AsyncClient as Flywheel
from asyncclient.las import guess_credentials
from asyncclient.testing import Server
from asyncclient.voxel51 import load_token
from tests.sticky_pi.serving import ADMIN, serving

SERVICES = ("flywheel", "las", "lfview", "sticky-pi", "voxel51")
SECRET = "pLaNtEd0123456789zYxWvU"
VARIABLES = (
    *("FLYWHEEL_API_KEY", "FW_SSL_CERT_FILE", "LFVIEW_API_KEY", "LFVIEW_DISCOVERY_URL", "LFVIEW_SERVICE"),
    *("LAS_CLIENT_ID", "LAS_CLIENT_SECRET", "LAS_AUTH_ENDPOINT", "LAS_API_ENDPOINT"),
    *("VOXEL51_API_PRIVATE_KEY", "VOXEL51_API_BASE_URL", "VOXEL51_API_TOKEN"),
    *("STICKY_PI_HOST", "STICKY_PI_USERNAME", "STICKY_PI_PASSWORD", "STICKY_PI_LOCAL_DIR"),
    *(f"{name}_proxy" for name in ("http", "https", "all", "no")),
    *(f"{name}_PROXY" for name in ("HTTP", "HTTPS", "ALL", "NO")),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def run(*arguments: str, code: int = 0) -> Any:
        assert main(["config", *arguments]) == code
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out) if "--json" in arguments else out

    return run


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def profile(name: str, host: str) -> str:
    return (
        f"[{name}]\nclient_id = {SECRET}\nclient_secret = {SECRET}\nauth_endpoint = auth.example\n"
        f"api_endpoint = https://{host}/v1\n"
    )


def token(host: str) -> str:
    return json.dumps({"access_token": {"private_key": SECRET, "token_id": "t", "base_api_url": f"https://{host}"}})


# Every source of a service, with a host of its own.


def _las(home: Path, environment: Mapping[str, bool]) -> dict[str, str]:
    if environment["file"]:
        write(home / ".lucidtech" / "credentials.cfg", profile("default", "file.example"))
    if not environment["variables"]:
        return {}
    return {
        "LAS_CLIENT_ID": SECRET,
        "LAS_CLIENT_SECRET": SECRET,
        "LAS_AUTH_ENDPOINT": "auth.example",
        "LAS_API_ENDPOINT": "https://variables.example/v1",
    }


def _voxel51(home: Path, environment: Mapping[str, bool]) -> dict[str, str]:
    found = {}
    if environment["file"]:
        write(home / ".voxel51" / "api-token.json", token("file.example"))
    if environment["named"]:
        found["VOXEL51_API_TOKEN"] = str(write(home / "named.json", token("named.example")))
    if environment["variables"]:
        found |= {"VOXEL51_API_PRIVATE_KEY": SECRET, "VOXEL51_API_BASE_URL": "https://variables.example"}
    return found


def _flywheel(home: Path, environment: Mapping[str, bool]) -> dict[str, str]:
    if environment["file"]:
        write(home / ".config" / "flywheel" / "user.json", json.dumps({"key": f"file.example:{SECRET}"}))
    return {"FLYWHEEL_API_KEY": f"variables.example:{SECRET}"} if environment["variables"] else {}


PLANTS = {"las": _las, "voxel51": _voxel51, "flywheel": _flywheel}
CLIENTS: dict[str, Callable[[], str]] = {
    "las": lambda: guess_credentials().api_endpoint,
    "voxel51": lambda: load_token().base_api_url,
    "flywheel": lambda: str(Flywheel(os.environ.get("FLYWHEEL_API_KEY"))._key.base.origin),
}


@pytest.mark.parametrize("service", PLANTS)
@pytest.mark.parametrize(("variables", "named", "file"), list(itertools.product([True, False], repeat=3)))
def test_what_wins_is_what_the_client_takes(
    service: str, variables: bool, named: bool, file: bool, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = PLANTS[service](home, {"variables": variables, "named": named, "file": file})
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    report = report_of(service)
    try:
        where = CLIENTS[service]()
    except Exception:
        assert not report.configured
        assert report.used is None
        assert report.host is None
        return
    assert report.configured
    assert report.used is not None
    host = where.split("://")[1].split("/")[0].split(":")[0]
    assert report.host == f"https://{host}:443"
    kind = {"variables": "environment", "named": "environment", "file": "file"}[host.split(".")[0]]
    assert report.used.kind == kind
    assert ("TOKEN" in report.used.name) is (host == "named.example")


def plant_everything(home: Path, monkeypatch: pytest.MonkeyPatch, *, broken: bool = False) -> None:
    """Put a secret everywhere one can be, in usable or in broken form."""
    everything = {"variables": True, "named": True, "file": True}
    for plant in PLANTS.values():
        for name, value in plant(home, everything).items():
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("LFVIEW_API_KEY", SECRET)
    monkeypatch.setenv("STICKY_PI_HOST", "https://sticky.example")
    monkeypatch.setenv("STICKY_PI_USERNAME", SECRET)
    monkeypatch.setenv("STICKY_PI_PASSWORD", SECRET)
    monkeypatch.setenv("https_proxy", f"http://{SECRET}:{SECRET}@proxy.example:3128")
    write(home / ".lucidtech" / "token-cache.json", json.dumps({"default": {"access_token": SECRET}}))
    if broken:
        write(home / ".lucidtech" / "credentials.cfg", f"[default\nclient_secret = {SECRET}\n{SECRET}\n")
        write(home / ".voxel51" / "api-token.json", f'{{"access_token": {{"private_key": "{SECRET}"')
        write(home / ".config" / "flywheel" / "user.json", f'{{"key": "{SECRET}')
        monkeypatch.setenv("VOXEL51_API_TOKEN", str(write(home / "named.json", SECRET)))
        monkeypatch.setenv("VOXEL51_API_PRIVATE_KEY", f"{SECRET}\u2603")
        monkeypatch.setenv("VOXEL51_API_BASE_URL", f"https://{SECRET}:{SECRET}@example.org")
        monkeypatch.setenv("FLYWHEEL_API_KEY", SECRET)
        monkeypatch.setenv("LAS_API_ENDPOINT", f"https://user:{SECRET}@example.org?{SECRET}")
        monkeypatch.setenv("STICKY_PI_HOST", f"https://user:{SECRET}@example.org")
        monkeypatch.setenv("LFVIEW_DISCOVERY_URL", f"https://user:{SECRET}@example.org")
        monkeypatch.setenv("https_proxy", f"{SECRET}:{SECRET}@[proxy")


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("options", [(), ("--json",), ("--debug",), ("show", "las", "flywheel")])
def test_nothing_of_a_secret_is_shown(
    broken: bool,
    options: tuple[str, ...],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant_everything(home, monkeypatch, broken=broken)
    assert main(["config", *options]) == 0
    shown = "".join(capsys.readouterr())
    assert "las" in shown
    for start in range(len(SECRET) - 5):  # no part of it either
        assert SECRET[start : start + 6].lower() not in shown.lower()


@pytest.mark.parametrize("service", SERVICES)
def test_the_length_of_a_secret_is_not_shown(service: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = []
    for length in (1, 3):
        monkeypatch.setattr(sys.modules[__name__], "SECRET", "pLaNtEd0123456789zYxWvU" * length)
        plant_everything(home, monkeypatch)
        reports.append(report_of(service))
    assert reports[0] == reports[1]


def test_everything_as_text(said: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_everything(home, monkeypatch)
    text = said()
    assert "las: https://variables.example:443" in text
    assert "LAS_CLIENT_ID, LAS_CLIENT_SECRET, LAS_AUTH_ENDPOINT, LAS_API_ENDPOINT: set <- used" in text
    assert f"{home}/.lucidtech/credentials.cfg: set [mode 0600]" in text
    assert "sticky-pi: https://sticky.example:443" in text
    assert "proxies: https http://proxy.example:3128" in text
    assert f"state folder: {home}" in text
    assert "uvloop" in text
    assert "las:" not in said("show", "flywheel")


def test_nothing_set(said: Callable[..., Any], home: Path) -> None:
    found = said("--json")
    assert [name for name, entry in found["services"].items() if entry["configured"]] == ["sticky-pi"]
    assert found["general"]["proxies"] == "none"
    assert found["services"]["las"]["sources"][1]["state"] == "not set"
    assert found["services"]["lfview"]["problem"] == "set LFVIEW_API_KEY"
    assert found["services"]["lfview"]["host"] == "https://api.seequent.systems:443"
    assert said("--check", "--json")["services"]["sticky-pi"]["check"]["result"] == "ok"


def test_files_that_others_can_read(said: Callable[..., Any], home: Path) -> None:
    write(home / ".lucidtech" / "credentials.cfg", profile("test", "file.example"), 0o644)
    las = said("las", "--json")["services"]["las"]
    assert (las["sources"][2]["mode"], las["sources"][2]["safe"]) == ("0644", False)
    assert las["sources"][2]["state"] == "unusable"
    assert "no section [default]" in las["sources"][2]["detail"]
    assert las["sources"][0]["detail"] == "profiles: test"
    write(home / ".lucidtech" / "credentials.cfg", profile("default", "file.example"), 0o640)
    assert "others can read it: chmod 600) <- used" in said("las")


def test_half_of_the_variables(said: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAS_CLIENT_ID", SECRET)
    source = said("las", "--json")["services"]["las"]["sources"][1]
    assert source["state"] == "unusable"
    assert source["detail"] == "missing: LAS_CLIENT_SECRET, LAS_AUTH_ENDPOINT, LAS_API_ENDPOINT"


def test_a_token_file_that_is_not_there(said: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".voxel51" / "api-token.json", token("file.example"))
    monkeypatch.setenv("VOXEL51_API_TOKEN", "missing.json")
    voxel51 = said("voxel51", "--json")["services"]["voxel51"]
    assert not voxel51["configured"]  # as the client has it: the file that was named is not passed over
    assert voxel51["used"] is None
    assert "missing.json" in voxel51["problem"]


def test_notes(said: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FW_SSL_CERT_FILE", "ca.pem")
    monkeypatch.setenv("LFVIEW_SERVICE", "test")
    monkeypatch.setenv("STICKY_PI_HOST", "https://sticky.example")
    monkeypatch.setenv("no_proxy", "localhost")
    monkeypatch.setenv("all_proxy", "[")
    text = said()
    assert "FW_SSL_CERT_FILE: ca.pem" in text
    assert "LFVIEW_SERVICE: test" in text
    assert "not usable: set STICKY_PI_PASSWORD, or be asked for it" in text
    assert "http not a URL, https not a URL, no_proxy localhost" in text


def test_no_such_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "gmail"]) == 4
    assert "there is no service 'gmail'" in capsys.readouterr().err


# --- checks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def emulated(
    asyncclient_las: Server,
    asyncclient_lfview: Server,
    asyncclient_voxel51: Server,
    asyncclient_flywheel: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in asyncclient_las.credentials().items():
        monkeypatch.setenv(f"LAS_{name.upper()}", value)
    for name, value in asyncclient_lfview.credentials().items():
        monkeypatch.setenv(f"LFVIEW_{name.upper()}", value)
    monkeypatch.setenv("VOXEL51_API_PRIVATE_KEY", asyncclient_voxel51.credentials()["private_key"])
    monkeypatch.setenv("VOXEL51_API_BASE_URL", asyncclient_voxel51.url)
    monkeypatch.setenv("FLYWHEEL_API_KEY", asyncclient_flywheel.credentials()["api_key"])


def test_checks(
    emulated: None, said: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch, asyncclient_las: Server
) -> None:
    monkeypatch.setenv("STICKY_PI_USERNAME", ADMIN[0])
    monkeypatch.setenv("STICKY_PI_PASSWORD", ADMIN[1])
    with serving(home / "server") as server:
        monkeypatch.setenv("STICKY_PI_HOST", server.url)
        found = said("--check", "--json")["services"]
        assert {name: entry["check"]["result"] for name, entry in found.items()} == dict.fromkeys(SERVICES, "ok")
        assert {request.method for request in asyncclient_las.state.requests if "token" not in request.path} == {"GET"}
        for name in ("STICKY_PI_PASSWORD", "LAS_CLIENT_SECRET", "LFVIEW_API_KEY", "VOXEL51_API_PRIVATE_KEY"):
            monkeypatch.setenv(name, SECRET)
        key = os.environ["FLYWHEEL_API_KEY"]
        monkeypatch.setenv("FLYWHEEL_API_KEY", key.rpartition(":")[0] + f":{SECRET}")
        found = said("--check", "--json", code=3)["services"]
    assert {name: entry["check"]["result"] for name, entry in found.items()} == dict.fromkeys(SERVICES, "refused")
    assert SECRET not in json.dumps(found)


def test_nobody_answers(said: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXEL51_API_PRIVATE_KEY", SECRET)
    monkeypatch.setenv("VOXEL51_API_BASE_URL", "http://127.0.0.1:1")
    text = said("voxel51", "--check", code=5)
    assert "  check: unreachable: http://127.0.0.1:1: cannot connect" in text
    assert said("las", "--check").count("check:") == 0  # nothing to check with


def test_another_failure(emulated: None, said: Callable[..., Any], asyncclient_voxel51: Server) -> None:
    asyncclient_voxel51.state.fail_next(418)
    assert said("voxel51", "--check", "--json", code=1)["services"]["voxel51"]["check"]["result"] == "failed"
