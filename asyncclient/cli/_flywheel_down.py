"""Plans of downloads: which file of the service goes to which local path."""

from __future__ import annotations

import asyncio
import functools
import os
from pathlib import Path

from asyncclient.cli._errors import Problem
from asyncclient.cli._flywheel_paths import Filter, safe_name, shown
from asyncclient.cli._flywheel_plan import Copy, Plan, Report, same_as
from asyncclient.cli._flywheel_run import Session
from asyncclient.cli._flywheel_tree import LEVELS, RemoteFile, files_below, find

__all__ = ["plan_download"]


async def plan_download(
    session: Session, source: tuple[str, ...], target: str, wanted: Filter, *, recursive: bool
) -> Plan:
    """Plan the download of a file, or of everything in a container.

    Args:
        session: Of the user.
        source: Path at the service.
        target: Local path: a folder that exists, or that ends in a slash, receives a file under its own name.
        wanted: Which files.
        recursive: Whether ``source`` may be a container.

    Raises:
        Problem: It may not, and is one; or it is something that has no files, or a file that is not wanted.
    """
    node = await find(session, source)
    if node.kind == "file":
        wanted.check(source[-1], str(node.record.name), node.record.type)
        return Plan([_copy(RemoteFile(source, (), node.record), _file_path(target, str(node.record.name)))])
    if not recursive:
        raise Problem(f"{shown(source)}: is no file; --recursive copies everything in it")
    if node.kind not in (*LEVELS, "analysis"):
        raise Problem(f"{shown(source)}: name a group, or something in one")
    folder = Path(target)
    if await asyncio.to_thread(_is_file, folder):
        raise Problem(f"{target}: is a file; give a folder")
    files = await files_below(session, node, wanted)
    return Plan([_copy(file, folder.joinpath(*file.place)) for file in files])


def _is_file(path: Path) -> bool:
    return path.exists() and not path.is_dir()


def _file_path(target: str, name: str) -> Path:
    into = target.endswith(("/", os.sep)) or Path(target).is_dir()
    return Path(target) / safe_name(name) if into else Path(target)


def _copy(file: RemoteFile, path: Path) -> Copy:
    return Copy(
        shown(file.steps),
        str(path),
        file.size_bytes,
        functools.partial(_fetch, file, path),
        functools.partial(same_as, path, file.record),
    )


async def _fetch(file: RemoteFile, path: Path, report: Report) -> None:
    await file.record.download(path, on_progress=report)
