"""Files of a container, by name; files of analyses are outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from asyncclient.flywheel.objects._binding import act, given_body, warn_of_keys
from asyncclient.flywheel.objects._containers import Container, flat

__all__ = ["FilesMixin", "file_method"]

_OUTPUTS: Final = {
    "upload_file_to_{}": "upload_output_to_analysis",
    "download_file_from_{}": "download_output_from_analysis",
    "download_file_from_{}_as_data": "download_output_from_analysis_as_data",
    "get_{}_download_url": "get_analysis_output_download_url",
    "get_{}_file_zip_info": "get_analysis_output_zip_info",
}


def file_method(container_type: str, template: str) -> str:
    """Name the method of the client that does something with a file of a kind of container.

    Analyses have methods of their own for content; all else is done by the methods for any container.
    """
    if container_type != "analysis":
        return template.format(container_type)
    return _OUTPUTS.get(template) or template.format("container")


class FilesMixin(Container):
    """Files, by name."""

    if TYPE_CHECKING:
        files: Any

    def _file(self, template: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._client, file_method(self.container_type, template))(self.id, *args, **kwargs)

    def upload_file(self, file: Any, **options: Any) -> Any:
        """Upload files."""
        return self._file("upload_file_to_{}", file, **options)

    def download_file(self, file_name: str, dest_file: Any, **options: Any) -> Any:
        """Save a file at a path."""
        return self._file("download_file_from_{}", file_name, dest_file, **options)

    def read_file(self, file_name: str, **options: Any) -> Any:
        """Fetch the content of a file into memory."""
        return self._file("download_file_from_{}_as_data", file_name, **options)

    def get_file_download_url(self, file_name: str, **options: Any) -> Any:
        """Make a URL with a ticket that needs no login."""
        return self._file("get_{}_download_url", file_name, **options)

    def get_file_zip_info(self, file_name: str, **options: Any) -> Any:
        """List the members of a zip file."""
        return self._file("get_{}_file_zip_info", file_name, **options)

    def download_file_zip_member(self, file_name: str, member_name: str, dest_file: Any, **options: Any) -> Any:
        """Save a member of a zip file at a path."""
        return self.download_file(file_name, dest_file, member=member_name, **options)

    def read_file_zip_member(self, file_name: str, member_name: str, **options: Any) -> Any:
        """Fetch a member of a zip file into memory."""
        return self.read_file(file_name, member=member_name, **options)

    def update_file(self, file_name: str, *args: Any, **fields: Any) -> Any:
        """Change attributes of a file: one mapping, or keywords."""
        return self._file("modify_{}_file", file_name, given_body(args, fields, what="update_file"))

    def update_file_info(self, file_name: str, *args: Any, **fields: Any) -> Any:
        """Set some keys of a file's information: one mapping, or keywords."""
        info = given_body(args, fields, what="update_file_info")
        warn_of_keys(info)
        return self._file("set_{}_file_info", file_name, info)

    def replace_file_info(self, file_name: str, info: Mapping[str, Any]) -> Any:
        """Put other information in place of all a file has."""
        warn_of_keys(info)
        return self._file("replace_{}_file_info", file_name, info)

    def delete_file_info(self, file_name: str, *keys: Any) -> Any:
        """Delete some keys of a file's information: texts, or lists of texts."""
        return self._file("delete_{}_file_info_fields", file_name, flat(keys))

    def update_file_classification(self, file_name: str, classification: Any) -> Any:
        """Add to the classification of a file."""
        return self._file("set_{}_file_classification", file_name, classification)

    def replace_file_classification(self, file_name: str, classification: Any, modality: str | None = None) -> Any:
        """Put another classification, and on request modality, in place of a file's."""
        body = {"replace": classification, **({"modality": modality} if modality is not None else {})}
        return self._file("modify_{}_file_classification", file_name, body)

    def delete_file_classification(self, file_name: str, classification: Any) -> Any:
        """Take values out of the classification of a file."""
        return self._file("delete_{}_file_classification_fields", file_name, classification)

    def delete_file(self, file_name: str, **options: Any) -> Any:
        """Delete a file."""
        return self._file("delete_{}_file", file_name, **options)

    def get_files(self) -> Any:
        """Return the files: those that came with the object, else those of the object fetched anew."""
        return act(self._client, _files_of, self, None)

    def get_file(self, name: str) -> Any:
        """Return the file of a name, or None."""
        return act(self._client, _files_of, self, name)

    def file_ref(self, name: str) -> dict[str, Any]:
        """Return what gears name a file by."""
        return {**self.ref(), "name": name}


async def _files_of(client: Any, owner: FilesMixin, name: str | None) -> Any:
    files = owner.files
    if files is None:
        loaded = await getattr(client, f"get_{owner.container_type}")(owner.id)
        files = getattr(loaded, "files", None) or []
    if name is None:
        return files
    return next((file for file in files if file.name == name), None)
