"""Clients of devices, which log in with the secret of their site in place of a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from asyncclient import _codec
from asyncclient._messages import Request
from asyncclient._pipeline import Rules
from asyncclient._retry import Kind
from asyncclient._scheduler import Lane
from asyncclient._version import USER_AGENT
from asyncclient.errors import ArgumentError
from asyncclient.flywheel._keys import parse_key
from asyncclient.flywheel._trust import certificates
from asyncclient.flywheel.client import AsyncClient
from asyncclient.flywheel.exceptions import NotADevice, refusal
from asyncclient.hub import AsyncHub
from asyncclient.types import RetryPolicy, Timeouts

if TYPE_CHECKING:
    from asyncclient._messages import Headers
    from asyncclient.flywheel._generated.sync.client import Client

__all__ = ["async_drone_client", "create_drone_client", "device_key"]

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_INSECURE: Final = "__force_insecure"


class _Login(NamedTuple):
    """What a device logs in with."""

    host: str
    port: int
    insecure: bool
    headers: Headers

    def key(self, secret: str) -> str:
        """Return the API key that a secret stands for."""
        return f"{self.host}:{self.port}:{_INSECURE + ':' if self.insecure else ''}{secret}"


def create_drone_client(
    host: str, secret: str, method: str, name: str, port: int = 443, *, _force_insecure: bool = False, **options: Any
) -> Client:
    """Log a device in and return its client.

    Args:
        host: Name of the site.
        secret: Of the site, for devices.
        method: Kind of device.
        name: Of the device.
        port: Of the site.
        _force_insecure: Whether plain http is used, where anybody can read the secret.
        options: Of ``Client``.

    Raises:
        NotADevice: The secret is none of a device, or the device has no key (also a ``RuntimeError``).
        ApiException: The site refuses.
    """
    from asyncclient._sync.portal import get_portal
    from asyncclient.flywheel._generated.sync.client import Client

    login = _login(host, secret, method, name, port, _force_insecure)
    given = options.get("hub")
    hub = given._async if given is not None else None
    return Client(get_portal().run(device_key, login, hub), **options)


async def async_drone_client(
    host: str, secret: str, method: str, name: str, port: int = 443, *, _force_insecure: bool = False, **options: Any
) -> AsyncClient:
    """Log a device in and return its client, not yet opened; as :func:`create_drone_client`."""
    login = _login(host, secret, method, name, port, _force_insecure)
    return AsyncClient(await device_key(login, options.get("hub")), **options)


def _login(host: str, secret: str, method: str, name: str, port: int, insecure: bool) -> _Login:
    headers: Headers = [(b"accept", b"application/json"), (b"user-agent", USER_AGENT)]
    for title, argument, value in (("auth", "secret", secret), ("method", "method", method), ("name", "name", name)):
        given: object = value
        if not isinstance(given, str) or not given or _CONTROL.search(given):
            raise ArgumentError(f"{argument} must be text without control characters", argument=argument)
        headers.append((f"x-scitran-{title}".encode(), value.encode("utf-8")))
    return _Login(host, port, insecure, headers)


async def device_key(login: _Login, hub: AsyncHub | None = None) -> str:
    """Ask the site for the key of a device, through a hub, or one that trusts whom the client is going to trust."""
    if hub is None:
        async with AsyncHub(verify=certificates() or True) as own:
            return await device_key(login, own)
    base = parse_key(login.key("none")).base
    rules = Rules(
        service="flywheel",
        error=refusal,
        auth=None,
        auth_origins=lambda origin: False,
        timeouts=Timeouts(),
        policy=RetryPolicy(max_retries=0),
        classify=lambda error, *, repeatable: Kind.FATAL,
    )

    async def get(path: str) -> Any:
        request = Request(b"GET", base.origin, (base.path + path).encode("ascii"), login.headers, idempotent=True)
        answer = await hub._opened().fetch(request, "drone login", rules, Lane.CONTROL)
        return _codec.decode_json(answer.body, status=answer.status, headers=answer.headers)

    status = await get("/auth/status")
    origin = status.get("origin") if isinstance(status, dict) else None
    device = origin.get("id") if isinstance(origin, dict) else None
    if not isinstance(device, str) or not device or not status.get("is_device"):
        raise NotADevice("Provided login is not a device login")
    record = await get(f"/devices/{quote(device, safe='')}")
    key = record.get("key") if isinstance(record, dict) else None
    if not isinstance(key, str) or not key:
        raise NotADevice("Got device, but could not get key!")
    return login.key(key)
