"""The token cache on disk: ``~/.lucidtech/token-cache.json``, shared with other processes and the official client.

One JSON object, a member per profile, ``expires_in`` being the absolute expiry in seconds since the epoch. Keys of
our own (``client_id``, ``lifetime``) are ignored by the official client. All functions block; call them in a thread.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from asyncclient._auth import Token

__all__ = ["read_token_from_cache", "write_token_to_cache"]

_log = logging.getLogger(__name__)
EMPTY = Token("", 0.0)


def read_token_from_cache(
    cached_profile: str, cache_path: str | os.PathLike[str], *, client_id: str | None = None
) -> Token:
    """Return the token kept for a profile, or an empty one.

    A file that is missing, unreadable or malformed, or an entry with values of the wrong type, is the same as no
    entry; all but the first are logged as a warning. An entry written for another ``client_id`` is not used.
    """
    entry = _read(Path(cache_path)).get(cached_profile)
    if not isinstance(entry, dict):
        return EMPTY
    value = entry.get("access_token")
    expires_at, lifetime_s = _number(entry.get("expires_in")), _number(entry.get("lifetime", 0.0))
    if not isinstance(value, str) or expires_at is None or lifetime_s is None:
        _log.warning("token cache %s: the entry of profile %r is malformed and not used", cache_path, cached_profile)
        return EMPTY
    if client_id is not None and entry.get("client_id") not in (None, client_id):
        return EMPTY
    return Token(value, expires_at, lifetime_s)


def write_token_to_cache(
    cached_profile: str, token: Token, cache_path: str | os.PathLike[str], *, client_id: str | None = None
) -> None:
    """Keep a token; entries of other profiles stay.

    The file is replaced as a whole (temporary file beside it, then rename) with mode 0600, so no reader ever sees
    half of it. A malformed file is first moved aside as ``<name>.malformed``, never overwritten.

    Raises:
        OSError: The file or its folder cannot be written.
    """
    path = Path(cache_path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries = _read(path, keep_malformed=True)
    entry: dict[str, Any] = {"access_token": token.value, "expires_in": token.expires_at, "lifetime": token.lifetime_s}
    if client_id is not None:
        entry["client_id"] = client_id
    entries[cached_profile] = entry
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _read(path: Path, *, keep_malformed: bool = False) -> dict[str, Any]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        _log.warning("token cache %s cannot be read: %s", path, error.strerror)
        return {}
    try:
        entries = json.loads(text)
    except ValueError:
        entries = None
    if isinstance(entries, dict):
        return entries
    _log.warning("token cache %s is malformed and not used", path)
    if keep_malformed:
        path.replace(path.with_name(path.name + ".malformed"))
    return {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
