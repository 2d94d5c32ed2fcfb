"""A process of its own that moves one file, to be killed in the middle."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file, upload_file
from tests.transfers_engine.support import UNIT, options, parts_target, pipeline, rules, session_target


async def main(kind: str, base: str, path: str, folder: str, extra: str = "{}") -> None:
    given = options(Path(folder), part_size=UNIT, **json.loads(extra))
    async with pipeline() as sends:
        if kind == "download":
            target = HttpDownload(f"{base}/o/file", name="file", description={"name": "file"})
            found: object = await download_file(sends, rules(), target, path, given)
        else:
            made = parts_target(base) if kind == "parts" else session_target(base)
            found = await upload_file(sends, rules(), path, made, given)
    print(found.resumed_bytes, flush=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
