"""What a command says of what goes on: the whole log for ``--debug``, else one line when it has to try again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asyncclient.cli._settings import settings

if TYPE_CHECKING:
    from asyncclient.telemetry import Event

__all__ = ["watched"]


@contextmanager
def watched() -> Iterator[None]:
    """Say on standard error what happens in the block, as much as the user wants to know."""
    if settings().debug:
        from asyncclient._logging import shown_on_stderr

        with shown_on_stderr():
            yield
    elif settings().quiet or settings().as_json:  # programs wait in silence
        yield
    else:
        from asyncclient._observers import observe

        end = observe(_Patience())
        try:
            yield
        finally:
            end()


class _Patience:
    """Says once that something is tried again: whoever waits in silence thinks that nothing happens."""

    def __init__(self) -> None:
        self._said = False

    def on_event(self, event: Event) -> None:
        from asyncclient._events import RetryScheduled, TransferRetry

        if self._said or not isinstance(event, (RetryScheduled, TransferRetry)):
            return
        self._said = True
        what = event.call.operation if isinstance(event, RetryScheduled) else event.transfer.direction + "load"
        print(f"asyncclient: {what}: {event.reason}; trying again (said once; --debug shows all)", file=sys.stderr)
