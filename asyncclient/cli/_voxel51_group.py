"""Groups of commands that show their help, and that of everything below, when they are asked."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncclient._version import __version__

__all__ = ["make_group"]


def make_group(name: str, text: str, *, version: bool = False) -> typer.Typer:
    """Make a group without commands.

    Args:
        name: Its name.
        text: Its help.
        version: Whether it has ``-v`` and ``--version``.
    """
    group = typer.Typer(
        name=name,
        help=text,
        rich_markup_mode=None,
        add_completion=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.callback()(_with_version if version else _plain)
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
