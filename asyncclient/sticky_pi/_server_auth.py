"""Who calls the server: basic authentication with a password or a token, and a limit on wrong passwords."""

from __future__ import annotations

import base64
import binascii
import time
from collections import OrderedDict, deque
from typing import Any, Final
from weakref import WeakValueDictionary

import anyio

from asyncclient.sticky_pi._api import AsyncRemoteAPI
from asyncclient.sticky_pi._refusals import Refusal, TooManyAttempts

__all__ = ["Attempts", "Gate", "NotAuthenticated", "read_basic"]

_MAX_HEADER: Final = 8192
_REMEMBERED: Final = 10_000


class NotAuthenticated(Refusal):
    """The credentials are missing, wrong or expired."""

    status = 401


def read_basic(header: str | None) -> tuple[str, str] | None:
    """Return user name and password out of an ``Authorization`` header; None if they are not there. Pure."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic" or len(encoded) > _MAX_HEADER:
        return None
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:  # what the platform's own client sends
        text = raw.decode("latin-1")
    username, colon, password = text.partition(":")
    return (username, password) if colon else None


class Attempts:
    """Counts wrong passwords; what is counted is forgotten after a while.

    Args:
        limit: Wrong passwords within the window, after which there is no further try.
        window_s: Seconds.
    """

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit, self._window_s = limit, window_s
        self._failures: OrderedDict[Any, deque[float]] = OrderedDict()

    def wait_s(self, key: Any, now: float) -> int:
        """Return for how many seconds there is no further try; 0 if there is one."""
        failures = self._failures.get(key)
        while failures and failures[0] <= now - self._window_s:
            failures.popleft()
        if not failures or len(failures) < self._limit:
            return 0
        return int(failures[0] + self._window_s - now) + 1

    def fail(self, key: Any, now: float) -> None:
        """Count one wrong password."""
        self._failures.setdefault(key, deque(maxlen=self._limit)).append(now)
        self._failures.move_to_end(key)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeed(self, key: Any) -> None:
        """Forget wrong passwords."""
        self._failures.pop(key, None)


class Gate:
    """Recognises callers.

    Five wrong passwords for one user from one address in a minute, or fifty from one address, close it for them; tokens
    are accepted all the same. Each worker process counts for itself.

    Args:
        api: Knows the users.
    """

    def __init__(self, api: AsyncRemoteAPI) -> None:
        self._api = api
        self._of_user = Attempts(5, 60)
        self._of_address = Attempts(50, 60)
        self._turns: WeakValueDictionary[Any, anyio.Lock] = WeakValueDictionary()

    async def recognise(self, header: str | None, address: str) -> dict[str, Any]:
        """Return who calls: ``id``, ``username``, ``is_admin`` and ``can_write``.

        Args:
            header: The ``Authorization`` header.
            address: Where the call comes from.

        Raises:
            NotAuthenticated: Nobody who may call.
            TooManyAttempts: Wrong passwords came before; this one was not looked at.
        """
        found = read_basic(header)
        if found is None or not found[0]:
            raise NotAuthenticated("Unauthorized Access")
        username, password = found
        user = await self._api._user_of_token(username)
        if user is not None:
            return user
        if not password:  # an expired token; nobody has an empty password
            raise NotAuthenticated("Unauthorized Access")
        return await self._by_password(username, password, address)

    async def _by_password(self, username: str, password: str, address: str) -> dict[str, Any]:
        key = (address, username)
        # One at a time: many tries at once must not all pass before the first one has failed, and many right ones must
        # not count as wrong while they are looked at.
        async with self._turns.setdefault(key, anyio.Lock()):
            now = time.monotonic()
            wait_s = max(self._of_user.wait_s(key, now), self._of_address.wait_s(address, now))
            if wait_s:
                raise TooManyAttempts(wait_s)
            user = await self._api._user_of_password(username, password)
            if user is None:
                self._of_user.fail(key, now)
                self._of_address.fail(address, now)
                raise NotAuthenticated("Unauthorized Access")
            self._of_user.succeed(key)
            return user
