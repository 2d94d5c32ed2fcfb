"""Methods of the client that are more than one operation, or another form of one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Final

from asyncclient.errors import ArgumentError, ArgumentTypeError, DeadlineExceeded
from asyncclient.flywheel._file_helpers import FileHelpers
from asyncclient.flywheel._surface import CallOptions
from asyncclient.flywheel.objects._binding import bind

__all__ = ["Helpers"]

_MAJOR: Final = 20
"""Release of the official client whose methods these are."""
_FINAL_STATES: Final = frozenset({"complete", "failed", "cancelled"})
"""States that a job does not leave."""
_LONGEST_PAUSE_S: Final = 10.0


class Helpers(FileHelpers):
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
        if not isinstance(timeout_s, (int, float, NoneType)):
            raise ArgumentTypeError(f"timeout_s must be a number of seconds, not {timeout_s!r}", argument="timeout_s")
        pause_s = 0.5
        scope = asyncio.timeout(timeout_s)
        try:
            async with scope:
                while (job := await self.get_job(job_id)).state not in _FINAL_STATES:
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        except TimeoutError as error:
            if not scope.expired() or timeout_s is None:
                raise  # of a single call, which says so itself
            raise DeadlineExceeded("wait_for_job", timeout_s) from error
        return job

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


def _keyword_body(operation: str, body: Any, fields: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Tell members of a body from options of the call; ``id`` is a member by the name that objects have for it."""
    options = {name: value for name, value in fields.items() if name in CallOptions.__annotations__}
    members = {"_id" if name == "id" else name: value for name, value in fields.items() if name not in options}
    if (body is None) is not bool(members):
        raise ArgumentError(f"{operation}(): give either a mapping or keywords", argument="body")
    return members if body is None else body, options


def _steps(path: str | Sequence[str]) -> list[str]:
    if isinstance(path, str):
        return path.split("/")
    given: object = path
    if not isinstance(given, Sequence) or not all(isinstance(step, str) for step in given):
        raise ArgumentTypeError("path must be text, or a list of texts", argument="path")
    return list(path)
