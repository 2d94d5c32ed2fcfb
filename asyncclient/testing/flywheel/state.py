"""Everything the emulator of Flywheel remembers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from asyncclient.testing._blobs import BlobStore
from asyncclient.testing._contract import Refusal
from asyncclient.testing._state import EmulatorState
from asyncclient.testing.flywheel.options import Options
from asyncclient.testing.flywheel.tables import Container, Ids, Json, Series, now

if TYPE_CHECKING:
    from asyncclient.testing.flywheel.uploads import Upload

__all__ = ["FlywheelState"]

FINAL = ("complete", "failed", "cancelled")


class FlywheelState(EmulatorState):
    """State of the emulator of Flywheel.

    Attributes:
        options: May be changed at any time, except ``keep_requests`` and ``keep_files``.
        containers: Groups, projects and so on, by id, in order of creation.
        files: Every file with the container it is in, by file id.
        gears, jobs, batches, views, executions, users, devices: JSON by id.
        records: Roles, modalities, rules and saved searches, by their kind and id.
        tickets: Of downloads.
        uploads: Signed uploads under way, by ticket or uuid.
        blobs: Contents.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(keep_requests=options.keep_requests)
        self.options = options
        self.blobs = BlobStore(keep=options.keep_files)
        self._start_over()

    def _start_over(self) -> None:
        self.ids = Ids()
        self.containers: dict[str, Container] = {}
        self._by_kind: dict[str, dict[str, Container]] = {}
        self.files: dict[str, tuple[Container, Series]] = {}
        self.tickets: dict[str, Json] = {}
        self.uploads: dict[str, Upload] = {}
        self.packfiles: dict[str, list[tuple[str, Any]]] = {}
        self.gears: dict[str, Json] = {}
        self.gear_tickets: dict[str, Json] = {}
        self.jobs: dict[str, Json] = {}
        self.batches: dict[str, Json] = {}
        self.views: dict[str, Json] = {}
        self.records: dict[str, dict[str, Json]] = {}
        self.executions: dict[str, Json] = {}
        self.devices: dict[str, Json] = {}
        self.users: dict[str, Json] = {}
        self.keys: dict[str, Json] = {self.options.secret: {"type": "user", "id": self.options.user_id}}
        self.add_user(self.options.user_id)

    def reset(self) -> None:
        """Start over: no requests, faults, containers or files."""
        super().reset()
        self.blobs.close()
        self._start_over()

    def add_user(self, user_id: str, *, secret: str | None = None, root: bool = True) -> Json:
        """Make a user known.

        Args:
            user_id: An address.
            secret: Last part of a key that is made with it.
            root: Whether the user may do everything; if not, the permissions of groups, projects and collections count.
        """
        name = user_id.partition("@")[0].capitalize()
        times = {"created": now(), "modified": now()}
        user = {"_id": user_id, "firstname": name, "lastname": "Emulated", "email": user_id}
        roles = ["site_admin"] if root else ["user"]
        self.users[user_id] = {
            **user,
            "roles": roles,
            "root": root,
            "disabled": False,
            "api_keys": [],
            "info": {},
            **times,
        }
        if secret is not None:
            self.keys[secret] = {"type": "user", "id": user_id}
        return self.users[user_id]

    def add(self, container: Container) -> Container:
        """Keep a container."""
        self.containers[container.id] = container
        self._by_kind.setdefault(container.kind, {})[container.id] = container
        return container

    def drop(self, container: Container) -> None:
        """Forget a container and its files."""
        self.containers.pop(container.id, None)
        self._by_kind[container.kind].pop(container.id, None)
        for series in container.files.values():
            self.files.pop(series.file_id, None)
            blobs = {id(blob): blob for version in series.versions for blob in version.content.blobs}
            for blob in blobs.values():  # once each: restored versions share theirs
                self.blobs.discard(blob)

    def of_kind(self, kind: str) -> Iterator[Container]:
        """Iterate over containers of one kind in order of creation."""
        return iter(list(self._by_kind.get(kind, {}).values()))

    def get(self, container_id: str, kind: str | None = None) -> Container:
        """Return a container.

        Raises:
            Refusal: 404, there is none of this id and kind.
        """
        found = self.containers.get(container_id)
        if found is None or (kind is not None and found.kind != kind):
            raise Refusal(404, f"{(kind or 'container').capitalize()} not found")
        return found

    def file(self, file_id: str) -> tuple[Container, Series]:
        """Return a file, deleted versions included, with its container.

        Raises:
            Refusal: 404, there is none.
        """
        if file_id not in self.files:
            raise Refusal(404, "File not found")
        return self.files[file_id]

    def finish_job(self, job_id: str, state: str = "complete") -> None:
        """Let a job end now."""
        job = self.jobs[job_id]
        job |= {"state": state, "modified": now(), "transitions": {**job.get("transitions", {}), state: now()}}

    def settle(self) -> None:
        """Let all jobs and data views end now."""
        for job_id, job in self.jobs.items():
            if job["state"] not in FINAL:
                self.finish_job(job_id)
        for execution in self.executions.values():
            execution["polls"] = 0

    def expire_uploads(self) -> None:
        """Let the signed addresses that were given out be refused from now on, as if their time had run out."""
        for upload in self.uploads.values():
            upload.expired = True

    def find(self, *labels: str) -> Container:
        """Return a container by the labels on the way to it, from the group's id on. For tests.

        Raises:
            Refusal: 404, there is none.
        """
        found: Container | None = None
        for depth, label in enumerate(labels):
            kind = ("group", "project", "subject", "session", "acquisition")[depth]
            rows = [row for row in self.of_kind(kind) if (row.id if depth == 0 else row.label) == label]
            rows = [row for row in rows if found is None or row.parents.get(found.kind) == found.id]
            if not rows:
                raise Refusal(404, f"{kind.capitalize()} not found")
            found = rows[0]
        assert found is not None
        return found
