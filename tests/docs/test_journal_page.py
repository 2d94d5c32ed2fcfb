"""The journal that the page about journals prints is one, and is like those that are written now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from asyncclient import _codec
from asyncclient._transfers.lines import decode_line
from asyncclient._transfers.records import Job, Lease, Record
from asyncclient._transfers.replay import replay
from asyncclient.testing import Server
from tests.docs.conftest import EXAMPLES, RunExample
from tests.docs.test_tutorial import killed_at

SAMPLE = EXAMPLES / "journal" / "sample.journal"


def keys(data: bytes) -> dict[str, set[str]]:
    """Return the keys of each kind of line."""
    found: dict[str, set[str]] = {}
    for line in data.splitlines():
        value: Any = _codec.decode_json(line[9:])
        found.setdefault(value["t"], set()).update(value, value.get("opts", ()))
    return found


def test_the_sample_is_a_journal() -> None:
    data = SAMPLE.read_bytes()
    records = [decode_line(line) for line in data.splitlines()]
    assert all(isinstance(record, Record) for record in records)
    assert isinstance(records[0], Job)
    assert isinstance(records[1], Lease)
    state = replay(data)
    assert (state.readable, state.dropped_bytes, state.unknown) == (True, 0, 0)
    assert sorted(state.files[0].parts) == [0, 1, 2, 3, 4]
    assert state.files[0].proven == {0, 2}  # above the line that says so


def test_a_journal_of_now_is_like_the_sample(play: Path, run_example: RunExample, platform: Server) -> None:
    run_example("tutorial/samples.py")
    data_id = run_example("tutorial/put_video.py").strip()
    killed_at(30, [sys.executable, str(EXAMPLES / "tutorial/get_video.py"), data_id])
    (journal,) = (play.parent / "state" / "journal").iterdir()

    now, sample = keys(journal.read_bytes()), keys(SAMPLE.read_bytes())

    assert {"job", "lease", "file", "part"} <= now.keys() <= sample.keys()
    assert {kind: sample[kind] for kind in now} == now
    secret = platform.credentials()["private_key"].encode()
    assert secret not in journal.read_bytes()


def test_the_page_explains_every_kind_and_key() -> None:
    page = (EXAMPLES.parent / "understand" / "journal.md").read_text("utf-8")
    for kind, names in keys(SAMPLE.read_bytes()).items():
        for name in {kind, *names} - {"t"}:
            assert f"`{name}`" in page, name


def test_kinds_on_the_page_are_those_of_the_format() -> None:
    page = (EXAMPLES.parent / "understand" / "journal.md").read_text("utf-8")
    for kind in Record.__subclasses__():
        assert f"`{kind.kind}`" in page
