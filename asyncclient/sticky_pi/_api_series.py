"""Ranges of time, which images, annotations and tuboids are listed by."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from asyncclient.sticky_pi._api_base import APIBase
from asyncclient.sticky_pi._database import INTENTS
from asyncclient.sticky_pi._inputs import as_python, moment
from asyncclient.sticky_pi._refusals import BadInput
from asyncclient.sticky_pi._tables import intents

__all__ = ["SeriesPart"]

_log: Final = logging.getLogger("asyncclient.sticky_pi")


class SeriesPart(APIBase):
    """Helps to query series."""

    _intent_age_s: ClassVar[int] = 6 * 3600

    @staticmethod
    def _range(entry: Mapping[str, Any]) -> tuple[dt.datetime, dt.datetime]:
        start, end = moment(entry, "start_datetime"), moment(entry, "end_datetime")
        if end < start:
            raise BadInput(f"the range ends ({end}) before it starts ({start})")
        return start, end

    @staticmethod
    def _warn_if_none(entry: Mapping[str, Any], rows: Sequence[Any]) -> None:
        if not rows:
            _log.warning("No data for series %s", as_python(entry))

    async def _drop_old_intents(self, connection: AsyncConnection) -> None:
        """Give back what was reserved too long ago; from here on, one transaction at a time reserves."""
        await self._database.serialise(connection, INTENTS)
        oldest = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(seconds=self._intent_age_s)
        await connection.execute(delete(intents).where(intents.c.datetime_created < oldest))
