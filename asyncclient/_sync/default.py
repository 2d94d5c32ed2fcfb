"""The hub that synchronous clients share when they are not given one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from asyncclient._sync.portal import Portal, on_fork

if TYPE_CHECKING:
    from asyncclient.hub import AsyncHub

__all__ = ["bind", "default_hub"]


class _Shared:
    """The hub and the portal it is used on; replaced as a whole after ``fork``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.hub: AsyncHub | None = None
        self.portal: Portal | None = None


_shared = _Shared()


def default_hub() -> AsyncHub:
    """Return the process-wide hub; make it if there is none. It opens at its first call, and closes with the portal."""
    from asyncclient.hub import AsyncHub  # not before it is needed

    shared = _shared
    with shared.lock:
        portal_closed = shared.portal is not None and shared.portal.refusal is not None
        if shared.hub is None or shared.hub.closed or portal_closed:
            shared.hub, shared.portal = AsyncHub(), None
        return shared.hub


def bind(portal: Portal) -> None:
    """Close the hub, if there is one, when ``portal`` closes."""
    shared = _shared
    if shared.portal is portal or shared.hub is None:
        return
    with shared.lock:
        shared.portal = portal
        portal.on_close(shared, shared.hub.aclose)


@on_fork
def _forget() -> None:
    # The parent's hub is not closed: its connections are shared with the parent, whose loop keeps them alive.
    global _shared
    _shared = _Shared()
