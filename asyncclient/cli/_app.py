"""The commands and their options."""

from __future__ import annotations

import enum
import importlib
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
import typer.core
import typer.main

from asyncclient._version import __version__
from asyncclient.cli._errors import UNUSABLE, Problem, complain, guarded

__all__ = ["run"]


class _Services(typer.core.TyperGroup):
    """Commands of services, loaded when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_SERVICES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in _SERVICES and cmd_name not in self.commands:
            module = importlib.import_module(_SERVICES[cmd_name])
            group = getattr(module, cmd_name.replace("-", "_"))
            self.add_command(typer.main.get_command(group), cmd_name)
        return super().get_command(ctx, cmd_name)


_SERVICES: Final = {
    "flywheel": "asyncclient.cli._flywheel",
    "sticky-pi": "asyncclient.cli._sticky_pi",
    "voxel51": "asyncclient.cli._voxel51",
}

app = typer.Typer(
    name="asyncclient",
    cls=_Services,
    help="Clients for research-data platforms.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
testing = typer.Typer(help="Test doubles of the services.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(testing, name="testing")
transfers = typer.Typer(
    help="Interrupted uploads and downloads of this machine.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(transfers, name="transfers")

_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_Jobs = Annotated[list[str] | None, typer.Argument(help="Ids, or a few characters of their beginnings or ends.")]
_Force = Annotated[bool, typer.Option("--force", help="Take it from a process that seems to work on it.")]


class Size(enum.StrEnum):
    """How much the demo makes when it is given no folder."""

    small = "small"
    full = "full"


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    signal.signal(signal.SIGTERM, _like_ctrl_c)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else SIGTERM would be lost too
    try:
        code = app(list(arguments), prog_name="asyncclient", standalone_mode=False)
    except typer.TyperException as error:  # unknown commands and options, missing or bad values
        complain(error.format_message() or "not enough arguments; see --help")
        return UNUSABLE
    return code if isinstance(code, int) else 0


def _like_ctrl_c(_signal: int, _frame: FrameType | None) -> None:
    # The one path that closes everything, in async and in blocking code, is that of Ctrl-C.
    signal.raise_signal(signal.SIGINT)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Run one of the commands, or say what there is."""
    if version:
        typer.echo(f"asyncclient {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="Files to move. Default: a set of samples, made for this.")
    ] = None,
    size: Annotated[Size, typer.Option(help="How many samples to make, if no folder is given.")] = Size.full,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    debug: _Debug = False,
) -> None:
    """Upload a folder to an emulator on this machine, read it back, compare, delete.

    Nothing leaves this machine. The exit code is 1 if a file comes back different.
    """
    from asyncclient.cli._demo import Request, run_demo  # not for --help and --version

    request = Request(folder, small=size is Size.small, as_json=as_json)
    raise typer.Exit(guarded(lambda: run_demo(request), debug=debug))


@testing.command()
def serve(
    service: Annotated[str, typer.Argument(help="The service, for instance las.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="https, with a throw-away authority.")] = False,
    debug: _Debug = False,
) -> None:
    """Serve the emulator of a service until Ctrl-C.

    One JSON line on standard output says where it is and with which credentials it can be used.
    """
    raise typer.Exit(guarded(lambda: _serve(service, host, port, tls=tls), debug=debug))


def _serve(service: str, host: str, port: int, *, tls: bool) -> int:
    from asyncclient.testing import services
    from asyncclient.testing.__main__ import main

    if service not in services():
        raise Problem(f"there is no emulator for {service!r}; there are: {', '.join(services())}")
    return main([service, "--host", host, "--port", str(port), *(["--tls"] if tls else [])])


@transfers.command("list")
def list_transfers(as_json: _Json = False, debug: _Debug = False) -> None:
    """Show what was begun and is not complete, the oldest first."""
    from asyncclient.cli import _transfers  # not for --help and --version

    raise typer.Exit(guarded(lambda: _transfers.list_all(as_json=as_json), debug=debug))


@transfers.command()
def resume(
    jobs: _Jobs = None,
    everything: Annotated[bool, typer.Option("--all", help="All that can be finished from here.")] = False,
    force: _Force = False,
    as_json: _Json = False,
    debug: _Debug = False,
) -> None:
    """Finish uploads and downloads of files; what has arrived is not moved again.

    Keys come from the environment: LFVIEW_API_KEY for LF View, VOXEL51_API_PRIVATE_KEY (or the active token) for Voxel51.
    """
    from asyncclient.cli import _transfers

    request = _transfers.Request(jobs or (), everything, force, as_json)
    raise typer.Exit(guarded(lambda: _transfers.resume(request), debug=debug))


@transfers.command()
def abort(jobs: _Jobs = None, force: _Force = False, as_json: _Json = False, debug: _Debug = False) -> None:
    """Give up uploads and downloads: drop what has arrived, part files and journals."""
    from asyncclient.cli import _transfers

    request = _transfers.Request(jobs or (), False, force, as_json)
    raise typer.Exit(guarded(lambda: _transfers.abort(request), debug=debug))


@transfers.command()
def prune(
    older_than: Annotated[str, typer.Option("--older-than", help="Untouched for so long: 14d, 12h, 30m, 0.")] = "14d",
    as_json: _Json = False,
    debug: _Debug = False,
) -> None:
    """Delete journals and part files that nobody has touched for long."""
    from asyncclient.cli import _transfers

    raise typer.Exit(guarded(lambda: _transfers.prune(_transfers.seconds(older_than), as_json=as_json), debug=debug))
