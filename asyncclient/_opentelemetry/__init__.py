"""Events as spans and metrics of OpenTelemetry.

Its API is imported in this package alone, and only when an adapter is made.

Names are those of the semantic conventions for HTTP clients where they have one
(https://opentelemetry.io/docs/specs/semconv/http/), and begin with ``asyncclient.`` where they have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from asyncclient import _events as e
from asyncclient._version import __version__
from asyncclient.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["OpenTelemetry"]


class OpenTelemetry:
    """Tells OpenTelemetry what a hub does: a span per call, request and transfer, and metrics.

    ::

        hub = AsyncHub(observers=[OpenTelemetry()])

    The span of a call has the name of the operation, those of its requests are its children, and its parent is whatever
    was current where the call was made, in blocking code too. URLs have no query. One adapter may serve several hubs.

    Args:
        tracer_provider: Where spans go. Default: the global one.
        meter_provider: Where metrics go. Default: the global one.
        propagate: Whether requests to a service carry ``traceparent``, so that its spans join the trace. Stores, whose
            signed URLs may not be added to, never get it.

    Raises:
        ConfigurationError: The API of OpenTelemetry is not installed; the extra ``telemetry`` brings it.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        propagate: bool = False,
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError as error:
            raise ConfigurationError(
                "OpenTelemetry is not installed; install asyncclient[telemetry], which brings its API"
            ) from error
        from asyncclient._opentelemetry.metrics import Metrics
        from asyncclient._opentelemetry.spans import CallSpans, TransferSpans

        tracer = trace.get_tracer("asyncclient", __version__, tracer_provider)
        meter = metrics.get_meter("asyncclient", __version__, meter_provider)
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            **CallSpans(tracer, propagate=propagate).handlers,
            **TransferSpans(tracer).handlers,
        }
        self._counts: Mapping[type, Callable[[Any], None]] = Metrics(meter).handlers

    def on_event(self, event: e.Event) -> None:
        """Take note of an event."""
        for handlers in (self._handlers, self._counts):
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
