"""Where credentials come from, how tokens are asked for, kept, shared, renewed and refused."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import stat
import time
from pathlib import Path

import pytest

from asyncclient import AsyncHub, errors, las
from asyncclient.las import credentials as module
from tests.las.wire_server import WireServer

pytestmark = pytest.mark.anyio

PROFILE = """\
[default]
client_id = file id
client_secret = file%secret
auth_endpoint = auth.example.org
api_endpoint = https://api.example.org/v1
use_cache = {use_cache}

[prod]
client_id = prod id
client_secret = prod;#"secret"
auth_endpoint = auth.example.org/oauth2
api_endpoint = https://api.example.org/v2
"""


def write_profile(text: str, *, use_cache: str = "false") -> Path:
    folder = Path.home() / ".lucidtech"
    folder.mkdir(exist_ok=True)
    path = folder / "credentials.cfg"
    path.write_text(text.replace("{use_cache}", use_cache))
    return path


def set_environment(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    values = {
        "LAS_CLIENT_ID": "env id",
        "LAS_CLIENT_SECRET": "env secret",
        "LAS_AUTH_ENDPOINT": "auth.env",
        "LAS_API_ENDPOINT": "https://api.env/v1",
        **changes,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)


class TestSources:
    def test_environment_wins_over_the_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_profile(PROFILE)
        set_environment(monkeypatch)
        found = las.guess_credentials()
        assert (found.client_id, found.api_endpoint) == ("env id", "https://api.env/v1")
        assert found.cached_profile is None

    def test_a_named_profile_wins_over_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_profile(PROFILE)
        set_environment(monkeypatch)
        found = las.guess_credentials("prod")
        assert found.client_secret == 'prod;#"secret"'
        assert found.auth_endpoint == "auth.example.org/oauth2"

    def test_one_empty_variable_makes_all_four_count_for_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_profile(PROFILE)
        set_environment(monkeypatch, LAS_API_ENDPOINT="")
        assert las.guess_credentials().client_id == "file id"

    def test_a_single_percent_sign_is_itself(self) -> None:
        write_profile(PROFILE)
        assert las.guess_credentials().client_secret == "file%secret"

    def test_a_doubled_percent_sign_is_one(self) -> None:
        write_profile(PROFILE.replace("file%secret", "file%%secret"))
        assert las.guess_credentials().client_secret == "file%secret"

    @pytest.mark.parametrize(
        ("spelling", "cached"), [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("no", False), ("", False)]
    )
    def test_use_cache(self, spelling: str, cached: bool) -> None:
        write_profile(PROFILE, use_cache=spelling)
        assert las.guess_credentials().cached_profile == ("default" if cached else None)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("client_id = s3cret-line\n", "not a valid profile file"),
            ("[default\nclient_secret = s3cret-line\n", "not a valid profile file"),
            ("[default]\ns3cret-line\n", "line 2"),
            ("[other]\nclient_id = s3cret-line\n", "has no section [default]"),
            ("[default]\nclient_id = s3cret-line\n", "lacks client_secret, auth_endpoint, api_endpoint"),
            ("[default]\nclient_id =\nclient_secret=s3cret-line\nauth_endpoint=a\napi_endpoint=b\n", "lacks client_id"),
        ],
    )
    def test_a_malformed_profile_is_named_and_kept(self, text: str, words: str) -> None:
        path = write_profile(text)
        with pytest.raises(las.MissingCredentials) as caught:
            las.guess_credentials()
        assert words in str(caught.value)
        assert "s3cret-line" not in str(caught.value)
        assert "s3cret-line" not in repr(caught.value.__cause__)
        assert path.read_text() == text

    def test_nothing_at_all(self) -> None:
        with pytest.raises(las.MissingCredentials, match=r"LAS_CLIENT_ID.*credentials.cfg cannot be read"):
            las.AsyncClient()

    def test_an_unreadable_profile_names_the_profile(self) -> None:
        (Path.home() / ".lucidtech" / "credentials.cfg").mkdir(parents=True)
        with pytest.raises(las.MissingCredentials, match=r"profile 'x'.*directory") as caught:
            las.guess_credentials("x")
        assert isinstance(caught.value.__cause__, IsADirectoryError)


class TestValues:
    @pytest.mark.parametrize("position", range(4))
    def test_none_of_the_four_may_be_empty(self, position: int) -> None:
        values = ["id", "secret", "auth", "https://api/v1"]
        values[position] = ""
        with pytest.raises(las.MissingCredentials, match=module._KEYS[position]):
            las.Credentials(*values)

    @pytest.mark.parametrize(
        "endpoint", ["api.example.org", "ftp://x", "https://", "https://a b/", "https://u:s3cret@h/", "https://h:x/"]
    )
    def test_an_unusable_endpoint(self, endpoint: str) -> None:
        with pytest.raises(errors.ConfigurationError, match="api_endpoint") as caught:
            las.Credentials("id", "secret", "auth", endpoint)
        assert "s3cret" not in str(caught.value)

    def test_only_latin_1_can_be_sent(self) -> None:
        with pytest.raises(errors.ConfigurationError, match="Latin-1") as caught:
            las.Credentials("id", "geheim☃", "auth", "https://api/v1")
        assert "geheim" not in repr(caught.value)

    def test_wrong_type(self) -> None:
        with pytest.raises(TypeError, match="client_id must be text"):
            las.Credentials(7, "s", "a", "https://api")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="credentials must be Credentials, not dict"):
            las.AsyncClient({"client_id": "x"})  # type: ignore[arg-type]

    def test_the_secret_is_not_shown_and_a_pickle_carries_no_token(self) -> None:
        one = las.Credentials("id", "s3cret", "auth", "https://api/v1")
        one._token = module.Token("t0ken", time.time() + 999, 999)
        assert "s3cret" not in repr(one)
        assert "t0ken" not in repr(one._token)
        other = pickle.loads(pickle.dumps(one))
        assert other.client_secret == "s3cret"
        assert other._token.value == ""


class TestTokenRequest:
    async def test_its_form(self, wire: WireServer) -> None:
        one = las.Credentials("my id", "s3cr%t", wire.origin, f"{wire.origin}/v1")
        wire.token_script.append({"status": 200, "json": {"access_token": "T", "expires_in": 3600}})
        before = time.time()
        assert await one.get_access_token() == "T"
        (request,) = wire.token_requests
        assert (request.method, request.path, request.raw_query) == ("POST", "/token", "grant_type=client_credentials")
        assert request.headers["authorization"] == "Basic bXkgaWQ6czNjciV0"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["content-length"] == "0"
        assert before + 3590 < one._token.expires_at < time.time() + 3601

    async def test_latin_1_and_a_path(self, wire: WireServer) -> None:
        one = las.Credentials("ü", "é", f"{wire.origin}/oauth2", f"{wire.origin}/v1")
        await one.get_access_token()
        assert wire.token_requests[0].path == "/oauth2/token"
        assert wire.token_requests[0].headers["authorization"] == "Basic /Drp"

    async def test_ten_tasks_cause_one_request(self, wire: WireServer, credentials: las.Credentials) -> None:
        tokens = await asyncio.gather(*(credentials.get_access_token() for _ in range(10)))
        assert set(tokens) == {"test-token"}
        assert len(wire.token_requests) == 1

    async def test_a_cancelled_starter_strands_nobody(self, wire: WireServer, credentials: las.Credentials) -> None:
        first = asyncio.create_task(credentials.get_access_token())
        second = asyncio.create_task(credentials.get_access_token())
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "test-token"
        assert len(wire.token_requests) == 1

    @pytest.mark.parametrize("status", [400, 401, 403])
    async def test_refused_credentials(self, wire: WireServer, credentials: las.Credentials, status: int) -> None:
        wire.token_script.append({"status": status, "json": {"error": "invalid_client"}})
        async with AsyncHub() as hub:
            with pytest.raises(las.InvalidCredentialsException, match="invalid_client") as caught:
                await las.AsyncClient(credentials, hub=hub).create_dataset()
        assert caught.value.status == status
        assert wire.received == []
        assert len(wire.token_requests) == 1
        assert await credentials.get_access_token() == "test-token"  # the next call tries again

    @pytest.mark.parametrize(
        "answer",
        [
            {"expires_in": 3600},
            {"access_token": "", "expires_in": 3600},
            {"access_token": "a\r\nb: c", "expires_in": 3600},
            {"access_token": "t", "expires_in": "soon"},
            {"access_token": "t", "expires_in": True},
            {"access_token": "t", "expires_in": -1},
            ["t"],
        ],
    )
    async def test_an_answer_without_a_usable_token(
        self, wire: WireServer, credentials: las.Credentials, answer: object
    ) -> None:
        wire.token_script.append({"status": 200, "json": answer})
        with pytest.raises(errors.DecodeError, match="token endpoint"):
            await credentials.get_access_token()

    async def test_a_failure_is_seen_by_all_who_wait(self, wire: WireServer, credentials: las.Credentials) -> None:
        wire.token_script.append({"status": 403, "json": {}})
        found = await asyncio.gather(*(credentials.get_access_token() for _ in range(5)), return_exceptions=True)
        assert [type(error) for error in found] == [las.InvalidCredentialsException] * 5
        assert len(wire.token_requests) == 1


class TestRenewal:
    async def test_a_401_is_answered_once_with_a_fresh_token(
        self, wire: WireServer, credentials: las.Credentials
    ) -> None:
        wire.token_script += [
            {"status": 200, "json": {"access_token": name, "expires_in": 3600}} for name in ("old", "new")
        ]
        wire.play({"status": 401, "json": {"message": "Unauthorized"}}, {"status": 200, "json": {"ok": 1}})
        async with AsyncHub() as hub:
            assert await las.AsyncClient(credentials, hub=hub).create_dataset() == {"ok": 1}
        assert [r.headers["authorization"] for r in wire.received] == ["Bearer old", "Bearer new"]

    async def test_a_second_401_is_raised(self, wire: WireServer, credentials: las.Credentials) -> None:
        wire.play(*[{"status": 401, "json": {"message": "Unauthorized"}}] * 3)
        async with AsyncHub() as hub:
            with pytest.raises(errors.Unauthorized):
                await las.AsyncClient(credentials, hub=hub).list_assets()
        assert len(wire.received) == 2

    async def test_many_calls_with_a_revoked_token_cause_one_refresh(
        self, wire: WireServer, credentials: las.Credentials
    ) -> None:
        async with AsyncHub() as hub:
            client = las.AsyncClient(credentials, hub=hub)
            wire.play({"status": 200, "json": {}})
            await client.list_assets()
            wire.token_script.append({"status": 200, "json": {"access_token": "new", "expires_in": 3600}})
            wire.play(*[{"status": 200, "json": {}}] * 8)
            wire.revoked.add("Bearer test-token")
            await asyncio.gather(*(client.list_assets() for _ in range(8)))
        assert len(wire.token_requests) == 2

    @pytest.mark.parametrize(("left_s", "lifetime_s", "fresh"), [(61, 3600, True), (59, 3600, False), (7, 60, True)])
    async def test_the_margin(
        self, wire: WireServer, credentials: las.Credentials, left_s: int, lifetime_s: int, fresh: bool
    ) -> None:
        credentials._token = module.Token("held", time.time() + left_s, lifetime_s)
        assert await credentials.get_access_token() == ("held" if fresh else "test-token")

    async def test_the_property_is_for_scripts(self, wire: WireServer, credentials: las.Credentials) -> None:
        assert await asyncio.to_thread(lambda: credentials.access_token) == "test-token"
        assert credentials.access_token == "test-token"  # held: nothing to wait for


class TestCache:
    def cached(self, wire: WireServer, path: Path) -> las.Credentials:
        return las.Credentials("id", "secret", wire.origin, f"{wire.origin}/v1", "me", path)

    async def test_written_whole_and_private(self, wire: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "new" / "cache.json"
        await self.cached(wire, path).get_access_token()
        entry = json.loads(path.read_text())["me"]
        assert entry["access_token"] == "test-token"
        assert entry["expires_in"] > time.time() + 3000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [p.name for p in path.parent.iterdir()] == ["cache.json"]

    async def test_taken_from_another_process(self, wire: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "cache.json"
        await self.cached(wire, path).get_access_token()
        assert await self.cached(wire, path).get_access_token() == "test-token"
        assert len(wire.token_requests) == 1

    async def test_other_profiles_stay(self, wire: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "cache.json"
        path.write_text('{"other": {"access_token": "o", "expires_in": 1.5}}')
        await asyncio.gather(*(self.cached(wire, path).get_access_token() for _ in range(10)))
        entries = json.loads(path.read_text())
        assert entries["other"] == {"access_token": "o", "expires_in": 1.5}
        assert entries["me"]["access_token"] == "test-token"

    async def test_a_malformed_cache_is_moved_aside(
        self, wire: WireServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "cache.json"
        path.write_text("{")
        with caplog.at_level(logging.WARNING):
            await self.cached(wire, path).get_access_token()
        assert "malformed" in caplog.text
        assert "test-token" not in caplog.text
        assert (tmp_path / "cache.json.malformed").read_text() == "{"
        assert json.loads(path.read_text())["me"]["access_token"] == "test-token"

    @pytest.mark.parametrize(
        "entry",
        [
            {"access_token": "x", "expires_in": "tomorrow"},
            {"access_token": 7, "expires_in": 9e9},
            {"access_token": "x"},
            {"access_token": "x", "expires_in": 9e9, "client_id": "somebody else"},
            {"access_token": "x", "expires_in": 0},
            ["x"],
        ],
    )
    async def test_an_unusable_entry_is_no_entry(self, wire: WireServer, tmp_path: Path, entry: object) -> None:
        path = tmp_path / "cache.json"
        path.write_text(json.dumps({"me": entry}))
        assert await self.cached(wire, path).get_access_token() == "test-token"

    @pytest.mark.parametrize("left_s", [2, -1])
    async def test_a_token_about_to_lapse_is_replaced(self, wire: WireServer, tmp_path: Path, left_s: int) -> None:
        path = tmp_path / "cache.json"
        path.write_text(json.dumps({"me": {"access_token": "x", "expires_in": time.time() + left_s}}))
        assert await self.cached(wire, path).get_access_token() == "test-token"

    async def test_a_refused_token_is_not_taken_again(self, wire: WireServer, tmp_path: Path) -> None:
        path = tmp_path / "cache.json"
        path.write_text(json.dumps({"me": {"access_token": "x", "expires_in": time.time() + 999}}))
        one = self.cached(wire, path)
        header = await one.header()
        assert header == (b"authorization", b"Bearer x")
        assert one.reject(header)
        assert await one.get_access_token() == "test-token"

    async def test_a_cache_that_cannot_be_written_fails_no_call(
        self, wire: WireServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("")
        one = self.cached(wire, tmp_path / "file" / "cache.json")
        with caplog.at_level(logging.WARNING):
            assert await one.get_access_token() == "test-token"
        assert "cannot be written" in caplog.text

    def test_a_folder_in_its_place(self, tmp_path: Path) -> None:
        assert las.read_token_from_cache("me", tmp_path).value == ""
