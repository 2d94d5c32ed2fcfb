from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient._transfers.places import (
    digest_file,
    job_started_s,
    journal_folder,
    new_job_id,
    safe_join,
    state_folder,
)
from asyncclient.errors import ArgumentError

ROOT = Path("/data/here")


@given(name=st.text(alphabet=st.characters(blacklist_categories=("Cs",)), max_size=40), windows=st.booleans())
def test_nothing_leaves_the_folder(name, windows):
    try:
        path = safe_join(ROOT, name, windows=windows)
    except ArgumentError:
        return
    assert path != ROOT
    assert path.is_relative_to(ROOT)
    assert Path(os.path.normpath(path)).is_relative_to(ROOT)
    assert ".." not in path.parts
    if windows:
        assert not set('<>:"|?*\\') & set(str(path.relative_to(ROOT)))
        assert not any(part[-1] in ". " for part in path.relative_to(ROOT).parts)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "/",
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "\\\\host\\share",
        "\\x",
        "C:",
        "C:/x",
        "c:\\x",
        "a\0b",
        "..\\x",
        "a\\..\\x",
    ],
)
@pytest.mark.parametrize("windows", [True, False])
def test_what_is_refused_everywhere(name, windows):
    with pytest.raises(ArgumentError):
        safe_join(ROOT, name, windows=windows)


@pytest.mark.parametrize(
    ("name", "posix", "windows"),
    [
        ("a/b.dcm", "a/b.dcm", "a/b.dcm"),
        ("./a//b/", "a/b", "a/b"),
        ("Größe/é.tif", "Größe/é.tif", "Größe/é.tif"),
        ("e\u0301", "e\u0301", "e\u0301"),
        ("2020-01-01T10:00.jpg", "2020-01-01T10:00.jpg", "2020-01-01T10%3A00.jpg"),
        ("C:notes", "C:notes", None),
        ("a\\b", "a\\b", "a/b"),
        ("con", "con", "con_"),
        ("CON.tar.gz", "CON.tar.gz", "CON_.tar.gz"),
        ("com1 .txt", "com1 .txt", "com1 _.txt"),
        ("console", "console", "console"),
        ("end.", "end.", "end%2E"),
        ("end ", "end ", "end%20"),
        ("...", "...", "..%2E"),
        ("tab\t", "tab\t", "tab%09"),
    ],
)
def test_names(name, posix, windows):
    assert safe_join(ROOT, name, windows=False) == ROOT / posix
    if windows is None:
        with pytest.raises(ArgumentError):
            safe_join(ROOT, name, windows=True)
    else:
        assert safe_join(ROOT, name, windows=True) == ROOT.joinpath(*windows.split("/"))


def test_job_ids_are_uuids_that_tell_the_time():
    job_id = new_job_id()
    found = uuid.UUID(job_id)
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert abs(job_started_s(job_id) - time.time()) < 60
    assert new_job_id() != job_id
    assert job_started_s("x") is None
    assert job_started_s("g" * 12 + "7" + "0" * 19) is None


def test_where_state_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path))
    assert journal_folder() == tmp_path / "journal"
    assert journal_folder(tmp_path / "other") == tmp_path / "other"
    assert digest_file() == tmp_path / "digests.jsonl"
    assert state_folder(tmp_path / "more") == tmp_path / "more"
    monkeypatch.delenv("ASYNCCLIENT_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder().name == "asyncclient"
