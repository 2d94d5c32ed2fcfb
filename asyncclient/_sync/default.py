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

    def drop_closed(self) -> None:
        """Forget a hub that closed, with its portal or otherwise."""
        portal_closed = self.portal is not None and self.portal.refusal is not None
        if portal_closed or (self.hub is not None and self.hub.closed):
            self.hub = self.portal = None


_shared = _Shared()


def default_hub() -> AsyncHub:
    """Return the process-wide hub; make it if there is none. It opens at its first call, and closes with the portal."""
    from asyncclient.hub import AsyncHub  # not before it is needed

    shared = _shared
    with shared.lock:
        shared.drop_closed()
        if shared.hub is None:
            shared.hub = AsyncHub()
        return shared.hub


def bind(portal: Portal) -> None:
    """Close the hub, if there is one, when ``portal`` closes."""
    shared = _shared
    if shared.portal is portal or shared.hub is None:
        return
    with shared.lock:
        shared.drop_closed()  # a facade with a hub of its own may be the first on a new portal
        if shared.hub is not None:
            shared.portal = portal
            portal.on_close(shared, shared.hub.aclose)


@on_fork
def _forget() -> None:
    # The parent's hub is not closed: its connections are shared with the parent, whose loop keeps them alive.
    global _shared
    _shared = _Shared()
