"""Digests of local files, for comparing them with what a service reports."""

import asyncio
import sys
from pathlib import Path


async def main(folder: Path) -> None:
    # --8<-- [start:digests]
    import asyncclient

    async for path, digest in asyncclient.md5_many(sorted(folder.glob("*.dcm"))):
        print(path.name, digest)

    scan = folder / "scan.dcm"
    etag = await asyncclient.multipart_etag(scan, 8 * 1024 * 1024)  # or what a store reports
    part_size = asyncclient.infer_part_size(scan.stat().st_size, etag)
    if part_size is not None:  # else the etag is not made of md5s
        print(part_size, await asyncclient.multipart_etag(scan, part_size) == etag)
    # --8<-- [end:digests]


asyncio.run(main(Path(sys.argv[1])))
