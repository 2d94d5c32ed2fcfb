"""``asyncclient voxel51``: what the platform's own tool asked and printed, again, and where this one does otherwise."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from asyncclient.cli import main

CASES = Path(__file__).parents[1] / "wire" / "voxel51.json"
D, A = "5a3f0e7c-1b1d-4d0a-9d8f-2f0c3b1a9e01", "0b9a7c55-9f4e-4b7b-8f57-aa51c0ffee02"

Json = dict[str, Any]

# What the recorded tool does otherwise, with the reason; the tests further below say what is done here.
OTHERWISE = {
    "cli.version": "it is another program",
    "cli.auth_show_env": "the key is not shown",
    "cli.auth_show_none": "one line in place of a traceback",
    "cli.auth_activate": "a file that is no token is refused",
    "cli.data_ttl_days_zero": "0 days are days",
    "cli.data_ttl_neither": "doing nothing in silence hides a mistake",
    "cli.status_both": "a table in place of a Python dictionary",
    "cli.api_error": "one line in place of a traceback",
    "cli.analytics_list": "versions are not numbers",
    "cli.analytics_info": "versions are not numbers",
}
# Items that failed: the text is the same, the exit code is 1 and not 0.
FAILING = {
    *("cli.data_info", "cli.data_info_failure_without_message", "cli.data_ttl_days", "cli.jobs_archive_all"),
    *("cli.jobs_unarchive_all", "cli.jobs_kill_all", "cli.jobs_delete_all"),
}


def cli_cases() -> list[Json]:
    return [case for case in json.loads(CASES.read_text("utf-8")) if case["kind"] == "cli"]


class Script(BaseHTTPRequestHandler):
    """Answers as it was written down, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: else every answer waits for an acknowledgement
    server: Scripted

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization"), body))
        answer = self.server.answers.pop(self.server.answer_to(body))
        content = json.dumps(answer["json"]).encode() if "json" in answer else answer.get("text", "").encode()
        self.send_response(answer.get("status", 200))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815  # named by the base class

    def log_message(self, *_: Any) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    """A server on a free port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Script)
        self.answers: list[Json] = []
        self.asked: list[tuple[str, str, str | None, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer_to(self, body: bytes) -> int:
        """Return which answer is meant: uploads come in any order and are known by the names of their files."""
        for index, answer in enumerate(self.answers):
            name = (answer.get("json") or {}).get("data")
            if isinstance(name, dict) and f'filename="{name.get("name")}"'.encode() in body:
                return index
        return 0


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    work, home = tmp_path / "work", tmp_path / "home"
    for folder in (work, home):
        folder.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(home))
    for name in ("VOXEL51_API_PRIVATE_KEY", "VOXEL51_API_BASE_URL", "VOXEL51_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def play(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """A function that runs a command against recorded answers and gives exit code, output and errors."""
    monkeypatch.setenv("VOXEL51_API_PRIVATE_KEY", "cli-key")
    monkeypatch.setenv("VOXEL51_API_BASE_URL", scripted.url)

    def run(*arguments: str, answers: Any = ()) -> tuple[int, str, str]:
        scripted.answers = [answer if "json" in answer or "text" in answer else {"json": answer} for answer in answers]
        code = main(["voxel51", *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    "case", [case for case in cli_cases() if case["id"] not in OTHERWISE], ids=lambda case: case["id"]
)
def test_as_recorded(
    case: Json, play: Callable[..., tuple[int, str, str]], scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = case["setup"]
    assert all(name in ("VOXEL51_API_PRIVATE_KEY", "VOXEL51_API_BASE_URL") for name in setup.get("env", ()))
    for name, file in setup.get("files", {}).items():
        Path(name).write_bytes(base64.b64decode(file["b64"]) if "b64" in file else file["text"].encode())
    if "stdin" in setup:
        monkeypatch.setattr("sys.stdin", io.StringIO(setup["stdin"]))
    code, out, err = play(*case["python"]["args"], answers=case.get("responses", ()))
    expected = case["outcome"]["stdout"].replace("{BASE}", scripted.url)
    logged = "".join(f"{text}\n" for _, text in case.get("log", ()))
    assert (out, err, code) == (expected, logged, int(case["id"] in FAILING))
    assert len(scripted.asked) == len(case["requests"])
    for (method, target, authorization, body), request in zip(scripted.asked, case["requests"], strict=True):
        parts = urlsplit(target)
        assert (method, parts.path) == (request["method"], request["path"])
        assert [list(pair) for pair in parse_qsl(parts.query)] == request["query"]
        assert authorization == ("Bearer cli-key" if case["setup"].get("env") else authorization)
        if "json" in request:
            assert json.loads(body) == request["json"]
    for name, file in case.get("files_after", {}).items():
        assert Path(name).read_text("utf-8") == file["text"]


def test_the_exceptions_are_cases() -> None:
    assert set(OTHERWISE) | FAILING <= {case["id"] for case in cli_cases()}


def test_version(play: Callable[..., tuple[int, str, str]]) -> None:
    assert play("-v") == play("--version")
    assert play("-v")[1].startswith("asyncclient ")


def test_the_key_is_not_shown(play: Callable[..., tuple[int, str, str]], scripted: Scripted) -> None:
    code, out, err = play("auth", "show")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "API token"
    assert f"base api url   {scripted.url}" in out.splitlines()
    assert "private key    ********" in out.splitlines()
    assert "cli-key" not in out
    code, out, _ = play("auth", "show", "--json")
    assert json.loads(out) == {"token_id": None, "creation_date": None, "base_api_url": scripted.url, "path": None}


def test_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["voxel51", "auth", "show"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("asyncclient: No API token found. See ")
    assert captured.err.count("\n") == 1
    bad, good = Path("bad.json"), Path("good.json")
    bad.write_text("{}")
    assert main(["voxel51", "auth", "activate", str(bad)]) == 3
    assert "is not a valid API token" in capsys.readouterr().err
    token = {"access_token": {"private_key": "secret-key", "token_id": "t", "base_api_url": "http://127.0.0.1:1"}}
    good.write_text(json.dumps(token))
    good.chmod(0o600)
    assert main(["voxel51", "auth", "activate", str(good)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("API token successfully activated\n")
    assert main(["voxel51", "auth", "show"]) == 0
    out = capsys.readouterr().out
    assert f"path           {tmp_path / 'home' / '.voxel51' / 'api-token.json'}" in out
    assert "secret-key" not in out
    assert main(["voxel51", "auth", "deactivate"]) == 0
    assert "successfully deactivated" in capsys.readouterr().err
    assert main(["voxel51", "auth", "deactivate"]) == 0
    assert capsys.readouterr().err == "No API token to deactivate\n"


def test_errors_are_one_line(play: Callable[..., tuple[int, str, str]]) -> None:
    refused = [{"status": 401, "json": {"error": {"code": 401, "message": "Invalid token"}}}]
    assert play("data", "list", answers=refused) == (3, "", "asyncclient: 401: Invalid token\n")
    code, out, err = play("data", "list", "--debug", answers=refused)
    assert (code, out) == (3, "")
    assert "Traceback" in err


def test_versions_are_texts(play: Callable[..., tuple[int, str, str]]) -> None:
    rows = [{"id": "1e5", "name": "a/b", "version": "0.10", "scope": "public"}]
    code, out, _ = play("analytics", "list", answers=[{"analytics": rows}])
    assert code == 0
    assert out.splitlines()[2].split() == ["1e5", "a/b", "0.10", "public"]


def test_zero_days_are_days(play: Callable[..., tuple[int, str, str]], scripted: Scripted) -> None:
    code, out, _ = play("data", "ttl", "--days", "0", "x", answers=[{"responses": {"x": {"success": True}}}])
    assert (code, out) == (0, "1/1 data TTL(s) updated\n")
    assert json.loads(scripted.asked[0][3])["days"] == "0.0"


@pytest.mark.parametrize("dates", [[], ["--days", "1", "--date", "2020-01-01"]])
@pytest.mark.parametrize("kind", ["data", "jobs"])
def test_one_date(play: Callable[..., tuple[int, str, str]], kind: str, dates: list[str]) -> None:
    assert play(kind, "ttl", *dates, "x") == (2, "", "asyncclient: give either --days or --date\n")


def test_status(play: Callable[..., tuple[int, str, str]]) -> None:
    answer = {"statuses": {"platform": {"operational": True, "message": "up"}, "jobs": {"operational": False}}}
    code, out, _ = play("status", "-j", answers=[answer])
    assert (code, out.splitlines()[2:]) == (0, ["jobs       False"])
    assert json.loads(play("status", "--json", answers=[answer])[1]) == answer["statuses"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "info"], "ID"),
        (["data", "lst"], "No such command 'lst'"),
        (["data", "upload"], "PATH"),
        (["data", "list", "--limit", "x"], "--limit"),
        (["data", "list", "--sort-by", "colour"], "--sort-by: there is no field 'colour'; there are: id, name"),
        (["jobs", "upload", "-n", "x"], "--request"),
        (["analytics", "delete"], "ID"),
        (["jobs", "download"], "ID"),
        (["jobs", "request", ""], "job_id"),
    ],
)
def test_wrong_arguments(play: Callable[..., tuple[int, str, str]], arguments: list[str], said: str) -> None:
    code, out, err = play(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("asyncclient: ")
    assert said.lower() in err.lower()


@pytest.mark.parametrize("arguments", [[], ["-h"], ["data"], ["jobs", "--help"], ["auth"], ["analytics"]])
def test_help(play: Callable[..., tuple[int, str, str]], arguments: list[str]) -> None:
    code, out, err = play(*arguments)
    assert (code, err) == (0, "")
    assert f"Usage: asyncclient voxel51 {' '.join(arg for arg in arguments if arg[0] != '-')}".rstrip() in out


def test_the_help_of_everything(play: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = play("--all-help")
    assert code == 0
    for command in ("auth show", "data post-url", "jobs unarchive", "jobs ttl", "analytics upload-image", "status"):
        assert f"Usage: asyncclient voxel51 {command} " in out
    assert "auth show" not in play("data", "--all-help")[1]


def test_hostile_names_stay_in_their_line(play: Callable[..., tuple[int, str, str]]) -> None:
    rows = [{"id": "1", "name": "\x1b[2Ja\nb", "size": None, "upload_date": "yesterday", "expiration_date": 5}]
    code, out, _ = play("data", "list", "-c", answers=[{"data": rows}])
    assert code == 0
    assert out.splitlines()[2].split() == ["1", "?[2Ja?b", "yesterday"]
    assert out.endswith("Showing 1 data, 0B\n\n")


def test_wide_names_keep_the_columns(play: Callable[..., tuple[int, str, str]]) -> None:
    rows = [{"id": "1", "name": "视频视频", "size": 1}, {"id": "2", "name": "ab", "size": 2}]
    lines = play("data", "list", answers=[{"data": rows}])[1].splitlines()
    assert lines[1].startswith("----  --------  ------")
    assert lines[2] == "1     视频视频  1B"
    assert lines[3] == "2     ab        2B"
