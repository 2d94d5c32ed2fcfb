"""Bundles: what differs between a folder and the API, and moving it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from asyncclient._net.multipart import Part
from asyncclient._transfers.hops import CPU, DISK, run_hop, run_to_end
from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.targets_whole import Form, header_receipt
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient._version import USER_AGENT
from asyncclient.errors import ArgumentTypeError, DecodeError, IntegrityError
from asyncclient.sticky_pi._bundles import PART_BYTES, list_bundle_files, list_left_out
from asyncclient.sticky_pi._fetching import plain_rules
from asyncclient.sticky_pi._storage_keys import BUNDLE_ENDINGS, bundle_key, check_bundle_name, is_newer
from asyncclient.sticky_pi.exceptions import InvalidBundle, UnsafeKey
from asyncclient.sticky_pi.utils import multipart_etag

if TYPE_CHECKING:
    from asyncclient._messages import Headers
    from asyncclient.sticky_pi._spec import Rows
    from asyncclient.types import Progress

__all__ = [
    "check_folder",
    "copy_file",
    "fetch_file",
    "find_left_out",
    "find_local",
    "missing_here",
    "send_file",
    "target_in",
]

_log: Final = logging.getLogger("asyncclient.sticky_pi.client")
_NAMED: Final = 10  # of the files that are left out, in a line of the log
_EMPTY: Final = "d41d8cd98f00b204e9800998ecf8427e"
_HEADERS: Final[Headers] = [(b"accept", b"*/*"), (b"accept-encoding", b"identity"), (b"user-agent", USER_AGENT)]

OnProgress = Callable[["Progress"], None] | None


def check_folder(bundle_name: Any, bundle_dir: Any, *, named: bool) -> str:
    """Return the folder as text.

    Args:
        bundle_name: Of the bundle.
        bundle_dir: The folder.
        named: Whether the folder must have the name of the bundle.

    Raises:
        InvalidBundle: It has another name.
    """
    check_bundle_name(bundle_name)
    if not isinstance(bundle_dir, (str, os.PathLike)):
        raise ArgumentTypeError(f"bundle_dir must be a path, not {type(bundle_dir).__name__}", argument="bundle_dir")
    folder = os.fsdecode(bundle_dir)
    if named and Path(folder).name != bundle_name:
        raise InvalidBundle(
            f"the folder of the bundle {bundle_name!r} must have that name: {folder}", argument="bundle_dir"
        )
    return folder


async def find_local(bundle_dir: str, what: str) -> Rows:
    """List the files of a folder, with their digests, in a worker thread."""
    return await run_hop(list_bundle_files, bundle_dir, what, crew=CPU)


async def find_left_out(bundle_dir: str, what: str) -> list[str]:
    """List the files of a folder that no bundle holds, and warn of them."""
    keys = await run_hop(list_left_out, bundle_dir, what, crew=DISK)
    if keys:
        _log.warning(
            "%d files in %s are left out, as bundles hold only %s: %s%s",
            len(keys),
            bundle_dir,
            ", ".join(f"*{ending}" for ending in BUNDLE_ENDINGS),
            ", ".join(keys[:_NAMED]),
            ", ..." if len(keys) > _NAMED else "",
        )
    return keys


def missing_here(remote: Iterable[Mapping[str, Any]], local: Sequence[Mapping[str, Any]], bundle_name: str) -> Rows:
    """Return the files that the API has and the folder has not, or older and different. Pure.

    Raises:
        UnsafeKey: A file would lie outside of the folder.
    """
    here = {row["key"]: row for row in local}
    found = []
    for row in remote:
        key = row["key"]
        if isinstance(key, str) and key.startswith(f"../{bundle_name}"):
            continue  # older servers list the files of bundles with longer names too
        if not bundle_key(bundle_name, key).endswith(f"/{key}") or not key:
            raise UnsafeKey(f"not the path of a file in a bundle: {key!r}")
        known = here.get(key)
        if not _same_content(row["md5"], None if known is None else known["md5"]) and is_newer(row, known):
            found.append(dict(row))
    return found


def _same_content(md5: str, other: str | None) -> bool:
    return md5 == other or {md5, other} == {"", _EMPTY}


def target_in(bundle_dir: str, key: str) -> Path:
    """Return where a file of a bundle lies; its key has been checked."""
    return Path(bundle_dir, *key.split("/"))


# --- files on this machine ---------------------------------------------------------------------------------------------


def copy_file(source: str, target: Path, md5: str, mtime: float | None = None) -> None:
    """Copy a file so that it is seen whole or not at all; blocking.

    Raises:
        IntegrityError: It changed meanwhile: it does not have this digest.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, temporary)
        _check(temporary, target.name, md5)
        if mtime is not None:
            os.utime(temporary, (_now_of(temporary), mtime))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _now_of(path: Path) -> float:
    """The time at which a file was written just now: the access time that a fetched file gets."""
    return path.stat().st_mtime


