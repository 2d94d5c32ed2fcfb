"""Passwords and tokens. Hashes are Argon2id; tokens are signed, and expire."""

from __future__ import annotations

import time
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeTimedSerializer

__all__ = ["TOKEN_LIFE_S", "hash_password", "read_token", "sign_token", "verify_password"]

TOKEN_LIFE_S: Final = 86400

_hasher: Final = PasswordHasher()
# Of no password that anybody has: verifying it takes as long for users who do not exist as for those who do.
_nobody: str | None = None


def hash_password(password: str) -> str:
    """Hash a password; blocking, a few hundredths of a second."""
    return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Tell whether a password is the one that was hashed; blocking, and as long without a hash as with one.

    Args:
        password: What the user says.
        stored: The hash, or None if there is no such user.
    """
    try:
        _hasher.verify(_of_nobody() if stored is None else stored, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _of_nobody() -> str:
    global _nobody
    if _nobody is None:
        _nobody = _hasher.hash("")
    return _nobody


def sign_token(secret: str, user_id: int) -> dict[str, Any]:
    """Make a token for a user: ``token``, and ``expiration`` in Unix seconds."""
    issued = int(time.time())
    token: str | bytes = URLSafeTimedSerializer(secret).dumps({"id": user_id})
    return {"token": token, "expiration": issued + TOKEN_LIFE_S}


def read_token(secret: str, token: str) -> int | None:
    """Return the id of the user that a token is for; None if it was not signed here, or has expired."""
    try:
        content = URLSafeTimedSerializer(secret).loads(token, max_age=TOKEN_LIFE_S)
    except (BadData, ValueError):
        return None
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
