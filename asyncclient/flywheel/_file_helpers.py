"""Methods that move files and are more than one operation: archives, tickets, pieces, many at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.flywheel._rows import ViewRows
from asyncclient.flywheel.files import FileSpec
from asyncclient.flywheel.finders import Finders

if TYPE_CHECKING:
    from pathlib import Path

    from asyncclient.flywheel._surface import Destination
    from asyncclient.types import Progress

__all__ = ["FileHelpers"]


class FileHelpers(ViewRows, Finders):
    """Helpers of the client that move files."""

    # --- archives ----------------------------------------------------------------------------------------------------

    async def download_tar(
        self,
        containers: Any,
        dest_file: Destination,
        include_types: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Any:
        """Save everything in some containers as a tar archive, streamed.

        Args:
            containers: An object, or a list of objects; files that are missing are left out.
            dest_file: Path of the archive, a binary file object, or a callable.
            include_types: Types of files to take.
            exclude_types: Types of files to leave out.
            on_progress: Called on the event loop as bytes arrive, at most 10 times a second, and at the end. The size
                of an archive is not known beforehand.

        Returns:
            The ticket: name, number of files and size of what was asked for.

        Raises:
            ArgumentError: Something is no container (also a ``ValueError``).
            ArgumentTypeError: The types are text, not a list of it (also a ``TypeError``).
        """
        body = _download_body(containers, include_types, exclude_types)
        return await self._archive("tar", body, dest_file, on_progress)

    async def download_zip(
        self,
        containers: Any,
        dest_file: Destination,
        include_types: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Any:
        """Save everything in some containers as a zip archive; as :meth:`download_tar`."""
        body = _download_body(containers, include_types, exclude_types)
        return await self._archive("zip", body, dest_file, on_progress)

    async def _archive(self, form: str, body: Mapping[str, Any], dest_file: Any, on_progress: Any) -> Any:
        from asyncclient.flywheel._generated.operations.download import DOWNLOAD_TICKET

        ticket = await self.create_download_ticket(body)
        call = self._checked(DOWNLOAD_TICKET, {"ticket": ticket.ticket, "format": form}, {})
        # Archives are made as they are sent: there are no ranges, and nothing to go on with.
        await self._fetched(DOWNLOAD_TICKET, call, dest_file, {"resume": False, "on_progress": on_progress})
        return ticket

    # --- tickets -----------------------------------------------------------------------------------------------------

    async def download_file_by_ticket(
        self,
        container_id: str,
        file_name: str,
        dest_file: Destination,
        *,
        version: int | None = None,
        resume: bool = True,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """Save a file with tickets in place of the key: the key goes to nobody but who hands tickets out.

        A ticket that runs out on the way is replaced by a fresh one. Ranges, resuming and verification are those of
        ``download_file_from_container``.

        Args:
            container_id: What it lies in.
            file_name: Its name.
            dest_file: A path, a binary file object or a callable.
            version: Of the file; default: the newest.
            resume: False begins anew what an earlier call left unfinished, and leaves nothing to go on with.
            on_progress: Called on the event loop as bytes arrive, at most 10 times a second, and at the end.
        """
        from asyncclient.flywheel._generated.operations.containers import DOWNLOAD_FILE_FROM_CONTAINER

        arguments = {"container_id": container_id, "file_name": file_name, "version": version}
        call = self._checked(DOWNLOAD_FILE_FROM_CONTAINER, {**arguments, "dest_file": dest_file}, {})
        moving = {"resume": resume, "on_progress": on_progress, "_ticket": True}
        await self._fetched(DOWNLOAD_FILE_FROM_CONTAINER, call, dest_file, moving)

    # --- random access -----------------------------------------------------------------------------------------------

    async def read_range(
        self, container_id: str, file_name: str, offset: int, length: int, *, version: int | None = None
    ) -> bytes:
        """Fetch some bytes of a file.

        Args:
            container_id: What it lies in.
            file_name: Its name.
            offset: First byte.
            length: Number of bytes; fewer come at the end of the file.
            version: Of the file; default: the newest.
        """
        from asyncclient.flywheel._generated.operations.containers import DOWNLOAD_FILE_FROM_CONTAINER

        if offset < 0 or length < 0:
            raise ArgumentError("offset and length must not be negative", argument="offset")
        if length == 0:
            return b""
        arguments = {
            "container_id": container_id,
            "file_name": file_name,
            "view": True,
            "range": f"bytes={offset}-{offset + length - 1}",
            "version": version,
        }
        call = self._checked(DOWNLOAD_FILE_FROM_CONTAINER, arguments, {})
        return await self._ranged(call, offset, length)

    async def stream_file(
        self, container_id: str, file_name: str, *, version: int | None = None, piece_bytes: int = 4 * 1024 * 1024
    ) -> AsyncGenerator[bytes]:
        """Yield the content of a file piece by piece, each asked for when it is wanted."""
        offset = 0
        while piece := await self.read_range(container_id, file_name, offset, piece_bytes, version=version):
            yield piece
            offset += len(piece)
            if len(piece) < piece_bytes:
                return

    async def upload_many(
        self, container_id: str, files: Iterable[Any] | AsyncIterable[Any], **options: Any
    ) -> list[Any]:
        """Upload many files to a container, several at a time; gives their records in the order of the files.

        Args:
            container_id: A container of any kind.
            files: As for ``upload_file_to_container``; read only as fast as files are sent.
            options: Likewise; ``on_progress`` is told of each file by its name.

        Raises:
            ArgumentTypeError: ``files`` is a single file (also a ``TypeError``).
        """
        if isinstance(files, (str, bytes, os.PathLike, FileSpec)) or not isinstance(files, (Iterable, AsyncIterable)):
            raise ArgumentTypeError(
                f"upload_many(): files must be several, as a list or an iterator, not {type(files).__name__}",
                argument="files",
            )

        async def send(file: Any) -> Any:
            return await self.upload_file_to_container(container_id, file, **options)

        found: list[Any] = []
        async for records in self._hub.map(send, files):
            found += records if isinstance(records, list) else [records]
        return found

    async def download_many(
        self, container_id: str, names: Iterable[str], folder: str | Path, **options: Any
    ) -> list[Path]:
        """Download many files of a container into a folder, several at a time; gives their paths in order.

        Args:
            container_id: A container of any kind.
            names: Of the files.
            folder: Where they go.
            options: As for ``download_file_from_container``; ``on_progress`` is told of each file by its name.

        Raises:
            ArgumentTypeError: ``names`` is a single name (also a ``TypeError``).
        """
        from pathlib import Path

        if isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
            raise ArgumentTypeError(
                f"download_many(): names must be several, as a list or an iterator, not {type(names).__name__}",
                argument="names",
            )

        async def fetch(name: str) -> Path:
            place = _within(Path(folder), name)
            await self.download_file_from_container(container_id, name, place, **options)
            return place

        return [path async for path in self._hub.map(fetch, names)]


def _within(folder: Path, name: str) -> Path:
    """Return the place of a file in a folder; names that lead elsewhere are refused."""
    place = type(folder)(name).name
    if place != name or name in (".", ".."):
        raise ArgumentError(f"{name!r} is no name for a file in a folder", argument="names")
    return folder / place


def _download_body(containers: Any, include: Any, exclude: Any) -> dict[str, Any]:
    nodes = []
    for container in containers if isinstance(containers, (list, tuple)) else [containers]:
        kind, found = (
            (container.get("container_type"), container.get("id"))
            if isinstance(container, dict)
            else (getattr(container, "container_type", None), getattr(container, "id", None))
        )
        if not kind or not found:
            raise ArgumentError("Unknown container specified!", argument="containers")
        nodes.append({"level": kind, "_id": found})
    for argument, given in (("include_types", include), ("exclude_types", exclude)):
        if isinstance(given, str):
            raise ArgumentTypeError(f"{argument} must be a list of types, not text", argument=argument)
    types = {name: list(given) for name, given in (("plus", include), ("minus", exclude)) if given is not None}
    body: dict[str, Any] = {"optional": True, "nodes": nodes}
    return {**body, "filters": [{"types": types}]} if types else body
