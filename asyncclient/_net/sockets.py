"""A look into the socket under a transport, ahead of the event loop."""

from __future__ import annotations

import asyncio
import select
from asyncio.trsock import TransportSocket

__all__ = ["has_input", "read_leftover"]


def has_input(transport: asyncio.Transport) -> bool:
    """Whether the socket has something to read, the end included, that the loop has not seen yet."""
    if transport.is_closing():
        return True
    fd = transport.get_extra_info("socket").fileno()
    if not hasattr(select, "poll"):  # Windows, where select has no limit on the number of a descriptor
        return bool(select.select([fd], [], [], 0)[0])
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def read_leftover(transport: asyncio.Transport, buffer: memoryview) -> int:
    """Read what arrived before a write failed; 0 if there is nothing, or no way to read it.

    A server that refuses an upload answers and closes. If our next write meets the closed end before the loop has read
    the answer, asyncio gives the connection up, and the answer with it. During ``connection_lost`` the socket is still
    open. Under TLS it is not any more, and with uvloop the number of its descriptor may already be another's.
    """
    sock = transport.get_extra_info("socket")
    if not isinstance(sock, TransportSocket) or transport.get_extra_info("ssl_object") is not None:
        return 0
    try:
        with sock.dup() as copy:
            return copy.recv_into(buffer)
    except OSError:
        return 0
