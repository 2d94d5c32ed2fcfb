"""The list of what the API can do: one abstract coroutine for each operation, under its official name."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

__all__ = ["AsyncBaseAPISpec", "ClientInfo", "Info", "Rows"]

Info = list[dict[str, Any]]
Rows = list[dict[str, Any]]
ClientInfo = Mapping[str, Any]


class AsyncBaseAPISpec(abc.ABC):
    """What every form of the API offers: embedded, on a server, and over HTTP.

    ``info`` is a list of dicts. Datetimes in it are naive and mean UTC; they may be datetimes, API text
    (``2020-06-20T20:19:15Z``) or file name text (``2020-06-20_20-19-15``). ``client_info`` says who asks: a dict with
    ``id``, ``username``, ``is_admin`` and ``can_write``; None stands for the owner of the data. Rows are dicts in the
    order of the columns; the order of the rows in an answer is that of their ids.
    """

    # --- images ------------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def get_images(self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None) -> Rows:
        """Look up images by exact device and datetime.

        Args:
            info: Dicts with ``device`` and ``datetime``; other keys are ignored.
            what: ``metadata``, ``image``, ``thumbnail`` or ``thumbnail-mini``: what ``url`` leads to.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def get_image_series(self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None) -> Rows:
        """List the images of devices in ranges of time.

        Args:
            info: Dicts with ``device`` (a LIKE pattern), ``start_datetime`` (included) and ``end_datetime`` (excluded).
            what: As in :meth:`get_images`.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def get_images_to_annotate(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """Reserve and return up to 8 images that lack an annotation of an algorithm version.

        A reservation lasts six hours and holds for every algorithm.

        Args:
            info: As in :meth:`get_image_series`, with ``algo_name`` and ``algo_version``.
            what: As in :meth:`get_images`.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def delete_images(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete images by exact device and datetime, with annotations, reservations and files; return the rows.

        Args:
            info: Dicts with ``device`` and ``datetime``; unknown images are skipped.
            client_info: Who asks.
        """

    # --- annotations -------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def put_uid_annotations(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store annotations of images, all or nothing.

        Args:
            info: Dicts with ``annotations`` (a list) and ``metadata`` (``device``, ``datetime``, ``md5``,
                ``algo_name``, ``algo_version``).
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def get_uid_annotations(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of images given by exact device and datetime.

        Args:
            info: Dicts with ``device`` and ``datetime``.
            what: ``metadata`` leaves the key ``json`` out; ``data`` keeps it.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def get_uid_annotations_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of the images of devices in ranges of time.

        Args:
            info: As in :meth:`get_image_series`.
            what: As in :meth:`get_uid_annotations`.
            client_info: Who asks.
        """

    # --- tuboids and labels ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def get_tiled_tuboid_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the tuboids of the series that lie within ranges of time.

        Args:
            info: Dicts with ``device`` (a LIKE pattern), ``start_datetime`` and ``end_datetime`` (both included).
            what: ``data`` adds the keys ``tuboid``, ``metadata`` and ``context``, which lead to the files.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def delete_tiled_tuboids(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the series within ranges of time, with tuboids, labels and files; return the rows of the series.

        Args:
            info: As in :meth:`get_tiled_tuboid_series`.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def put_itc_labels(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store labels of tuboids, one by one: those before a refused one stay.

        Args:
            info: Dicts with ``tuboid_id``, ``algo_name``, ``algo_version``, ``label``, ``pattern``, ``type``, and
                optionally ``order``, ``family``, ``genus``, ``species``.
            client_info: Who asks.
        """

    # --- users -------------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def get_users(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List the users that match one of the filters; password hashes are masked.

        Args:
            info: Dicts of column and LIKE pattern, all of which must match; None for all users.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def put_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create users, one by one: those before a refused one stay.

        Args:
            info: Dicts with ``username`` and ``password``, and optionally ``email``, ``is_admin``, ``can_write``.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def delete_users(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the users that match one of the filters, with their permissions; return the rows.

        Args:
            info: As in :meth:`get_users`.
            client_info: Who asks.
        """

    # --- projects ----------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def get_projects(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List the projects that match one of the filters and that the user may read.

        Args:
            info: Dicts of column and LIKE pattern, all of which must match; None for all projects.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def put_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Create projects and their tables of series; who asks becomes their administrator.

        Args:
            info: Dicts with ``name``, and optionally ``description`` and ``notes``.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def delete_projects(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete the matching projects that the user administers, with their tables of series; return the rows.

        Args:
            info: As in :meth:`get_projects`.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def get_project_permissions(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List all permissions of the matching projects that the user may read.

        Args:
            info: As in :meth:`get_projects`: the filters select projects.
            client_info: Who asks.
        """

    @abc.abstractmethod
    async def put_project_permissions(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Give users a level on projects: 1 reads, 2 writes, 3 administers.

        Args:
            info: Dicts with ``project_id``, ``user_id`` and ``level``.
            client_info: Who asks; must administer the project.
        """

    @abc.abstractmethod
    async def get_project_series(self, info: Info | None = None, client_info: ClientInfo | None = None) -> Rows:
        """List all rows of the table of series of each project.

        Args:
            info: Dicts with ``project_id``.
            client_info: Who asks; must be allowed to read the project.
        """

    @abc.abstractmethod
    async def put_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Insert rows into the table of series of projects, or update those that are given with their ``id``.

        Args:
            info: Dicts with ``project_id``, ``device``, ``start_datetime``, ``end_datetime`` and custom columns.
            client_info: Who asks; must be allowed to write to the project.
        """

    @abc.abstractmethod
    async def delete_project_series(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete rows of the table of series of projects; return them.

        Args:
            info: Dicts with ``project_id`` and ``id``.
            client_info: Who asks; must administer the project.
        """

    @abc.abstractmethod
    async def put_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Add columns to the table of series of projects, or rename them.

        Args:
            info: Dicts with ``project_id``, ``column_name``, and ``column_SQL_type`` to add or ``old_column_name`` to
                rename.
            client_info: Who asks; must be allowed to write to the project.
        """

    @abc.abstractmethod
    async def delete_project_columns(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Drop columns of the table of series of projects.

        Args:
            info: Dicts with ``project_id`` and ``column_name``.
            client_info: Who asks; must administer the project.
        """

    # --- tokens ------------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def get_token(self, client_info: ClientInfo | None = None) -> dict[str, Any]:
        """Return ``token`` and ``expiration`` (Unix time in seconds) for the user of ``client_info``.

        The embedded API needs no token: there it is None, with the expiration 0.
        """
