"""``asyncclient testing``: the emulators of the services."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncclient.cli._commands import SilentCommand, finish, make_group
from asyncclient.cli._complete import emulators
from asyncclient.cli._errors import Missing
from asyncclient.cli._options import ListenHost, ListenPort

__all__ = ["testing"]

testing = make_group("testing", "Emulators of the services, for tests.")


@testing.command(cls=SilentCommand)
def serve(
    service: Annotated[str, typer.Argument(help="The service, for instance las.", autocompletion=emulators)],
    host: ListenHost = "127.0.0.1",
    port: ListenPort = 0,
    tls: Annotated[bool, typer.Option("--tls", help="https, with a throw-away authority.")] = False,
) -> None:
    """Serve the emulator of a service until Ctrl-C.

    One JSON line on standard output says where it is and with which credentials it can be used.
    """
    finish(lambda: _serve(service, host, port, tls=tls))


def _serve(service: str, host: str, port: int, *, tls: bool) -> int:
    from asyncclient.testing import services
    from asyncclient.testing.__main__ import main

    if service not in services():
        raise Missing(f"there is no emulator for {service!r}; there are: {', '.join(services())}")
    return main([service, "--host", host, "--port", str(port), *(["--tls"] if tls else [])])
