"""What the demo found, as plain data: the closing tables, the JSON document and the page are made of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from asyncclient.cli._demo_record import Call, Part, Resumption, Run

__all__ = ["data_of", "percentile", "rates"]

_MB: Final = 1e6


def data_of(run: Run) -> dict[str, Any]:
    """Return all that is reported. Sizes are in bytes, a MB is 10**6 of them, times are seconds or, of calls, ms."""
    return {
        "ok": run.ok,
        "source": run.source,
        "machine": run.machine,
        "services": [_service(part) for part in run.parts],
        "totals": _totals(run),
        "resumption": next((_resumption(part.resumption) for part in run.parts if part.resumption), None),
        "problems": [f"{part.title}: {problem}" for part in run.parts for problem in part.problems],
    }


def _service(part: Part) -> dict[str, Any]:
    return {
        "service": part.name,
        "title": part.title,
        "ok": part.ok,
        "files": part.files,
        "bytes_up": part.traffic.up,
        "bytes_down": part.traffic.down,
        "seconds": round(part.seconds, 3),
        "mb_per_s": _rate(part.traffic.moved, part.seconds),
        "verified_bytes": part.verified_bytes,
        "not_sent_again_bytes": 0 if part.resumption is None else part.resumption.saved_bytes,
        "requests": part.traffic.requests,
        "retries": part.traffic.failed,
        "calls": _calls(part.calls),
        "steps": [{**asdict(step), "seconds": round(step.seconds, 3)} for step in part.steps],
        "refused": part.refused,
        "notes": part.notes,
        "left_out": part.left_out,
        "problems": part.problems,
    }


def _totals(run: Run) -> dict[str, Any]:
    parts, samples = run.parts, run.samples
    up, down = sum(part.traffic.up for part in parts), sum(part.traffic.down for part in parts)
    seconds = run.load[1] - run.load[0]
    return {
        "files": sum(part.files for part in parts),
        "bytes_up": up,
        "bytes_down": down,
        "seconds": round(seconds, 3),
        "mb_per_s": _rate(up + down, seconds),
        "verified_bytes": sum(part.verified_bytes for part in parts),
        "not_sent_again_bytes": sum(part.resumption.saved_bytes for part in parts if part.resumption is not None),
        "requests": run.statistics.requests,
        "retries": run.statistics.retries,
        "calls": _calls([call for part in parts for call in part.calls]),
        "connections_opened": run.statistics.connections_opened,
        "peak_connections": max((each.connections for each in samples), default=0),
        "peak_in_flight": max((each.in_flight for each in samples), default=0),
        "peak_lanes": {
            lane: max((each.lanes.get(lane, 0) for each in samples), default=0) for lane in ("bulk", "control")
        },
        "memory_growth_bytes": _growth(run),
    }


def _rate(moved_bytes: int, seconds: float) -> float | None:
    return round(moved_bytes / _MB / seconds, 3) if moved_bytes and seconds else None


def _growth(run: Run) -> int | None:
    """Return how much larger the process became than it was when the bulk work began; None if nobody can tell."""
    known = [(each.at_s, each.memory_bytes) for each in run.samples if each.memory_bytes is not None]
    if not known:
        return None
    before = [memory for at_s, memory in known if at_s <= run.load[0]] or [known[0][1]]
    return max(0, max(memory for _, memory in known) - before[-1])


def _calls(calls: Iterable[Call]) -> dict[str, Any]:
    found = list(calls)
    idle = [call.seconds for call in found if not call.loaded]
    loaded = [call.seconds for call in found if call.loaded]
    return {"idle": _latency(idle), "under_load": _latency(loaded)}


def _latency(seconds: Sequence[float]) -> dict[str, Any]:
    p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
    shown = [None if value is None else round(1000 * value, 2) for value in (p50, p95)]
    return {"count": len(seconds), "p50_ms": shown[0], "p95_ms": shown[1]}


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least this share of the values does not exceed; None of no values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _resumption(found: Resumption) -> dict[str, int]:
    derived = ("saved_bytes", "saved_parts", "sent_twice_bytes", "sent_twice_parts")
    return {**asdict(found), **{name: getattr(found, name) for name in derived}}


def rates(run: Run, step_s: float) -> list[tuple[float, list[float]]]:
    """Return the bytes per second of each part over time.

    Args:
        run: With its samples.
        step_s: Length of the intervals.

    Returns:
        For each interval its end, in seconds since the bulk work began, and the rates by part.
    """
    began_s, ended_s = run.load
    found = []
    last_s, last = began_s, _moved_at(run, began_s)
    for number in range(1, math.ceil((ended_s - began_s) / step_s) + 1):
        at_s = min(began_s + number * step_s, ended_s)
        now = _moved_at(run, at_s)
        took_s = at_s - last_s
        if took_s > 0:
            found.append((at_s - began_s, [(b - a) / took_s for a, b in zip(last, now, strict=True)]))
        last_s, last = at_s, now
    return found


def _moved_at(run: Run, at_s: float) -> list[float]:
    """Return the bytes that each part had moved at a moment, on the line between two samples."""
    before = after = None
    for sample in run.samples:
        if sample.at_s > at_s:
            after = sample
            break
        before = sample
    first, second = before or after, after or before
    if first is None or second is None:
        return [0.0 for _ in run.parts]
    span_s = second.at_s - first.at_s
    share = 0.0 if span_s <= 0 else min(1.0, max(0.0, (at_s - first.at_s) / span_s))
    pairs = zip(first.up, first.down, second.up, second.down, strict=True)
    return [a + b + share * (c + d - a - b) for a, b, c, d in pairs]
