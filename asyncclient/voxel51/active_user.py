"""For which user an application speaks: a value per task, never one that tasks share."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Final

__all__ = ["ActiveUser", "ActiveUsers"]

# One variable for all sessions: variables are never freed, sessions are. What it holds is replaced, never changed, so
# that a task sees what was set before it began, and nothing that is set in another.
_users: Final[ContextVar[Mapping[object, str | None]]] = ContextVar("asyncclient.voxel51.users")


class ActiveUsers:
    """The active user of one session, in each task or thread."""

    __slots__ = ()

    def get(self) -> str | None:
        """Return the name that was set here, or before this task began; None for none."""
        return _users.get({}).get(self)

    def set(self, username: str | None) -> None:
        """Set the name for this task, and for those it starts from now on."""
        others = {session: name for session, name in _users.get({}).items() if session is not self}
        _users.set(others if username is None else {**others, self: username})


class ActiveUser:
    """What :meth:`with_user` returns: a context manager, also an async one, that brings the user before back.

    Not using it is fine: the user stays until :meth:`exit_user`.
    """

    __slots__ = ("_before", "_users", "username")

    def __init__(self, users: ActiveUsers, username: str | None, before: str | None) -> None:
        self._users = users
        self._before = before
        self.username = username

    def __enter__(self) -> ActiveUser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._users.set(self._before)

    async def __aenter__(self) -> ActiveUser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._users.set(self._before)

    def __repr__(self) -> str:
        return f"<ActiveUser {self.username!r}>"
