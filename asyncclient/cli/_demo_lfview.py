"""The demo at LF View: a View goes up, its upload is killed half-way and gone on with, it comes back.

The first upload runs in a process of its own, because that is what gets killed. What it had brought, and what was sent after
it, is told by the emulator, which saw it, and not by those who sent it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from asyncclient import AsyncHub, lfview
from asyncclient.cli._demo_record import Part, Resumption, Run
from asyncclient.cli._demo_view import digests_of, make_view
from asyncclient.cli._demo_work import SmallCall
from asyncclient.lfview.manifests import View

if TYPE_CHECKING:
    from asyncclient.cli._demo_amounts import Amounts

__all__ = ["Asked", "KilledView", "resumption_of"]

PART_BYTES: Final = 256 * 1024
_CONTENTS: Final = 8  # arrays and images of the sample View
_POLL_S: Final = 0.02
_PATIENCE_S: Final = 60.0


class Asked(Protocol):
    """An emulator that tells what has arrived; see :mod:`asyncclient.cli._demo_server`."""

    def credentials(self) -> dict[str, str]:
        """Return what a session needs."""
        ...

    async def account(self) -> dict[str, Any]:
        """Return what has arrived."""
        ...


@dataclass(frozen=True, slots=True)
class _Order:
    """What the process that is killed gets to do."""

    credentials: Mapping[str, str]
    side: int
    pixels: int
    part_bytes: int
    bytes_per_s: float

    def line(self) -> bytes:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}).encode() + b"\n"


class KilledView:
    """The work.

    Args:
        run: For the moments of the kill and of the resumption.
        part: Where it is noted.
        hub: That everything goes through but the upload that is killed.
        server: The emulator.
        amounts: Size of the View, and rate of the first upload.
    """

    def __init__(self, run: Run, part: Part, hub: AsyncHub, server: Asked, amounts: Amounts) -> None:
        self.part = part
        self._run = run
        self._hub = hub
        self._server = server
        self._amounts = amounts
        credentials: Any = server.credentials()
        self._session = lfview.AsyncSession(**credentials, hub=hub)
        self._view: View | None = None
        self._sent: dict[str, tuple[int, str]] = {}

    async def open(self, stack: AsyncExitStack) -> SmallCall:
        """Make the View, and an empty one that small calls ask for; the stack closes the session."""
        self._view = await asyncio.to_thread(make_view, self._amounts.view_side, self._amounts.view_pixels)
        self._sent = await asyncio.to_thread(digests_of, self._view)
        self.part.expected_bytes = 2 * sum(size for size, _ in self._sent.values())  # until it is known how it is sent
        await stack.enter_async_context(self._session)
        url = await self._session.upload(View(name="asyncclient demo, empty", elements=[]))
        return lambda: self._session.download(url)

    async def run(self) -> None:
        """Upload, kill, resume, read back and compare."""
        before = await self._upload_and_kill()
        url = await self._upload_the_rest(before)
        await self._read_back(url)

    async def _upload_and_kill(self) -> int:
        """Let a process upload, and kill it when half has arrived; returns how many uploads the emulator had then."""
        amounts = self._amounts
        order = _Order(
            self._server.credentials(), amounts.view_side, amounts.view_pixels, PART_BYTES, amounts.view_rate
        )
        with self.part.step("upload, killed"):
            with _child(order) as child:
                if not await self._half_arrived(child):
                    self.part.problems.append(f"the upload ended before it was killed{_last_words(child)}")
            self._run.mark(self.part, "killed")
            account = await self._quiet()
        self._count(account)
        return len(account["uploads"])

    async def _half_arrived(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until half of the content is there; False if the process ended before."""
        give_up = time.monotonic() + _PATIENCE_S
        while child.poll() is None:
            account = await self._server.account()
            self._count(account)
            sessions = account["sessions"].values()
            kept, total = sum(each[0] for each in sessions), sum(each[1] for each in sessions)
            if len(sessions) == _CONTENTS:
                self.part.expected_bytes = 2 * total
                if 2 * kept >= total:
                    return True
            if time.monotonic() > give_up:
                raise TimeoutError(f"the upload is not half-way after {_PATIENCE_S:.0f} seconds")
            await asyncio.sleep(_POLL_S)
        return False

    async def _quiet(self) -> dict[str, Any]:
        """Wait until the emulator has seen the end of what the killed process was sending."""
        give_up = time.monotonic() + _PATIENCE_S
        while (account := await self._server.account())["under_way"]:
            if time.monotonic() > give_up:
                raise TimeoutError("the emulator does not see that the upload was killed")
            await asyncio.sleep(_POLL_S)
        return account

    def _count(self, account: Mapping[str, Any]) -> None:
        """Count what the other process sends: its hub is its own, and what it has sent only the emulator can tell."""
        arrived = sum(size for _, size in account["uploads"])
        self.part.traffic.up = max(self.part.traffic.up, arrived)

    async def _upload_the_rest(self, before: int) -> str:
        """Make the same upload again, through the hub of the demo; returns the URL of the View."""
        with self.part.step("upload, resumed") as step:
            self._run.mark(self.part, "resumed")
            assert self._view is not None
            url = await self._session.upload(self._view, chunk_size=PART_BYTES)
            step.files = _CONTENTS
        self._run.mark(self.part, "complete")
        self.part.resumption = resumption_of(await self._server.account(), before)
        return url

    async def _read_back(self, url: str) -> None:
        """Download the View and compare every byte of its contents."""
        credentials: Any = self._server.credentials()
        with self.part.step("read back") as step:
            # A session that has sent nothing: all it knows of the View comes from the emulator.
            async with lfview.AsyncSession(**credentials, hub=self._hub) as session:
                found = await asyncio.to_thread(digests_of, await session.download(url))
            for name, digest in self._sent.items():
                if found.get(name) == digest:
                    self.part.same(digest[0])
                    step.files += 1
                else:
                    self.part.problems.append(f"the View: {name} came back different")


