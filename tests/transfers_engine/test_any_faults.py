"""Whatever a service does wrong, in whatever order: the right bytes or a clear error, and the next call puts it right."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncclient._transfers.options import TransferOptions
from asyncclient._transfers.targets_download import HttpDownload
from asyncclient._transfers.transfers import download_file, upload_file
from asyncclient.errors import AsyncClientError
from tests.support.storage_server import Answer, Asked, StorageServer
from tests.transfers_engine import support
from tests.transfers_engine.support import UNIT, content, left_over, options, parts_target, rules, session_target

DATA: Final = content(4 * UNIT + 1000)
OTHER: Final = content(4 * UNIT + 1000, seed=2)
MD5: Final = hashlib.md5(DATA).hexdigest()

ANY = st.one_of(
    st.sampled_from(
        [
            "well",
            "well",
            "well",
            "500",
            "503",
            "429",
            "400",
            "404",
            "410",
            "412",
            "416",
            "empty",
            "twice",
            "half",
            "lost",
        ]
    ),
    st.integers(0, UNIT).map(lambda count: f"cut {count}"),
)
UPLOADS = st.one_of(
    ANY,
    st.sampled_from(
        ["308 bytes=0-0", "308 bytes=0-262143", "308 bytes=0-9999999", "308 bytes=9-5", "308", "200", "gone"]
    ),
)
DOWNLOADS = st.one_of(
    ANY, st.sampled_from(["206 bytes 0-9/10", "206 bytes 1-2/*", "200", "etag", "shorter", "changed"])
)
HONEST = st.one_of(
    st.integers(0, UNIT).map(lambda count: f"cut {count}"),
    st.sampled_from(
        ["well", "500", "503", "429", "400", "404", "etag", "changed", "206 bytes 0-9/10", "206 bytes 1-2/*"]
    ),
)
SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def apply(fault: str, server: StorageServer, asked: Asked, answer: Answer) -> Answer | None:
    """Return what is answered instead, if anything."""
    word, _, rest = fault.partition(" ")
    data, headers = answer.body, answer.headers
    if word == "cut":
        return Answer(answer.status, data, headers, cut=min(int(rest), len(data)))
    if word == "308":
        return Answer(308, b"", {"Range": rest} if rest else {})
    if word == "206":
        return Answer(206, data, headers | {"Content-Range": rest})
    if word == "gone":
        server.sessions.clear()
        server.uploads.clear()
        return Answer(404)
    if word == "changed":
        server.put("file", OTHER)
        return Answer(answer.status, data, headers)
    made = {
        "empty": Answer(answer.status, b"", headers),
        "twice": Answer(answer.status, data + data, headers),
        "half": Answer(answer.status, data[: len(data) // 2], headers),
        "lost": Answer(answer.status, data, {}),
        "etag": Answer(answer.status, data, headers | {"ETag": '"another"'}),
        "shorter": Answer(answer.status, data[:-1], headers, length=False),
    }
    return made.get(word) or (Answer(int(word), data) if word.isdecimal() else None)


def misbehaving(server: StorageServer, faults: Sequence[str]) -> None:
    left = list(faults)

    def fault(asked: Asked, answer: Answer) -> Answer | None:
        return apply(left.pop(0), server, asked, answer) if left else None

    server.faults.append(fault)


def chosen(folder: Path, **changes: Any) -> TransferOptions:
    return options(folder / "journal", part_size=UNIT, **changes)


@pytest.mark.parametrize("kind", ["session", "parts"])
@SETTINGS
@given(faults=st.lists(UPLOADS, max_size=12), parallel=st.integers(1, 3))
def test_uploads(kind: str, faults: list[str], parallel: int) -> None:
    make = session_target if kind == "session" else parts_target

    async def run(folder: Path) -> None:
        path = folder / "data"
        path.write_bytes(DATA)
        async with StorageServer() as server, support.pipeline() as sends, asyncio.timeout(60):
            misbehaving(server, faults)
            chosen_options = chosen(folder, parallel=parallel)
            try:
                found = await upload_file(sends, rules(), path, make(str(server.origin)), chosen_options)
            except AsyncClientError:
                pass
            else:
                assert found.size == len(DATA)
                if "200" not in faults:  # a service that says it has what it has not is believed
                    assert server.objects["file"] == DATA
            server.faults.clear()
            server.objects.clear()
            again = await upload_file(sends, rules(), path, make(str(server.origin)), chosen_options)
            assert again.size == len(DATA)
            assert server.objects.get("file", DATA) == DATA
            assert sends.scheduler.statistics().in_flight == 0
            assert sends.scheduler.budget.in_use_bytes == 0

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(Path(name)))


async def fetch_twice(folder: Path, faults: Sequence[str], changes: dict[str, Any]) -> None:
    out = folder / "out"
    async with StorageServer() as server, support.pipeline() as sends, asyncio.timeout(60):
        server.put("file", DATA)
        misbehaving(server, faults)
        made = chosen(folder, **changes)
        source = HttpDownload(server.url("/o/file"), name="file", description={"name": "file"})
        try:
            await download_file(sends, rules(), source, out, made)
        except AsyncClientError:
            assert not out.exists()
        else:
            assert out.read_bytes() == DATA
        server.faults.clear()
        server.put("file", DATA)
        await download_file(sends, rules(), source, out, made)
        assert out.read_bytes() == DATA
        assert left_over(folder) == []
        assert sends.scheduler.statistics().in_flight == 0
        assert sends.scheduler.budget.in_use_bytes == 0


@SETTINGS
@given(faults=st.lists(DOWNLOADS, max_size=12), parallel=st.integers(1, 3))
def test_downloads_whose_digest_is_known(faults: list[str], parallel: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(fetch_twice(Path(name), faults, {"parallel": parallel, "expected_md5": MD5}))


@SETTINGS
@given(faults=st.lists(HONEST, max_size=12), parallel=st.integers(1, 3))
def test_downloads_with_an_etag(faults: list[str], parallel: int) -> None:
    """Without a digest, a service must at least not contradict itself for what it says to be believed."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(fetch_twice(Path(name), faults, {"parallel": parallel}))
