"""Dropping what an unfinished upload has left at the service."""

from __future__ import annotations

import contextlib

from asyncclient._transfers.records import Session
from asyncclient._transfers.target import PartsSession, PartsTarget, SessionTarget, UploadTarget
from asyncclient._transfers.wire import Wire
from asyncclient.errors import NotFound, SessionExpired

__all__ = ["abort_session"]


async def abort_session(wire: Wire, target: UploadTarget, session: Session) -> None:
    """Drop an upload session of an earlier run; one that is gone already is as good.

    Raises:
        APIError: The service refuses.
    """
    with contextlib.suppress(NotFound, SessionExpired):
        if isinstance(target, PartsTarget):
            await target.abort(wire, PartsSession(session.upload_id, session.part, session.extra, session.expires))
        elif isinstance(target, SessionTarget) and await target.reopen(wire, session.upload_id):
            await target.abort(wire)
