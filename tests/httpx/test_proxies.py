"""Proxies named in the environment, and ``no_proxy``."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from asyncclient import AsyncHub, errors
from asyncclient._httpx import environment_transport
from asyncclient._messages import Origin, Request
from asyncclient._proxies import EnvironmentProxies, environment_proxies
from asyncclient.types import Limits, Timeouts

WAITS = Timeouts(connect=5, read=5, write=5)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, False),
        ({"PATH": "/bin", "no_proxy": "*"}, False),
        ({"HTTP_PROXY": "http://p:1"}, True),
        ({"https_proxy": "http://p:1"}, True),
        ({"ALL_PROXY": "socks5://p:1"}, True),
        ({"HTTP_PROXY": ""}, False),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": ""}, False),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, False),
        ({"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, True),
    ],
)
def test_whether_the_environment_names_a_proxy(environ: Mapping[str, str], named: bool) -> None:
    assert environment_proxies(environ) is named


def test_which_proxy_an_origin_gets() -> None:
    proxies = EnvironmentProxies.of({"HTTP_PROXY": "p:1", "https_proxy": "http://s:2", "ALL_PROXY": "http://a:3"})
    assert proxies.proxy_for("http", "example.com", 80) == "http://p:1"
    assert proxies.proxy_for("https", "example.com", 443) == "http://s:2"
    fallback = EnvironmentProxies.of({"ALL_PROXY": "socks5://a:3", "https_proxy": "http://s:2"})
    assert fallback.proxy_for("http", "example.com", 80) == "socks5://a:3"
    assert EnvironmentProxies.of({"https_proxy": "http://s:2"}).proxy_for("http", "example.com", 80) is None


@pytest.mark.parametrize(
    ("listed", "host", "port", "direct"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "sub.example.com", 443, True),
        ("example.com", "badexample.com", 443, False),
        ("example.com", "example.com.evil", 443, False),
        (".example.com", "example.com", 443, True),
        ("*.example.com", "sub.example.com", 443, True),
        ("EXAMPLE.com", "example.com", 443, True),
        ("other, example.com", "example.com", 443, True),
        ("other example.com", "example.com", 443, True),
        ("example.com:443", "example.com", 443, True),
        ("example.com:444", "example.com", 443, False),
        ("https://example.com", "example.com", 443, True),
        ("localhost", "localhost", 80, True),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("127.0.0.1:81", "127.0.0.1", 80, False),
        ("127.0.0.1", "127.0.0.2", 80, False),
        ("0.0.1", "127.0.0.1", 80, False),
        ("10.0.0.0/8", "10.2.3.4", 80, True),
        ("10.0.0.0/8", "11.2.3.4", 80, False),
        ("10.0.0.0/8", "example.com", 80, False),
        ("10.0.0.0/99", "10.0.0.1", 80, False),
        ("::1", "::1", 80, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:81", "::1", 80, False),
        ("fd00::/8", "fd00::1", 80, True),
        ("*", "anything", 1, True),
        ("", "anything", 1, False),
        (",.,*.,", "anything", 1, False),
    ],
)
def test_no_proxy(listed: str, host: str, port: int, direct: bool) -> None:
    proxies = EnvironmentProxies.of({"ALL_PROXY": "http://p:1", "NO_PROXY": listed})
    for scheme in ("http", "https"):
        assert (proxies.proxy_for(scheme, host, port) is None) is direct


def test_without_a_proxy_httpx_is_not_imported() -> None:
    script = (
        "import asyncio, sys\n"
        "from asyncclient import AsyncHub\n"
        "async def main():\n"
        "    async with AsyncHub():\n"
        "        pass\n"
        "asyncio.run(main())\n"
        "assert 'httpx' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], env={}, check=True)


# --- a proxy of our own ----------------------------------------------------------------------------------------------


class ForwardProxy:
    """Forwards absolute requests and tunnels CONNECT; remembers the first lines and the authorization."""

    def __init__(self, *, refuse: bool = False) -> None:
        self.lines: list[str] = []
        self.authorizations: list[str] = []
        self.refuse = refuse

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, _, rest = head.partition("\r\n")
        self.lines.append(line)
        self.authorizations += [
            field.partition(": ")[2] for field in rest.split("\r\n") if field.lower().startswith("proxy-authorization")
        ]
        if self.refuse:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, version = line.split(" ")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            url = urlsplit(target)
            far_reader, far_writer = await asyncio.open_connection(url.hostname, url.port)
            path = url.path + (f"?{url.query}" if url.query else "")
            far_writer.write(f"{method} {path} {version}\r\n{rest}".encode("latin-1"))
        try:
            await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        finally:
            far_writer.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


seen: list[str] = []


async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head.decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def get(scheme: str, port: int, host: str = "127.0.0.1") -> Request:
    return Request(b"GET", Origin(scheme, host, port), b"/x/../y?q=1", [])


@pytest.fixture(autouse=True)
def _no_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login netrc-user password netrc-word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    seen.clear()


@pytest.mark.anyio
async def test_the_environment_switches_to_the_proxy_and_no_proxy_back(
    serve: Any, server_context: ssl.SSLContext, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ForwardProxy()
    async with serve(proxy) as at, serve(origin) as plain, serve(origin, ssl=server_context) as secure:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass%20word@127.0.0.1:{at}")
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{at}")
        monkeypatch.setenv("no_proxy", "localhost")
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with AsyncHub(verify=str(ca_file)) as hub:
            transport = hub._opened().transport
            for request in (get("http", plain), get("https", secure), get("http", plain, "localhost")):
                answer = await transport.send(request, WAITS)
                assert await answer.read_all(10) == b"ok"
        assert proxy.lines == [
            f"GET http://127.0.0.1:{plain}/y?q=1 HTTP/1.1",
            f"CONNECT 127.0.0.1:{secure} HTTP/1.1",
        ]
        assert proxy.authorizations == ["Basic " + base64.b64encode(b"user:pass word").decode()]
        assert len(seen) == 3
        assert "netrc" not in "".join(seen)
        assert "\r\nauthorization" not in "".join(seen).lower()
        async with AsyncHub(trust_env=False) as hub:
            answer = await hub._opened().transport.send(get("http", plain), WAITS)
            assert await answer.read_all(10) == b"ok"
        assert len(proxy.lines) == 2


@pytest.mark.anyio
async def test_a_proxy_that_refuses(serve: Any) -> None:
    proxy = ForwardProxy(refuse=True)
    async with serve(proxy) as at:
        proxies = EnvironmentProxies.of({"ALL_PROXY": f"http://user:word@127.0.0.1:{at}"})
        transport = environment_transport(Limits(), proxies=proxies)
        with pytest.raises(errors.ProxyError, match="407") as caught:
            await transport.send(get("https", 1), WAITS)
        assert not caught.value.request_sent
        assert "word" not in str(caught.value)
        answer = await transport.send(get("http", 1), WAITS)
        assert answer.status == 407
        assert await answer.read_all(10) == b""
        await transport.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("proxy", ["ftp://user:secret@p:1", "http://user:secret@:80", "http://user:secret@h:port"])
async def test_a_proxy_that_cannot_be_used(proxy: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="proxy") as caught:
        environment_transport(Limits(), proxies=EnvironmentProxies.of({"ALL_PROXY": proxy}))
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.anyio
async def test_socks_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = EnvironmentProxies.of({"ALL_PROXY": "socks5://127.0.0.1:1"})
    transport = environment_transport(Limits(), proxies=proxies)
    await transport.aclose()
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(errors.ConfigurationError, match="socks"):
        environment_transport(Limits(), proxies=proxies)
