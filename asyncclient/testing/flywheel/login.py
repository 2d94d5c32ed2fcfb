"""API keys, and devices that log in with the secret of drones."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from asyncclient.testing._contract import Refusal
from asyncclient.testing._emulator import Exchange
from asyncclient.testing.flywheel.state import FlywheelState
from asyncclient.testing.flywheel.tables import Json, now

__all__ = ["api_key", "origin_of"]

_UNKNOWN = {"type": "unknown", "id": "unknown"}


def api_key(base_url: str, secret: str) -> str:
    """Return ``host:port:secret``, with ``__force_insecure`` before the secret where there is no TLS."""
    url = urlsplit(base_url)
    host = url.netloc.rpartition(":")[0] if url.port is not None else url.netloc
    port = url.port if url.port is not None else 443 if url.scheme == "https" else 80
    insecure = "" if url.scheme == "https" else "__force_insecure:"
    return f"{host}:{port}:{insecure}{secret}"


def origin_of(state: FlywheelState, exchange: Exchange, *, public: bool) -> Json:
    """Return who is asking.

    Raises:
        Refusal: 401, nobody the service knows.
    """
    headers = exchange.request.headers
    if "x-scitran-auth" in headers:
        return _device(state, exchange)
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme in ("scitran-user", "Bearer"):
        for known, origin in state.keys.items():
            if hmac.compare_digest(known.encode(), secret.strip().encode()):
                return origin
    elif public:
        return _UNKNOWN
    raise Refusal(401, "Invalid API key" if scheme else "Authentication required")


def _device(state: FlywheelState, exchange: Exchange) -> Json:
    headers = exchange.request.headers
    given = headers["x-scitran-auth"]
    if not hmac.compare_digest(given.encode(), state.options.drone_secret.encode()):
        raise Refusal(401, "Invalid scitran credentials")
    method, name = headers.get("x-scitran-method", ""), headers.get("x-scitran-name", "")
    for device in state.devices.values():
        if (device["method"], device["name"]) == (method, name):
            return {"type": "device", "id": device["_id"]}
    device_id = state.ids.new()
    key = secrets.token_urlsafe(24)
    facts = {"_id": device_id, "method": method, "name": name, "label": name, "type": method, "key": key}
    state.devices[device_id] = {**facts, "disabled": False, "storage_config": {}, "modified": now()}
    origin = {"type": "device", "id": device_id}
    state.keys[key] = origin
    return origin
