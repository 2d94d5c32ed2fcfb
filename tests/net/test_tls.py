"""TLS: whom we trust, who we are, and what becomes of a handshake that fails."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from asyncclient._messages import Origin
from asyncclient._net.bodies import IterBody
from asyncclient._net.pool import Pool
from asyncclient._net.tls import make_context
from asyncclient.errors import ConfigurationError, TLSError
from tests.net.conftest import TIMEOUTS, fetch, get, post
from tests.support.fault_server import OK, Body, Close, FaultServer, Hang, Head, Repeat, Reset, Send, Take, answer
from tests.support.tls import Authority

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def trusting(make_pool: Callable[..., Pool], authority: Authority) -> Pool:
    return make_pool(verify=authority.file)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)


async def test_a_custom_authority(trusting: Pool, authority: Authority) -> None:
    async with FaultServer(tls=authority.server()) as server:
        for _ in range(3):
            assert (await fetch(trusting, get(server.origin)))[1] == b"ok"
        assert trusting.statistics()[:3] == (1, 1, 1)
        assert len(server.connections[0].heads) == 3


async def test_the_default_is_what_the_system_trusts(
    pool: Pool, make_pool: Callable[..., Pool], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultServer(tls=authority.server()) as server:
        with pytest.raises(TLSError):
            await fetch(pool, get(server.origin))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert (await fetch(make_pool(), get(server.origin)))[1] == b"ok"


@pytest.fixture
def directory(authority: Authority, tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to name certificates by their hash")
    shutil.copy(authority.file, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True, capture_output=True)
    return tmp_path


async def test_a_directory_of_authorities(
    make_pool: Callable[..., Pool], authority: Authority, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultServer(tls=authority.server()) as server:
        assert (await fetch(make_pool(verify=str(directory)), get(server.origin)))[1] == b"ok"
        monkeypatch.setenv("SSL_CERT_DIR", str(directory))
        assert (await fetch(make_pool(), get(server.origin)))[1] == b"ok"


async def test_trusting_everybody(make_pool: Callable[..., Pool], stranger: Authority) -> None:
    async with FaultServer(tls=stranger.server("elsewhere.example", expired=True)) as server:
        assert (await fetch(make_pool(verify=False), get(server.origin)))[1] == b"ok"


async def test_a_context_of_ones_own(make_pool: Callable[..., Pool], authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.file)
    async with FaultServer(tls=authority.server()) as server:
        for pool in (make_pool(ssl_context=context), make_pool(verify=context)):
            assert (await fetch(pool, get(server.origin)))[1] == b"ok"


async def test_an_unknown_authority(trusting: Pool, stranger: Authority) -> None:
    async with FaultServer(tls=stranger.server()) as server:
        with pytest.raises(TLSError, match=r"the certificate of 127\.0\.0\.1 does not verify") as caught:
            await fetch(trusting, get(server.origin))
        assert caught.value.request_sent is False
        assert caught.value.origin == str(server.origin)
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert trusting.statistics()[:2] == (0, 0)
        assert server.connections == []


async def test_a_certificate_of_another_host(trusting: Pool, authority: Authority) -> None:
    async with FaultServer(tls=authority.server("elsewhere.example")) as server:
        with pytest.raises(TLSError, match=r"127\.0\.0\.1 does not verify: .*mismatch"):
            await fetch(trusting, get(server.origin))


async def test_an_expired_certificate(trusting: Pool, authority: Authority) -> None:
    async with FaultServer(tls=authority.server(expired=True)) as server:
        with pytest.raises(TLSError, match="expired"):
            await fetch(trusting, get(server.origin))


async def test_a_server_without_tls(trusting: Pool) -> None:
    async with FaultServer([Send(OK), Hang()]) as server:
        with pytest.raises(TLSError, match="TLS handshake with 127"):
            await fetch(trusting, get(server.origin._replace(scheme="https")))


@pytest.mark.parametrize("end", [Close(), Reset()])
async def test_a_server_that_goes_during_the_handshake(trusting: Pool, end: Close | Reset) -> None:
    async with FaultServer([Take(5), end]) as server:
        with pytest.raises(TLSError, match="closed the connection during the TLS handshake"):
            await fetch(trusting, get(server.origin._replace(scheme="https")))
        assert trusting.statistics().open == 0


async def test_the_name_is_sent_and_http_1_1_is_offered(trusting: Pool, authority: Authority) -> None:
    names: list[str | None] = []
    chosen: list[str | None] = []
    context = authority.server("localhost", "127.0.0.1", alpn=("h2", "http/1.1"))

    def on_name(sock: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        names.append(name)
        socks.append(sock)

    socks: list[ssl.SSLObject | ssl.SSLSocket] = []
    context.sni_callback = on_name
    async with FaultServer(tls=context) as server:
        await fetch(trusting, get(server.origin._replace(host="localhost")))
        await fetch(trusting, get(server.origin))
        chosen = [sock.selected_alpn_protocol() for sock in socks]
    assert names == ["localhost", None]  # an address is no name (RFC 6066)
    assert chosen == ["http/1.1", "http/1.1"]


async def test_a_context_that_offers_something_else(make_pool: Callable[..., Pool], authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.file)
    context.set_alpn_protocols(["h2"])
    async with FaultServer(tls=authority.server(alpn=("h2",))) as server:
        pool = make_pool(ssl_context=context)
        with pytest.raises(TLSError, match="offers h2"):
            await fetch(pool, get(server.origin))
        assert pool.statistics().open == 0


async def test_client_certificates(make_pool: Callable[..., Pool], authority: Authority, tmp_path: Path) -> None:
    chain, key = authority.files("client.example")
    both = tmp_path / "both.pem"
    both.write_bytes(chain.read_bytes() + key.read_bytes())
    async with FaultServer(tls=authority.server(client_ca=authority)) as server:
        for cert in ((str(chain), str(key)), str(both)):
            pool = make_pool(verify=authority.file, cert=cert)
            assert (await fetch(pool, get(server.origin)))[1] == b"ok"


@pytest.fixture
def strict(authority: Authority) -> Iterator[Origin]:
    """A server in a thread that asks for a client certificate, and says so when there is none (asyncio's does not)."""
    context = authority.server(client_ca=authority)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        sock, _ = listener.accept()
        with context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as tls:
            with contextlib.suppress(ssl.SSLError):
                tls.do_handshake()
            while socket.socket.recv(tls, 1000):  # closing with unread data would reset, and destroy the alert
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield Origin("https", "127.0.0.1", listener.getsockname()[1])
    thread.join()
    listener.close()


async def test_a_missing_client_certificate(trusting: Pool, strict: Origin) -> None:
    """With TLS 1.3 the refusal comes after our side of the handshake, and perhaps after the request."""
    with pytest.raises(TLSError, match=r"broke off the TLS handshake: .*CERTIFICATE_REQUIRED") as caught:
        await fetch(trusting, post(strict, b"x"))
    assert caught.value.request_sent is False
    assert trusting.statistics().open == 0


@pytest.mark.parametrize("cert", ["/does/not/exist.pem", __file__, ("/does/not/exist.pem", "key")])
async def test_a_client_certificate_that_cannot_be_used(make_pool: Callable[..., Pool], cert: str) -> None:
    pool = make_pool(cert=cert)
    async with FaultServer() as server:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="client certificate"):
                await fetch(pool, get(server.origin._replace(scheme="https")))
        assert pool.statistics()[:2] == (0, 0)


