"""``asyncclient config``: where credentials come from, without showing them; where state is kept; what is installed."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from asyncclient._version import __version__
from asyncclient.cli._commands import Command, finish
from asyncclient.cli._complete import SERVICES, config_words
from asyncclient.cli._errors import FAILED, OK, REFUSED, UNREACHABLE, Missing, one_line
from asyncclient.cli._loop import run_async
from asyncclient.cli._output import Output

if TYPE_CHECKING:
    from asyncclient.cli._sources import ServiceReport

__all__ = ["config"]

config = typer.Typer(add_completion=False, rich_markup_mode=None)

_OPTIONAL: Final = ("uvloop", "isal", "numpy", "rich", "orjson", "pydantic", "httpx")
_PROXIES: Final = ("http", "https")


@config.command("config", cls=Command)
def show(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SERVICE",
            help="Services. Default: all.",
            autocompletion=config_words,
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Make a harmless call with the credentials of each service.")
    ] = False,
) -> None:
    """Show where each service's credentials come from: what is looked at, what is set, what is used.

    Nothing of a key, a password or a token is shown. With --check the exit code is 3 if a service refuses its
    credentials, 5 if it cannot be reached.
    """
    finish(lambda: _show(list(words or ()), check=check))


def _show(words: list[str], *, check: bool) -> int:
    from asyncclient.cli._sources import report_of

    names = words[1:] if words[:1] == ["show"] else words
    for name in names:
        if name not in SERVICES:
            raise Missing(f"there is no service {name!r}; there are: {', '.join(SERVICES)}")
    reports = [report_of(name) for name in names or SERVICES]
    checks = run_async(lambda: _checked(reports)) if check else {}
    general = {} if names else _general()
    found = {
        "services": {report.service: _as_data(report, checks.get(report.service)) for report in reports},
        **({"general": general} if general else {}),
    }
    blocks = [_as_text(report, checks.get(report.service)) for report in reports]
    if general:
        blocks.append("\n".join(f"{name}: {_plain(value)}" for name, value in general.items()))
    Output().result(found, "\n\n".join(blocks))
    codes = [each["exit_code"] for each in checks.values()]
    return next((code for code in (REFUSED, UNREACHABLE, FAILED) if code in codes), OK)


async def _checked(reports: Sequence[ServiceReport]) -> Mapping[str, Any]:
    from asyncclient.cli._check import check

    names = [report.service for report in reports if report.configured]
    return dict(zip(names, await asyncio.gather(*map(check, names)), strict=True))


def _as_data(report: ServiceReport, checked: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "configured": report.configured,
        "host": report.host,
        "used": None if report.used is None else report.used.name,
        "sources": [asdict(source) for source in report.sources],
        "problem": report.problem,
        "notes": dict(report.notes),
        **({} if checked is None else {"check": dict(checked)}),
    }


def _as_text(report: ServiceReport, checked: Mapping[str, Any] | None) -> str:
    lines = [f"{report.service}: {report.host or 'no host'}"]
    for number, source in enumerate(report.sources, 1):
        used = " <- used" if source is report.used else ""
        mode = f" [mode {source.mode}]" if source.mode else ""
        detail = f" ({one_line(source.detail)})" if source.detail else ""
        lines.append(f"  {number}. {source.kind:<11}  {one_line(source.name)}: {source.state}{mode}{detail}{used}")
    lines += [f"  {name}: {one_line(str(value))}" for name, value in report.notes.items()]
    if not report.configured:
        lines.append("  not usable" + (f": {one_line(report.problem)}" if report.problem else ""))
    if checked is not None:
        lines.append(f"  check: {checked['result']}" + (f": {checked['message']}" if checked["message"] else ""))
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return ", ".join(f"{name} {text}" for name, text in value.items()) if isinstance(value, Mapping) else str(value)


def _general() -> dict[str, Any]:
    from asyncclient._transfers.places import digest_file, journal_folder, state_folder

    return {
        "version": __version__,
        "python": platform.python_version(),
        "state folder": str(state_folder()),
        "journals": str(journal_folder()),
        "digests": str(digest_file()),
        "proxies": _proxies(),
        "installed": {name: _version(name) for name in _OPTIONAL},
    }


def _proxies(environment: Mapping[str, str] = os.environ) -> Any:
    """Return proxies by scheme, without user and password."""
    from urllib.parse import urlsplit

    from asyncclient._proxies import EnvironmentProxies

    found = EnvironmentProxies.of(environment)
    shown = {}
    for scheme in _PROXIES:
        if proxy := getattr(found, scheme):
            try:
                parts = urlsplit(proxy)
                port = f":{parts.port}" if parts.port else ""
                shown[scheme] = f"{parts.scheme}://{parts.hostname}{port}"
            except ValueError:
                shown[scheme] = "not a URL"
    return shown | ({"no_proxy": " ".join(found.direct)} if found.direct else {}) if shown else "none"


def _version(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        return "no"
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "yes"
