"""The server: the API over HTTP, as an ASGI application.

::

    app = create_app(ServerConf(SECRET_API_KEY=secret, LOCAL_DIR="data"))

``asyncclient sticky-pi serve`` runs it; so does any ASGI server. It needs the extra ``sticky-pi-server``.
"""

from __future__ import annotations

from asyncclient._extras import without

try:
    from asyncclient.sticky_pi._server_app import create_app, create_app_from_environment
    from asyncclient.sticky_pi._server_conf import ServerConf
except ModuleNotFoundError as error:
    raise without(error, "the Sticky Pi server", "sticky-pi-server") from error

__all__ = ["ServerConf", "create_app", "create_app_from_environment"]