def test_a_client_key_with_a_password(authority: Authority, tmp_path: Path) -> None:
    """Without it there is an error; nobody is asked on the terminal."""
    chain, key = authority.files("client.example")
    locked = tmp_path / "locked.key"
    encryption = serialization.BestAvailableEncryption(b"secret")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    form = serialization.PrivateFormat.PKCS8
    locked.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, encryption))
    make_context(cert=(str(chain), str(locked), "secret"))
    make_context(cert=(chain, key))
    for cert in ((str(chain), str(locked)), (str(chain), str(locked), "wrong")):
        with pytest.raises(ConfigurationError, match="client certificate") as caught:
            make_context(cert=cert)
        assert "wrong" not in str(caught.value)


@pytest.mark.parametrize("verify", ["/does/not/exist.pem", __file__])
def test_authorities_that_cannot_be_used(verify: str) -> None:
    with pytest.raises(ConfigurationError, match="CA certificates"):
        make_context(verify)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_variable_that_names_nothing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/does/not/exist")
    with pytest.raises(ConfigurationError, match=variable):
        make_context()


def test_without_a_trust_store_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", "")
    assert make_context().cert_store_stats()["x509_ca"] > 10


async def test_the_context_is_made_once_and_only_if_needed(
    make_pool: Callable[..., Pool], authority: Authority
) -> None:
    pool = make_pool(verify=authority.file)
    async with FaultServer() as plain:
        await fetch(pool, get(plain.origin))
        assert pool._context is None
    async with FaultServer(tls=authority.server()) as server:
        first = asyncio.ensure_future(fetch(pool, get(server.origin)))
        others = [asyncio.ensure_future(fetch(pool, get(server.origin))) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()  # the one who began to make it
        await asyncio.gather(*others)
        context = pool._context
        await fetch(pool, get(server.origin))
        assert pool._context is context is not None
        assert first.cancelled()


async def test_large_bodies_both_ways(trusting: Pool, authority: Authority) -> None:
    data = bytes(range(256)) * 32768
    script = [Repeat([Head(), Body(), Send(answer(data))])]
    async with FaultServer(script, tls=authority.server()) as server:
        for body in (data, IterBody([data[:1000], data[1000:]], len(data)), IterBody([data])):
            assert (await fetch(trusting, post(server.origin, body)))[1] == data
        assert server.connections[0].bodies == [data] * 3
        assert trusting.statistics().opened == 1


async def test_a_slow_reader_over_tls(trusting: Pool, authority: Authority) -> None:
    size = 32 << 20
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    async with FaultServer([Head(), Send(head + bytes(size)), Hang()], tls=authority.server()) as server:
        response = await trusting.send(get(server.origin), TIMEOUTS)
        before = -1
        while trusting.statistics().bytes_received != before:
            before = trusting.statistics().bytes_received
            await asyncio.sleep(0.05)
        assert before < 4 << 20
        assert len(await response.read_all(size)) == size


async def test_a_body_that_ends_with_the_connection(trusting: Pool, authority: Authority) -> None:
    async with FaultServer([Head(), Send(b"HTTP/1.1 200 OK\r\n\r\nall"), Close()], tls=authority.server()) as server:
        assert (await fetch(trusting, get(server.origin)))[1] == b"all"


async def test_an_idle_connection_that_ends(trusting: Pool, authority: Authority) -> None:
    async with FaultServer([Head(), Send(OK), Close()], [Head(), Send(OK)], tls=authority.server()) as server:
        for _ in range(2):
            assert (await fetch(trusting, get(server.origin)))[1] == b"ok"
            await server.wait_closed(1)


async def test_closing_leaves_nothing(make_pool: Callable[..., Pool], authority: Authority) -> None:
    pool = make_pool(verify=authority.file)
    script = [Head(), Send(OK), Head(), Send(b"HTTP/1.1 200 OK\r\n\r\npart"), Hang()]
    async with FaultServer(script, tls=authority.server()) as server:
        await fetch(pool, get(server.origin))
        response = await pool.send(get(server.origin), TIMEOUTS)
        waiting = asyncio.ensure_future(fetch(pool, get(server.origin)))
        await asyncio.sleep(0)
        await pool.aclose()
        assert pool.statistics()[2:4] == (0, 0) or pool.statistics().active == 1  # the one that still connects
        with pytest.raises(Exception, match="closed"):
            await waiting
        await response.stream.aclose()
        assert pool.statistics().open == 0
