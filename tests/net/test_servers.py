"""The pool against servers no one here wrote."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asyncclient._messages import Origin, Request
from asyncclient._net.bodies import FileBody, IterBody
from asyncclient._net.multipart import MultipartBody, Part
from asyncclient._net.pool import Pool
from asyncclient.errors import TLSError
from tests.net.conftest import TIMEOUTS, fetch, get, post
from tests.support.asgi_app import PIECE
from tests.support.processes import ASGI_SERVERS, asgi_server, free_port, nginx
from tests.support.tls import Authority

pytestmark = pytest.mark.anyio

LARGE = 20 << 20


def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


# -- ASGI servers ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=list(ASGI_SERVERS))
def origin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with asgi_server(request.param, tmp_path_factory.mktemp("asgi")) as port:
        yield Origin("http", "127.0.0.1", port)


@pytest.mark.parametrize("size", [0, 1, 65536, LARGE])
async def test_answers_with_and_without_length(pool: Pool, origin: Origin, size: int) -> None:
    expected = (PIECE * (size // len(PIECE) + 1))[:size]
    for kind in (b"bytes", b"chunked"):
        response, body = await fetch(pool, get(origin, b"/%b/%d" % (kind, size)))
        assert response.status == 200
        assert body == expected
    assert pool.statistics()[:3] == (1, 1, 1)


async def test_bodies_with_and_without_length(pool: Pool, origin: Origin, tmp_path: Path) -> None:
    data = os.urandom(LARGE // 4)
    path = tmp_path / "data"
    path.write_bytes(data)
    form = MultipartBody([Part("a", "b"), Part("file", await FileBody.whole(path), "data")])
    whole = b"".join([piece async for piece in form.open()])
    for body, expected in (
        (data, data),
        (FileBody(path, 0, len(data)), data),
        (IterBody([data[:10], data[10:]], len(data)), data),
        (IterBody([data[:10], data[10:]]), data),
        (form, whole),
        (b"", b""),
        (None, b""),
    ):
        request = Request(b"POST", origin, b"/digest", [], body)
        assert (await fetch(pool, request))[1] == md5(expected)
    assert pool.statistics().opened == 1


async def test_both_directions_at_once(pool: Pool, origin: Origin) -> None:
    data = os.urandom(100_000)
    request = Request(b"POST", origin, b"/echo", [], IterBody([data] * 20))
    response, body = await fetch(pool, request)
    assert response.status == 200
    # A server may answer before the request has ended; the pool then stops sending, and gets what was sent so far.
    assert (data * 20).startswith(body)


async def test_answers_without_a_body(pool: Pool, origin: Origin) -> None:
    for method, target, status in (
        (b"HEAD", b"/bytes/1000", 200),
        (b"HEAD", b"/chunked/1000", 200),
        (b"GET", b"/status/204", 204),
        (b"GET", b"/status/304", 304),
        (b"DELETE", b"/status/204", 204),
        (b"GET", b"/nothing", 404),
    ):
        response, body = await fetch(pool, Request(method, origin, target, []))
        assert response.status == status
        assert body == (b"not found" if status == 404 else b"")
    assert pool.statistics().opened <= 2  # some servers close after an answer to HEAD


async def test_an_early_answer(pool: Pool, origin: Origin) -> None:
    for body in (IterBody([bytes(1 << 20)] * 20, LARGE), IterBody([bytes(1 << 20)] * 20)):
        response, text = await fetch(pool, Request(b"POST", origin, b"/early", [], body))
        assert (response.status, text) == (413, b"too large")
    assert (await fetch(pool, get(origin, b"/bytes/5")))[1] == PIECE[:5]


async def test_many_at_once(pool: Pool, origin: Origin) -> None:
    async def one(size: int) -> None:
        assert (await fetch(pool, get(origin, b"/bytes/%d" % size)))[1] == (PIECE * 2)[:size]

    for _ in range(5):
        await asyncio.gather(*(one(size * 4000) for size in range(30)))
    assert pool.statistics().open <= 30


# -- nginx -----------------------------------------------------------------------------------------------------------


class Web:
    """nginx: plain, with TLS, with TLS and client certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        self.plain, self.tls, self.mutual = (free_port() for _ in range(3))
        self.authority.files("127.0.0.1")
        self.data = os.urandom(LARGE)

    @property
    def config(self) -> str:
        common = """
        location /status/ { return 204; }
        location /limited { client_max_body_size 10; proxy_pass http://127.0.0.1:9; }
        location /upload/ { dav_methods PUT DELETE; create_full_put_path on; client_body_buffer_size 1m; }
        location /gzip/ { gzip on; gzip_types text/plain application/octet-stream; gzip_min_length 1; alias {folder}/www/; }
        location /brief { keepalive_timeout 0; alias {folder}/www/small.txt; }
        location /keep { keepalive_timeout 60 7; alias {folder}/www/small.txt; }
        """
        tls = "ssl_certificate {folder}/127.0.0.1.pem; ssl_certificate_key {folder}/127.0.0.1.key;"
        return f"""
        server {{ listen 127.0.0.1:{self.plain}; {common} }}
        server {{ listen 127.0.0.1:{self.tls} ssl; {tls} {common} }}
        server {{ listen 127.0.0.1:{self.mutual} ssl; {tls} {common}
                  ssl_client_certificate {{folder}}/ca.pem; ssl_verify_client on; }}
        """

    def origin(self, port: int) -> Origin:
        return Origin("http" if port == self.plain else "https", "127.0.0.1", port)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("nginx")
    web = Web(folder)
    (folder / "www").mkdir()
    (folder / "www" / "small.txt").write_bytes(b"small")
    (folder / "www" / "large").write_bytes(web.data)
    with nginx(folder, web.plain, web.config):
        yield web


