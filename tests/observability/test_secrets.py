"""No secret of any service in anything that is written: logs, errors, spans, journals, representations.

The sessions use secrets that occur nowhere else; those that services make up themselves (tokens, tickets, signatures) are
read off the wire. What is searched is listed in ``witness.py``.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from asyncclient import AsyncHub, errors, flywheel, las, lfview, sticky_pi, testing, voxel51
from asyncclient._httpx import ForeignTransport
from asyncclient._messages import Origin, Request
from asyncclient.telemetry import Call, CallFinished, CallStarted
from asyncclient.types import Timeouts
from tests.observability.sessions import SESSIONS, Site, marked
from tests.observability.tap import tapped
from tests.observability.witness import Witness

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "ASYNCCLIENT_STATE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path


@pytest.mark.parametrize("transport", ["pool", "httpx"])
@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("service", SESSIONS)
def test_no_secret_is_written(
    service: str, kind: str, transport: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Witness() as witness:
        witness.folders.append(home)
        site = Site(kind, transport, home / "work", witness)
        site.folder.mkdir()
        SESSIONS[service](site)
        out = capfd.readouterr()
        witness.texts += [("stdout", out.out), ("stderr", out.err)]
    secrets = {*site.planted, *site.tap.secrets}
    # What the emulator of LF View makes up are ids of upload sessions, too short to be looked for.
    assert service == "lfview" or len(secrets) > len(site.planted), "nothing was read off the wire"
    assert set(site.planted) & site.tap.secrets, "what was planted was never sent"
    assert witness.errors
    leaks = witness.leaks(secrets)
    assert not leaks, "\n".join(sorted({f"{leak.where} ({leak.form}): {leak.around!r}" for leak in leaks})[:60])


def _in_a_record(witness: Witness, secret: str, folder: Path) -> None:
    logging.getLogger("asyncclient.las").debug("sent %s", secret)


def _in_a_field(witness: Witness, secret: str, folder: Path) -> None:
    logging.getLogger("asyncclient.las").debug("sent", extra={"header": secret})


def _in_a_traceback(witness: Witness, secret: str, folder: Path) -> None:
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("asyncclient").exception("failed")


def _in_an_attribute(witness: Witness, secret: str, folder: Path) -> None:
    witness.failed(errors.APIError("refused", body={"sent": [secret]}))


def _in_a_cause(witness: Witness, secret: str, folder: Path) -> None:
    error = errors.ReadError("broke")
    error.__cause__ = OSError(secret)
    witness.failed(errors.DeadlineExceeded("list", 1.0, last_error=error))


def _in_a_note(witness: Witness, secret: str, folder: Path) -> None:
    error = errors.ReadError("broke")
    error.add_note(f"sent {secret}")
    witness.failed(error)


def _in_a_repr(witness: Witness, secret: str, folder: Path) -> None:
    witness.look_at({"key": secret})


def _in_a_span(witness: Witness, secret: str, folder: Path) -> None:
    call = Call("las", secret, "control")
    for observer in witness.observers[1:]:
        observer.on_event(CallStarted(call))
        observer.on_event(CallFinished(call, 0.1, 1, 200, None))


def _in_a_file(witness: Witness, secret: str, folder: Path) -> None:
    (folder / "journal").write_bytes(b"\x00" + base64.b64encode(secret.encode()))


def _in_a_file_name(witness: Witness, secret: str, folder: Path) -> None:
    (folder / secret.encode().hex()).touch()


def _in_a_warning(witness: Witness, secret: str, folder: Path) -> None:
    warnings.warn(f"look at {secret}", stacklevel=1)


@pytest.mark.parametrize(
    "plant",
    [
        *(
            _in_a_record,
            _in_a_field,
            _in_a_traceback,
            _in_an_attribute,
            _in_a_cause,
            _in_a_note,
            _in_a_repr,
            _in_a_span,
        ),
        *(_in_a_file, _in_a_file_name, _in_a_warning),
    ],
)
def test_a_leak_is_found(plant: Callable[[Witness, str, Path], None], tmp_path: Path) -> None:
    secret = marked("control")
    with Witness() as witness:
        witness.folders.append(tmp_path)
        logging.getLogger("asyncclient.las").debug("nothing of interest")
        assert not witness.leaks([secret])
        plant(witness, secret, tmp_path)
    assert witness.leaks([secret])


def test_a_server_that_repeats_what_it_was_sent_is_seen(tmp_path: Path) -> None:
    """The body of the tap's refusals holds the key: what reads it without our client finds it."""

    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    secret = marked("control")
    with tapped(nothing) as tap:
        tap.echo = 403
        answer = httpx.get(f"{tap.url}/a?sig={secret}", headers={"Authorization": f"Bearer {secret}"})
    assert secret in tap.secrets
    assert secret in answer.text
    assert secret in answer.headers["x-request-id"]


def test_a_file_that_holds_a_secret_is_private(tmp_path: Path) -> None:
    with Witness() as witness:
        witness.folders.append(tmp_path)
        witness.exempt.add("token.json")
        path = tmp_path / "token.json"
        path.write_text("planted")
        path.chmod(0o600)
        assert not witness.leaks(["planted"])
        path.chmod(0o644)
        with pytest.raises(AssertionError, match="others can read"):
            witness.leaks(["planted"])


