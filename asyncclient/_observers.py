"""Who is told what a hub does: its observers, those of all hubs, and the log.

The pipeline asks :meth:`Observers.wants` once per call. Where it says no, nothing else here runs and nothing is made: the
events, and what makes them, are loaded when they are wanted.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from asyncclient._logging import logger_of
from asyncclient.errors import ArgumentTypeError

if TYPE_CHECKING:
    from asyncclient import _events as e
    from asyncclient._observe import CallWatch, TransferWatch
    from asyncclient.types import HubStatistics

__all__ = ["Observers", "Transfers", "observe"]

_log: Final = logging.getLogger("asyncclient")

_everywhere: Mapping[object, e.Observer] = {}  # replaced as a whole: hubs of other threads read it meanwhile
_replacing: Final = threading.Lock()


def observe(observer: e.Observer) -> Callable[[], None]:
    """Tell an observer of all hubs of this process, those that clients make for themselves included.

    It hears of what begins from now on. With several event loops it is called in several threads.

    Returns:
        What ends it; may be called again, and then does nothing.

    Raises:
        ArgumentTypeError: It has no ``on_event``.
    """
    _check(observer, "observer")
    key = object()
    _replace(lambda known: {**known, key: observer})
    return lambda: _replace(lambda known: {other: told for other, told in known.items() if other is not key})


def _replace(change: Callable[[Mapping[object, e.Observer]], Mapping[object, e.Observer]]) -> None:
    global _everywhere
    with _replacing:
        _everywhere = change(_everywhere)


def _check(observer: object, argument: str) -> None:
    if isinstance(observer, type) or not callable(getattr(observer, "on_event", None)):
        raise ArgumentTypeError(
            f"observers must have a method on_event; {type(observer).__name__} has none", argument=argument
        )


class Observers:
    """The observers of one hub.

    Args:
        given: What the user gave.

    Raises:
        ArgumentTypeError: One of them has no ``on_event``.

    Attributes:
        transfers: Those of the hub.
    """

    __slots__ = ("_broken", "_given", "transfers")

    def __init__(self, given: Iterable[e.Observer] = ()) -> None:
        self._given = tuple(given)
        self._broken: set[int] = set()
        self.transfers = Transfers()
        for observer in self._given:
            _check(observer, "observers")

    def wants(self, service: str) -> bool:
        """Tell whether anybody wants to hear of a call; a level that is off costs one look into a dictionary."""
        return bool(self._given or _everywhere) or logger_of(service).isEnabledFor(logging.INFO)

    def emit(self, event: e.Event) -> None:
        """Tell everybody."""
        for observer in (*self._given, *_everywhere.values()):
            try:
                observer.on_event(event)
            except Exception:  # noqa: BLE001  # whatever it is, the call it tells of goes on
                if id(observer) not in self._broken:
                    self._broken.add(id(observer))
                    _log.exception("an observer failed; this is logged once: %s", type(observer).__qualname__)
        from asyncclient._log_events import log_event

        log_event(event)

    def watch(self, service: str, operation: str, lane: str) -> CallWatch:
        """Return what tells of a call, for :meth:`wants`."""
        from asyncclient import _events as e
        from asyncclient._observe import CallWatch

        return CallWatch(self, e.Call(service, operation, lane))

    def hub_opened(self, statistics: Callable[[], HubStatistics]) -> None:
        """Tell that the hub is open; no log says so."""
        if self._given or _everywhere:
            from asyncclient import _events as e

            self.emit(e.HubOpened(statistics))

    def hub_shut(self, statistics: Callable[[], HubStatistics]) -> None:
        """Tell that the hub is shut; no log says so."""
        if self._given or _everywhere:
            from asyncclient import _events as e

            self.emit(e.HubShut(statistics))

    def paused(self, service: str, origin: str, delay_s: float) -> None:
        """Tell that an origin asked to be left alone."""
        from asyncclient import _events as e

        self.emit(e.Paused(service, origin, delay_s))

    def budget_spent(self, service: str, origin: str) -> None:
        """Tell that too much fails at an origin for another attempt."""
        from asyncclient import _events as e

        self.emit(e.RetryBudgetSpent(service, origin))


class Transfers:
    """The transfers of one hub.

    Attributes:
        running: Those under way.
        ended: How many ended, by ``done``, ``failed`` and ``cancelled``.
    """

    __slots__ = ("ended", "running")

    def __init__(self) -> None:
        self.running: set[TransferWatch] = set()
        self.ended: Counter[str] = Counter()

    def states(self) -> dict[str, int]:
        """Return how many are in each phase now, and how many ended how; may be called in any thread."""
        return dict(Counter(watch.phase for watch in self.running.copy()) + self.ended)

    @property
    def journals(self) -> int:
        """How many of those under way keep a journal."""
        return sum(watch.journal for watch in self.running.copy())