@pytest.fixture
def trusting(make_pool: Callable[..., Pool], web: Web) -> Pool:
    return make_pool(verify=web.authority.file)


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["plain", "tls"])
async def test_nginx_serves_files(trusting: Pool, web: Web, kind: str) -> None:
    origin = web.origin(getattr(web, kind))
    response, body = await fetch(trusting, get(origin, b"/small.txt"))
    assert (response.status, body) == (200, b"small")
    response, body = await fetch(trusting, get(origin, b"/large"))
    assert body == web.data
    response, body = await fetch(trusting, get(origin, b"/large", [(b"Range", b"bytes=1000-1999")]))
    assert (response.status, response.header(b"content-range")) == (206, b"bytes 1000-1999/%d" % LARGE)
    assert body == web.data[1000:2000]
    etag = (await fetch(trusting, Request(b"HEAD", origin, b"/large", [])))[0].header(b"etag") or b""
    response, body = await fetch(trusting, get(origin, b"/large", [(b"If-None-Match", etag)]))
    assert (response.status, body) == (304, b"")
    assert (await fetch(trusting, get(origin, b"/status/")))[0].status == 204
    assert (await fetch(trusting, get(origin, b"/none")))[0].status == 404
    assert trusting.statistics()[:3] == (1, 1, 1)


@pytest.mark.servers
async def test_nginx_sends_chunks(trusting: Pool, web: Web) -> None:
    """Compressed on the fly, so its length is not known; decoding is not the pool's business."""
    request = get(web.origin(web.plain), b"/gzip/large", [(b"Accept-Encoding", b"gzip")])
    response, body = await fetch(trusting, request)
    assert response.header(b"transfer-encoding") == b"chunked"
    assert response.header(b"content-encoding") == b"gzip"
    assert gzip.decompress(body) == web.data
    assert trusting.statistics().idle == 1


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["plain", "tls"])
async def test_nginx_takes_uploads(trusting: Pool, web: Web, kind: str, anyio_backend_name: str) -> None:
    origin = web.origin(getattr(web, kind))
    for number, body in enumerate((web.data, IterBody([web.data[:5], web.data[5:]]), b"")):
        target = f"/upload/{kind}-{number}".encode()
        response, _ = await fetch(trusting, Request(b"PUT", origin, target, [], body, idempotent=True))
        assert response.status in (201, 204)
        stored = web.folder / "www" / target.decode()[1:]
        assert stored.read_bytes() == (b"" if body == b"" else web.data)
        assert (await fetch(trusting, Request(b"DELETE", origin, target, [])))[0].status == 204
        assert not stored.exists()
    assert trusting.statistics().opened == 1


@pytest.mark.servers
async def test_nginx_refuses_early(trusting: Pool, web: Web) -> None:
    for body in (bytes(LARGE), IterBody([bytes(1 << 20)] * 20)):
        request = Request(b"POST", web.origin(web.plain), b"/limited", [], body)
        assert (await fetch(trusting, request))[0].status == 413


@pytest.mark.servers
async def test_nginx_says_how_long_it_keeps_connections(trusting: Pool, web: Web) -> None:
    origin = web.origin(web.plain)
    response, _ = await fetch(trusting, get(origin, b"/keep"))
    assert response.header(b"keep-alive") == b"timeout=7"
    assert trusting.statistics().idle == 1
    response, body = await fetch(trusting, get(origin, b"/brief"))
    assert (response.header(b"connection"), body) == (b"close", b"small")
    assert trusting.statistics().open == 0


@pytest.mark.servers
async def test_nginx_with_client_certificates(make_pool: Callable[..., Pool], trusting: Pool, web: Web) -> None:
    origin = web.origin(web.mutual)
    response, body = await fetch(trusting, get(origin, b"/small.txt"))
    assert (response.status, b"No required SSL certificate" in body) == (400, True)
    chain, key = web.authority.files("client.example")
    known = make_pool(verify=web.authority.file, cert=(str(chain), str(key)))
    for _ in range(2):
        assert (await fetch(known, get(origin, b"/small.txt")))[1] == b"small"
    assert known.statistics().opened == 1
    with pytest.raises(TLSError, match="does not verify"):
        await fetch(make_pool(), get(origin, b"/small.txt"))


@pytest.mark.servers
async def test_nginx_refuses_what_is_no_http(trusting: Pool, web: Web) -> None:
    """Plain HTTP where TLS is expected: a proper answer, which is passed on."""
    origin = web.origin(web.tls)._replace(scheme="http")
    response, _ = await fetch(trusting, post(origin, b"x"))
    assert response.status == 400


@pytest.mark.servers
async def test_nginx_churn_over_tls(trusting: Pool, web: Web) -> None:
    """Cancelled at random moments of connecting, handshake, head and body."""
    origin = web.origin(web.tls)
    for number in range(300):
        task = asyncio.ensure_future(fetch(trusting, get(origin, b"/small.txt" if number % 2 else b"/large"), TIMEOUTS))
        for _ in range(number % 37):
            await asyncio.sleep(0)
        await asyncio.sleep(number % 5 / 2000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert trusting.statistics().active == 0
    assert (await fetch(trusting, get(origin, b"/large")))[1] == web.data
