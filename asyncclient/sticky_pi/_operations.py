"""Every operation of the API as a method: what the embedded client and the client of a server share.

Both say in one place how an operation is carried out (``_ask``).
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

from asyncclient.sticky_pi._spec import AsyncBaseAPISpec, ClientInfo, Info, Rows

__all__ = ["AsyncOperations"]


class AsyncOperations(AsyncBaseAPISpec):
    """The operations of the API, one method each, under their official names."""

    @abc.abstractmethod
    async def _ask(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out an operation of the API."""

    # --- images ------------------------------------------------------------------------------------------------------

    async def get_images(self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None) -> Rows:
        """Look up images by exact device and datetime.

        Args:
            info: Dicts with ``device`` and ``datetime``; other keys are ignored.
            what: ``metadata``, ``image``, ``thumbnail`` or ``thumbnail-mini``: what ``url`` leads to.
            client_info: Who asks; for a server that is who has logged in.

        Returns:
            A row for each image that is known.
        """
        return await self._rows("get_images", info, client_info, what=what)

    async def get_image_series(self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None) -> Rows:
        """List the images of devices in ranges of time.

        Args:
            info: Dicts with ``device`` (a LIKE pattern), ``start_datetime`` (included) and ``end_datetime`` (excluded).
            what: As in :meth:`get_images`.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_image_series", info, client_info, what=what)

    async def get_images_to_annotate(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """Reserve and return up to 8 images that lack an annotation of an algorithm version.

        A reservation lasts six hours and holds for every algorithm.

        Args:
            info: As in :meth:`get_image_series`, with ``algo_name`` and ``algo_version``.
            what: As in :meth:`get_images`.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_images_to_annotate", info, client_info, what=what)

    async def delete_images(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete images by exact device and datetime, with annotations, reservations and files.

        Args:
            info: Dicts with ``device`` and ``datetime``; unknown images are skipped.
            client_info: Who asks; for a server that is who has logged in.

        Returns:
            The rows that were deleted.
        """
        return await self._rows("delete_images", info, client_info)

    # --- annotations -------------------------------------------------------------------------------------------------

    async def put_uid_annotations(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store annotations of images, all or nothing.

        Args:
            info: Dicts with ``annotations`` (a list) and ``metadata`` (``device``, ``datetime``, ``md5``,
                ``algo_name``, ``algo_version``).
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("put_uid_annotations", info, client_info)

    async def get_uid_annotations(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of images given by exact device and datetime.

        Args:
            info: Dicts with ``device`` and ``datetime``.
            what: ``metadata`` leaves the key ``json`` out; ``data`` keeps it.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_uid_annotations", info, client_info, what=what)

    async def get_uid_annotations_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of the images of devices in ranges of time.

        Args:
            info: As in :meth:`get_image_series`.
            what: As in :meth:`get_uid_annotations`.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_uid_annotations_series", info, client_info, what=what)

    # --- tuboids and labels ------------------------------------------------------------------------------------------

    async def get_tiled_tuboid_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the tuboids of the series that lie within ranges of time.

        Args:
            info: Dicts with ``device`` (a LIKE pattern), ``start_datetime`` and ``end_datetime`` (both included).
            what: ``data`` adds the keys ``tuboid``, ``metadata`` and ``context``, which lead to the files.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_tiled_tuboid_series", info, client_info, what=what)

    async def delete_tiled_tuboids(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the series within ranges of time, with tuboids, labels and files; return the rows of the series.

        Args:
            info: As in :meth:`get_tiled_tuboid_series`.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("delete_tiled_tuboids", info, client_info)

    async def put_itc_labels(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store labels of tuboids, one by one: those before a refused one stay.

        Args:
            info: Dicts with ``tuboid_id``, ``algo_name``, ``algo_version``, ``label``, ``pattern``, ``type``, and
                optionally ``order``, ``family``, ``genus``, ``species``.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("put_itc_labels", info, client_info)

    async def _get_itc_labels(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """List the labels of tuboids by ``tuboid_id``."""
        return await self._rows("_get_itc_labels", info, client_info)

    # --- users -------------------------------------------------------------------------------------------------------

    async def get_users(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List the users that match one of the filters; password hashes are masked.

        Args:
            info: Dicts of column and LIKE pattern, all of which must match; None for all users.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_users", info, client_info)

    async def put_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create users, one by one: those before a refused one stay.

        Args:
            info: Dicts with ``username`` and ``password``, and optionally ``email``, ``is_admin``, ``can_write``.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("put_users", info, client_info)

    async def delete_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the users that match one of the filters, with their permissions; return the rows.

        Args:
            info: As in :meth:`get_users`; ``[{}]`` matches all.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("delete_users", info, client_info)

    # --- projects ----------------------------------------------------------------------------------------------------

    async def get_projects(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List the projects that match one of the filters and that the user may read.

        Args:
            info: Dicts of column and LIKE pattern, all of which must match; None for all projects.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_projects", info, client_info)

    async def put_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create projects and their tables of series; who asks becomes their administrator.

        Args:
            info: Dicts with ``name``, and optionally ``description`` and ``notes``.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("put_projects", info, client_info)

    async def delete_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the matching projects that the user administers, with their tables of series; return the rows.

        Args:
            info: As in :meth:`get_projects`.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("delete_projects", info, client_info)

    async def get_project_permissions(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List all permissions of the matching projects that the user may read.

        Args:
            info: As in :meth:`get_projects`: the filters select projects.
            client_info: Who asks; for a server that is who has logged in.
        """
        return await self._rows("get_project_permissions", info, client_info)

    async def put_project_permissions(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Give users a level on projects: 1 reads, 2 writes, 3 administers.

        Args:
            info: Dicts with ``project_id``, ``user_id`` and ``level``.
            client_info: Who asks, and must administer the project; for a server that is who has logged in.
        """
        return await self._rows("put_project_permissions", info, client_info)

    async def get_project_series(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List all rows of the table of series of each project.

        Args:
            info: Dicts with ``project_id``.
            client_info: Who asks, and must be allowed to read the project.
        """
        return await self._rows("get_project_series", info, client_info)

    async def put_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Insert rows into the table of series of projects, or update those that are given with their ``id``.

        Args:
            info: Dicts with ``project_id``, ``device``, ``start_datetime``, ``end_datetime`` and custom columns.
            client_info: Who asks, and must be allowed to write to the project.
        """
        return await self._rows("put_project_series", info, client_info)

    async def delete_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete rows of the table of series of projects; return them.

        Args:
            info: Dicts with ``project_id`` and ``id``.
            client_info: Who asks, and must administer the project.
        """
        return await self._rows("delete_project_series", info, client_info)

    async def put_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Add columns to the table of series of projects, or rename them.

        Args:
            info: Dicts with ``project_id``, ``column_name``, and ``column_SQL_type`` to add or ``old_column_name`` to
                rename.
            client_info: Who asks, and must be allowed to write to the project.
        """
        return await self._rows("put_project_columns", info, client_info)

    async def delete_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Drop columns of the table of series of projects.

        Args:
            info: Dicts with ``project_id`` and ``column_name``.
            client_info: Who asks, and must administer the project.
        """
        return await self._rows("delete_project_columns", info, client_info)

    # --- tokens ------------------------------------------------------------------------------------------------------

    async def get_token(self, client_info: ClientInfo | None = None) -> dict[str, Any]:
        """Return ``token`` and ``expiration``; the embedded API needs none: there they are None and 0.

        Args:
            client_info: Not used.
        """
        token: dict[str, Any] = await self._ask("get_token", {"client_info": client_info})
        return token

    # --- bundles -----------------------------------------------------------------------------------------------------

    async def _get_ml_bundle_file_list(
        self, info: str, what: str = "all", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the files of a bundle, named by ``info``, with their URLs."""
        return await self._rows("_get_ml_bundle_file_list", info, client_info, what=what)

    async def _get_ml_bundle_upload_links(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Return those of the files that are to be sent, each with the ``url`` it is sent to."""
        return await self._rows("_get_ml_bundle_upload_links", info, client_info)

    async def _rows(self, operation: str, info: Any, client_info: ClientInfo | None, **more: Any) -> Rows:
        rows: Rows = await self._ask(operation, {"info": info, **more, "client_info": client_info})
        return rows
