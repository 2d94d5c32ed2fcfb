"""Sticky Pi: its facades; its clients are written by hand."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._settings import FacadeModule, FacadePair, Unit

__all__ = ["UNIT"]


def _pair(name: str) -> FacadePair:
    return FacadePair(
        "asyncclient.sticky_pi.client",
        f"Async{name}",
        name,
        omit={"iterate": "nothing has pages"} if name.startswith("Remote") else {},
    )


_FACADES: Final = (
    FacadeModule(
        "sticky_pi/_generated",
        "sync/client.py",
        tuple(_pair(name) for name in ("LocalClient", "RemoteClient")),
    ),
    FacadeModule(
        "sticky_pi/_generated",
        "sync/bases.py",
        tuple(_pair(name) for name in ("BaseClient", "RemoteAPIConnector")),
    ),
    FacadeModule(
        "sticky_pi/_generated",
        "sync/specifications.py",
        tuple(
            FacadePair(
                "asyncclient.sticky_pi._api",
                f"Async{name}",
                name,
                constructor=name != "BaseAPI",  # it is abstract
                omit={"get_token": "abstract there"} if name == "BaseAPI" else {},
            )
            for name in ("BaseAPI", "LocalAPI", "RemoteAPI")
        ),
    ),
    FacadeModule(
        "sticky_pi/_generated",
        "sync/storage.py",
        tuple(
            FacadePair(
                f"asyncclient.sticky_pi.{module}",
                f"Async{name}",
                name,
                constructor=name != "BaseStorage",
                omit={
                    "open": "the first call opens",
                    "stage_image": "for the API",
                    "stage_tuboid": "for the API",
                    "local_bundle_files_info": "a class method: in the base",
                },
                base="asyncclient.sticky_pi._blocking:BlockingStorage",
            )
            for module, name in (
                ("_storage_base", "BaseStorage"),
                ("_storage_disk", "DiskStorage"),
                ("_storage_s3", "S3Storage"),
            )
        ),
    ),
)


UNIT: Final = Unit("sticky_pi", None, _FACADES)
