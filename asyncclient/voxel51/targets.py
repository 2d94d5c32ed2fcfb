"""How the platform takes and gives files: a streamed form with the file first, and a GET."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asyncclient._codec import decode_json
from asyncclient._net.multipart import Part
from asyncclient._transfers.target import Receipt
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_whole import Form
from asyncclient.errors import DecodeError

if TYPE_CHECKING:
    from asyncclient._messages import Body, Headers, Request
    from asyncclient._pipeline import Answer
    from asyncclient._transfers.wire import Wire

__all__ = ["FileDownload", "FileForm", "guess_type", "member_of"]


def guess_type(name: str | os.PathLike[str]) -> str:
    """Return the media type of a file by its name; its compression does not count. The first call reads files."""
    return mimetypes.guess_type(os.fspath(name))[0] or "application/octet-stream"


class FileForm(Form):
    """A form whose first field is the file.

    Args:
        url: Where to.
        headers: Sent with it.
        filename: Name of the file.
        content_type: Its media type.
        after: The other fields.
        record: Told of the request and its answer.
    """

    def __init__(
        self,
        url: str,
        headers: Headers,
        *,
        filename: str,
        content_type: str,
        after: Sequence[Part],
        record: Callable[[Request, Answer], None],
    ) -> None:
        super().__init__(
            url,
            "file",
            after=after,
            filename=filename,
            content_type=content_type,
            headers=headers,
            receipt=self._read,
        )
        self._record = record
        self._sent: Request | None = None

    async def request(self, wire: Wire, body: Body, name: str | None) -> Request:
        """Make the request."""
        self._sent = await super().request(wire, body, name)
        return self._sent

    def _read(self, answer: Answer) -> Receipt:
        assert self._sent is not None
        self._record(self._sent, answer)
        # The size in the answer is no proof: the platform may count it later, or otherwise.
        return Receipt(remote={"answer": answer})


class FileDownload(HttpDownload):
    """Content of data or of a job.

    Args:
        url: Where it is.
        headers: Of the session.
        description: What a later process needs to go on: the operation, the place without a query, for whom.
    """

    def __init__(self, url: str, headers: Headers, *, description: Mapping[str, Any]) -> None:
        name = f"{description['operation']} of {url.rpartition('/')[0].rpartition('/')[2]}"
        super().__init__(url, name=name, headers=headers, description=description)


def member_of(operation: str, answer: Answer, key: str) -> Any:
    """Return one member of an answer.

    Raises:
        DecodeError: It is not JSON, or has no such member.
    """
    value = decode_json(answer.body, status=answer.status, headers=answer.headers)
    if not isinstance(value, dict) or key not in value:
        raise DecodeError(f"{operation}: the answer has no {key!r}", status=answer.status, size=len(answer.body))
    return value[key]
