"""The operations of one tag as an object of their own: a view of the client, which does all the work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from asyncclient._endpoint import Endpoint
from asyncclient.flywheel._surface import FlywheelBase

if TYPE_CHECKING:
    from asyncclient.flywheel._base import FlywheelClient
    from asyncclient.flywheel._generated import models

__all__ = ["ApiGroup", "GroupOwner"]

T = TypeVar("T")
G = TypeVar("G", bound="ApiGroup")


class ApiGroup(FlywheelBase):
    """The base of the groups.

    For each operation ``x`` there is ``x_with_http_info``, which gives ``(data, status, headers)`` and unwraps nothing.
    """

    def __init__(self, client: FlywheelClient) -> None:
        self._client = client

    async def _operate(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        return await self._client._operate(endpoint, arguments, options)

    async def _upload(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        return await self._client._upload(endpoint, arguments, options)

    async def _upload_raw(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        return await self._client._upload_raw(endpoint, arguments, options)

    async def _signed_upload(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[models.FileOutput] | None:
        return await self._client._signed_upload(endpoint, arguments, options)

    async def _download(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> None:
        await self._client._download(endpoint, arguments, options)

    async def _as_data(
        self, endpoint: Endpoint[bytes], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> bytes:
        return await self._client._as_data(endpoint, arguments, options)

    async def _download_url(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        return await self._client._download_url(endpoint, arguments, options)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        plain = name.removesuffix("_with_http_info")
        if name.startswith("_") or plain == name or not hasattr(type(self), plain):
            raise AttributeError(f"{type(self).__name__} has no operation {name!r}")
        return self._client._with_info(plain)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._client!r}>"


class GroupOwner:
    """What gives groups."""

    def _group(self, kind: type[G]) -> G:
        raise NotImplementedError
