"""What the options that all commands share were set to, for the command that runs."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Settings", "begin", "settings"]


@dataclass(slots=True)
class Settings:
    """The options that all commands share.

    Attributes:
        as_json: Whether results and errors are JSON.
        debug: Whether errors come with their traceback, and the log with them.
        quiet: Whether nothing but results and errors is written.
        progress: Whether bars may be shown.
        timeout: Seconds for a whole call, or None for what the service's client does by itself.
        max_retries: Tries beyond the first, or None likewise.
        profile: Which section of a credentials file, or None.
    """

    as_json: bool = False
    debug: bool = False
    quiet: bool = False
    progress: bool = True
    timeout: float | None = None
    max_retries: int | None = None
    profile: str | None = None

    def client_options(self) -> dict[str, Any]:
        """Return the keyword arguments of clients that were asked for."""
        given = {"timeout": self.timeout, "max_retries": self.max_retries}
        return {name: value for name, value in given.items() if value is not None}


_current: Final[ContextVar[Settings | None]] = ContextVar("asyncclient.cli.settings", default=None)


def begin() -> Settings:
    """Begin a command with nothing set."""
    found = Settings()
    _current.set(found)
    return found


def settings() -> Settings:
    """Return the options of the command that runs."""
    return _current.get() or begin()
