"""What a file can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from asyncclient.errors import ArgumentError
from asyncclient.flywheel.objects._binding import Bindable, act, given_body, warn_of_keys
from asyncclient.flywheel.objects._containers import flat, local
from asyncclient.flywheel.objects._filing import file_method
from asyncclient.flywheel.objects._reader import RemoteReader

__all__ = ["FileMixin"]


class FileMixin(Bindable):
    """What a file can do: content and information by its name, tags and versions by its id."""

    container_type: ClassVar[str] = "file"

    if TYPE_CHECKING:
        name: Any
        file_id: Any
        version: Any
        size: Any
        hash: Any
        parent_ref: Any
        replaced: Any

    def _home(self) -> tuple[str, str]:
        """Return kind and id of the container it lies in."""
        owner = getattr(self, "_owner", None)
        if owner is not None:
            return owner.container_type, owner.id
        ref = self.parent_ref
        if ref is None or not getattr(ref, "id", None):
            raise ArgumentError(f"it is not known where the file {self.name!r} lies")
        return str(ref.type), str(ref.id)

    def _by_name(self, template: str, *args: Any, **kwargs: Any) -> Any:
        kind, container = self._home()
        return getattr(self._client, file_method(kind, template))(container, self.name, *args, **kwargs)

    def _held(self, options: dict[str, Any]) -> dict[str, Any]:
        """Name the version that this object is of, where the service can be asked for it."""
        held = self.version is not None and self._home()[0] != "analysis" and "version" not in options
        return {**options, "version": self.version} if held else options

    @property
    def parent(self) -> Any:
        """The container it lies in: the object it came with, else it is fetched."""
        owner = getattr(self, "_owner", None)
        if owner is not None:
            return owner
        kind, container = self._home()
        return getattr(self._client, f"get_{kind}")(container)

    @property
    def url(self) -> Any:
        """A URL with a ticket, which needs no login."""
        return self._by_name("get_{}_download_url")

    @property
    def local_replaced(self) -> Any:
        """When this version was replaced, in the local zone."""
        return local(self.replaced)

    def ref(self) -> dict[str, Any]:
        """Return what gears name it by."""
        kind, container = self._home()
        return {"type": kind, "id": container, "name": self.name}

    def reload(self) -> Any:
        """Fetch its record anew, of the same version."""
        return self._client.get_file(self.file_id, version=self.version)

    def download(self, dest_file: Any, **options: Any) -> Any:
        """Save the content; the size of the record is compared, and its digest where ``dest_file`` is a path.

        Raises:
            IntegrityError: The content differs from the record; nothing is at the path then.
        """
        if not any(options.get(name) for name in ("member", "range", "info", "version")):
            options["_record"] = {name: getattr(self, name, None) for name in ("size", "hash", "file_id", "version")}
        return self._by_name("download_file_from_{}", dest_file, **self._held(options))

    def read(self, **options: Any) -> Any:
        """Fetch the content into memory."""
        return self._by_name("download_file_from_{}_as_data", **self._held(options))

    def open_reader(self) -> Any:
        """Give random access to the content, without fetching all of it: a :class:`RemoteReader`."""
        return RemoteReader(self._client, self._home()[1], self.name, self.size, self.version)

    def get_zip_info(self) -> Any:
        """List the members of a zip file."""
        return self._client.get_file_zip_info(self.file_id, version=self.version)

    def download_zip_member(self, member_name: str, dest_file: Any, **options: Any) -> Any:
        """Save a member of a zip file."""
        return self._by_name("download_file_from_{}", dest_file, member=member_name, **self._held(options))

    def read_zip_member(self, member_name: str, **options: Any) -> Any:
        """Fetch a member of a zip file into memory."""
        return self._by_name("download_file_from_{}_as_data", member=member_name, **self._held(options))

    def update(self, *args: Any, **fields: Any) -> Any:
        """Change attributes: one mapping, or keywords."""
        return self._by_name("modify_{}_file", given_body(args, fields, what="update"))

    def update_info(self, *args: Any, **fields: Any) -> Any:
        """Set some keys of its information: one mapping, or keywords."""
        info = given_body(args, fields, what="update_info")
        warn_of_keys(info)
        return self._by_name("set_{}_file_info", info)

    def replace_info(self, info: Mapping[str, Any]) -> Any:
        """Put other information in place of all there is."""
        warn_of_keys(info)
        return self._by_name("replace_{}_file_info", info)

    def delete_info(self, *keys: Any) -> Any:
        """Delete some keys of its information: texts, or lists of texts."""
        return self._by_name("delete_{}_file_info_fields", flat(keys))

    def update_classification(self, classification: Any) -> Any:
        """Add to its classification."""
        return self._by_name("set_{}_file_classification", classification)

    def replace_classification(self, classification: Any, modality: str | None = None) -> Any:
        """Put another classification, and on request modality, in place of what it has."""
        body = {"replace": classification, **({"modality": modality} if modality is not None else {})}
        return self._by_name("modify_{}_file_classification", body)

    def delete_classification(self, classification: Any) -> Any:
        """Take values out of its classification."""
        return self._by_name("delete_{}_file_classification_fields", classification)

    def delete(self, **options: Any) -> Any:
        """Delete it, with all its versions."""
        return self._client.delete_file(self.file_id, **options)

    # --- tags --------------------------------------------------------------------------------------------------------

    def set_tags(self, tags: list[str]) -> Any:
        """Put other tags in place of all it has."""
        return self._client.set_file_tags(self.file_id, list(tags))

    def add_tags(self, tags: list[str]) -> Any:
        """Attach several tags."""
        return self._client.add_file_tags(self.file_id, list(tags))

    def add_tag(self, tag: str) -> Any:
        """Attach a tag."""
        return self._client.add_file_tags(self.file_id, [tag])

    def delete_tag(self, tag: str) -> Any:
        """Remove a tag."""
        return self._client.delete_file_tags(self.file_id, body=[tag])

    def rename_tag(self, tag: str, new_tag: str) -> Any:
        """Rename a tag. Another change of the tags at the same moment may be lost."""
        return act(self._client, _retagged, self.file_id, lambda tags: [new_tag if t == tag else t for t in tags])


async def _retagged(client: Any, file_id: str, change: Callable[[list[str]], list[str]]) -> Any:
    record = await client.get_file(file_id)
    return await client.set_file_tags(file_id, change(list(record.tags or ())))
