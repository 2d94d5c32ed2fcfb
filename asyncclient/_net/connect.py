"""Making a connection: name lookup, happy eyeballs (RFC 8305), TLS.

``loop.create_connection`` is not used for the first half: uvloop's has no happy eyeballs, asyncio's keeps the socket of
a cancelled TLS handshake until the handshake times out. Here every socket has an owner at every await.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Final, cast

from asyncclient._messages import Origin
from asyncclient.errors import ConnectError, TLSError, UnknownHost

__all__ = ["Address", "interleave", "open_connection"]

Address = tuple[int, Any]
"""Family and socket address."""

# The resolver is well, and there is no such name, or nothing behind it; not every system tells the two apart.
_NO_SUCH_NAME: Final = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
# RFC 8305 section 8: "Connection Attempt Delay".
_ATTEMPT_DELAY_S: Final = 0.25


async def open_connection(protocol: asyncio.BufferedProtocol, origin: Origin, context: ssl.SSLContext | None) -> None:
    """Connect a protocol to an origin, through TLS if there is a context.

    Raises:
        ConnectError: The name has no address, or no address accepts.
        UnknownHost: There is no such name.
        TLSError: The handshake failed, or the certificate does not verify.

    Cancelling closes every socket that was begun.
    """
    loop = asyncio.get_running_loop()
    sock = await _open_socket(loop, origin)
    if context is None:
        # From the call on the socket belongs to the transport, which asyncio closes if this is cancelled.
        await loop.create_connection(lambda: protocol, sock=sock)
        return
    raw, _ = await loop.create_connection(_Silence, sock=sock)
    try:
        if raw.is_closing():
            raise TLSError(f"{origin}: TLS handshake with {origin.host} failed: it speaks first", origin=str(origin))
        transport = await loop.start_tls(raw, protocol, context, server_hostname=origin.host.rstrip("."))
    except BaseException as error:
        raw.abort()
        if isinstance(error, OSError):
            raise _tls_error(origin, error) from error
        raise
    assert transport is not None
    protocol.connection_made(transport)
    chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
    if chosen not in (None, "http/1.1"):
        transport.abort()
        raise TLSError(f"{origin}: the TLS context offers {chosen}, and the server took it", origin=str(origin))


class _Silence(asyncio.Protocol):
    """Stands in until TLS takes over. TLS servers do not speak first; what they said would be lost here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.abort()


def _tls_error(origin: Origin, error: OSError) -> TLSError:
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"{origin}: the certificate of {origin.host} does not verify: {error.verify_message}"
    elif isinstance(error, ssl.SSLError):
        message = f"{origin}: TLS handshake with {origin.host} failed: {error.reason or error}"
    else:
        message = f"{origin}: {origin.host} closed the connection during the TLS handshake"
    return TLSError(message, origin=str(origin))


async def _open_socket(loop: asyncio.AbstractEventLoop, origin: Origin) -> socket.socket:
    addresses = await _resolve(loop, origin)
    if not addresses:
        raise ConnectError(f"{origin}: the name {origin.host} has no address", origin=str(origin))
    errors: list[OSError] = []
    if len(addresses) == 1:
        result = await _attempt(loop, addresses[0])
    else:
        result = await _race(loop, addresses, errors)
    if isinstance(result, socket.socket):
        return result
    errors.append(result)
    reasons = "; ".join(dict.fromkeys(os.strerror(error.errno) if error.errno else str(error) for error in errors))
    raise ConnectError(f"{origin}: cannot connect: {reasons}", origin=str(origin)) from errors[-1]


async def _resolve(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, origin.host)
        except OSError:
            continue
        return [(family, (origin.host, origin.port))]
    try:
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        final = isinstance(error, UnicodeError) or error.errno in _NO_SUCH_NAME
        reason = error.strerror if isinstance(error, socket.gaierror) else "not a host name"
        message = f"{origin}: the name {origin.host} is not known: {reason}"
        raise (UnknownHost if final else ConnectError)(message, origin=str(origin)) from error
    return interleave([(int(family), address) for family, _, _, _, address in found])


def interleave(addresses: Sequence[Address]) -> list[Address]:
    """Order addresses so that families alternate, the resolver's first choice first (RFC 8305 section 4)."""
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address[0], []).append(address)
    rounds = itertools.zip_longest(*families.values())
    return [address for group in rounds for address in group if address is not None]


async def _attempt(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket | OSError:
    """Connect to one address; failures are results, so that a race can weigh them."""
    try:
        sock = socket.socket(address[0], socket.SOCK_STREAM)
    except OSError as error:
        return error
    try:
        sock.setblocking(False)
        # Finds out, in the end, that a silent peer is gone, also where no read timeout is set.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await loop.sock_connect(sock, address[1])
    except OSError as error:
        sock.close()
        return error
    except BaseException:
        sock.close()
        raise
    return sock


async def _race(
    loop: asyncio.AbstractEventLoop, addresses: Sequence[Address], errors: list[OSError]
) -> socket.socket | OSError:
    """Start an attempt every 250 ms, or as soon as one fails, until one succeeds; all but the last error are added."""
    pending: set[asyncio.Task[socket.socket | OSError]] = set()
    waiting = list(reversed(addresses))
    try:
        while waiting or pending:
            if waiting:
                pending.add(loop.create_task(_attempt(loop, waiting.pop())))
            done, _ = await asyncio.wait(
                pending,
                timeout=_ATTEMPT_DELAY_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                pending.discard(task)
                result = task.result()
                if isinstance(result, socket.socket):
                    return result
                errors.append(result)
        return errors.pop()
    finally:
        for task in pending:
            task.cancel()
            # Also reached when this task is cancelled again: the callback needs nobody to wait for it.
            task.add_done_callback(_close_socket)


def _close_socket(task: asyncio.Task[socket.socket | OSError]) -> None:
    if not task.cancelled():
        result = task.result()
        if isinstance(result, socket.socket):
            result.close()
