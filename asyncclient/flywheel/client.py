"""The client of Flywheel."""

from __future__ import annotations

from asyncclient.flywheel._generated.operations import Operations
from asyncclient.flywheel._generated.operations.owner import Groups
from asyncclient.flywheel._helpers import Helpers
from asyncclient.flywheel._sending import Sending

__all__ = ["AsyncClient"]


class AsyncClient(Helpers, Sending, Operations, Groups):
    """All operations of Flywheel, awaited.

    ::

        async with AsyncClient("flywheel.example:djEK...") as client:
            project = await client.get_project("5c4f3a")

    Methods, arguments and what they give back are those of the official client; beside the flat methods there are the
    groups, such as ``client.projects_api``. Every method also takes ``_request_timeout``,
    ``_ignore_simplified_return_value``, ``_preload_content`` and ``_request_out``.

    Args:
        api_key: ``host:secret``, ``host:port:secret`` or ``host:port:__force_insecure:secret``. Default: the key that
            the command line tool stored in ``~/.config/flywheel/user.json``.
        root: Deprecated name of ``exhaustive``.
        exhaustive: Whether every request asks for everything regardless of permissions; needs a site administrator.
        disable_auth_check: Do not ask whether the service takes the key; needed for some keys of devices.
        request_timeout: Seconds between two pieces of an answer. Default: ``FLYWHEEL_SDK_REQUEST_TIMEOUT``, else 60.
        connect_timeout: Seconds for connecting. Default: ``FLYWHEEL_SDK_CONNECT_TIMEOUT``, else 10.
        skip_version_check: Deprecated, does nothing.
        subjects_in_resolver: Deprecated, does nothing.
        hub: Shares connections and limits with other clients. Default: a hub of its own, closed with the client, that
            trusts the certificates that ``FW_SSL_CERT_FILE``, else ``REQUESTS_CA_BUNDLE``, else ``CURL_CA_BUNDLE``
            names.
        timeout: Seconds for a whole call, a ``Timeouts``, an ``httpx.Timeout``, or None to wait for ever. Wins over the
            two above.
        max_retries: Tries beyond the first. Default: ``FLYWHEEL_SDK_TOTAL_RETRIES``, else 7.

    Raises:
        InvalidKey: The key has not the form of one.
        LoginNeeded: No key was given, and none is stored.
    """
