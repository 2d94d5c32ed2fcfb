"""Test doubles of the services: emulators to test programs against, without an account and without a network.

::

    from asyncclient.testing import serve

    with serve("las") as server:                       # or: async with serve("las") as server:
        client = las.Client(las.Credentials(**server.credentials()))
        server.state.fail_next(503, path="/documents")
        client.list_documents()                        # repeated by itself
        assert server.state.counters["list_documents"] == 2

They check what they are sent against the published description of the service and answer as the service does. Needs the
extra ``testing``. In pytest the fixture ``asyncclient_las`` gives a running server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncclient.testing._emulator import Emulator
    from asyncclient.testing._server import Server

__all__ = ["Emulator", "Server", "app", "serve", "services"]


def serve(
    name: str, *, host: str = "127.0.0.1", port: int = 0, tls: bool = False, process: bool = False, **options: Any
) -> Server:
    """Make a server for the emulator of a service; it starts when a ``with`` or ``async with`` block is entered.

    Args:
        name: The service, for instance ``las``.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        tls: Serve https with a certificate of a throw-away authority; ``server.ca_file`` names its file.
        process: Serve from a child process instead of a thread: no shared interpreter, and no ``server.state``. The child
            ends with the block, and also when this process dies.
        options: How the emulator behaves; see the package of the service (``asyncclient.testing.las.Options``).
    """
    from asyncclient.testing._runners import Address
    from asyncclient.testing._server import Server

    return Server(name, Address(host, port, tls), process=process, options=options)


def app(name: str, **options: Any) -> Emulator:
    """Make the bare ASGI application of an emulator, for ``httpx.ASGITransport``.

    Its ``credentials(base_url)`` gives what a client needs, its ``state`` is the same as that of a server.

    Raises:
        ImportError: The extra ``testing`` is not installed.
        ValueError: There is no such service or no such option.
    """
    from asyncclient.testing._registry import make

    return make(name, options)


def services() -> tuple[str, ...]:
    """Return the names of the services that have an emulator."""
    from asyncclient.testing._registry import SERVICES

    return tuple(sorted(SERVICES))


def __getattr__(name: str) -> Any:
    # The classes are for annotations; what they need is loaded when they are asked for.
    if name in ("Emulator", "Server"):
        from asyncclient.testing import _registry

        module = _registry.load(f"asyncclient.testing._{name.lower()}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
