"""The part of the API that keeps annotations of images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from asyncclient._transfers.hops import run_hop
from asyncclient.sticky_pi._api_series import SeriesPart
from asyncclient.sticky_pi._inputs import info_list, insertable, moment, pieces, row_of, text, with_stamp
from asyncclient.sticky_pi._refusals import BadInput, DoesNotFit, NotStored
from asyncclient.sticky_pi._spec import ClientInfo, Info, Rows
from asyncclient.sticky_pi._tables import images, uid_annotations
from asyncclient.sticky_pi.utils import json_io_converter, json_out_parser

__all__ = ["AnnotationsPart"]

_MAX_MESSAGE: Final = 1000


class _Annotation(NamedTuple):
    """One annotation that is to be stored.

    Attributes:
        entry: What the caller sent, with datetimes.
        metadata: The part of it that identifies image and algorithm.
        text: The whole as JSON.
        n_objects: How many objects it has.
    """

    entry: dict[str, Any]
    metadata: dict[str, Any]
    text: str
    n_objects: int


class AnnotationsPart(SeriesPart):
    """Annotations: stored and listed."""

    async def put_uid_annotations(self, info: Info, client_info: ClientInfo | None = None) -> Rows:
        """Store annotations of images, all or nothing; see :meth:`AsyncBaseAPISpec.put_uid_annotations`."""
        prepared = await run_hop(_prepare, info_list(info))
        if not prepared:
            return []
        stored: Rows = []
        async with self._write() as connection:
            found = await self._find_images(connection, [one.metadata for one in prepared])
            by_key = {(self._key(row["device"]), row["datetime"]): row for row in found}
            for one in prepared:
                device, taken = text(one.metadata, "device"), moment(one.metadata, "datetime")
                image = _check_image(one, by_key.get((self._key(device), taken)))
                row = with_stamp(_values(one, image["id"]), None)  # the platform stores no user here
                result = await connection.execute(uid_annotations.insert().values(insertable(row)))
                inserted: Any = result.inserted_primary_key
                stored.append(row_of(uid_annotations, {**row, "id": inserted[0], "json": ""}))
        return stored

    def _key(self, device: str) -> str:
        return device if self._database.kind == "sqlite" else device.lower()

    async def get_uid_annotations(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of images; see :meth:`AsyncBaseAPISpec.get_uid_annotations`."""
        entries, columns = info_list(info), _columns(what)
        found: Rows = []
        async with self._read() as connection:
            parents = [row["id"] for row in await self._find_images(connection, entries)]
            for chunk in pieces(parents, self._get_image_chunk_size):
                query = select(*columns).where(uid_annotations.c.parent_image_id.in_(chunk))
                rows = await connection.execute(query.order_by(uid_annotations.c.id))
                found += [dict(row) for row in rows.mappings()]
        return found

    async def get_uid_annotations_series(
        self, info: Info, what: str = "metadata", client_info: ClientInfo | None = None
    ) -> Rows:
        """List the annotations of the images of devices; see :meth:`AsyncBaseAPISpec.get_uid_annotations_series`."""
        entries = info_list(info)
        queries = [self._of_series(entry, what) for entry in entries]
        found: Rows = []
        async with self._read() as connection:
            for entry, query in zip(entries, queries, strict=True):
                rows = (await connection.execute(query)).mappings().all()
                self._warn_if_none(entry, rows)
                found += [{**row, "datetime_created": row["datetime_created"].replace(microsecond=0)} for row in rows]
        return found

    def _of_series(self, entry: Mapping[str, Any], what: str) -> Any:
        start, end = self._range(entry)
        return (
            select(*_columns(what))
            .join(images, images.c.id == uid_annotations.c.parent_image_id)
            .where(
                self._database.like(images.c.device, text(entry, "device")),
                images.c.datetime >= start,
                images.c.datetime < end,
            )
            .order_by(uid_annotations.c.id)
        )


def _columns(what: Any) -> list[Any]:
    if not isinstance(what, str):
        raise BadInput(f"what must be text, not {type(what).__name__}", argument="what")
    return [column for column in uid_annotations.c if what != "metadata" or column.name != "json"]


def _prepare(info: list[dict[str, Any]]) -> list[_Annotation]:
    prepared = []
    for index, given in enumerate(info):
        try:
            written = json.dumps(given, default=json_io_converter, allow_nan=False)
            entry = json.loads(written, object_hook=json_out_parser)
            whole = json.dumps(entry, default=json_io_converter)
        except (TypeError, ValueError, RecursionError) as error:
            raise BadInput(f"info[{index}] cannot be written as JSON: {error}", argument="info") from error
        annotations, metadata = entry.get("annotations"), entry.get("metadata")
        if not isinstance(annotations, list) or not isinstance(metadata, dict):
            raise BadInput(f"info[{index}] must have 'annotations' (a list) and 'metadata' (a dict)", argument="info")
        for name in ("algo_name", "algo_version", "device", "md5"):
            text(metadata, name)
        prepared.append(_Annotation(entry, metadata, whole, len(annotations)))
    return prepared


def _check_image(one: _Annotation, image: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if image is None:
        shown = {**one.metadata, "json": one.text, "n_objects": one.n_objects}
        raise NotStored(f"could not find parent image for {shown}"[:_MAX_MESSAGE])
    if image["md5"] != one.metadata["md5"]:
        raise DoesNotFit(f"Trying to add an annotation for {str(one.entry)[:_MAX_MESSAGE]}, but md5 differ")
    return image


def _values(one: _Annotation, image: int) -> dict[str, Any]:
    return {
        "parent_image_id": image,
        "algo_name": one.metadata["algo_name"],
        "algo_version": one.metadata["algo_version"],
        "n_objects": one.n_objects,
        "json": one.text,
    }
