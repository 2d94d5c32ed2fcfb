"""The second half of the demo: a View goes up to LF View, its upload is killed half-way and gone on with, it comes back.

The upload runs in a process of its own, because that is what gets killed. What it had brought, and what the next one
sent, is told by the emulator, which saw it, and not by those who sent it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient import AsyncHub, lfview, testing
from asyncclient.cli._demo_view import contents_of, make_view
from asyncclient.cli._errors import Problem
from asyncclient.cli._report import Resumption
from asyncclient.errors import AsyncClientError
from asyncclient.types import HubStatistics

if TYPE_CHECKING:
    from asyncclient.cli._round_trip import Trip
    from asyncclient.testing import RecordedRequest, Server

__all__ = ["run"]

_PART_BYTES: Final = 256 * 1024
_KILLED: Final = "View: upload, killed"
_RESUMED: Final = "View: upload, resumed"
_FETCHED: Final = "View: read, compare"
# Slow enough that there is a half-way to see, whatever the machine.
_RATE: Final = 16e6
_POLL_S: Final = 0.002
_PATIENCE_S: Final = 60.0


def run(trip: Trip, work: Path, *, small: bool) -> None:
    """Upload, kill, resume, read back, and note in the outcome what happened.

    Args:
        trip: Where it is shown and noted.
        work: Folder for journals.
        small: Whether a small View will do.
    """
    sent = contents_of(make_view(small=small))
    with testing.serve("lfview") as server:
        demo = _Demo(trip, server, sent, {**os.environ, "ASYNCCLIENT_STATE_DIR": str(work / "state")})
        order = {"credentials": server.credentials(), "small": small, "part_bytes": _PART_BYTES, "bytes_per_s": None}
        demo.upload_and_kill({**order, "bytes_per_s": _RATE / 3 if small else _RATE})
        url = demo.upload_the_rest(order)
        if url is not None:
            asyncio.run(demo.read_back(url))


@dataclass(slots=True)
class _Served:
    """Counts like a hub what an emulator has answered."""

    server: Server

    def statistics(self) -> HubStatistics:
        return HubStatistics(requests=self.server.state.counters.total())


class _Demo:
    def __init__(self, trip: Trip, server: Server, sent: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        self._trip = trip
        self._server = server
        self._sent = sent
        self._environment = environment
        self._size = sum(map(len, sent.values()))
        self._served = _Served(server)

    def upload_and_kill(self, order: Mapping[str, Any]) -> None:
        """Start an upload, and kill it when half has arrived."""
        outcome, progress = self._trip.outcome, self._trip.progress
        with outcome.stage(_KILLED, self._served, progress, len(self._sent), self._size) as stage:
            with self._child(order) as child:
                if not self._half_arrived(child):
                    outcome.problems.append("the upload ended before it was killed")
                child.kill()
                child.wait()
            for session in list(self._server.state.sessions.values()):
                if session.completed is not None:
                    progress.advance(stage, 0)
        stage.connections = None

    def upload_the_rest(self, order: Mapping[str, Any]) -> str | None:
        """Start the same upload again and let it finish; returns the URL of the View."""
        outcome, progress = self._trip.outcome, self._trip.progress
        with outcome.stage(_RESUMED, self._served, progress, len(self._sent), self._size) as stage:
            with self._child(order) as child:
                said, complained = child.communicate()
            if child.returncode:
                last = complained.strip().splitlines()[-1:] or [f"status {child.returncode}"]
                outcome.problems.append(f"the upload could not be resumed: {last[0]}")
                return None
            for _ in self._sent:
                progress.advance(stage, 0)
        answer = json.loads(said)
        outcome.resumption = self._account()
        outcome.stages[-2].bytes = outcome.resumption.before_bytes  # what was under way is known only now
        stage.bytes, stage.connections = outcome.resumption.sent_later_bytes, answer["connections"]
        url: str = answer["url"]
        return url

    async def read_back(self, url: str) -> None:
        """Download the View and compare every byte of its contents."""
        outcome, progress = self._trip.outcome, self._trip.progress
        credentials: Any = self._server.credentials()
        async with AsyncHub() as hub, lfview.AsyncSession(**credentials, hub=hub) as session:
            with outcome.stage(_FETCHED, hub, progress, len(self._sent), self._size) as stage:
                try:
                    found = contents_of(await session.download(url))
                except (AsyncClientError, OSError) as error:
                    outcome.problems.append(f"the View: {error}")
                    return
                for name, content in self._sent.items():
                    if found.get(name) == content:
                        progress.advance(stage, len(content))
                    else:
                        outcome.problems.append(f"the View: {name} came back different")

    @contextmanager
    def _child(self, order: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
        """Start an upload process; it is gone when the block is left."""
        # A session of its own: Ctrl-C is for this process, which then ends the other.
        child: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, "-m", "asyncclient.cli._demo_child", json.dumps(order)],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with child:
            try:
                yield child
            finally:
                child.kill()

    def _half_arrived(self, child: subprocess.Popen[str]) -> bool:
        """Wait until half of the content is there; False if the process ended before."""
        give_up = time.monotonic() + _PATIENCE_S
        while child.poll() is None:
            sessions = list(self._server.state.sessions.values())
            kept, total = sum(each.kept_bytes for each in sessions), sum(each.total_bytes for each in sessions)
            if len(sessions) == len(self._sent) and 2 * kept >= total:
                return True
            if time.monotonic() > give_up:
                raise Problem(f"the upload is not half-way after {_PATIENCE_S:.0f} seconds")
            time.sleep(_POLL_S)
        return False

    def _account(self) -> Resumption:
        """Compare what both processes sent with what there was to send."""
        state = self._server.state
        requests = list(state.requests.copy())
        # Each process begins by asking where the service is.
        begins = [at for at, request in enumerate(requests) if request.operation == "lookup_endpoints"]
        first, second = _uploads(requests[: begins[-1]]), _uploads(requests[begins[-1] :])
        # Of every content of the final View at least the end came later; sessions that were only asked are not of it.
        later = [request for request in second if request.size_bytes]
        sizes = [state.sessions[name].total_bytes for name in {each.path.rpartition("/")[2] for each in later}]
        return Resumption(
            total_bytes=sum(sizes),
            total_parts=sum(-(-size // _PART_BYTES) for size in sizes),
            before_bytes=sum(request.size_bytes for request in first),
            before_parts=sum(request.size_bytes > 0 for request in first),
            sent_later_bytes=sum(request.size_bytes for request in later),
            sent_later_parts=len(later),
        )


def _uploads(requests: Sequence[RecordedRequest]) -> list[RecordedRequest]:
    return [request for request in requests if request.operation == "upload_content"]
