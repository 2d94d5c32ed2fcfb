"""Commands and groups: the options that all have, help with examples, groups that show their help when they are asked."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
import typer.core
import typer.main

from asyncclient._version import __version__
from asyncclient.cli._complete import profiles
from asyncclient.cli._errors import OK, guarded
from asyncclient.cli._loop import run_async
from asyncclient.cli._settings import settings

__all__ = [
    "Command",
    "Group",
    "LocalCommand",
    "ProfileCommand",
    "SilentCommand",
    "before",
    "examples_of",
    "finish",
    "make_group",
    "run_with",
    "with_shared",
]

S = TypeVar("S")
T = TypeVar("T")


def _keep(name: str, *, inverted: bool = False) -> Callable[[Any], Any]:
    def callback(value: Any) -> Any:
        # Given before the command and after it is the same; what is not given takes nothing back.
        if value is not None and value is not False:
            setattr(settings(), name, value is not True if inverted else value)
        return value

    return callback


def _shared(
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print the result as JSON; errors too.", expose_value=False, callback=_keep("as_json")
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "-q", "--quiet", help="Nothing but results and errors.", expose_value=False, callback=_keep("quiet")
        ),
    ] = False,
    no_progress: Annotated[
        bool,
        typer.Option(
            "--no-progress",
            help="No progress bars.",
            expose_value=False,
            callback=_keep("progress", inverted=True),
        ),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=0.001,
            help="Most for a whole call; files may take as long as they move.",
            show_default=False,
            expose_value=False,
            callback=_keep("timeout"),
        ),
    ] = None,
    max_retries: Annotated[
        int | None,
        typer.Option(
            "--max-retries",
            metavar="N",
            min=0,
            max=100,
            help="Tries beyond the first.",
            show_default=False,
            expose_value=False,
            callback=_keep("max_retries"),
        ),
    ] = None,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", help="Show the log, and the traceback of an error.", expose_value=False, callback=_keep("debug")
        ),
    ] = False,
) -> None:
    """Hold the declarations of the options that all commands share."""


def _profile(
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Section of the credentials file. Default: the environment, else default.",
            show_default=False,
            expose_value=False,
            callback=_keep("profile"),
            autocompletion=profiles,
        ),
    ] = None,
) -> None:
    """Hold the declaration of the option for profiles."""


@functools.cache
def _shared_params() -> tuple[Any, ...]:
    return _params_of(_shared)


@functools.cache
def _profile_params() -> tuple[Any, ...]:
    return _params_of(_profile)


def _params_of(declarations: Callable[..., None]) -> tuple[Any, ...]:
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command()(declarations)
    found = typer.main.get_command(holder).params
    _unconverted(found)
    return tuple(found)


def with_shared(params: list[Any] | None, without: frozenset[str] = frozenset()) -> list[Any]:
    """Return the parameters of a command and after them the shared ones, but for those of the same name."""
    own = list(params or ())
    taken = {name for param in own for name in param.opts} | without
    return own + [param for param in _shared_params() if not taken.intersection(param.opts)]


def _unconverted(params: Sequence[Any]) -> None:
    """Leave values of parameters as they are while a shell completes: nobody looks at them, and it loads pydantic."""
    for param in params:
        if not isinstance(param.process_value, functools.partial):
            param.process_value = functools.partial(_processed, param.process_value)


def _processed(process: Callable[[Any, Any], Any], context: Any, value: Any) -> Any:
    return value if context.resilient_parsing else process(context, value)


class _Examples(typer.core.TyperCommand if TYPE_CHECKING else object):  # type: ignore[misc]  # a mixin
    """Writes the examples of a command at the end of its help."""

    def get_help_option_names(self, ctx: Any) -> list[str]:
        return sorted(super().get_help_option_names(ctx), key=len)  # else in another order each time

    def get_help_option(self, ctx: Any) -> Any:
        found = super().get_help_option(ctx)
        _unconverted([found] if found is not None else [])
        return found

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        lines = examples_of(ctx.command_path)
        if lines:
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"  $ {line}\n")


class Command(_Examples, typer.core.TyperCommand):
    """A command with the options that all share."""

    without: frozenset[str] = frozenset()

    def __init__(self, *args: Any, params: list[Any] | None = None, **attributes: Any) -> None:
        _unconverted(params or ())
        super().__init__(*args, params=with_shared(params, self.without), **attributes)


class LocalCommand(Command):
    """A command that asks no service."""

    without = frozenset({"--timeout", "--max-retries"})


class SilentCommand(LocalCommand):
    """A command that asks no service and gives no result, or always the same form of it."""

    without = LocalCommand.without | {"--json", "--no-progress"}


class ProfileCommand(Command):
    """A command of a service whose credentials may be in profiles."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **attributes: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *_profile_params()], **attributes)


