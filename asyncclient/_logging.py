"""The loggers, and a handler for standard error.

Loggers: ``asyncclient.<service>`` for calls, ``asyncclient.transfers`` for files, ``asyncclient.pool`` for what concerns
all. Every record has its facts under names of their own (``extra``), for handlers that write JSON.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from asyncclient.errors import ArgumentError

__all__ = ["LogLevel", "log_from_environment", "log_to_stderr", "logger_of", "shown_on_stderr"]

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

VARIABLE: Final = "ASYNCCLIENT_LOG"
_FORM: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_ROOT: Final = logging.getLogger("asyncclient")


@lru_cache(maxsize=32)
def logger_of(service: str) -> logging.Logger:
    """Return the logger of a service."""
    return logging.getLogger(f"asyncclient.{service or 'service'}")


class _StderrHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in type stubs only
    """The one that is added in here; where there is one, a second would write every line twice."""

    def __init__(self, form: str = _FORM) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(form))


def log_to_stderr(level: LogLevel = "info") -> None:
    """Write what the package logs to standard error; a later call changes the level.

    The environment variable ``ASYNCCLIENT_LOG`` does the same when the package is imported.

    Args:
        level: ``debug`` for every request, ``info`` for retries, pauses and resumed transfers, ``warning``, ``error``.

    Raises:
        ArgumentError: There is no such level.
    """
    number = _LEVELS.get(level.lower())
    if number is None:
        raise ArgumentError(f"level must be one of {', '.join(_LEVELS)}, not {level!r}", argument="level")
    if not _has_handler(_ROOT):
        _ROOT.addHandler(_StderrHandler())
    _ROOT.setLevel(number)


@contextmanager
def shown_on_stderr(
    logger: logging.Logger = _ROOT, level: int = logging.DEBUG, form: str = _FORM, *, events: bool = True
) -> Iterator[None]:
    """Write what a logger says to standard error while the block runs, as :func:`log_to_stderr` does for good.

    Args:
        logger: That of the package, or one below it.
        level: The least level; what is on already stays on.
        form: Of a line. Where :func:`log_to_stderr` was called, lines look as they do there.
        events: Whether records of requests and transfers are among them.
    """
    before, handler = logger.level, None if _has_handler(logger) else _StderrHandler(form)
    if handler is not None:
        if not events:
            handler.addFilter(lambda record: not hasattr(record, "event"))
        logger.addHandler(handler)
    logger.setLevel(level if before == logging.NOTSET else min(level, before))
    try:
        yield
    finally:
        if handler is not None:
            logger.removeHandler(handler)
        logger.setLevel(before)


def _has_handler(logger: logging.Logger) -> bool:
    return any(isinstance(handler, _StderrHandler) for handler in (*logger.handlers, *_ROOT.handlers))


def log_from_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Do as ``ASYNCCLIENT_LOG`` says; a level that does not exist is complained about, and changes nothing."""
    wanted = environment.get(VARIABLE, "").strip().lower()
    if wanted in _LEVELS:
        log_to_stderr(wanted)  # type: ignore[arg-type]  # it is one of them
    elif wanted:
        _ROOT.warning("%s must be one of %s; it is ignored", VARIABLE, ", ".join(_LEVELS))
