"""What every container can do, and what some kinds have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from asyncclient.errors import ArgumentError
from asyncclient.flywheel.finders import Finder
from asyncclient.flywheel.objects._binding import Bindable, act, given_body, warn_of_keys

__all__ = [
    "AnalysesMixin",
    "ArchivesMixin",
    "Container",
    "InfoMixin",
    "NotesMixin",
    "PermissionsMixin",
    "TagsMixin",
    "TimestampsMixin",
    "flat",
    "local",
]


def local(when: Any) -> dt.datetime | None:
    """Return a time in the local zone; None for none."""
    return when.astimezone() if isinstance(when, dt.datetime) else None


def flat(values: Iterable[Any]) -> list[Any]:
    """Return values, lists among them opened."""
    return [item for value in values for item in (value if isinstance(value, (list, tuple, set)) else [value])]


class Container(Bindable):
    """The base of everything that lies in the hierarchy."""

    if TYPE_CHECKING:
        id: Any
        created: Any
        modified: Any

    def _do(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call the method of the client that a template names for this kind of container."""
        return getattr(self._client, name.format(self.container_type))(self.id, *args, **kwargs)

    def _finder(self, children: str) -> Finder:
        return Finder(self._client, f"get_{self.container_type}_{children}", self.id)

    def update(self, *args: Any, **fields: Any) -> Any:
        """Change fields: one mapping, or keywords."""
        return self._do("modify_{}", given_body(args, fields, what="update"))

    def reload(self) -> Any:
        """Fetch it anew; gives another object and leaves this one as it is."""
        return self._do("get_{}")

    def ref(self) -> dict[str, Any]:
        """Return what other objects name it by."""
        return {"type": self.container_type, "id": self.id}

    @property
    def local_created(self) -> dt.datetime | None:
        """When it was created, in the local zone."""
        return local(self.created)

    @property
    def local_modified(self) -> dt.datetime | None:
        """When it was changed last, in the local zone."""
        return local(self.modified)


class InfoMixin(Container):
    """Custom information."""

    def update_info(self, *args: Any, **fields: Any) -> Any:
        """Set some keys: one mapping, or keywords."""
        info = given_body(args, fields, what="update_info")
        warn_of_keys(info)
        return self._do("set_{}_info", info)

    def replace_info(self, info: Mapping[str, Any]) -> Any:
        """Put other information in place of all there is."""
        warn_of_keys(info)
        return self._do("replace_{}_info", info)

    def delete_info(self, *keys: Any) -> Any:
        """Delete some keys: texts, or lists of texts."""
        return self._do("delete_{}_info_fields", flat(keys))


class TagsMixin(Container):
    """Tags."""

    def add_tag(self, tag: str) -> Any:
        """Attach a tag."""
        return self._do("add_{}_tag", tag)

    def rename_tag(self, tag: str, new_tag: str) -> Any:
        """Rename a tag."""
        return self._do("rename_{}_tag", tag, new_tag)

    def delete_tag(self, tag: str) -> Any:
        """Remove a tag."""
        return self._do("delete_{}_tag", tag)


class NotesMixin(Container):
    """Notes."""

    def add_note(self, message: str) -> Any:
        """Attach a note."""
        return self._do("add_{}_note", message)

    def delete_note(self, note_id: str) -> Any:
        """Remove a note."""
        return self._do("delete_{}_note", note_id)


class PermissionsMixin(Container):
    """Permissions of users."""

    def add_permission(self, permission: Any) -> Any:
        """Grant a permission."""
        return self._do("add_{}_permission", permission)

    def get_permission(self, user_id: str) -> Any:
        """Fetch the permission of a user."""
        return self._do("get_{}_user_permission", user_id)

    def update_permission(self, user_id: str, permission: Any) -> Any:
        """Change the permission of a user."""
        return self._do("modify_{}_user_permission", user_id, permission)

    def delete_permission(self, user_id: str) -> Any:
        """Revoke the permission of a user."""
        return self._do("delete_{}_user_permission", user_id)


class ArchivesMixin(Container):
    """Everything below it as one archive."""

    def download_tar(self, dest_file: Any, include_types: Any = None, exclude_types: Any = None, **options: Any) -> Any:
        """Save a tar archive of all files below; see ``download_tar`` of the client."""
        return self._client.download_tar([self._plain()], dest_file, include_types, exclude_types, **options)

    def download_zip(self, dest_file: Any, include_types: Any = None, exclude_types: Any = None, **options: Any) -> Any:
        """Save a zip archive of all files below; see ``download_zip`` of the client."""
        return self._client.download_zip([self._plain()], dest_file, include_types, exclude_types, **options)

    def _plain(self) -> dict[str, Any]:
        return {"container_type": self.container_type, "id": self.id}


class AnalysesMixin(Container):
    """Analyses."""

    def add_analysis(self, *args: Any, **fields: Any) -> Any:
        """Create an analysis, ad hoc or with a job, and fetch it: one mapping, or keywords."""
        body = given_body(args, fields, what="add_analysis")
        return act(self._client, _added, f"add_{self.container_type}_analysis", (self.id, body), "get_analysis")


class TimestampsMixin(Container):
    """A time it was acquired at, and the zone of the place."""

    if TYPE_CHECKING:
        timestamp: Any
        timezone: Any

    @property
    def local_timestamp(self) -> dt.datetime | None:
        """The time, in the local zone."""
        return local(self.timestamp)

    @property
    def original_timestamp(self) -> dt.datetime | None:
        """The time, in the zone it was acquired in.

        Raises:
            ArgumentError: No zone is known (also a ``ValueError``).
        """
        if self.timestamp is None:
            return None
        if not self.timezone:
            raise ArgumentError("this object has no timezone")
        from zoneinfo import ZoneInfo

        found: dt.datetime = self.timestamp.astimezone(ZoneInfo(self.timezone))
        return found


async def _added(client: Any, add: str, args: tuple[Any, ...], get: str) -> Any:
    return await getattr(client, get)(await getattr(client, add)(*args))
