"""Events as metrics."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient import _events as e
from asyncclient._opentelemetry.attributes import error_type, of_target, of_transfer, with_error

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

    from asyncclient.types import HubStatistics

__all__ = ["Metrics"]

# Of the conventions, for durations in seconds.
_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TRANSFER_BUCKETS_S: Final = (0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)


class Metrics:
    """Durations, counts, and what a hub holds."""

    def __init__(self, meter: Any) -> None:
        self._requests = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Time of a request, until the body of its answer was read or given up",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        self._active = meter.create_up_down_counter("http.client.active_requests", unit="{request}")
        self._calls = meter.create_histogram(
            "asyncclient.call.duration",
            unit="s",
            description="Time of a call, waiting and retries included",
            explicit_bucket_boundaries_advisory=_BUCKETS_S,
        )
        self._retries = meter.create_counter("asyncclient.call.retries", unit="{retry}")
        self._transfers = meter.create_histogram(
            "asyncclient.transfer.duration",
            unit="s",
            description="Time of a transfer",
            explicit_bucket_boundaries_advisory=_TRANSFER_BUCKETS_S,
        )
        self._bytes = meter.create_counter("asyncclient.transfer.bytes", unit="By")
        self._parts = meter.create_counter("asyncclient.transfer.parts", unit="{part}")
        self._resumed = meter.create_counter("asyncclient.transfer.resumed", unit="By")
        self._running = meter.create_up_down_counter("asyncclient.transfer.active", unit="{transfer}")
        self._heads: weakref.WeakKeyDictionary[e.Attempt, tuple[float, int | None]] = weakref.WeakKeyDictionary()
        self._hubs: list[weakref.WeakMethod[Callable[[], HubStatistics]]] = []  # one that is not closed may go, too
        meter.create_observable_up_down_counter(
            "http.client.open_connections", callbacks=[self._connections], unit="{connection}"
        )
        self.handlers: Mapping[type, Callable[[Any], None]] = {
            e.CallFinished: self._call_finished,
            e.AttemptStarted: self._attempt_started,
            e.AttemptFinished: self._attempt_finished,
            e.BodyFinished: self._body_finished,
            e.RetryScheduled: self._retry_scheduled,
            e.TransferStarted: self._transfer_started,
            e.TransferFinished: self._transfer_finished,
            e.HubOpened: self._hub_opened,
            e.HubShut: self._hub_shut,
        }

    def _call_finished(self, event: e.CallFinished) -> None:
        call = event.call
        attributes = {"asyncclient.service": call.service, "asyncclient.operation": call.operation}
        self._calls.record(event.duration_s, with_error(attributes, event.error))

    def _attempt_started(self, event: e.AttemptStarted) -> None:
        self._active.add(1, of_target(event.attempt))

    def _attempt_finished(self, event: e.AttemptFinished) -> None:
        if event.streamed:
            self._heads[event.attempt] = event.duration_s, event.status
        else:
            self._request_finished(event.attempt, event.duration_s, event.status, error_type(event))

    def _body_finished(self, event: e.BodyFinished) -> None:
        head = self._heads.pop(event.attempt, None)
        if head is not None:
            head_s, status = head
            self._request_finished(event.attempt, head_s + event.duration_s, status, event.error)

    def _request_finished(self, attempt: e.Attempt, duration_s: float, status: int | None, error: str | None) -> None:
        target = of_target(attempt)
        self._active.add(-1, target)
        attributes = with_error(target, error)
        if status is not None:
            attributes["http.response.status_code"] = status
        self._requests.record(duration_s, attributes)

    def _retry_scheduled(self, event: e.RetryScheduled) -> None:
        call = event.call
        self._retries.add(1, {"asyncclient.service": call.service, "asyncclient.reason": event.reason})

    def _transfer_started(self, event: e.TransferStarted) -> None:
        self._running.add(1, of_transfer(event.transfer))

    def _transfer_finished(self, event: e.TransferFinished) -> None:
        attributes = of_transfer(event.transfer)
        self._running.add(-1, attributes)
        self._transfers.record(event.duration_s, with_error(attributes, event.error))
        self._bytes.add(max(0, event.bytes - event.resumed_bytes), attributes)
        self._resumed.add(event.resumed_bytes, attributes)
        self._parts.add(event.parts, attributes)

    def _hub_opened(self, event: e.HubOpened) -> None:
        self._hubs.append(weakref.WeakMethod(event.statistics))

    def _hub_shut(self, event: e.HubShut) -> None:
        with contextlib.suppress(ValueError):
            self._hubs.remove(weakref.WeakMethod(event.statistics))

    def _connections(self, _: CallbackOptions) -> Iterator[Observation]:
        """Count the connections of all open hubs; in the thread of whoever reads the metrics."""
        from opentelemetry.metrics import Observation

        totals: dict[tuple[str, str], int] = {}
        there = [statistics for known in tuple(self._hubs) if (statistics := known()) is not None]
        for statistics in there:
            for origin, states in statistics().connections.items():
                for state, count in states.items():
                    key = origin, "active" if state == "busy" else state
                    totals[key] = totals.get(key, 0) + count
        for (origin, state), count in totals.items():
            scheme, rest = origin.split("://")
            host, port = rest.rsplit(":", 1)
            yield Observation(
                count,
                {
                    "http.connection.state": state,
                    "server.address": host.strip("[]"),
                    "server.port": int(port),
                    "url.scheme": scheme,
                },
            )
