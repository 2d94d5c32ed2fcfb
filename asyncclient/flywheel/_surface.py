"""What generated methods need of the object they are mixed into, and the types of their arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, TypedDict, TypeVar

from asyncclient._endpoint import Endpoint
from asyncclient._service import ServiceBase
from asyncclient.flywheel.files import FileSpec

if TYPE_CHECKING:
    from asyncclient.flywheel._generated import models
    from asyncclient.types import Progress

__all__ = ["TRANSFER_OPTIONS", "CallOptions", "Destination", "FileInput", "FlywheelBase", "split_options"]

T = TypeVar("T")

Destination: TypeAlias = str | os.PathLike[str] | BinaryIO | Callable[[bytes], object]
"""Where a download goes."""

FileInput: TypeAlias = str | os.PathLike[str] | FileSpec | Sequence[str | os.PathLike[str] | FileSpec]
"""What can be uploaded."""


class CallOptions(TypedDict, total=False):
    """Keywords that every operation takes.

    Attributes:
        _request_timeout: Seconds for connecting and between two pieces of the answer: one number for both, or a pair.
        _ignore_simplified_return_value: Whether the whole object comes back where usually one member of it does.
        _preload_content: False gives back the ``httpx.Response`` in place of what it holds.
        _request_out: A dict that receives ``url``.
        _return_http_data_only: Accepted; ``x_with_http_info`` of a group gives status and headers.
        async_: Refused if true: awaiting is what an ``AsyncClient`` is for.
        on_progress: Of uploads and downloads of files, which others refuse: called on the event loop as bytes move, at
            most 10 times a second, and at the end.
        resume: Likewise: False begins anew what an earlier call left unfinished, and leaves nothing to go on with; what
            arrives is compared with the record of the file all the same.
    """

    _request_timeout: float | tuple[float | None, float | None] | None
    _ignore_simplified_return_value: bool
    _preload_content: bool
    _request_out: dict[str, Any]
    _return_http_data_only: bool
    async_: bool
    on_progress: Callable[[Progress], None] | None
    resume: bool


TRANSFER_OPTIONS: Final = frozenset({"_record", "on_progress", "resume"})
"""Keywords of uploads and downloads alone; ``_record`` is what an object of a file knows of it."""


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell keywords that every operation takes from those of uploads and downloads."""
    moving = {name: value for name, value in options.items() if name in TRANSFER_OPTIONS}
    return {name: value for name, value in options.items() if name not in moving}, moving


class FlywheelBase(ServiceBase):
    """The base of the generated operations."""

    async def _operate(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        raise NotImplementedError

    async def _upload(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        raise NotImplementedError

    async def _upload_raw(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        raise NotImplementedError

    async def _signed_upload(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[models.FileOutput] | None:
        raise NotImplementedError

    async def _download(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        raise NotImplementedError

    async def _as_data(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bytes:
        raise NotImplementedError

    async def _download_url(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        raise NotImplementedError
