"""The Sticky Pi server as an ASGI application; settings come from the environment, see the table."""

from asyncclient.sticky_pi.server import ServerConf, create_app

app = create_app(ServerConf())
