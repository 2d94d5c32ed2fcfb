"""Proxies named in the environment."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from asyncclient._httpx.foreign import ForeignTransport
from asyncclient._messages import Transport
from asyncclient._net.pool import Pool
from asyncclient._net.tls import Cert, Verify, make_context
from asyncclient._proxies import ByProxy, EnvironmentProxies
from asyncclient.errors import ConfigurationError

if TYPE_CHECKING:
    from asyncclient.types import Limits

__all__ = ["environment_transport"]


def environment_transport(
    limits: Limits,
    *,
    verify: Verify = True,
    cert: Cert | None = None,
    proxies: EnvironmentProxies | None = None,
) -> Transport:
    """Make a transport that uses httpx for origins the environment names a proxy for, and our pool for the others.

    Raises:
        ConfigurationError: A proxy is named in a way that cannot be used. User name and password are not repeated.
    """
    proxies = proxies if proxies is not None else EnvironmentProxies.of()
    context = make_context(verify, cert)
    direct = Pool(max_connections=limits.max_connections, keepalive_expiry=limits.keepalive_expiry, ssl_context=context)
    named = {url for url in (proxies.http, proxies.https) if url}
    return ByProxy(proxies, direct, {url: _proxied(url, limits, context) for url in named})


def _proxied(url: str, limits: Limits, context: ssl.SSLContext) -> ForeignTransport:
    try:
        parsed = httpx.URL(url)
        if not parsed.host:
            raise ValueError
        proxy = httpx.Proxy(parsed, ssl_context=context if parsed.scheme == "https" else None)
        inner = httpx.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            proxy=proxy,
            limits=httpx.Limits(
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_connections,
                keepalive_expiry=limits.keepalive_expiry,
            ),
        )
    except ImportError as error:
        raise ConfigurationError(
            "the environment names a SOCKS proxy; install asyncclient[http2], which brings socksio"
        ) from error
    except (ValueError, httpx.InvalidURL):
        pass
    else:
        return ForeignTransport(inner, max_connections=limits.max_connections, exact=False)
    raise ConfigurationError("the environment names a proxy whose URL is not http, https, socks5 or socks5h")