@pytest.mark.anyio
@pytest.mark.parametrize("refused", [False, True])
async def test_a_proxy_with_a_password(refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user and password of a proxy in the environment are in nothing, whether it works or not."""
    password, name = marked("proxy"), marked("user")
    emulator = testing.app("las")
    with Witness() as witness, tapped(emulator) as tap:
        port = urlsplit(tap.url).port if not refused else 1
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, f"http://{name}:{password}@127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "nowhere.invalid")
        monkeypatch.delenv("NO_PROXY", raising=False)
        hub = AsyncHub(observers=witness.observers)
        credentials = las.Credentials(**emulator.credentials("http://service.invalid"))
        async with hub:
            client = las.AsyncClient(credentials, hub=hub).with_options(max_retries=0)
            witness.look_at(hub, client)
            try:
                await client.list_documents()
            except errors.AsyncClientError as error:
                witness.failed(error)
            witness.look_at(hub._opened().transport)
        assert bool(tap.seen) is not refused
    assert refused or any(password in secret for secret in tap.secrets), "the proxy never saw the password"
    assert witness.records
    assert not witness.leaks([password, name])


@pytest.mark.anyio
@pytest.mark.parametrize("broken", ["refused", "cut"])
async def test_an_error_of_httpx_does_not_bring_the_request_along(broken: str) -> None:
    """httpx hangs the request on its errors, with address and headers; ours have the error of httpx as their cause."""
    header, signature = marked("header"), marked("signature")

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1] if broken == "cut" else 1
    target = f"/a?X-Amz-Signature={signature}".encode()
    message = Request(b"GET", Origin("http", "127.0.0.1", port), target, [(b"x-marked", header.encode())], None)
    transport = ForeignTransport(httpx.AsyncClient())
    try:
        with pytest.raises(errors.TransportError) as caught:
            await transport.send(message, Timeouts(connect=5, read=5, write=5))
    finally:
        await transport.aclose()
        server.close()
    cause = caught.value.__cause__
    assert isinstance(cause, httpx.RequestError)
    shown = f"{cause.request.url} {cause.request.headers.raw}"
    assert header not in shown
    assert signature not in shown


@pytest.mark.anyio
async def test_a_digest_that_is_wrong(home: Path) -> None:
    """The error names what was expected and what came, not how it was asked for."""
    secret = marked("flywheel")
    emulator = testing.app("flywheel", secret=secret, redirect_downloads=True, storage_host="localhost")
    (home / "right").write_bytes(bytes(range(256)) * 50_000)
    (home / "wrong").write_bytes(bytes(reversed(range(256))) * 50_000)
    with Witness() as witness, tapped(emulator) as tap:
        witness.folders.append(home)
        async with AsyncHub(observers=witness.observers) as hub:
            client = flywheel.AsyncClient(emulator.credentials(tap.url)["api_key"], hub=hub)
            await client.add_group({"_id": "lab", "label": "Lab"})
            project = str(await client.add_project({"group": "lab", "label": "Study"}))
            for name in ("right", "wrong"):
                await client.upload_file_to_project(project, home / name)
            right, wrong = (series.newest for _, series in emulator.state.files.values())
            right.content = type(right.content)(wrong.content.blobs, right.content.hash)
            for download in (client.download_file_by_ticket, client.download_file_from_project):
                with pytest.raises(errors.IntegrityError) as caught:
                    await download(project, "right", home / "back")
                witness.failed(caught.value)
    assert secret in tap.secrets
    leaks = witness.leaks({secret, *tap.secrets})
    assert not leaks, leaks[:10]


@pytest.mark.anyio
async def test_what_clients_and_credentials_show_of_options(home: Path) -> None:
    secret = marked("option")
    url = "https://service.invalid/v1"
    witness = Witness()
    async with AsyncHub(cert=("cert.pem", "key.pem", secret), observers=witness.observers) as hub:
        headers = {"Authorization": f"Bearer {secret}", "X-Marked": secret, "Cookie": f"a={secret}"}
        given = {"client_id": "id", "client_secret": secret, "auth_endpoint": url, "api_endpoint": url}
        credentials = las.Credentials(**given, cached_profile="profile", cache_path=home / "cache")
        token = voxel51.Token({"access_token": {"private_key": secret, "base_api_url": url}})
        application = voxel51.ApplicationToken({"access_token": {"private_key": secret, "base_api_url": url}})
        clients = [
            las.AsyncClient(credentials, hub=hub),
            voxel51.AsyncAPI(token, hub=hub),
            voxel51.AsyncApplicationAPI(application, hub=hub),
            flywheel.AsyncClient(f"service.invalid:{secret}", hub=hub),
            lfview.AsyncSession(secret, hub=hub),
            sticky_pi.AsyncRemoteClient(home, "https://service.invalid", "admin", secret, hub=hub),
        ]
        witness.look_at(hub, credentials, token, application, *clients)
        for client in clients[:5]:
            other: Any = client
            witness.look_at(other.with_options(headers=headers, timeout=5, max_retries=1))
    assert not witness.leaks([secret])
