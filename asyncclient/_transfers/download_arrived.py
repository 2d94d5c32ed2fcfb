"""A download whose file is in place already: its process was stopped between the rename and the end of its journal."""

from __future__ import annotations

from pathlib import Path

from asyncclient._transfers.digest import new_md5
from asyncclient._transfers.fileio import fsync_folder
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient._transfers.open_source import as_source
from asyncclient._transfers.places import part_path
from asyncclient._transfers.plan import Plan
from asyncclient._transfers.proof import proves, proving
from asyncclient._transfers.records import PartDone
from asyncclient._transfers.replay import FileState
from asyncclient._transfers.run import Run
from asyncclient._transfers.source import Source
from asyncclient.errors import ArgumentError, SourceChanged

__all__ = ["Arrived"]


class Arrived:
    """Looks whether the destination holds what the journal says, byte for byte.

    Args:
        run: The transfer.
        destination: Where the file should lie.
        earlier: What the journal says.
        plan: How the file was cut.
    """

    def __init__(self, run: Run, destination: Path, earlier: FileState, plan: Plan) -> None:
        self._run = run
        self._destination = destination
        self._earlier = earlier
        self._plan = plan

    async def proven(self, expected: str | None) -> bool:
        """Tell whether it does; reads the file only where all else agrees.

        Args:
            expected: The md5 of the whole, or None: then every part must have been recorded with a proof of its own.
        """
        found = [self._earlier.parts.get(part.index) for part in self._plan.parts]
        records = [record for record in found if record is not None]
        if len(records) < len(found) or (expected is None and not all(record.provable for record in records)):
            return False
        if not await run_hop(self._in_place, crew=DISK):
            return False
        try:
            source = await as_source(self._destination)
        except (OSError, ArgumentError):
            return False
        try:
            same = await (self._same_parts(source, records) if expected is None else _same_whole(source, expected))
            await source.check()
        except (OSError, SourceChanged):
            return False
        finally:
            await source.aclose()
        if same and self._run.options.fsync != "none":
            await run_hop(fsync_folder, self._destination.parent, crew=DISK)
        return same

    def _in_place(self) -> bool:
        """Tell whether the destination is there in its size, and no part file is; blocking."""
        owners = self._run.owners
        if any(part_path(self._destination, self._run.job_id, owner).exists() for owner in owners):
            return False
        try:
            return self._destination.stat().st_size == self._plan.size
        except OSError:
            return False

    async def _same_parts(self, source: Source, records: list[PartDone]) -> bool:
        for part, record in zip(self._plan.parts, records, strict=True):
            digest = proving(record)
            await source.scan(digest, part.offset, part.length)
            if not proves(record, digest.part()):
                return False
        return True


async def _same_whole(source: Source, expected: str) -> bool:
    digest = new_md5()
    await source.scan(digest)
    return digest.hexdigest() == expected
