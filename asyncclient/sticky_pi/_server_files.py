"""The files of a server without object storage: read and sent with signed links, as to object storage."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.sticky_pi._refusals import AccessDenied, BadInput, NotStored
from asyncclient.sticky_pi._server_bodies import limited, read_form
from asyncclient.sticky_pi._storage_served import AsyncServedStorage

__all__ = ["FileRoutes"]


class FileRoutes:
    """Two routes: one reads a file, with ranges; one takes a form with a file.

    Args:
        storage: Makes the links and has the files.
        most: Bytes that one form may have.
    """

    def __init__(self, storage: AsyncServedStorage, most: int) -> None:
        self._storage, self._most = storage, most

    async def read(self, request: Request) -> Response:
        """Answer with a file."""
        key = request.path_params["key"]
        query = request.query_params
        if not self._storage.is_good("GET", key, query.get("Expires", ""), query.get("Signature", "")):
            raise AccessDenied("the link is not good, or has expired")
        path = self._storage.path(key)
        if not await run_hop(path.is_file, crew=DISK):
            raise NotStored("there is no such file")
        return FileResponse(path, media_type="application/octet-stream")

    async def write(self, request: Request) -> Response:
        """Take a file of a bundle."""
        async with read_form(limited(request, self._most)) as form:
            fields = {name: str(form.get(name, "")) for name in ("key", "expires", "signature")}
            if not self._storage.is_good("POST", fields["key"], fields["expires"], fields["signature"]):
                raise AccessDenied("the link is not good, or has expired")
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise BadInput("the form has no file")
            await run_hop(self._receive, upload.file, fields["key"], crew=DISK)
        return Response(status_code=204)

    def _receive(self, source: Any, key: str) -> None:
        self._storage.replace(key, source)