def _check(path: Path, name: str, md5: str) -> None:
    """Compare a file with the entity tag of a listing; of a file of several parts it may be the md5 too."""
    parts = multipart_etag(path, PART_BYTES)
    if _same_content(parts, md5):
        return
    whole = multipart_etag(path, max(1, path.stat().st_size)) if "-" in parts else parts
    if not _same_content(whole, md5):
        raise IntegrityError(name, expected=md5, actual=parts)


# --- files behind URLs -------------------------------------------------------------------------------------------------


async def send_file(client: Any, row: Mapping[str, Any], on_progress: OnProgress) -> None:
    """Post a file to the form that the server has signed for it.

    Raises:
        DecodeError: The server named no usable form.
        IntegrityError: What was stored differs from the file.
    """
    match row["url"]:
        case {"url": str(url), "fields": dict(fields)}:
            before = [Part(str(name), str(value)) for name, value in fields.items()]
        case _:
            raise DecodeError(f"the server named no form to send {row['key']} to")
    form = Form(
        url,
        "file",
        before=before,
        filename=Path(row["path"]).name,
        content_type=None,
        headers=_HEADERS,
        receipt=header_receipt,
        idempotent=True,
        description={"bundle": row["bundle_name"], "key": row["key"]},
    )
    options = TransferOptions(md5=True, on_progress=on_progress)
    await upload_file(client._hub._opened(), plain_rules(), row["path"], form, options)


async def fetch_file(client: Any, row: Mapping[str, Any], target: Path, on_progress: OnProgress) -> None:
    """Fetch a file in ranges, going on where an earlier call was interrupted; it is put in place once it is verified."""
    url, md5 = row["url"], row["md5"]
    if not isinstance(url, str):
        raise DecodeError(f"the server named no URL for {row['key']}")
    await run_hop(lambda: target.parent.mkdir(parents=True, exist_ok=True), crew=DISK)
    unchecked = target.with_name(f".{target.name}.unchecked")
    if await run_hop(_take_up, unchecked, target, row, crew=CPU):
        return
    # The URL is signed anew each time, and must not decide whether this is the download that was interrupted.
    description = {"bundle_file": row["key"], "etag": md5}
    source = HttpDownload(url, name=row["key"], headers=_HEADERS, description=description)
    options = TransferOptions(on_progress=on_progress)
    try:
        await download_file(client._hub._opened(), plain_rules(), source, unchecked, options)
    except BaseException:
        await run_to_end(_take_up, unchecked, target, row, crew=CPU)  # cancelled when all of it was here already
        raise
    await run_to_end(_put_in_place, unchecked, target, row, crew=CPU)


def _take_up(unchecked: Path, target: Path, row: Mapping[str, Any]) -> bool:
    """Put in place what had been fetched whole when its call was interrupted; return whether there was such a file."""
    try:
        _put_in_place(unchecked, target, row)
    except (FileNotFoundError, IntegrityError):
        return False
    return True


def _put_in_place(unchecked: Path, target: Path, row: Mapping[str, Any]) -> None:
    try:
        _check(unchecked, row["key"], row["md5"])
    except IntegrityError:
        unchecked.unlink()
        raise
    os.utime(unchecked, (_now_of(unchecked), float(row["mtime"])))
    unchecked.replace(target)
