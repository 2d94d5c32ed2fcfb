"""What a service says a file is, where its answers carry nothing that proves it: asked beside them, and proven at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from asyncclient._transfers.hops import run_hop
from asyncclient._transfers.part_file import PartFile
from asyncclient._transfers.run import Run
from asyncclient._transfers.target import AsksOtherwise, DownloadTarget, Identifies, Identity, RemoteInfo
from asyncclient.errors import IntegrityError, RemoteChanged

__all__ = ["Identified", "insist"]


def insist(target: DownloadTarget) -> bool:
    """Make a target ask in the form that gets ranges; False if it has no other form, or asks in that already."""
    return isinstance(target, AsksOtherwise) and target.insist()


class Identified:
    """The identity of one remote file while it is fetched.

    Args:
        run: The transfer.
        target: Where from.
    """

    def __init__(self, run: Run, target: DownloadTarget) -> None:
        self._run = run
        self._name = target.name
        self._target = target if isinstance(target, Identifies) else None
        self._found: Identity | None = self._target.identity if self._target is not None else None
        self._counts = False

    @property
    def id(self) -> str | None:
        """What the journal keeps of it; None if nothing proves that the file will still be the same."""
        return None if self._found is None else self._found.id

    async def ask(self) -> None:
        """Ask, unless it is known.

        Also where the answers carry a strong etag: that tells versions apart, not whether the bytes are right.
        """
        if self._found is None and self._target is not None:
            self._found = await self._target.identify(self._run.wire)

    def same(self, recorded: object) -> bool:
        """Tell whether a journal was begun for these very bytes; they are asked for again when they have arrived."""
        self._counts = self.id is not None and self.id == recorded
        return self._counts

    def check_size(self, size: int | None) -> None:
        """Compare the size of an answer.

        Raises:
            IntegrityError: It is another.
        """
        known = None if self._found is None else self._found.size
        if known is not None and size is not None and size != known:
            raise IntegrityError(
                self._name, expected=f"{known} bytes", actual=f"{size} bytes", transfer_id=self._run.id
            )

    async def prove_file(self, sink: PartFile, info: RemoteInfo) -> None:
        """Hold what was written against the digest; without one, ask whether the file is still what it was.

        Raises:
            IntegrityError: The digest is another.
            RemoteChanged: It is another file by now, and nothing tells of which one the bytes are.
        """
        if self._found is None:
            return
        if self._found.digest is not None:
            self._compare(await sink.hexdigest(self._found.digest[0]))
        elif self._counts or not info.strong:
            await self._ask_again()

    async def prove_bytes(self, pieces: Sequence[bytes]) -> None:
        """Likewise, of a file that is held in memory; one that came in a single answer is of one version.

        Raises:
            IntegrityError: The digest or the size is another.
        """
        if self._found is None:
            return
        self.check_size(sum(map(len, pieces)))
        if self._found.digest is not None:
            self._compare(await run_hop(_hexdigest, self._found.digest[0], pieces))

    def _compare(self, found: str) -> None:
        assert self._found is not None
        assert self._found.digest is not None
        name, expected = self._found.digest
        if found != expected:
            raise IntegrityError(
                self._name, expected=f"{name} {expected}", actual=f"{name} {found}", transfer_id=self._run.id
            )

    async def _ask_again(self) -> None:
        assert self._target is not None
        now = await self._target.identify(self._run.wire)
        if now is not None and now.id != self.id:
            raise RemoteChanged(f"{self._name} changed while it was fetched: it is another version now")


def _hexdigest(name: str, pieces: Sequence[bytes]) -> str:
    running = hashlib.new(name)
    for piece in pieces:
        running.update(piece)
    return running.hexdigest()
