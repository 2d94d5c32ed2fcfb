"""What the service reports against what was sent or received. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from asyncclient._pipeline import Answer
from asyncclient._transfers.digest import join_etag
from asyncclient._transfers.target import Receipt
from asyncclient.errors import IntegrityError

__all__ = ["check_receipt", "composite_etag", "is_md5", "keys_hide_md5", "plain_md5", "stored_md5"]

_MD5: Final = re.compile(r"[0-9a-f]{32}\Z")
_COMPOSITE: Final = re.compile(r"([0-9a-f]{32})-(\d{1,5})\Z")


def is_md5(etag: str | None) -> bool:
    """Tell whether an etag has the form of an md5."""
    return etag is not None and _MD5.match(etag) is not None


def plain_md5(etag: str | None) -> str | None:
    """Return the md5 that an etag of S3 is, or None for one of parts or of an encrypted object's making."""
    return etag if is_md5(etag) else None


def keys_hide_md5(answer: Answer) -> bool:
    """Tell whether S3 says that it encrypted with keys under which an etag is no md5, whatever it looks like.

    Those are keys of a key service and keys of the customer; under the store's own keys etags are what they always are:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    """
    by_service = (answer.header(b"x-amz-server-side-encryption") or "").startswith("aws:kms")
    return by_service or answer.header(b"x-amz-server-side-encryption-customer-algorithm") is not None


def stored_md5(answer: Answer, etag: str) -> str | None:
    """Return the md5 of what S3 stored, by its answer and the etag in it; None where it does not say."""
    return None if keys_hide_md5(answer) else plain_md5(etag)


def composite_etag(etag: str | None) -> int | None:
    """Return the number of parts behind an etag of parts, or None."""
    match = _COMPOSITE.match(etag) if etag is not None else None
    return int(match[2]) if match is not None else None


def check_receipt(
    receipt: Receipt, *, path: str, size: int, md5: str | None = None, part_md5s: Sequence[str | None] = ()
) -> None:
    """Hold what the service says it stored against what was sent.

    Args:
        receipt: What it says; what it does not say is not checked.
        path: For the message.
        size: Bytes sent.
        md5: Of the whole, if known.
        part_md5s: Of the parts, in order, for an etag of parts; unused when one is unknown.

    Raises:
        IntegrityError: They differ.
    """
    if receipt.size is not None and receipt.size != size:
        raise IntegrityError(path, expected=f"{size} bytes", actual=f"{receipt.size} bytes")
    if receipt.md5 is not None and md5 is not None and receipt.md5.lower() != md5:
        raise IntegrityError(path, expected=f"md5 {md5}", actual=f"md5 {receipt.md5.lower()}")
    if not receipt.etag_is_md5:
        return
    if is_md5(receipt.etag) and md5 is not None and receipt.etag != md5:
        raise IntegrityError(path, expected=f"md5 {md5}", actual=f"etag {receipt.etag}")
    known = [bytes.fromhex(found) for found in part_md5s if found is not None]
    if composite_etag(receipt.etag) == len(known) == len(part_md5s):
        expected = join_etag(known)
        if receipt.etag != expected:
            raise IntegrityError(path, expected=f"etag {expected}", actual=f"etag {receipt.etag}")
