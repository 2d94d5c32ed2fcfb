"""A real session of work against the emulator: make, fill, find, change, view, fetch, delete."""

from __future__ import annotations

import io
import os
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient.testing import Server
from tests.flywheel.conftest import Driver


@pytest.fixture(params=["async", "sync"])
def site(request: pytest.FixtureRequest, asyncclient_flywheel: Server) -> Iterator[Driver]:
    driver = Driver(request.param, asyncclient_flywheel.credentials()["api_key"])
    yield driver
    driver.close()


def files_in(folder: Path) -> dict[str, bytes]:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a/b.txt", "inside")
    found = {"small.txt": b"hello", "z.zip": held.getvalue(), "big.bin": os.urandom(9 * 1024 * 1024)}
    for name, content in found.items():
        (folder / name).write_bytes(content)
    return found


def make_tree(site: Driver) -> tuple[Any, Any]:
    site("add_group", flywheel.models.GroupInput(id="lab", label="The lab"))
    project = site.done(site("get_group", "lab").add_project(label="Study"))
    subject = site.done(project.add_subject(code="s1", label="s1"))
    session = site.done(subject.add_session(label="visit"))
    return project, site.done(session.add_acquisition(label="T1"))


def test_a_session_of_work(site: Driver, tmp_path: Path) -> None:
    contents = files_in(tmp_path)
    project, acquisition = make_tree(site)
    for name, content in contents.items():
        (record,) = site.done(acquisition.upload_file(str(tmp_path / name)))
        assert record.size == len(content)
    acquisition = site.done(acquisition.reload())
    assert sorted(file.name for file in acquisition.files) == sorted(contents)
    for file in acquisition.files:
        site.done(file.download(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == contents[file.name]
    (archive,) = (file for file in acquisition.files if file.name == "z.zip")
    assert site.done(archive.read_zip_member("a/b.txt")) == b"inside"
    assert [member.path for member in site.done(archive.get_zip_info()).members] == ["a/b.txt"]
    with pytest.raises(flywheel.ApiException):
        site.done(archive.read_zip_member("gone"))
    with urllib.request.urlopen(site.done(archive.url)) as answer:
        assert answer.read() == contents["z.zip"]
    reader = archive.open_reader()
    reader.seek(-22, io.SEEK_END)
    assert site.done(reader.read(4)) == b"PK\x05\x06"

    assert [found.id for found in site.done(site.client.projects.find("label=Study"))] == [project.id]
    assert site("lookup", "lab/Study/s1/visit/T1").id == acquisition.id
    site.done(archive.add_tag("checked"))
    assert site.done(archive.reload()).tags == ["checked"]
    site.done(project.update_info(a=1))
    site.done(project.add_note("fine"))
    project = site.done(project.reload())
    assert (project.info, project.notes[0].text) == ({"a": 1}, "fine")

    view = site.client.View(columns=["project.label", "session.label"])
    rows = site("read_view_data", view, project.id, format="csv").read()
    assert "Study" in rows
    assert "visit" in rows
    ticket = site.done(project.download_tar(tmp_path / "all.tar"))
    assert ticket.file_cnt == 3
    assert (tmp_path / "all.tar").stat().st_size > sum(map(len, contents.values()))

    site.done(acquisition.delete_file("small.txt"))
    assert site("delete_project", project.id).deleted == 1
    with pytest.raises(flywheel.ApiException) as caught:
        site.done(project.reload())
    assert caught.value.status == 404
