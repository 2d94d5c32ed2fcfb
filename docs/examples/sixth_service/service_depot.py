"""Depot: what its description does not say."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._ir import Page
from asyncclient._codegen._settings import FacadeModule, FacadePair, Service, Unit

__all__ = ["UNIT"]

_SERVICE: Final = Service(
    name="depot",
    title="Depot",
    answers="typeddict",
    hand_written={
        "putContent": "the body is a file, streamed",
        "getContent": "a file, resumed where it stopped",
    },
    pages={"listSamples": Page("samples", "page_token", next="nextPageToken", limit="page_size")},
)
_FACADES: Final = (
    FacadeModule(
        "depot/_generated", "sync/client.py", (FacadePair("asyncclient.depot.client", "AsyncClient", "Client"),)
    ),
)

UNIT: Final = Unit("depot", _SERVICE, _FACADES)
