"""Servers start, serve and end: in a thread, in a process, with TLS, from the command line, and without any server."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import asyncclient.testing
from asyncclient.testing import Emulator, Server, app, serve, services
from asyncclient.testing.__main__ import main
from asyncclient.testing._runners import Address, ProcessRunner

FORM = {"content-type": "application/x-www-form-urlencoded"}


def sign_in(http: httpx.Client, credentials: dict[str, str]) -> None:
    endpoint = credentials["auth_endpoint"]
    endpoint = endpoint if "://" in endpoint else f"https://{endpoint}"
    auth = (credentials["client_id"], credentials["client_secret"])
    response = http.post(f"{endpoint}/token?grant_type=client_credentials", auth=auth, headers=FORM)
    http.headers["authorization"] = f"Bearer {response.json()['access_token']}"


def try_out(server: Server) -> None:
    verify = ssl.create_default_context(cafile=server.ca_file) if server.ca_file else True
    with httpx.Client(verify=verify) as http:
        sign_in(http, server.credentials())
        assert http.get(f"{server.credentials()['api_endpoint']}/organizations/me").status_code == 200


def is_open(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((httpx.URL(url).host, httpx.URL(url).port or 0)) == 0


def until(condition: Callable[[], Any]) -> None:
    """Wait for something that another thread or process is about to do."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def left_overs() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("asyncclient-emulator-*"))


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    gc.collect()
    before = left_overs()
    yield
    assert left_overs() <= before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("emulator")]


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("process", [False, True])
def test_with(process: bool, tls: bool) -> None:
    with serve("las", process=process, tls=tls) as server:
        assert server.url.startswith("https://127.0.0.1:" if tls else "http://127.0.0.1:")
        assert (server.ca_file is not None) == tls
        assert repr(server) == f"<Server las {server.url}>"
        try_out(server)
    assert not is_open(server.url)
    server.close()


@pytest.mark.anyio
@pytest.mark.parametrize("process", [False, True])
async def test_async_with(process: bool) -> None:
    async with serve("las", process=process) as server:
        await asyncio.to_thread(try_out, server)
    assert not is_open(server.url)


def test_names_of_the_certificate() -> None:
    with serve("las", tls=True) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        port = httpx.URL(server.url).port
        assert httpx.get(f"https://localhost:{port}/v1/assets", verify=context).status_code == 403
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/v1/assets")


def test_ipv6() -> None:
    try:
        with serve("las", host="::1") as server:
            assert server.url.startswith("http://[::1]:")
            try_out(server)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


def test_a_chosen_port() -> None:
    with serve("las") as first:
        port = httpx.URL(first.url).port
        assert port is not None
        with pytest.raises(OSError, match="in use"):
            serve("las", port=port).start()
    with serve("las", port=port) as second:
        assert second.url == first.url


def test_a_process_that_does_not_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="ended with status 1"):
        serve("las", process=True, unheard_of=1).start()
    assert "unheard_of" in capfd.readouterr().err


def test_state_needs_a_running_server_in_this_process() -> None:
    server = serve("las")
    assert repr(server) == "<Server las not started>"
    for use in (lambda: server.url, lambda: server.state, server.credentials):
        with pytest.raises(RuntimeError, match="not running"):
            use()
    server.close()
    with serve("las", process=True) as other, pytest.raises(RuntimeError, match="process=True"):
        _ = other.state
    with server, pytest.raises(RuntimeError, match="started once"):
        server.start()


def test_wrong_names() -> None:
    with pytest.raises(ValueError, match="no emulator for 'lsa'; there are: "):
        serve("lsa")
    with pytest.raises(ValueError, match="no option 'unheard_of'"):
        serve("las", unheard_of=1).start()
    with pytest.raises(ValueError, match="no option 'unheard_of'"):
        app("las", unheard_of=1)
    with pytest.raises(AttributeError, match="nothing"):
        _ = asyncclient.testing.nothing
    assert "las" in services()
    assert asyncclient.testing.Emulator is Emulator


def test_closing_hangs_up_on_whoever_waits() -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with serve("las") as server:
            server.state.delay(60)
            waiting = pool.submit(httpx.get, f"{server.url}/v1/assets", timeout=30)
            until(lambda: not server.state.faults)
        with pytest.raises(httpx.TransportError):
            waiting.result()


