"""Tokens: which is used, how they become active, and that nobody sees their key."""

from __future__ import annotations

import json
import logging
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import pytest

from asyncclient import errors, voxel51
from asyncclient.voxel51.apps import auth as apps_auth
from asyncclient.voxel51.users import auth as users_auth
from tests.voxel51.wire_server import WireServer

SECRET = "s3cret-key-that-nobody-may-see"
VARIABLES = {
    "API": ("VOXEL51_API_PRIVATE_KEY", "VOXEL51_API_BASE_URL", "VOXEL51_API_TOKEN", "api-token.json"),
    "ApplicationAPI": ("VOXEL51_APP_PRIVATE_KEY", "VOXEL51_APP_BASE_URL", "VOXEL51_APP_TOKEN", "app-token.json"),
}


def token_file(path: Path, key: str, **members: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"access_token": {"private_key": key, "base_api_url": "https://h.example", **members}}
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("name", VARIABLES)
def test_the_first_that_is_set_is_used(name: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, url, named, file = VARIABLES[name]
    session: Any = getattr(voxel51, f"Async{name}")
    with pytest.raises(voxel51.TokenError, match=r"No \w+ token found"):
        session()
    token_file(home / ".voxel51" / file, "home")
    assert session().token.private_key == "home"
    monkeypatch.setenv(named, str(token_file(tmp_path / "named.json", "named")))
    assert session().token.private_key == "named"
    monkeypatch.setenv(url, "https://ignored.example")
    assert session().token.base_api_url == "https://h.example"
    monkeypatch.setenv(key, "")
    assert session().token.private_key == "named"
    monkeypatch.setenv(key, " env \n")
    monkeypatch.setenv(url, "https://e.example/")
    assert (session().token.private_key, session().base_url) == ("env", "https://e.example/v1")
    other = token_file(tmp_path / "given.json", "given")
    assert session.from_json(other, max_retries=0).token.private_key == "given"


@pytest.mark.parametrize("name", VARIABLES)
def test_a_dangling_path_does_not_fall_through(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, named, file = VARIABLES[name]
    token_file(home / ".voxel51" / file, "home")
    for value in ("", "nope.json", "."):
        monkeypatch.setenv(named, value)
        with pytest.raises(voxel51.TokenError) as caught:
            getattr(voxel51, f"Async{name}")()
        assert str(caught.value).startswith(f"No file found at '{named}={value}'. See https://")


@pytest.mark.parametrize(
    ("auth", "verb", "file", "kind"),
    [
        (users_auth, "token", "api-token.json", voxel51.TokenError),
        (apps_auth, "application_token", "app-token.json", voxel51.ApplicationTokenError),
    ],
)
def test_activation(auth: Any, verb: str, file: str, kind: type[Exception], home: Path, tmp_path: Path) -> None:
    activate, deactivate = getattr(auth, f"activate_{verb}"), getattr(auth, f"deactivate_{verb}")
    active = home / ".voxel51" / file
    assert os.fspath(active) == auth.TOKEN_PATH
    source = token_file(tmp_path / "t.json", "k")
    source.chmod(0o644)
    activate(source)
    assert active.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(active.stat().st_mode) == 0o600
    assert stat.S_IMODE(active.parent.stat().st_mode) & 0o077 == 0
    for bad in (b"", b"{}", b"[]", b'{"access_token": {"private_key": ""}}', b"\xff\xfe"):
        (tmp_path / "bad.json").write_bytes(bad)
        with pytest.raises(kind, match="is not a valid"):
            activate(tmp_path / "bad.json")
    with pytest.raises(kind, match="No file found"):
        activate(tmp_path / "missing.json")
    assert active.read_bytes() == source.read_bytes()
    assert [path.name for path in active.parent.iterdir()] == [file]
    deactivate()
    assert not active.exists()
    deactivate()


def test_a_file_that_others_may_read_is_taken_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = token_file(tmp_path / "t.json", SECRET)
    for mode, warned in ((0o600, False), (0o640, False), (0o604, True), (0o602, True)):
        path.chmod(mode)
        caplog.clear()
        assert voxel51.Token.from_json(path).private_key == SECRET
        assert ("every user of this machine" in caplog.text) is warned
        assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json " + SECRET.encode(),
        b"[1]",
        b"null",
        b"{}",
        b'{"access_token": 5}',
        b'{"access_token": {}}',
        b'{"access_token": {"private_key": null}}',
        b'{"access_token": {"private_key": "  "}}',
        b'{"access_token": {"private_key": 5}}',
        json.dumps({"access_token": {"private_key": f"{SECRET}\0", "base_api_url": "https://h"}}).encode(),
        json.dumps({"access_token": {"private_key": SECRET, "base_api_url": 5}}).encode(),
        json.dumps({"access_token": {"private_key": f"{SECRET}日本", "base_api_url": "https://h"}}).encode(),
    ],
)
@pytest.mark.parametrize("session", [voxel51.AsyncAPI, voxel51.AsyncApplicationAPI])
def test_a_malformed_file_says_so_and_shows_nothing(content: bytes, session: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_bytes(content)
    with pytest.raises(voxel51.TokenError) as caught:
        session.from_json(path)
    assert f"File '{path}' is not a valid" in str(caught.value)
    shown: BaseException | None = caught.value
    while shown is not None:
        assert SECRET not in f"{shown!r} {shown} {shown.__dict__}"
        shown = shown.__cause__ or shown.__context__


def test_a_folder_is_no_token(tmp_path: Path) -> None:
    with pytest.raises(voxel51.TokenError, match="is not a valid API token"):
        voxel51.Token.from_json(tmp_path)
    with pytest.raises(voxel51.TokenError, match="is not a valid API token"):
        voxel51.Token.from_json("a\0b")


@pytest.mark.parametrize("url", ["http://api.example", "http://10.0.0.1:80", "http://127.0.0.1.example", "HTTP://h"])
def test_a_key_is_not_sent_in_clear_text_to_another_machine(url: str) -> None:
    token = voxel51.Token.from_private_key(SECRET, url)
    for session in (voxel51.AsyncAPI, voxel51.API):
        with pytest.raises(voxel51.TokenError, match="clear text") as caught:
            session(token)
        assert SECRET not in str(caught.value)
        assert session(token, allow_http=True).base_url.endswith("/v1")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80/", "http://127.1.2.3"])
def test_this_machine_may_be_spoken_to_in_clear_text(url: str) -> None:
    assert voxel51.AsyncAPI(voxel51.Token.from_private_key("k", url)).base_url == f"{url.strip('/')}/v1"


@pytest.mark.parametrize("url", ["ftp://h", "h", "https://u:p@h", "https://h?x=1", "https://h:99999", "https://"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(voxel51.TokenError, match="base API URL"):
        voxel51.AsyncAPI(voxel51.Token.from_private_key("k", url))


def test_a_path_in_place_of_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="from_json"):
        voxel51.AsyncAPI(str(tmp_path))  # type: ignore[arg-type]  # a mistake


@pytest.mark.anyio
async def test_the_key_is_shown_nowhere(
    wire: WireServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    for kind, session in (
        (voxel51.Token, voxel51.AsyncAPI),
        (voxel51.ApplicationToken, voxel51.AsyncApplicationAPI),
    ):
        token = kind.from_private_key(SECRET, wire.origin)
        wire.play(respond=lambda request: {"status": 403, "json": {"error": {"code": 403, "message": "no"}}})
        async with session(token, max_retries=0) as api:
            shown = [f"{token} {token!r} {api!r} {vars(api)} {api._rules!r}"]
            for call in (api.list_data(), api.upload_data(b"x", filename="x"), api.download_data("D", "out")):
                with pytest.raises(voxel51.APIError) as caught:
                    await call
                shown.append(f"{caught.value} {caught.value!r} {vars(caught.value)}")
                shown.append(repr(pickle.loads(pickle.dumps(caught.value)).__dict__))
        assert SECRET not in "".join(shown)
    assert SECRET not in caplog.text
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [content for content in written if SECRET.encode() in content]


def test_errors_are_one_tree_and_travel() -> None:
    error = voxel51.APIError("gone", 404)
    assert (str(error), error.status, error.message) == ("404: gone", 404, "gone")
    assert isinstance(error, errors.APIError)
    job = voxel51.JobTimeout("Maximum wait time exceeded", job_id="J", state="RUNNING")
    for each in (error, job, voxel51.InvalidArguments("x", "days"), voxel51.TokenError("x")):
        copy = pickle.loads(pickle.dumps(each))
        assert (type(copy), str(copy), vars(copy)) == (type(each), str(each), vars(each))
        assert isinstance(copy, errors.AsyncClientError)
    assert job.timed_out
    assert isinstance(job, TimeoutError)
