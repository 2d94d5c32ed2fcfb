"""Bars for ``on_progress=``, with tqdm or rich; both come with the extra ``progress``."""

from __future__ import annotations

from asyncclient._transfers.progress import rich_progress, tqdm_progress

__all__ = ["rich_progress", "tqdm_progress"]