@contextmanager
def _child(order: _Order) -> Iterator[subprocess.Popen[bytes]]:
    """Start an upload process; it is gone when the block is left."""
    # A session of its own: Ctrl-C is for this process, which then ends the other.
    child = subprocess.Popen(
        [sys.executable, "-m", "asyncclient.cli._demo_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert child.stdin is not None
        child.stdin.write(order.line())
        child.stdin.flush()
        yield child
    finally:
        child.kill()
        with child:  # closes its pipes and waits; after SIGKILL that is no time
            pass


def _last_words(child: subprocess.Popen[bytes]) -> str:
    """Return the last line a process has complained with, if it has."""
    assert child.stderr is not None
    said = child.stderr.read().decode("utf-8", "replace").strip().splitlines()
    return f": {said[-1]}" if said else ""


def resumption_of(account: Mapping[str, Any], before: int) -> Resumption:
    """Compare what both processes sent with what there was to send.

    Args:
        account: Of the emulator, at the end.
        before: How many uploads it had seen when the first process was dead.
    """
    first, later = _bodies(account["uploads"][:before]), _bodies(account["uploads"][before:])
    # Whole ones are of the final View, sent by whichever process; one that was begun and left is not.
    sizes = [size for _, size, complete in account["sessions"].values() if complete]
    return Resumption(
        total_bytes=sum(sizes),
        total_parts=sum(-(-size // PART_BYTES) for size in sizes),
        before_bytes=sum(size for _, size in first),
        before_parts=len(first),
        sent_later_bytes=sum(size for _, size in later),
        sent_later_parts=len(later),
    )


def _bodies(uploads: Sequence[Sequence[Any]]) -> list[tuple[str, int]]:
    """Keep requests that brought something: others only ask how far a session is."""
    return [(name, size) for name, size in uploads if size]