class Group(_Examples, typer.core.TyperGroup):
    """A group of commands."""

    def __init__(self, *, params: list[Any] | None = None, **attributes: Any) -> None:
        _unconverted(params or ())
        super().__init__(params=params, **attributes)


def examples_of(command_path: str) -> tuple[str, ...]:
    """Return the lines that show how a command is used, each a whole command."""
    from asyncclient.cli._examples import EXAMPLES  # only where help is shown

    return EXAMPLES.get(command_path, ())


class _Commands(typer.Typer):
    """Makes commands of one class, unless told otherwise."""

    def __init__(self, commands: type[Command], **options: Any) -> None:
        super().__init__(**options)
        self._class = commands

    def command(self, name: str | None = None, *, cls: Any = None, **options: Any) -> Any:
        return super().command(name, cls=cls or self._class, **options)


def make_group(name: str, text: str, *, version: bool = False, commands: type[Command] = Command) -> typer.Typer:
    """Make a group without commands. Alone it shows its help.

    Args:
        name: Its name.
        text: Its help.
        version: Whether it has ``-v`` and ``--version``.
        commands: Class of its commands.
    """
    group = _Commands(
        commands,
        name=name,
        cls=Group,
        help=text,
        rich_markup_mode=None,
        add_completion=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.callback(cls=Group)(_with_version if version else _plain)
    return group


_AllHelp = Annotated[bool, typer.Option("--all-help", help="Show the help of all commands and exit.")]


def _plain(context: typer.Context, all_help: _AllHelp = False) -> None:
    if all_help:
        typer.echo("\n\n".join(_helps(context)))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _with_version(
    context: typer.Context,
    all_help: _AllHelp = False,
    version: Annotated[bool, typer.Option("-v", "--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"asyncclient {__version__}")
        raise typer.Exit
    _plain(context, all_help)


def _helps(context: typer.Context) -> list[str]:
    """Return the help of a command and of all below it."""
    texts = [context.get_help()]
    command = context.command
    for name in getattr(command, "commands", {}):
        below = command.commands[name]  # type: ignore[attr-defined]  # groups have them
        texts += _helps(type(context)(below, info_name=name, parent=context))
    return texts


def run_with(
    opened: Callable[[], AbstractAsyncContextManager[S]], work: Callable[[S], Awaitable[int | None]]
) -> NoReturn:
    """Do the work of a command with what is opened for it, and end the program with its exit code."""

    async def in_session() -> int | None:
        async with opened() as session:
            return await work(session)

    finish(lambda: run_async(in_session))


def finish(work: Callable[[], int | None]) -> NoReturn:
    """Do the work of a command and end the program with its exit code."""
    raise typer.Exit(guarded(lambda: work() or OK))


def before(work: Callable[[], T]) -> T:
    """Do what a command needs before it asks a service; end the program if it cannot be done."""
    found: list[T] = []

    def done() -> int:
        found.append(work())
        return OK

    if code := guarded(done):
        raise typer.Exit(code)
    return found[0]
