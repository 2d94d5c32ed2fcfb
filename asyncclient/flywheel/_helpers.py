"""Methods of the client that are more than one operation, or another form of one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient.errors import ArgumentError, ArgumentTypeError, DeadlineExceeded
from asyncclient.flywheel._rows import ViewRows
from asyncclient.flywheel._surface import CallOptions
from asyncclient.flywheel.finders import Finders
from asyncclient.flywheel.objects._binding import bind

if TYPE_CHECKING:
    from asyncclient.flywheel._surface import Destination

__all__ = ["Helpers"]

_MAJOR: Final = 20
"""Release of the official client whose methods these are."""
_FINAL_STATES: Final = frozenset({"complete", "failed", "cancelled"})
"""States that a job does not leave."""
_LONGEST_PAUSE_S: Final = 10.0


class Helpers(ViewRows, Finders):
    """Helpers of the client."""

    def _bound(self, value: Any) -> Any:
        return bind(value, self)

    # --- bodies as keywords ------------------------------------------------------------------------------------------

    async def add_group(self, body: Any = None, **fields: Any) -> str:
        """Create one group: a mapping or model, or its members as keywords; gives its id."""
        body, options = _keyword_body("add_group", body, fields)
        return await super().add_group(body, **options)

    async def add_collection(self, body: Any = None, **fields: Any) -> str:
        """Create one collection: a mapping or model, or its members as keywords; gives its id."""
        body, options = _keyword_body("add_collection", body, fields)
        return await super().add_collection(body, **options)

    async def add_user(self, body: Any = None, **fields: Any) -> str:
        """Create a user: a mapping or model, or its members as keywords; gives its id."""
        body, options = _keyword_body("add_user", body, fields)
        return await super().add_user(body, **options)

    # --- objects by id and path --------------------------------------------------------------------------------------

    async def get(self, id: str, **options: Any) -> Any:  # noqa: A002  # the official name
        """Fetch a container of any kind by its id; gives the model of its kind."""
        return await self.get_container(id, **options)

    async def resolve(self, path: str | Sequence[str], **options: Any) -> Any:
        """Resolve a path such as ``group/project/subject``: its nodes in ``path``, what lies below in ``children``.

        Args:
            path: Text with slashes, or a list, where labels hold slashes.
            options: Of ``resolve_path``.
        """
        return await self.resolve_path({"path": _steps(path)}, **options)

    async def lookup(self, path: str | Sequence[str]) -> Any:
        """Resolve a path to the one object it names."""
        return await self.lookup_path({"path": _steps(path)})

    async def file_url(self, path: str | Sequence[str]) -> str:
        """Make a URL with a ticket for a file named by its path.

        Raises:
            ArgumentError: The path leads to something else (also a ``ValueError``).
        """
        found = await self.resolve(path)
        node = found.path[-1] if found is not None and found.path else None
        if node is None or getattr(node, "container_type", None) != "file":
            raise ArgumentError("Resolved path is not a file!", argument="path")
        url: str = await node.url
        return url

    # --- collections and jobs ----------------------------------------------------------------------------------------

    async def add_nodes_to_collection(
        self, collection_id: str, level: str, node_ids: Sequence[str], **options: Any
    ) -> Any:
        """Put objects of one level, such as ``session``, into a collection."""
        if isinstance(node_ids, str):
            raise ArgumentTypeError("node_ids must be a list of ids, not text", argument="node_ids")
        nodes = [{"_id": node_id, "level": level} for node_id in node_ids]
        body = {"contents": {"operation": "add", "nodes": nodes}}
        return await self.modify_collection(collection_id, body, **options)

    async def add_sessions_to_collection(self, collection_id: str, session_ids: Sequence[str], **options: Any) -> Any:
        """Put sessions into a collection."""
        return await self.add_nodes_to_collection(collection_id, "session", session_ids, **options)

    async def add_acquisitions_to_collection(
        self, collection_id: str, acquisition_ids: Sequence[str], **options: Any
    ) -> Any:
        """Put acquisitions into a collection."""
        return await self.add_nodes_to_collection(collection_id, "acquisition", acquisition_ids, **options)

    async def change_job_state(self, job_id: str, state: str) -> Any:
        """Move a job to another state, for example ``cancelled``."""
        return await self.modify_job(job_id, {"state": state})

    async def wait_for_job(self, job_id: str, *, timeout_s: float | None = None) -> Any:
        """Wait until a job is complete, failed or cancelled, asking ever more seldom; gives the job.

        Args:
            job_id: The job.
            timeout_s: Seconds to wait at most; None waits for ever.

        Raises:
            DeadlineExceeded: It has not ended by then.
        """
        pause_s = 0.5
        try:
            async with asyncio.timeout(timeout_s):
                while (job := await self.get_job(job_id)).state not in _FINAL_STATES:
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        except TimeoutError as error:
            raise DeadlineExceeded("wait_for_job", timeout_s or 0.0) from error
        return job

    # --- archives ----------------------------------------------------------------------------------------------------

    async def download_tar(
        self,
        containers: Any,
        dest_file: Destination,
        include_types: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
    ) -> Any:
        """Save everything in some containers as a tar archive, streamed.

        Args:
            containers: An object, or a list of objects; files that are missing are left out.
            dest_file: Path of the archive, a binary file object, or a callable.
            include_types: Types of files to take.
            exclude_types: Types of files to leave out.

        Returns:
            The ticket: name, number of files and size of what was asked for.

        Raises:
            ArgumentError: Something is no container (also a ``ValueError``).
        """
        return await self._archive("tar", containers, dest_file, include_types, exclude_types)

    async def download_zip(
        self,
        containers: Any,
        dest_file: Destination,
        include_types: Sequence[str] | None = None,
        exclude_types: Sequence[str] | None = None,
    ) -> Any:
        """Save everything in some containers as a zip archive; as :meth:`download_tar`."""
        return await self._archive("zip", containers, dest_file, include_types, exclude_types)

    async def _archive(self, form: str, containers: Any, dest_file: Any, include: Any, exclude: Any) -> Any:
        from asyncclient.flywheel._generated.operations.download import DOWNLOAD_TICKET

        body = _download_body(containers, include, exclude)
        ticket = await self.create_download_ticket(body)
        call = self._checked(DOWNLOAD_TICKET, {"ticket": ticket.ticket, "format": form}, {})
        # Archives are made as they are sent: there are no ranges, and nothing to go on with.
        await self._fetched(DOWNLOAD_TICKET, call, dest_file, resume=False)
        return ticket

    # --- the site ----------------------------------------------------------------------------------------------------

    async def perform_version_check(self) -> bool:
        """Compare the release of the service with the one this client was made for; warns where they differ in kind.

        Returns:
            Whether the major numbers are the same.
        """
        version = await self.get_version()
        release = str(getattr(version, "flywheel_release", None) or getattr(version, "release", None) or "")
        found = re.match(r"\d+", release)
        if found is None or int(found[0]) == _MAJOR:
            return found is not None
        import warnings

        warnings.warn(
            f"the service is of release {release}, and this client speaks the language of {_MAJOR}", stacklevel=2
        )
        return False

    async def shutdown(self) -> None:
        """Close the client, under its official name."""
        await self.aclose()

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
            options: Likewise.
        """

        async def send(file: Any) -> Any:
            return await self.upload_file_to_container(container_id, file, **options)

        found: list[Any] = []
        async for records in self._hub.map(send, files):
            found += records if isinstance(records, list) else [records]
        return found

    async def download_many(self, container_id: str, names: Iterable[str], folder: str | Path) -> list[Path]:
        """Download many files of a container into a folder, several at a time; gives their paths in order."""

        async def fetch(name: str) -> Path:
            place = _within(Path(folder), name)
            await self.download_file_from_container(container_id, name, place)
            return place

        return [path async for path in self._hub.map(fetch, names)]


def _within(folder: Path, name: str) -> Path:
    """Return the place of a file in a folder; names that lead elsewhere are refused."""
    place = Path(name).name
    if place != name or name in (".", ".."):
        raise ArgumentError(f"{name!r} is no name for a file in a folder", argument="names")
    return folder / place


def _keyword_body(operation: str, body: Any, fields: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Tell members of a body from options of the call."""
    options = {name: value for name, value in fields.items() if name in CallOptions.__annotations__}
    members = {name: value for name, value in fields.items() if name not in options}
    if (body is None) is not bool(members):
        raise ArgumentError(f"{operation}(): give either a mapping or keywords", argument="body")
    return members if body is None else body, options


def _steps(path: str | Sequence[str]) -> list[str]:
    if isinstance(path, str):
        return path.split("/")
    if not all(isinstance(step, str) for step in path):
        raise ArgumentTypeError("path must be text, or a list of texts", argument="path")
    return list(path)


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
    types = {name: list(given) for name, given in (("plus", include), ("minus", exclude)) if given is not None}
    body: dict[str, Any] = {"optional": True, "nodes": nodes}
    return {**body, "filters": [{"types": types}]} if types else body
