"""What is logged, where, with which facts, and that nothing is where a level is off."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, errors, las
from asyncclient._logging import log_from_environment, shown_on_stderr
from asyncclient.telemetry import log_to_stderr
from asyncclient.testing import Server
from asyncclient.types import RetryPolicy

pytestmark = pytest.mark.anyio
QUICK = RetryPolicy(max_retries=3, base_transport_s=0, base_server_s=0, base_throttle_s=0)


@pytest.fixture
async def client(asyncclient_las: Server) -> AsyncIterator[las.AsyncClient]:
    async with AsyncHub() as hub:
        yield las.AsyncClient(las.Credentials(**asyncclient_las.credentials()), hub=hub).with_options(retry=QUICK)


@pytest.fixture
def package() -> Iterator[logging.Logger]:
    log = logging.getLogger("asyncclient")
    handlers, level = list(log.handlers), log.level
    yield log
    log.handlers[:] = handlers
    log.setLevel(level)


def of(caplog: pytest.LogCaptureFixture, event: str) -> list[Any]:
    return [record for record in caplog.records if getattr(record, "event", None) == event]


async def test_an_attempt(client: las.AsyncClient, asyncclient_las: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncclient")
    await client.list_documents(max_results=3)
    [first, record] = of(caplog, "attempt")  # the first asks for a token
    assert first.method == "POST"
    assert (record.name, record.levelno) == ("asyncclient.las", logging.DEBUG)
    assert (record.service, record.operation, record.lane) == ("las", "list_documents", "control")
    assert (record.method, record.status, record.attempt) == ("GET", 200, 1)
    assert record.host == "127.0.0.1"
    assert record.path.endswith("/documents")
    assert "maxResults" not in record.getMessage()
    assert record.response_bytes > 0
    assert record.duration_ms > 0
    assert of(caplog, "call")[-1].operation == "list_documents"


async def test_retries_and_renewed_credentials(
    client: las.AsyncClient, asyncclient_las: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asyncclient")
    await client.list_documents()
    assert not caplog.records
    asyncclient_las.state.fail_next(503, path="/documents")
    await client.list_documents()
    [record] = of(caplog, "retry")
    assert (record.levelno, record.reason, record.attempt) == (logging.INFO, "503", 1)
    asyncclient_las.state.fail_next(401, path="/documents")
    await client.list_documents()
    assert len(of(caplog, "credentials")) == 1
    assert not of(caplog, "attempt")


async def test_a_pause(client: las.AsyncClient, asyncclient_las: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "asyncclient")
    asyncclient_las.state.fail_next(429, path="/documents", headers={"Retry-After": "0.01"})
    await client.list_documents()
    [record] = of(caplog, "pause")
    assert (record.name, record.service) == ("asyncclient.pool", "las")
    assert record.delay_ms == 10.0


async def test_the_retry_budget(
    client: las.AsyncClient, asyncclient_las: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning, for those who log nothing else."""
    caplog.set_level(logging.WARNING, "asyncclient")
    await client.list_documents()
    asyncclient_las.state.fail_next(503, path="/documents", times=None)
    for _ in range(13):
        with pytest.raises(errors.APIError):
            await client.list_documents()
    assert {record.levelno for record in of(caplog, "retry-budget")} == {logging.WARNING}
    assert of(caplog, "retry-budget")[0].origin.startswith("http://127.0.0.1:")


async def test_one_service_alone(client: las.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "asyncclient.las")
    logging.getLogger("asyncclient.transfers").setLevel(logging.NOTSET)
    await client.list_documents()
    assert {record.name for record in caplog.records if record.name.startswith("asyncclient")} == {"asyncclient.las"}


def test_standard_error(package: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("warning")
    log_to_stderr("info")
    package.info("shown")
    package.debug("not shown")
    assert capsys.readouterr().err.count("INFO    asyncclient: shown") == 1
    with pytest.raises(errors.ArgumentError, match="level must be one of debug, info, warning, error"):
        log_to_stderr("loud")  # type: ignore[arg-type]  # refused


def test_the_environment(package: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    log_from_environment({})
    assert package.level == logging.NOTSET
    log_from_environment({"ASYNCCLIENT_LOG": " Debug "})
    assert package.level == logging.DEBUG
    log_from_environment({"ASYNCCLIENT_LOG": "loud"})
    assert package.level == logging.DEBUG
    assert "ASYNCCLIENT_LOG must be one of" in caplog.text


def test_for_a_while(package: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    service = logging.getLogger("asyncclient.las")
    with shown_on_stderr(service, logging.INFO, "%(message)s", events=False):
        service.info("one")
        service.info("a request", extra={"event": "attempt"})
        service.debug("not shown")
        package.info("not shown")
    service.info("not shown")
    assert capsys.readouterr().err == "one\n"
    assert (service.handlers, service.level) == ([], logging.NOTSET)


@pytest.mark.parametrize("name", ["asyncclient", "asyncclient.las"])
def test_no_line_comes_twice(name: str, package: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("warning")
    with shown_on_stderr(logging.getLogger(name)), shown_on_stderr():
        logging.getLogger(name).debug("shown")
    logging.getLogger(name).info("not shown")
    assert capsys.readouterr().err.splitlines()[0].endswith(f"DEBUG   {name}: shown")
    assert package.level == logging.WARNING


def test_a_token_that_everybody_may_read_is_told_of(tmp_path: Path) -> None:
    """In a script that does nothing about logs."""
    token = tmp_path / "token.json"
    token.write_text('{"access_token": {"private_key": "secret-key", "base_api_url": "https://service.invalid"}}')
    token.chmod(0o644)
    code = "import sys; from asyncclient import voxel51; voxel51.Token.from_json(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(token)], capture_output=True, text=True, timeout=60)
    assert "can be read or changed by every user" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "secret-key" not in done.stderr


@pytest.mark.parametrize(("value", "shown"), [("", False), ("warning", False), ("debug", True)])
def test_a_program_that_does_nothing_about_logs(value: str, shown: bool, asyncclient_las: Server) -> None:
    code = (
        "import sys; from asyncclient import las\n"
        "las.Client(las.Credentials(*sys.argv[1:])).list_documents()\n"
        "import logging; logging.getLogger('asyncclient.las').warning('look')"
    )
    command = [sys.executable, "-c", code, *asyncclient_las.credentials().values()]
    environment = {**os.environ, "ASYNCCLIENT_LOG": value}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert ("list_documents" in done.stderr) is shown
    assert done.stderr.count("look") == 1  # warnings are for everybody
    if not value:
        assert done.stderr == "look\n"
