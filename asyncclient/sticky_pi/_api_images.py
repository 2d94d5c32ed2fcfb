"""The part of the API that keeps images."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import anyio
from sqlalchemy import Select, delete, exists, select

from asyncclient.sticky_pi._api_base import IMAGE, APIBase
from asyncclient.sticky_pi._api_series import SeriesPart
from asyncclient.sticky_pi._inputs import (
    check_what,
    image_row,
    info_list,
    insertable,
    pieces,
    text,
    values_of,
    with_stamp,
)
from asyncclient.sticky_pi._permissions import user_id
from asyncclient.sticky_pi._refusals import AlreadyStored, BadUpload, DoesNotFit
from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
from asyncclient.sticky_pi._staging import Staged
from asyncclient.sticky_pi._storage_keys import IMAGE_SUFFIXES, image_name
from asyncclient.sticky_pi._tables import images, intents, uid_annotations
from asyncclient.sticky_pi.image_parser import ImageParser, parse_image

__all__ = ["ImagesPart"]

_log: Final = logging.getLogger(__name__)
_WHAT: Final = ("metadata", *IMAGE_SUFFIXES)
_BATCH: Final = 16
_RESERVED: Final = 8
_WHOLE: Final = ("alt", "bat")
_DIGESTS: Final = (images.c.id, images.c.device, images.c.datetime, images.c.md5)
_SMALLEST, _LARGEST = -(2**15), 2**15 - 1


class ImagesPart(SeriesPart, APIBase):
    """Images: looked up, listed, reserved, stored and deleted."""

    async def get_images(self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None) -> Rows:
        """Look up images by exact device and datetime; see :meth:`AsyncBaseAPISpec.get_images`."""
        entries, what = info_list(info), check_what(what, _WHAT)
        async with self._read() as connection:
            return self._shown(await self._find_images(connection, entries), what)

    async def _get_digests(self, info: Info) -> Rows:
        """Look up images as :meth:`get_images` does, for ``id``, ``device``, ``datetime`` and ``md5`` only."""
        async with self._read() as connection:
            return await self._find_images(connection, info, _DIGESTS)

    async def get_image_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None, filter_by_intent: bool = False
    ) -> Rows:
        """List the images of devices in ranges of time; see :meth:`AsyncBaseAPISpec.get_image_series`.

        Args:
            info: Dicts with ``device``, ``start_datetime`` and ``end_datetime``.
            what: What ``url`` leads to.
            client_info: Who asks.
            filter_by_intent: Has no effect, as on the platform.
        """
        entries, what = info_list(info), check_what(what, _WHAT)
        queries = [self._images_of_series(entry) for entry in entries]
        found: Rows = []
        async with self._read() as connection:
            for entry, query in zip(entries, queries, strict=True):
                rows = (await connection.execute(query)).mappings().all()
                self._warn_if_none(entry, rows)
                found += self._shown(rows, what)
        return found

    def _images_of_series(self, entry: Mapping[str, Any]) -> Select[Any]:
        start, end = self._range(entry)
        in_range = images.c.datetime >= start, images.c.datetime < end
        like = self._database.like(images.c.device, text(entry, "device"))
        return select(images).where(like, *in_range).order_by(images.c.id)

    def _shown(self, rows: Iterable[Any], what: str) -> Rows:
        shown = [image_row(row) for row in rows]
        for row in shown:
            row["url"] = self._storage.get_url_for_image(row, what)
        return shown

    # --- reservations ------------------------------------------------------------------------------------------------

    async def get_images_to_annotate(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """Reserve and return up to 8 images; see :meth:`AsyncBaseAPISpec.get_images_to_annotate`."""
        entries, what = info_list(info), check_what(what, _WHAT)
        queries = [self._free_images(entry) for entry in entries]
        found: dict[int, Any] = {}
        async with self._write() as connection:
            await self._drop_old_intents(connection)
            for entry, query in zip(entries, queries, strict=True):
                rows = (await connection.execute(query)).mappings().all()
                self._warn_if_none(entry, rows)
                found.update((row["id"], row) for row in rows if len(found) < _RESERVED)
            for number in found:
                stamped = with_stamp({"parent_image_id": number}, user_id(client_info))
                await connection.execute(intents.insert().values(**insertable(stamped)))
        return self._shown(found.values(), what)

    def _free_images(self, entry: Mapping[str, Any]) -> Select[Any]:
        annotated = exists().where(
            uid_annotations.c.parent_image_id == images.c.id,
            uid_annotations.c.algo_name == text(entry, "algo_name"),
            uid_annotations.c.algo_version >= text(entry, "algo_version"),
        )
        reserved = exists().where(intents.c.parent_image_id == images.c.id)
        return self._images_of_series(entry).where(~annotated, ~reserved).limit(_RESERVED)

    # --- storing -----------------------------------------------------------------------------------------------------

    async def _put_new_images(self, files: Any, client_info: ClientInfo | None = None) -> Rows:
        """Store images without looking them up first, in order: those before a refused one stay.

        Args:
            files: A dict of file and md5 (or None), or pairs of them. A file is a path, an open file with the name of
                the image, or an ``ImageParser``.
            client_info: Who stores them.
        """
        pairs = list(files.items()) if isinstance(files, Mapping) else list(files)
        stored: Rows = []
        for batch in pieces(pairs, _BATCH):
            parsed, refusal = await _parsed(batch)
            stored += await self._store_images(parsed, client_info)
            if refusal is not None:
                raise refusal
        return stored

    async def _store_images(self, parsed: Sequence[ImageParser], client_info: ClientInfo | None) -> Rows:
        staged: list[Staged | None] = [None] * len(parsed)

        async def stage(index: int) -> None:
            staged[index] = await self._storage.stage_image(parsed[index])

        await self._ready()
        rows = [with_stamp(values_of(images, image), user_id(client_info)) for image in parsed]
        try:
            async with anyio.create_task_group() as tasks:
                for index in range(len(parsed)):
                    tasks.start_soon(stage, index)
            ready = [(row, content) for row, content in zip(rows, staged, strict=True) if content is not None]
            await self._publish(ready)
        except BaseExceptionGroup as group:
            raise _only(group) from group
        finally:
            with anyio.CancelScope(shield=True):
                for content in staged:
                    if content is not None:
                        await content.discard()
        return rows

    async def _publish(self, ready: Sequence[tuple[dict[str, Any], Staged]]) -> None:
        """Insert rows and show their files: all in one transaction, or where one is refused, one by one."""
        try:
            await self._publish_together(ready)
        except AlreadyStored:
            if len(ready) == 1:
                await self._refuse_stored(ready[0][0])
            for entry in ready if len(ready) > 1 else ():
                await self._publish([entry])

    async def _publish_together(self, ready: Sequence[tuple[dict[str, Any], Staged]]) -> None:
        # The row goes first: its unique key keeps everybody else from the files until this transaction has ended. Files
        # are never taken back: after a commit whose answer was lost, there would be a row without them.
        if not ready:
            return
        async with self._write() as connection:
            await connection.execute(images.insert(), [self._stored(row) for row, _ in ready])
            await self._forget_deletions(connection, IMAGE, [image_name(row) for row, _ in ready])
            for _, content in ready:
                await content.publish()

    def _stored(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is inserted for a row that is shown: with defaults, and whole numbers except in SQLite."""
        values = insertable(row)
        values["device_version"] = values["device_version"] or "1.0.0"
        for name in _WHOLE:
            number = values[name]
            if number is not None and not _SMALLEST <= number <= _LARGEST:
                raise DoesNotFit(f"{name} must be between {_SMALLEST} and {_LARGEST}, not {number}")
            if number is not None and self._database.kind != "sqlite":
                values[name] = round(number)
        return values

    async def _refuse_stored(self, row: Mapping[str, Any]) -> None:
        async with self._read() as connection:
            found = await self._find_images(connection, [row])
        same = any(other["md5"] == row["md5"] for other in found)
        raise AlreadyStored(
            f"an image of device {row['device']} at {row['datetime']} is stored already, with "
            f"{'the same' if same else 'other'} content"
        )

    # --- deleting ----------------------------------------------------------------------------------------------------

    async def delete_images(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Delete images, annotations, reservations and files; see :meth:`AsyncBaseAPISpec.delete_images`."""
        entries = info_list(info)
        async with self._write() as connection:
            rows = await self._find_images(connection, entries)
            for chunk in pieces(rows, self._get_image_chunk_size):
                await connection.execute(delete(images).where(images.c.id.in_([row["id"] for row in chunk])))
            names = [image_name(row) for row in rows]
            await self._note_deletions(connection, IMAGE, names)
        await self._sweep(IMAGE, names)
        return [_with_decimals(row) for row in rows]


async def _parsed(batch: Sequence[tuple[Any, str | None]]) -> tuple[list[ImageParser], Exception | None]:
    """Parse files, as many at a time as there are processors; return those before the first bad one, and its error."""
    outcomes: list[ImageParser | Exception | None] = [None] * len(batch)

    async def parse(index: int, file: Any, md5: str | None) -> None:
        try:
            image = file if isinstance(file, ImageParser) else await parse_image(file)
            outcomes[index] = _checked(image, md5)
        except Exception as error:  # noqa: BLE001  # reported in order, by who asked for the batch
            outcomes[index] = error

    async with anyio.create_task_group() as tasks:
        for index, (file, md5) in enumerate(batch):
            tasks.start_soon(parse, index, file, md5)
    good: list[ImageParser] = []
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            return good, outcome
        assert outcome is not None
        good.append(outcome)
    return good, None


def _checked(image: ImageParser, md5: str | None) -> ImageParser:
    if md5 is None:
        _log.warning("No md5 provided for %s", image.filename)
    elif md5 != image["md5"]:
        raise BadUpload(f"MD5 of uploaded image {image.filename} does not match the reference: {md5}")
    if isinstance(image.get("datetime"), str):
        raise BadUpload(f"{image.filename}: its metadata replaces the datetime of its name by {image['datetime']!r}")
    return image


def _with_decimals(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(row)
    for name in ("lat", "lng"):
        if shown[name] is not None:
            shown[name] = Decimal(repr(round(float(shown[name]), 6)))
    return shown


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return what a caller expects of a group: its first error."""
    first = group.exceptions[0]
    return _only(first) if isinstance(first, BaseExceptionGroup) else first
