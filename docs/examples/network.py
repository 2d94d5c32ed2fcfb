"""List the data sets of las by another way through the network; the first argument says which."""

import asyncio
import ssl
import sys
from collections.abc import Callable

import httpx

from asyncclient import AsyncHub, Limits, Timeouts, las


# --8<-- [start:http2]
def http2(proxy: str, ca_file: str) -> AsyncHub:
    """HTTP/2, through a proxy that is named here and not in the environment."""
    context = ssl.create_default_context(cafile=ca_file)
    return AsyncHub(transport=httpx.AsyncHTTPTransport(http2=True, proxy=proxy, verify=context))


# --8<-- [end:http2]


# --8<-- [start:socks]
def socks(proxy: str) -> AsyncHub:
    """A SOCKS proxy, such as ``socks5://127.0.0.1:1080`` of ``ssh -D 1080``."""
    return AsyncHub(transport=httpx.AsyncHTTPTransport(proxy=proxy))


# --8<-- [end:socks]


# --8<-- [start:unix]
def unix(path: str) -> AsyncHub:
    """A server behind a Unix socket; the host in the address is only a name then."""
    return AsyncHub(transport=httpx.AsyncHTTPTransport(uds=path))


# --8<-- [end:unix]


# --8<-- [start:certificates]
def certificates(ca_file: str, cert: str, key: str) -> AsyncHub:
    """An authority of one's own, and a certificate that the server asks for."""
    return AsyncHub(verify=ca_file, cert=(cert, key))


# --8<-- [end:certificates]


# --8<-- [start:limits]
def limits() -> AsyncHub:
    """At most 8 connections, 4 to one origin, and 10 MB a second up."""
    return AsyncHub(
        limits=Limits(max_connections=8, max_connections_per_origin=4, keepalive_expiry=10, max_bandwidth=(10e6, None))
    )


# --8<-- [end:limits]


async def main() -> None:
    ways: dict[str, Callable[..., AsyncHub]] = {
        "http2": http2,
        "socks": socks,
        "unix": unix,
        "certificates": certificates,
        "limits": limits,
    }
    async with ways[sys.argv[1]](*sys.argv[2:]) as hub:
        # --8<-- [start:timeouts]
        client = las.AsyncClient(hub=hub, timeout=Timeouts(connect=5, read=20, write=20, total=60))
        # --8<-- [end:timeouts]
        print(await client.list_datasets())


asyncio.run(main())
