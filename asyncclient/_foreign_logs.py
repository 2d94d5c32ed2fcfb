"""Keeping secrets of our requests out of the logs of libraries that send them.

httpx logs whole URLs, signed ones too; httpcore the headers of answers, with the addresses they redirect to and the
cookies they set; hpack every header that is sent. Their records are cut to what is no secret where the request is ours,
and stay as they are where it is not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["discreet", "install"]

_OURS: ContextVar[bool] = ContextVar("asyncclient_foreign_request", default=False)
_NAMES: Final = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "hpack.hpack",
    "hpack.table",
)


@contextmanager
def discreet() -> Iterator[None]:
    """Say that what is sent meanwhile, in this task, is ours."""
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)


def install() -> None:
    """Put the filter where these libraries log; may be repeated."""
    for name in _NAMES:
        logging.getLogger(name).addFilter(_FILTER)  # does nothing if it is there


class _Discretion(logging.Filter):
    """Cuts records of our requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for what is nothing but headers."""
        if not _OURS.get():
            return True
        if record.name.startswith("hpack"):
            return False
        if record.name == "httpx" and isinstance(record.args, tuple):
            record.args = tuple(_origin_only(value) for value in record.args)
        else:
            # What follows the name of the event shows requests, answers and exceptions.
            record.msg, record.args = str(record.msg).partition(" ")[0], ()
        return True


def _origin_only(value: object) -> object:
    """Return a URL as text without its path and query, either of which may open something; anything else as it is."""
    if type(value).__name__ != "URL":
        return value
    scheme, _, rest = str(value).partition("://")
    return f"{scheme}://{rest.partition('/')[0].rpartition('@')[2]}/[redacted]"


_FILTER: Final = _Discretion("")
