"""What the tests of the engine share: a pipeline with quick retries, targets at the storage server, content."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asyncclient._failure import error_of
from asyncclient._net.pool import Pool
from asyncclient._pipeline import Pipeline, Rules
from asyncclient._scheduler import Scheduler
from asyncclient._transfers.options import Stall, TransferOptions
from asyncclient._transfers.plan import MIB
from asyncclient._transfers.target import PartRules
from asyncclient._transfers.targets_parts import S3Parts
from asyncclient._transfers.targets_session import ResumableSession, google_begin
from asyncclient.types import Limits, RetryPolicy, Timeouts

UNIT = 256 * 1024
QUICK = RetryPolicy(max_retries=3, base_transport_s=0.001, base_server_s=0.001, base_throttle_s=0.001)


@contextlib.asynccontextmanager
async def pipeline(limits: Limits | None = None) -> AsyncIterator[Pipeline]:
    limits = limits or Limits()
    made = Pipeline(Pool(max_connections=limits.max_connections), Scheduler(limits))
    try:
        yield made
    finally:
        await made.aclose()


def rules(service: str = "test", policy: RetryPolicy = QUICK) -> Rules:
    return Rules(
        service=service,
        error=lambda request, answer: error_of(request, answer, now=time.time()),
        auth=None,
        auth_origins=lambda _: False,
        timeouts=Timeouts(connect=5, read=20, write=20, total=60),
        policy=policy,
    )


def options(folder: Path, **changes: Any) -> TransferOptions:
    given: dict[str, Any] = {
        "journal_folder": folder,
        "fsync": "none",
        "max_retries": 3,
        "threshold_bytes": 64 * 1024,
        "stall": Stall(idle_s=5),
    }
    return TransferOptions(**(given | changes))


def content(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def session_target(url: str, *, name: str = "file", secret: bool = False, **given: Any) -> ResumableSession:
    begin = f"{url}/begin?" + urlencode({"name": name} | ({"secret": "1"} if secret else {}))
    given.setdefault("description", {"kind": "session", "name": name})
    return ResumableSession(google_begin(begin), **given)


def parts_target(url: str, *, name: str = "file", **given: Any) -> S3Parts:
    async def sign(operation: str, parameters: Mapping[str, Any]) -> str:
        names = {"UploadId": "uploadId", "PartNumber": "partNumber", "PartNumberMarker": "part-number-marker"}
        query = {names[key]: value for key, value in parameters.items()}
        if operation == "create_multipart_upload":
            query = {"uploads": ""}
        return f"{url}/mp/{name}?{urlencode(query)}"

    given.setdefault("rules", PartRules(min_part=UNIT, max_part=64 * MIB))
    given.setdefault("description", {"kind": "parts", "name": name})
    return S3Parts(sign, **given)


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def left_over(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))
