"""Files under a folder of the server, which hands out links to itself: for a server without object storage.

A link is signed and expires, as those of object storage do: a key, until when, and a keyed digest of both.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

from asyncclient.sticky_pi._storage_disk import AsyncDiskStorage

__all__ = ["FILES", "AsyncServedStorage", "base_url"]

FILES: Final = "/_files"
base_url: Final[ContextVar[str]] = ContextVar("sticky_pi_base_url", default="")
"""``https://host:port`` under which the present caller reached the server."""


class AsyncServedStorage(AsyncDiskStorage):
    """Files under ``LOCAL_DIR``, shown as links to the server.

    Args:
        api_conf: The configuration. ``PUBLIC_URL`` is where users reach the server; without it, links lead to where the
            present caller has reached it.
    """

    _expiration: ClassVar[int] = 604800

    def __init__(self, api_conf: Mapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(api_conf)
        self._secret = hashlib.sha256(b"files:" + str(api_conf["SECRET_API_KEY"]).encode()).digest()
        self._public = str(api_conf.get("PUBLIC_URL") or "").rstrip("/")

    def _url(self, key: str) -> str:
        expires = int(time.time()) + self._expiration
        query = f"Expires={expires}&Signature={self.sign('GET', key, expires)}"
        return f"{self._base()}{FILES}/{quote(key, safe='/-_.~')}?{query}"

    def _upload_target(self, key: str) -> Any:
        expires = str(int(time.time()) + self._expiration)
        fields = {"key": key, "expires": expires, "signature": self.sign("POST", key, int(expires))}
        return {"url": f"{self._base()}{FILES}", "fields": fields}

    def _base(self) -> str:
        return self._public or base_url.get()

    def sign(self, method: str, key: str, expires: int) -> str:
        """Return the digest that makes a link good."""
        return hmac.new(self._secret, f"{method}\n{key}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def is_good(self, method: str, key: str, expires: str, signature: str) -> bool:
        """Tell whether a link was made here, and has not expired."""
        if not expires.isascii() or not expires.isdigit() or int(expires) < time.time():
            return False
        return hmac.compare_digest(self.sign(method, key, int(expires)).encode(), signature.encode("utf-8", "replace"))

    def path(self, key: str) -> Path:
        """Return where the file of a good link lies."""
        return Path(self._path(key))

    def replace(self, key: str, source: Any) -> None:
        """Put the content of an open file in place of a file; blocking."""
        self._staging.publish(self._staging.write({key: source}))
