"""File content that goes to the service. What does it is loaded with the first upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from asyncclient._endpoint import Endpoint
from asyncclient.flywheel._base import FlywheelClient

if TYPE_CHECKING:
    from asyncclient.flywheel._generated import models

__all__ = ["Sending"]

T = TypeVar("T")


class Sending(FlywheelClient):
    """Operations that send content."""

    async def _upload(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        from asyncclient.flywheel._uploading import Uploads

        return await Uploads(self).upload(endpoint, arguments, options)

    async def _upload_raw(self, endpoint: Endpoint[T], arguments: Mapping[str, Any], options: Mapping[str, Any]) -> T:
        from asyncclient.flywheel._uploading import Uploads

        return await Uploads(self).raw(endpoint, arguments, options)

    async def _signed_upload(
        self, endpoint: Endpoint[Any], arguments: Mapping[str, Any], options: Mapping[str, Any]
    ) -> list[models.FileOutput] | None:
        from asyncclient.flywheel._uploading import Uploads

        return await Uploads(self).signed(endpoint, arguments, options)
