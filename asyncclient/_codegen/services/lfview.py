"""LF View: its facades, and its resource classes, which have a generator of their own."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._settings import FacadeModule, FacadePair, Unit
from asyncclient._codegen.lfview_models import lfview_modules

__all__ = ["UNIT"]


def _pair(name: str) -> FacadePair:
    return FacadePair(
        "asyncclient.lfview.client",
        f"Async{name}",
        name,
        omit={
            "api_key": "can be set: in the base",
            "source": "can be set and deleted: in the base",
            "session": "a blocking HTTP client: in the base",
            "iterate": "nothing has pages",
        },
        wording=(
            (
                "Nothing is sent before the first call, or :meth:`connect`, or ``with``.",
                "The service is found, and the key checked, when a session is made: see :meth:`connect` for the errors.",
            ),
        ),
        base="asyncclient.lfview._blocking:BlockingSession",
        first="connect",
    )


_FACADES: Final = (
    FacadeModule(
        "lfview/_generated",
        "sync/client.py",
        tuple(_pair(name) for name in ("UnauthenticatedSession", "UploadSession", "Session")),
    ),
)


UNIT: Final = Unit("lfview", None, _FACADES, lfview_modules, contract="requests")
