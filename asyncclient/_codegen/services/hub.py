"""What all services share: its facades."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._settings import FacadeModule, FacadePair, Unit

__all__ = ["UNIT"]

_FACADES: Final = (
    FacadeModule(
        "_sync/_generated",
        "hub.py",
        (
            FacadePair(
                "asyncclient.hub",
                "AsyncHub",
                "Hub",
                wording=(
                    (
                        "A hub opens at its first use and belongs to the event loop it opened in. Close it with ``with`` or\n"
                        ":meth:`close`; a web service opens one when it starts and closes it when it stops.",
                        "A hub opens at its first use. Close it with ``with`` or :meth:`close`.",
                    ),
                ),
            ),
        ),
    ),
    FacadeModule(
        "_sync/_generated",
        "digests.py",
        (FacadePair("asyncclient.digests", "AsyncDigests", "Digests"),),
    ),
    FacadeModule(
        "_sync/_generated",
        "raw.py",
        (FacadePair("asyncclient._service", "RawResponses", "SyncRawResponses", constructor=False),),
    ),
)


UNIT: Final = Unit("hub", None, _FACADES)
