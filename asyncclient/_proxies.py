"""Which proxy the environment names for an origin. Cheap where none is named; httpx is not imported here.

The rules are those of curl, requests and httpx together: ``http_proxy``, ``https_proxy`` and ``all_proxy`` in lower or
upper case, lower case first; ``no_proxy`` is a comma-separated list of hosts with their subdomains, each with or
without a port, addresses, networks in CIDR form, or ``*``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from asyncclient._messages import Request, Response, TimeoutsView, Transport

if TYPE_CHECKING:
    import ipaddress

__all__ = ["ByProxy", "EnvironmentProxies", "environment_proxies"]

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


def environment_proxies(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment names any proxy."""
    return any(_named(name, environ) for name in _VARIABLES)


def _named(name: str, environ: Mapping[str, str]) -> str:
    lower = environ.get(name)
    if lower is not None:  # set and empty: switched off
        return lower.strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return ""  # under CGI the header "Proxy:" of a visitor would arrive as HTTP_PROXY
    return environ.get(name.upper(), "").strip()


class EnvironmentProxies(NamedTuple):
    """The proxies of one environment.

    Attributes:
        http: Proxy for ``http`` origins, or empty.
        https: Proxy for ``https`` origins, or empty.
        direct: Entries of ``no_proxy``.
    """

    http: str
    https: str
    direct: tuple[str, ...]

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> EnvironmentProxies:
        """Read the variables once; later changes of the environment have no effect."""
        fallback = _named("all_proxy", environ)
        listed = environ.get("no_proxy", environ.get("NO_PROXY", ""))
        entries = (entry.strip().lower() for entry in listed.replace(" ", ",").split(","))
        return cls(
            _with_scheme(_named("http_proxy", environ) or fallback),
            _with_scheme(_named("https_proxy", environ) or fallback),
            tuple(entry for entry in entries if entry),
        )

    def proxy_for(self, scheme: str, host: str, port: int) -> str | None:
        """Return the URL of the proxy for an origin, or None to connect directly."""
        proxy = self.https if scheme == "https" else self.http
        if not proxy or any(_covers(entry, host, port) for entry in self.direct):
            return None
        return proxy


def _with_scheme(proxy: str) -> str:
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if "/" in entry and "://" not in entry:
        return address is not None and _in_network(address, entry)
    name, entry_port = _split_port(entry.rpartition("://")[2])
    if entry_port is not None and entry_port != port:
        return False
    if address is not None:
        return address == _address(name)
    suffix = name.removeprefix("*").removeprefix(".").rstrip(".")
    return bool(suffix) and (host == suffix or host.endswith("." + suffix))


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        port = rest.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        name, port = entry, ""
    return name, int(port) if port.isascii() and port.isdigit() else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    import ipaddress  # not with the package: most environments name no proxy

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    import ipaddress

    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


class ByProxy:
    """Chooses by origin between connecting directly and the transport of a proxy.

    Args:
        proxies: The rules.
        direct: For origins without a proxy.
        proxied: By the URL of the proxy.
    """

    def __init__(self, proxies: EnvironmentProxies, direct: Transport, proxied: Mapping[str, Transport]) -> None:
        self._proxies = proxies
        self._direct = direct
        self._proxied = proxied

    async def send(self, request: Request, timeouts: TimeoutsView) -> Response:
        """Send the request; see :class:`~asyncclient._messages.Transport`."""
        proxy = self._proxies.proxy_for(*request.origin)
        transport = self._direct if proxy is None else self._proxied[proxy]
        return await transport.send(request, timeouts)

    async def aclose(self) -> None:
        """Close all of them."""
        await self._direct.aclose()
        for transport in self._proxied.values():
            await transport.aclose()