def test_a_client_that_goes_away_while_it_sends() -> None:
    with serve("las") as server, httpx.Client() as http:
        sign_in(http, server.credentials())
        headers = {"authorization": http.headers["authorization"]}
        url = http.post(
            f"{server.url}/v1/documents", json={}, headers=headers | {"content-type": "application/json"}
        ).json()["fileUrl"]
        target = httpx.URL(url)
        with socket.create_connection((target.host, target.port or 0)) as raw:
            head = f"PUT {target.path} HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n"
            raw.sendall(
                head.encode() + f"authorization: {headers['authorization']}\r\n\r\n".encode() + bytes(3_000_000)
            )
        until(lambda: server.state.counters["put_file"])
        assert server.state.requests[-1].status == 0
        assert 0 < server.state.requests[-1].size_bytes <= 3_000_000
        assert http.get(url, headers=headers).status_code == 404


def test_a_child_that_does_not_end_is_killed() -> None:
    runner = ProcessRunner("las", Address(), {})
    ready = runner.start()
    assert runner.pid is not None
    os.kill(runner.pid, signal.SIGSTOP)
    runner.end_s = 0.1
    runner.stop()
    assert runner.pid is None
    assert not is_open(ready.url)


CHILD = """
import sys
from asyncclient.testing import serve
server = serve("las", process=True).start()
print(server.url, flush=True)
sys.stdin.readline()
import os
os._exit(9)
"""


def test_the_child_ends_when_its_parent_dies() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        url = parent.stdout.readline().strip()
        assert is_open(url)
        parent.stdin.close()
        assert parent.wait() == 9
        until(lambda: not is_open(url))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "asyncclient.testing", "las", "--options", '{"client_id": "me"}', "--tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["credentials"]["client_id"] == "me"
        assert Path(ready["ca_file"]).exists()
        process.send_signal(number)
        assert process.wait() == 128 + number
    assert not Path(ready["ca_file"]).exists()


def test_the_command_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--until-eof" in capsys.readouterr().out
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        os.close(writer)
        assert main(["las", "--until-eof"]) == 0
    out = capsys.readouterr().out
    assert out == "" or json.loads(out)["url"]


@pytest.mark.anyio
async def test_without_a_server() -> None:
    emulator = app("las", client_id="me")
    credentials = emulator.credentials("http://las.test/")
    assert credentials["api_endpoint"] == "http://las.test/v1"
    transport = httpx.ASGITransport(app=emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://las.test", headers=FORM) as http:
        token = await http.post("/token?grant_type=client_credentials", auth=("me", credentials["client_secret"]))
        http.headers["authorization"] = f"Bearer {token.json()['access_token']}"
        model = await http.get("/v1/models/las%3Aorganization%3Acradl%2Flas%3Amodel%3Ainvoice")
        assert model.json()["name"] == "Invoice"
        document = await http.post("/v1/documents", json={}, headers={"content-type": "application/json"})
        assert document.json()["fileUrl"].startswith("http://las.test/fileserver/")
        data = b"%PDF" * 1_000_000
        assert (await http.put(document.json()["fileUrl"], content=data)).status_code == 200
        assert (await http.get(document.json()["fileUrl"])).content == data
    assert emulator.state.counters["put_file"] == 1
    emulator.close()


@pytest.mark.anyio
async def test_other_kinds_of_asgi() -> None:
    emulator = app("las")
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.shutdown" if sent else "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await emulator({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="websocket"):
        await emulator({"type": "websocket"}, receive, send)


@pytest.mark.anyio
async def test_a_failure_of_the_emulator_itself_is_logged_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    emulator = app("las")
    emulator.state.tokens = None
    transport = httpx.ASGITransport(app=emulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://las.test") as http:
        with pytest.raises(AttributeError):
            await http.get("/v1/assets")
    assert "the emulator failed on GET /v1/assets" in caplog.text


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "trustme"])
def test_the_extra_is_named_when_it_is_missing(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
import asyncclient.testing, asyncclient.testing.pytest_plugin
try:
    with asyncclient.testing.serve("las", tls=True):
        pass
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'asyncclient[testing]'" in done.stdout


def test_importing_is_cheap() -> None:
    code = """
import sys
import pytest
import asyncclient
before = set(sys.modules)
import asyncclient.testing.pytest_plugin
print(*sorted(name for name in set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"asyncclient.testing", "asyncclient.testing.pytest_plugin"}
