"""Access tokens: who may get one, and how long it is good for. Pure."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from asyncclient.testing._contract import Refusal

__all__ = ["Tokens", "authenticate", "read_basic"]


def read_basic(header: str | None) -> tuple[str, str] | None:
    """Return client id and secret of a Basic ``Authorization``; the text is Latin-1, as the official client sends it."""
    scheme, _, payload = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(payload.strip(), validate=True).decode("latin-1")
    except binascii.Error:
        return None
    client_id, colon, secret = text.partition(":")
    return (client_id, secret) if colon else None


@dataclass(slots=True)
class _Token:
    client_id: str
    good_until: float


class Tokens:
    """The tokens issued so far. May be used from any thread.

    Args:
        clock: Seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, _Token] = {}

    def issue(self, client_id: str, lifetime_s: float) -> str:
        """Return a new token."""
        token = secrets.token_urlsafe(32)
        self._issued[token] = _Token(client_id, self._clock() + lifetime_s)
        return token

    def owner(self, header: str | None, *, expired_status: int) -> str:
        """Return the client that a Bearer ``Authorization`` stands for.

        Raises:
            Refusal: 403, no token or one that was never issued; ``expired_status``, expired or revoked.
        """
        scheme, _, text = (header or "").partition(" ")
        token = self._issued.get(text.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise Refusal(403, "Forbidden")
        if self._clock() >= token.good_until:
            raise Refusal(expired_status, "Forbidden")
        return token.client_id

    def revoke_all(self) -> None:
        """Let no token that was issued so far be good any longer."""
        for token in list(self._issued.values()):
            token.good_until = self._clock()


def authenticate(clients: Mapping[str, str], header: str | None) -> str:
    """Return the id of the client that asks for a token.

    Raises:
        Refusal: 401, unknown client or wrong secret.
    """
    given = read_basic(header)
    if (
        given is None
        or not secrets.compare_digest(clients.get(given[0], "").encode(), given[1].encode())
        or not given[1]
    ):
        raise Refusal(401, "invalid_client", {"www-authenticate": 'Basic realm="token"'})
    return given[0]
