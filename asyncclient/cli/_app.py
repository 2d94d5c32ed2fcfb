"""The program: its groups, loaded when they are used, and how it ends."""

from __future__ import annotations

import enum
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final, NamedTuple

import typer
import typer.completion
import typer.core
import typer.main

from asyncclient._version import __version__
from asyncclient.cli._commands import Group, LocalCommand, finish, with_shared
from asyncclient.cli._errors import BROKEN_PIPE, UNUSABLE, complain
from asyncclient.cli._settings import begin
from asyncclient.cli._zsh import mend

__all__ = ["load_all", "run"]


class _Later(NamedTuple):
    """A group that is loaded when it is used."""

    module: str
    attribute: str
    help: str


_GROUPS: Final = {
    "flywheel": _Later("_flywheel", "flywheel", "Flywheel: containers, files, jobs, views."),
    "las": _Later("_las", "las", "Lucidtech: documents and predictions."),
    "lfview": _Later("_lfview", "lfview", "LF View: views, points, images."),
    "sticky-pi": _Later("_sticky_pi", "sticky_pi", "Sticky Pi: images, users, the server."),
    "voxel51": _Later("_voxel51", "voxel51", "Voxel51: data, jobs, analytics."),
    "config": _Later("_config", "config", "Where credentials come from."),
    "transfers": _Later("_transfer_commands", "transfers", "Uploads and downloads that broke off."),
    "testing": _Later("_testing", "testing", "Emulators of the services."),
}


_OF_CALLS: Final = frozenset({"--timeout", "--max-retries"})  # not everything calls a service


class _Root(Group):
    def __init__(self, *, params: list[Any] | None = None, **attributes: Any) -> None:
        super().__init__(params=with_shared(params, _OF_CALLS), **attributes)
        self.commands = {name: Group(name=name, help=later.help) for name, later in _GROUPS.items()} | dict(
            self.commands
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in _GROUPS:
            self.load(args[0])
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> None:
        """Put the group itself in place of what stands for it."""
        later = _GROUPS[name]
        module = importlib.import_module(f"asyncclient.cli.{later.module}")
        self.commands[name] = typer.main.get_command(getattr(module, later.attribute))


app = typer.Typer(
    name="asyncclient",
    cls=_Root,
    help="Clients for research-data platforms: Flywheel, Lucidtech, LF View, Sticky Pi, Voxel51.",
    add_completion=False,  # its options would load pydantic each time; there are others below
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Size(enum.StrEnum):
    """How much the demo makes when it is given no folder."""

    small = "small"
    normal = "normal"
    large = "large"


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    signal.signal(signal.SIGTERM, _like_ctrl_c)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)  # else SIGTERM would be lost too
    _write_anything()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        return BROKEN_PIPE
    return code


def _run(arguments: Sequence[str]) -> int:
    typer.completion.get_completion_inspect_parameters()  # registers the shells
    begin().as_json = "--json" in arguments  # also for errors in the arguments themselves
    try:
        code = app(list(arguments), prog_name="asyncclient", standalone_mode=False)
    except typer.TyperException as error:  # unknown commands and options, missing or bad values
        context = getattr(error, "ctx", None)
        place = f"; see {context.command_path} --help" if context is not None else ""
        complain((error.format_message() or "not enough arguments").rstrip(".") + place, error, exit_code=UNUSABLE)
        return UNUSABLE
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer ends the program itself then, with another code
            raise end.__context__ from None
        raise
    return code if isinstance(code, int) else 0


def load_all() -> Any:
    """Return the whole tree of commands, with every group loaded."""
    root = typer.main.get_command(app)
    assert isinstance(root, _Root)
    for name in _GROUPS:
        root.load(name)
    return root


def _like_ctrl_c(_signal: int, _frame: FrameType | None) -> None:
    # The one path that closes everything, in async and in blocking code, is that of Ctrl-C.
    signal.raise_signal(signal.SIGINT)


def _write_anything() -> None:
    """Let output take names that its encoding cannot say, as escapes: a listing must not end at one of them."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and getattr(sys.stdout, "errors", None) in ("strict", "surrogateescape"):
        reconfigure(errors="backslashreplace")


def _let_go_of_stdout() -> None:
    # What is still in the buffer would fail again when the interpreter ends.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # standard output is no file
        pass


def _installed(context: typer.Context, param: typer.CallbackParam, value: bool) -> bool:
    if value:
        mend()
    typer.completion.install_callback(context, param, value)
    return value


def _shown(context: typer.Context, param: typer.CallbackParam, value: bool) -> bool:
    if value:
        mend()
    typer.completion.show_callback(context, param, value)
    return value


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    _install: Annotated[
        bool,
        typer.Option(
            "--install-completion", help="Have the shell complete commands.", callback=_installed, expose_value=False
        ),
    ] = False,
    _show: Annotated[
        bool,
        typer.Option(
            "--show-completion", help="Print what does that, for bash, zsh, fish.", callback=_shown, expose_value=False
        ),
    ] = False,
) -> None:
    """Run one of the commands, or say what there is."""
    if version:
        typer.echo(f"asyncclient {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(cls=LocalCommand)
def demo(
    folder: Annotated[Path | None, typer.Argument(help="Files for Lucidtech. Default: samples, made for this.")] = None,
    size: Annotated[Size, typer.Option(help="How much is moved.")] = Size.normal,
    html: Annotated[Path | None, typer.Option("--html", help="Write the result as a page with plots, too.")] = None,
) -> None:
    """Use all five services at the same time, through one hub, against servers on this machine.

    Files go up and come back, and every byte is compared; one upload is killed half-way and resumed; small calls are
    measured all the while. Nothing leaves this machine. The exit code is 1 if something is not as it should be.
    """
    from asyncclient.cli._demo import Request, run_demo  # not for --help and --version

    request = Request(folder, size.value, html)
    finish(lambda: run_demo(request))
