"""What a hub and a transfer say of themselves; public as part of :mod:`asyncclient.types`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["HubStatistics", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One snapshot of a job.

    Attributes:
        phase: What is being done: ``hashing``, ``sending``, ``receiving``, ``verifying``, ``done``.
        bytes_done: Bytes confirmed by the other side.
        bytes_total: Bytes in all, or None if unknown.
        files_done: Files finished.
        files_total: Files in all, or None if unknown.
        rate: Bytes per second, smoothed, or None.
        eta_s: Seconds left by that rate, or None.
        name: The file this event is about, or None.
        bytes_sent: Bytes that left or arrived, confirmed or not; goes back when an attempt is given up.
    """

    phase: str
    bytes_done: int = 0
    bytes_total: int | None = None
    files_done: int = 0
    files_total: int | None = None
    rate: float | None = None
    eta_s: float | None = None
    name: str | None = None
    bytes_sent: int = 0


@dataclass(frozen=True, slots=True)
class HubStatistics:
    """What a hub has done and holds right now.

    Attributes:
        requests: Requests sent, retries included.
        retries: Requests that repeated an earlier one.
        failures: Calls that ended in an error.
        bytes_sent: Bytes written to connections.
        bytes_received: Bytes read from connections.
        connections_opened: Connections made so far.
        connections_open: Connections there now, idle ones included.
        connections_idle: Of these, waiting for work.
        in_flight: Requests that hold a slot now.
        waiting: Requests that wait for a slot now.
        lanes: In flight by lane: ``control`` for small calls, ``bulk`` for file content.
        origins: In flight by origin.
        queues: Requests that wait, by lane.
        connections: Connections made, by origin: ``idle`` and ``busy`` ones. Empty with a transport of httpx, which keeps
            its own.
        limits: Parts in flight that transfers allow themselves now, by origin and direction (``up``, ``down``, and
            ``stream`` for downloads that somebody takes bytes from); learned from what comes of them.
        paused_s: Seconds until transfers go on, by origin that asked for a pause (``Retry-After``).
        bytes_in_use: Memory reserved for parts in flight.
        transfers: Transfers under way by what they do (``hashing``, ``sending``, ``receiving``, ``verifying``), and those
            that ended, by how (``done``, ``failed``, ``cancelled``); what there was none of is not there.
        journals: Of those under way, how many keep a journal.
    """

    requests: int = 0
    retries: int = 0
    failures: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    connections_opened: int = 0
    connections_open: int = 0
    connections_idle: int = 0
    in_flight: int = 0
    waiting: int = 0
    lanes: dict[str, int] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)
    limits: dict[str, dict[str, int]] = field(default_factory=dict)
    paused_s: dict[str, float] = field(default_factory=dict)
    bytes_in_use: int = 0
    queues: dict[str, int] = field(default_factory=dict)
    connections: dict[str, dict[str, int]] = field(default_factory=dict)
    transfers: dict[str, int] = field(default_factory=dict)
    journals: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the counts as plain dicts and numbers, for JSON; later changes to it change nothing else."""
        return asdict(self)
