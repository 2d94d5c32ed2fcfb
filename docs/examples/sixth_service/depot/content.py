"""Files on their way to Depot and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from asyncclient._build import build
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_whole import WholeBody, json_receipt
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient._version import USER_AGENT
from asyncclient.depot._generated.operations.content import GET_CONTENT, PUT_CONTENT
from asyncclient.depot.base import DepotClient

if TYPE_CHECKING:
    import os

    from asyncclient._endpoint import Endpoint
    from asyncclient._messages import Headers
    from asyncclient.depot._generated import models

__all__ = ["ContentMethods"]

_HEADERS: Final[Headers] = [(b"accept", b"*/*"), (b"accept-encoding", b"identity"), (b"user-agent", USER_AGENT)]
_BYTES: Final = (b"content-type", b"application/octet-stream")


class ContentMethods(DepotClient):
    """Operations whose request or answer is a file."""

    async def put_content(self, sample_id: str, content: Any) -> models.Sample:
        """Store the file of a sample; it is streamed from where it lies.

        Args:
            sample_id: Identifier of the sample.
            content: A path, bytes, a binary file object, or an iterable of bytes.

        Raises:
            OSError: The file cannot be read; nothing was sent.
            SourceChanged: The file changed while it was read.
        """
        target = WholeBody(self._url_of(PUT_CONTENT, sample_id), headers=[*_HEADERS, _BYTES], receipt=json_receipt)
        stored = await upload_file(self._hub._opened(), self._rules, content, target)
        return cast("models.Sample", stored.remote)

    async def get_content(self, sample_id: str, destination: str | os.PathLike[str]) -> int:
        """Fetch the file of a sample. Nothing is seen at the path before it is whole.

        The same call goes on where an interrupted one stopped.

        Args:
            sample_id: Identifier of the sample.
            destination: Path of the file to write.

        Returns:
            Bytes of the file.

        Raises:
            RemoteChanged: The content changed while it was fetched.
            OSError: The file cannot be written.
        """
        target = HttpDownload(self._url_of(GET_CONTENT, sample_id), name=sample_id, headers=_HEADERS)
        fetched = await download_file(self._hub._opened(), self._rules, target, destination)
        return fetched.size

    def _url_of(self, endpoint: Endpoint[Any], sample_id: str) -> str:
        """Return the address of an operation, its argument checked and quoted."""
        request = build(endpoint, {"sample_id": sample_id}, self._base(), [])
        return f"{request.origin}{request.target.decode('ascii')}"
