"""What the embedded client and the client of a server share: files of the user, and answers joined."""

from __future__ import annotations

import abc
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from asyncclient._map import run_map
from asyncclient._transfers.hops import CPU, DISK, run_hop
from asyncclient.errors import ArgumentError, ArgumentTypeError
from asyncclient.sticky_pi import _bundle_transfer as bundles
from asyncclient.sticky_pi._cache import Cache
from asyncclient.sticky_pi._joins import images_with_annotations, tuboids_with_labels
from asyncclient.sticky_pi._operations import AsyncOperations
from asyncclient.sticky_pi._private import make_private_folder
from asyncclient.sticky_pi._put_images import PutImages
from asyncclient.sticky_pi._spec import Info, Rows
from asyncclient.sticky_pi._statistics import Failure, LocalImage
from asyncclient.sticky_pi._tuboids import Tuboid, check_series, read_tuboids
from asyncclient.sticky_pi.utils import chunker
from asyncclient.types import Progress

__all__ = ["AsyncBaseClient"]

_log: Final = logging.getLogger("asyncclient.sticky_pi.client")

OnProgress = Callable[[Progress], None]


class AsyncBaseClient(AsyncOperations):
    """What both clients can do beyond the operations of the API.

    Args:
        local_dir: A folder for what the client remembers. It is made.
        n_threads: How many files are looked at, or on their way, at a time; at least 1.
        skip_on_error: Whether ``put_images`` leaves out files that cannot be sent, and logs why, in place of raising
            the first error.
    """

    _put_chunk_size: ClassVar[int] = 16
    _put_order: ClassVar[int] = 1
    _images_at_once: ClassVar[int] = 1
    _cache_dirname: ClassVar[str] = "cache"
    _cache_filename: ClassVar[str] = "images.json"

    def __init__(self, local_dir: str | os.PathLike[str], n_threads: int = 8, skip_on_error: bool = False) -> None:
        given: Any = local_dir  # whatever the annotations say
        if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
            raise ArgumentTypeError(f"local_dir must be a path, not {given!r}", argument="local_dir")
        given = n_threads
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ArgumentError(
                f"n_threads must be a whole number of at least 1, not {n_threads!r}", argument="n_threads"
            )
        self._local_dir = os.fsdecode(local_dir)
        self._n_threads = n_threads
        self._skip_on_error = bool(skip_on_error)
        make_private_folder(Path(self._local_dir))
        Path(self._local_dir, self._cache_dirname).mkdir(exist_ok=True)
        self._cache: Cache | None = None

    @property
    def local_dir(self) -> str:
        """The folder given at construction."""
        return self._local_dir

    # --- for each kind of client -------------------------------------------------------------------------------------

    @abc.abstractmethod
    async def _put_new_images(self, files: Mapping[str, str | None], client_info: Any = None) -> Rows:
        """Send images that are known to be new: paths and their md5s."""

    async def _get_digests(self, info: Info) -> Rows:
        """Look up images: ``device``, ``datetime`` and ``md5`` of each that is stored."""
        return await self.get_images(info)

    @abc.abstractmethod
    async def _put_tiled_tuboid(self, tuboid: Tuboid) -> Rows:
        """Send one tuboid."""

    @abc.abstractmethod
    async def _put_ml_bundle_file(self, row: Mapping[str, Any], on_progress: OnProgress | None) -> None:
        """Send one file of a bundle to its target."""

    @abc.abstractmethod
    async def _get_ml_bundle_file(self, row: Mapping[str, Any], target: Path, on_progress: OnProgress | None) -> None:
        """Fetch one file of a bundle."""

    # --- images ------------------------------------------------------------------------------------------------------

    async def put_images(
        self,
        files: Any,
        *,
        failures: list[Failure] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Rows:
        """Send the images that the API does not know yet.

        Files that were looked at before and have not changed since are not read again. Images that are stored under the
        same device and datetime with another content are not sent, with a warning.

        Args:
            files: Paths; one given twice counts once.
            failures: A list that gets a ``Failure(path, error)`` for each file that cannot be sent; these are left out
                then, whatever ``skip_on_error`` is.
            on_progress: Called with the number of files looked at (``hashing``), then sent (``sending``).

        Returns:
            A row for each image that was sent, in the order of the files.

        Raises:
            InvalidImage: A file is not an image of the platform; nothing of its group of 4,096 files was sent.
            ArgumentError: Two files are of the same device and second, and differ; likewise.
            OSError: A file cannot be read.
            AsyncClientError: The API refused an image; what was sent before stays.
        """
        if failures is None and self._skip_on_error:
            failures = []

        async def send(images: Sequence[LocalImage]) -> Rows:
            return await self._put_new_images({image.path: image.md5 for image in images})

        job = PutImages(
            self._get_digests,
            self.get_images,
            send,
            await self._opened_cache(),
            self._n_threads,
            at_once=self._images_at_once,
            failures=failures,
            on_progress=on_progress,
        )
        return await job.run(files)

    async def delete_cache(self) -> None:
        """Forget what is known of files that were looked at before."""
        cache = await self._opened_cache()
        cache.clear()
        await run_hop(cache.delete, crew=DISK)
        self._cache = None

    async def _opened_cache(self) -> Cache:
        if self._cache is None:
            path = str(Path(self._local_dir, self._cache_dirname, self._cache_filename))
            cache = await run_hop(Cache, path, crew=DISK)
            if self._cache is None:  # two calls at the same time share one
                self._cache = cache
        return self._cache

    # --- tuboids -----------------------------------------------------------------------------------------------------

    async def put_tiled_tuboids(self, tuboid_directories: Any, series_info: Mapping[str, Any]) -> Rows:
        """Send folders of tuboids that belong to one series.

        Args:
            tuboid_directories: Paths of folders named ``DEVICE.START.END.VERSION.NUMBER`` that hold ``metadata.txt``,
                ``tuboid.jpg`` and ``context.jpg``.
            series_info: ``algo_name``, ``algo_version``, ``start_datetime``, ``end_datetime``, ``device``, ``n_images``,
                and ``n_tuboids`` if the series is new.

        Returns:
            A row for each tuboid, in the order of the folders.

        Raises:
            InvalidTuboid: A folder or the description of the series is not as it must be; nothing was sent.
        """
        series = check_series(series_info)
        tuboids = await run_hop(read_tuboids, tuboid_directories, series, crew=CPU)
        rows: Rows = []
        for group in chunker(tuboids, self._put_chunk_size):
            # One by one: they are counted against n_tuboids, and the first makes the series.
            stored = [await self._put_tiled_tuboid(tuboid) for tuboid in group[:: self._put_order]]
            rows += [row for part in stored[:: self._put_order] for row in part]
        return rows

    async def get_tiled_tuboid_series_itc_labels(self, info: Info, what: str = "metadata") -> Rows:
        """List tuboids with their labels: a row for each tuboid and label.

        Args:
            info: As in :meth:`get_tiled_tuboid_series`.
            what: As there.

        Returns:
            The keys of the tuboid without ``id``, then those of the label with the suffix ``_itc``; None where a tuboid
            has none. Without any label the tuboids as they are.
        """
        tuboids = await self.get_tiled_tuboid_series(info, what)
        if not tuboids:
            _log.warning("No tuboids found for %s", info)
            return []
        ids = list(dict.fromkeys(row["tuboid_id"] for row in tuboids))
        labels = await self._get_itc_labels([{"tuboid_id": tuboid_id} for tuboid_id in ids])
        if not labels:
            _log.warning("No ITC labels found for %s", info)
            return tuboids
        return tuboids_with_labels(tuboids, labels)

    async def get_images_with_uid_annotations_series(
        self, info: Info, what_image: str = "metadata", what_annotation: str = "metadata"
    ) -> Rows:
        """List images with their annotations: a row for each image and annotation, by device, then by datetime.

        Args:
            info: As in :meth:`get_image_series`.
            what_image: As there.
            what_annotation: As in :meth:`get_uid_annotations_series`.

        Returns:
            The keys of the image, then those of the annotation, with the suffix ``_annot`` where both have one; None
            where an image has none. If there is no image at all, a list with one empty dict.
        """
        images = await self.get_image_series(info, what_image)
        if not images:
            _log.warning("No image found for provided info!")
            return [{}]
        return images_with_annotations(images, await self.get_uid_annotations_series(info, what_annotation))

    # --- bundles -----------------------------------------------------------------------------------------------------

    async def put_ml_bundle_dir(
        self,
        bundle_name: str,
        bundle_dir: str | os.PathLike[str],
        what: str = "all",
        *,
        left_out: list[str] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Rows:
        """Send the files of a bundle that are missing there, or older and different.

        Bundles hold files of some kinds only: their names end with ``.yaml``, ``.yml``, ``model_final.pth``, ``.svg``,
        ``.jpeg``, ``.jpg``, ``.txt`` or ``.db``. Others are left out, with a warning in the log. A call that was
        interrupted is repeated as it was: what has arrived is not sent again.

        Args:
            bundle_name: The bundle.
            bundle_dir: Its folder.
            what: ``all``, ``data`` or ``model``.
            left_out: A list that gets the files that are left out: paths below ``bundle_dir``, with ``/``.
            on_progress: Called for each file.

        Returns:
            What was sent: ``key``, ``path``, ``md5``, ``mtime``, ``bundle_name`` and ``url``.
        """
        folder = bundles.check_folder(bundle_name, bundle_dir, named=False)
        unknown = await bundles.find_left_out(folder, what)
        if left_out is not None:
            left_out += unknown
        here = {row["key"]: {**row, "bundle_name": bundle_name} for row in await bundles.find_local(folder, what)}
        asked = [{name: value for name, value in row.items() if name != "path"} for row in here.values()]
        targets = await self._get_ml_bundle_upload_links(asked) if asked else []
        rows = [{**here[target["key"]], "url": target["url"]} for target in targets if target["key"] in here]

        async def put(row: dict[str, Any]) -> dict[str, Any]:
            await self._put_ml_bundle_file(row, on_progress)
            return row

        return [row async for row in run_map(put, rows, self._n_threads, ordered=True)]

    async def get_ml_bundle_dir(
        self,
        bundle_name: str,
        bundle_dir: str | os.PathLike[str],
        what: str,
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Rows:
        """Fetch the files of a bundle that are missing here, or older and different. Nothing is deleted.

        A call that was interrupted is repeated as it was: it goes on where that one stopped.

        Args:
            bundle_name: The bundle.
            bundle_dir: Its folder; it has the name of the bundle.
            what: ``all``, ``data`` or ``model``.
            on_progress: Called for each file.

        Returns:
            What was fetched: ``key``, ``path``, ``md5``, ``mtime`` and ``url``.

        Raises:
            InvalidBundle: The folder has another name.
            IntegrityError: What arrived is not what was listed.
        """
        folder = bundles.check_folder(bundle_name, bundle_dir, named=True)
        local = await bundles.find_local(folder, what)
        missing = bundles.missing_here(await self._get_ml_bundle_file_list(bundle_name, what), local, bundle_name)

        async def get(row: dict[str, Any]) -> dict[str, Any]:
            await self._get_ml_bundle_file(row, bundles.target_in(folder, row["key"]), on_progress)
            return row

        return [row async for row in run_map(get, missing, self._n_threads, ordered=True)]
