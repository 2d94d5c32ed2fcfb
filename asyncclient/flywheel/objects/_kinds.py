"""The kinds of containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from asyncclient.errors import ArgumentError
from asyncclient.flywheel.finders import Finder
from asyncclient.flywheel.objects._binding import act, bind, given_body
from asyncclient.flywheel.objects._containers import (
    AnalysesMixin,
    ArchivesMixin,
    Container,
    InfoMixin,
    NotesMixin,
    PermissionsMixin,
    TagsMixin,
    TimestampsMixin,
    _added,
    flat,
)
from asyncclient.flywheel.objects._filing import FilesMixin

__all__ = [
    "AcquisitionMixin",
    "AnalysisMixin",
    "CollectionMixin",
    "GroupMixin",
    "ProjectMixin",
    "SessionMixin",
    "SubjectMixin",
]

_UNIT_S = {"years": 31_557_600, "months": 2_592_000, "weeks": 604_800, "days": 86_400}


class _Parent(Container):
    """A container that others are made in."""

    def _add(self, kind: str, body: dict[str, Any]) -> Any:
        return act(self._client, _added, f"add_{kind}", (body,), f"get_{kind}")

    def _child(self, kind: str, args: tuple[Any, ...], fields: Mapping[str, Any]) -> Any:
        body = given_body(args, fields, what=f"add_{kind}")
        return self._add(kind, {**body, self.container_type: self.id})


class GroupMixin(TagsMixin, PermissionsMixin, _Parent):
    """What a group can do."""

    container_type: ClassVar[str] = "group"
    child_types: ClassVar[tuple[str, ...]] = ("projects",)

    @property
    def projects(self) -> Finder:
        """The projects of the group."""
        return self._finder("projects")

    def add_project(self, *args: Any, **fields: Any) -> Any:
        """Create a project and fetch it: one mapping, or keywords."""
        return self._child("project", args, fields)

    def add_permission_template(self, permission: Any) -> Any:
        """Add a user to the default permissions of projects."""
        return self._do("add_{}_permission_template", permission)

    def get_permission_template(self, user_id: str) -> Any:
        """Fetch the default permission of a user."""
        return self._do("get_{}_user_permission_template", user_id)

    def update_permission_template(self, user_id: str, permission: Any) -> Any:
        """Change the default permission of a user."""
        return self._do("modify_{}_user_permission_template", user_id, permission)

    def delete_permission_template(self, user_id: str) -> Any:
        """Remove a user from the default permissions."""
        return self._do("delete_{}_user_permission_template", user_id)


class ProjectMixin(
    TagsMixin, NotesMixin, PermissionsMixin, FilesMixin, InfoMixin, ArchivesMixin, AnalysesMixin, _Parent
):
    """What a project can do."""

    container_type: ClassVar[str] = "project"
    child_types: ClassVar[tuple[str, ...]] = ("subjects", "sessions", "analyses", "files")

    @property
    def subjects(self) -> Finder:
        """The subjects of the project."""
        return self._finder("subjects")

    @property
    def sessions(self) -> Finder:
        """The sessions of the project."""
        return self._finder("sessions")

    def add_subject(self, *args: Any, **fields: Any) -> Any:
        """Create a subject and fetch it: one mapping, or keywords."""
        return self._child("subject", args, fields)

    def add_session(self, *args: Any, **fields: Any) -> Any:
        """Create a session and fetch it: one mapping, or keywords."""
        return self._child("session", args, fields)


class SubjectMixin(TagsMixin, NotesMixin, FilesMixin, InfoMixin, AnalysesMixin, _Parent):
    """What a subject can do."""

    container_type: ClassVar[str] = "subject"
    child_types: ClassVar[tuple[str, ...]] = ("sessions", "analyses", "files")

    if TYPE_CHECKING:
        project: Any

    @property
    def sessions(self) -> Finder:
        """The sessions of the subject."""
        return self._finder("sessions")

    def add_session(self, *args: Any, **fields: Any) -> Any:
        """Create a session of this subject, in its project, and fetch it: one mapping, or keywords."""
        body = given_body(args, fields, what="add_session")
        subject = body.get("subject")
        if subject is not None and not isinstance(subject, Mapping):
            raise ArgumentError("add_session(): subject must be a mapping", argument="subject")
        return self._add("session", {**body, "project": self.project, "subject": {**(subject or {}), "_id": self.id}})


class SessionMixin(
    TagsMixin, NotesMixin, FilesMixin, InfoMixin, TimestampsMixin, ArchivesMixin, AnalysesMixin, _Parent
):
    """What a session can do."""

    container_type: ClassVar[str] = "session"
    child_types: ClassVar[tuple[str, ...]] = ("acquisitions", "analyses", "files")

    if TYPE_CHECKING:
        age: Any

    @property
    def acquisitions(self) -> Finder:
        """The acquisitions of the session."""
        return self._finder("acquisitions")

    def add_acquisition(self, *args: Any, **fields: Any) -> Any:
        """Create an acquisition and fetch it: one mapping, or keywords."""
        return self._child("acquisition", args, fields)

    def _age(self, unit: str) -> float | None:
        return None if self.age is None else self.age / _UNIT_S[unit]

    @property
    def age_years(self) -> float | None:
        """Age of the subject in years of 365.25 days."""
        return self._age("years")

    @property
    def age_months(self) -> float | None:
        """Age of the subject in months of 30 days."""
        return self._age("months")

    @property
    def age_weeks(self) -> float | None:
        """Age of the subject in weeks."""
        return self._age("weeks")

    @property
    def age_days(self) -> float | None:
        """Age of the subject in days."""
        return self._age("days")


class AcquisitionMixin(TagsMixin, NotesMixin, FilesMixin, InfoMixin, TimestampsMixin, ArchivesMixin, AnalysesMixin):
    """What an acquisition can do."""

    container_type: ClassVar[str] = "acquisition"
    child_types: ClassVar[tuple[str, ...]] = ("analyses", "files")


class AnalysisMixin(TagsMixin, NotesMixin, FilesMixin, InfoMixin, ArchivesMixin):
    """What an analysis can do; its files are its outputs."""

    container_type: ClassVar[str] = "analysis"
    child_types: ClassVar[tuple[str, ...]] = ("files",)

    def _bind(self, client: Any) -> None:
        super()._bind(client)
        bind(getattr(self, "job", None), client)  # the id of one, or the job itself

    def upload_output(self, file: Any, **options: Any) -> Any:
        """Upload output files."""
        return self.upload_file(file, **options)


class CollectionMixin(TagsMixin, NotesMixin, PermissionsMixin, FilesMixin, InfoMixin):
    """What a collection can do."""

    container_type: ClassVar[str] = "collection"
    child_types: ClassVar[tuple[str, ...]] = ("sessions", "acquisitions", "files")

    @property
    def sessions(self) -> Finder:
        """The sessions of the collection."""
        return self._finder("sessions")

    @property
    def acquisitions(self) -> Finder:
        """The acquisitions of the collection."""
        return self._finder("acquisitions")

    def add_sessions(self, *sessions: Any) -> Any:
        """Put sessions into the collection: ids, objects, or lists of these."""
        return self._client.add_sessions_to_collection(self.id, [_id(item) for item in flat(sessions)])

    def add_acquisitions(self, *acquisitions: Any) -> Any:
        """Put acquisitions into the collection: ids, objects, or lists of these."""
        return self._client.add_acquisitions_to_collection(self.id, [_id(item) for item in flat(acquisitions)])


def _id(value: Any) -> str:
    found = value if isinstance(value, str) else getattr(value, "id", None)
    if not isinstance(found, str):
        raise ArgumentError(f"{type(value).__name__} is neither an id nor an object that has one")
    return found
