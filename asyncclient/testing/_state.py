"""What every emulator remembers beside its service's data: the requests it got and the faults it is to make."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncclient.testing._faults import Failure, Faults

__all__ = ["EmulatorState", "RecordedRequest"]

_HEADERS = (
    "authorization",
    "content-type",
    "content-length",
    "content-range",
    "range",
    "accept-encoding",
    "user-agent",
    "x-voxel51-application",
    "x-voxel51-application-user",
)
_KEY_HEADER = "x-voxel51-application"  # a bare key, without a scheme


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as the emulator saw it.

    Attributes:
        operation: Name of the operation, for instance ``create_document``; None where the path is unknown.
        path: Percent-decoded, with the base path (``/v1/documents``).
        raw_path: As it came over the wire.
        query: Decoded pairs in order.
        headers: The ones of interest. Of ``authorization`` only the scheme is kept, of keys only that there was one.
        size_bytes: Size of the body as far as it was read.
        status: What was answered; 0 if the client went away before.
    """

    operation: str | None
    method: str
    path: str
    raw_path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    size_bytes: int
    status: int


class EmulatorState:
    """Requests seen, counters, and faults to come. May be used from any thread.

    Attributes:
        requests: The last requests, oldest first; bodies are not kept.
        counters: How often each operation was answered, by name, failures included.

    Args:
        keep_requests: How many requests to remember.
    """

    def __init__(self, *, keep_requests: int = 10_000) -> None:
        self.faults = Faults()
        self.requests: deque[RecordedRequest] = deque(maxlen=keep_requests)
        self.counters: Counter[str] = Counter()

    def fail_next(
        self,
        status: int = 503,
        *,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        applied: bool = False,
    ) -> None:
        """Answer the next matching requests with an error.

        Args:
            status: Status code.
            times: How many requests; None for all until :meth:`clear_faults`.
            method: Only this method.
            path: Only paths that match this shell pattern, with or without the base path: ``/documents``,
                ``/documents/*``, ``/token``, ``/fileserver/*``.
            headers: Further header fields, for instance ``{"Retry-After": "1"}``.
            body: Bytes and text are sent as they are, other values as JSON. Default: the service's own words.
            applied: Do what was asked first and then answer with the error, as a gateway does that lost the answer.
        """
        failure = Failure(status, dict(headers or {}), body, applied)
        self.faults.add(method=method, path=path, times=times, failure=failure)

    def delay(
        self, seconds: float, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Let the next matching requests wait before they are answered. Several delays add up."""
        self.faults.add(method=method, path=path, times=times, delay_s=seconds)

    def cut_next(
        self, after_bytes: int, *, times: int | None = 1, method: str | None = None, path: str | None = None
    ) -> None:
        """Break the connection after so many bytes of the answer's body. Needs a real server."""
        self.faults.add(method=method, path=path, times=times, cut_after_bytes=after_bytes)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        self.faults.clear()

    def record(self, request: RecordedRequest) -> None:
        """Remember a request."""
        self.requests.append(request)
        if request.operation is not None:
            self.counters[request.operation] += 1

    def reset(self) -> None:
        """Start over: no requests, no faults, and the service's data as it was at the start."""
        self.faults.clear()
        self.requests.clear()
        self.counters.clear()

    @staticmethod
    def headers_of_interest(pairs: Mapping[str, str]) -> dict[str, str]:
        """Select the header fields worth keeping, and reduce credentials to their scheme."""
        kept = {name: pairs[name] for name in _HEADERS if name in pairs}
        if "authorization" in kept:
            kept["authorization"] = kept["authorization"].partition(" ")[0]
        if _KEY_HEADER in kept:
            kept[_KEY_HEADER] = "..."
        return kept
