"""What must be refused, and before anything is sent."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from asyncclient.errors import ArgumentError, ArgumentTypeError, DecodeError
from asyncclient.flywheel import ApiException, FileSpec
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Reply


@pytest.mark.parametrize(
    ("method", "arguments", "keywords", "error"),
    [
        ("get_project", (["a"],), {}, ArgumentTypeError),
        ("get_project", (True,), {}, ArgumentTypeError),
        ("get_project", ("a\0b",), {}, ArgumentError),
        ("get_project", ("\ud800",), {}, ArgumentError),
        ("add_project", (["not", "an", "object"],), {}, ArgumentTypeError),
        ("add_project", ({"x": object()},), {}, ArgumentTypeError),
        ("add_project", ({"x": float("nan")},), {}, ArgumentError),
        ("add_project_tags", ("pid", "tag"), {}, ArgumentTypeError),
        ("get_all_projects", (), {"limit": "many"}, ArgumentTypeError),
        ("get_all_projects", (), {"filter": {"a": 1}}, ArgumentTypeError),
        ("upload_file_to_project", ("pid", None), {}, ArgumentError),
        ("upload_file_to_project", ("pid", io.BytesIO(b"x")), {}, ArgumentTypeError),
        ("upload_file_to_project", ("pid", FileSpec("x", 7)), {}, ArgumentTypeError),
        ("upload_file_to_project", ("pid", FileSpec("x", io.StringIO("x"))), {}, ArgumentTypeError),
        ("upload_file_to_project", ("pid", FileSpec("..", b"x")), {}, ArgumentError),
        ("upload_file_to_project", ("pid", FileSpec("x\0y", b"x")), {}, ArgumentError),
        ("upload_file_to_project", ("pid", FileSpec("x", b"x")), {"metadata": 3}, ArgumentTypeError),
        ("upload_file_to_project", ("pid", FileSpec("x", b"x")), {"metadata": [{}, {}]}, ArgumentError),
        ("upload_file_to_project", ("", FileSpec("x", b"x")), {}, ArgumentError),
        ("download_file_from_project", ("p", "f", None), {}, ArgumentTypeError),
        ("download_file_from_project", ("p", "f", ""), {}, ArgumentError),
        ("download_file_from_project", ("p", "..", "x"), {}, ArgumentError),
        ("get_project", ("p",), {"async_": True}, ArgumentTypeError),
    ],
)
def test_refused_before_anything_is_sent(
    drive: Driver, service: FakeService, method: str, arguments: Any, keywords: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        drive(method, *arguments, **keywords)
    assert not service.received


def test_a_path_that_does_not_exist(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        drive("upload_file_to_project", "pid", str(tmp_path / "gone"), signed=False)
    assert not service.received


def test_answers_that_are_none(drive: Driver, service: FakeService) -> None:
    service.play(Reply(body=b""), Reply(body=b"<html>"), {"_id": "p", "created": "no date"}, {"other": 1})
    for _ in range(3):
        with pytest.raises(DecodeError, match=r"get_project|ProjectOutput|JSON|body"):
            drive("get_project", "p")
    with pytest.raises(DecodeError, match="_id"):
        drive("add_project", {"label": "x"})


def test_a_lying_length(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    from asyncclient.errors import AsyncClientError

    service.play(rule=lambda request: Reply(body=b"short", length=10**12))
    with pytest.raises((AsyncClientError, OSError)):  # the disk may say first that it has no room for that
        drive("download_file_from_project", "p", "f", str(tmp_path / "f"))
    assert not list(tmp_path.iterdir())


def test_a_member_that_does_not_exist(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    service.play(Reply({"message": "no such member"}, 400))
    with pytest.raises(ApiException, match="no such member"):
        drive("download_file_from_project", "p", "z.zip", str(tmp_path / "f"), member="gone")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ['a"b.txt', "a\nb.txt", "a\rb.txt", "ü/x.txt", "日本.txt"])
def test_names_of_files(drive: Driver, service: FakeService, name: str) -> None:
    drive("upload_file_to_project", "pid", FileSpec(name, b"x"), signed=False)
    escaped = name.replace('"', "%22").replace("\n", "%0A").replace("\r", "%0D")
    assert f'filename="{escaped}"\r\n'.encode() in service.received[0].body


@pytest.mark.parametrize(
    ("method", "arguments", "keywords", "message"),
    [
        ("upload_many", ("cid", "a.bin"), {}, "files must be several"),
        ("upload_many", ("cid", b"a.bin"), {}, "files must be several"),
        ("upload_many", ("cid", Path("a.bin")), {}, "files must be several"),
        ("upload_many", ("cid", FileSpec("a.bin", b"x")), {}, "files must be several"),
        ("upload_many", ("cid", 5), {}, "files must be several"),
        ("upload_many", ("cid", [FileSpec("a.bin", b"x")]), {"sined": False}, "'sined'; did you mean 'signed'"),
        ("upload_file_to_project", ("p", FileSpec("a", b"")), {"metdata": {}}, "'metdata'; did you mean 'metadata'"),
        ("download_many", ("cid", "a.bin", "folder"), {}, "names must be several"),
        ("download_many", ("cid", 5, "folder"), {}, "names must be several"),
        ("download_tar", ([], "x.tar"), {"include_types": "nifti"}, "include_types must be a list"),
        ("download_zip", ([], "x.zip"), {"exclude_types": "nifti"}, "exclude_types must be a list"),
        ("lookup", (5,), {}, "path must be text"),
        ("resolve", (None,), {}, "path must be text"),
        ("resolve", (["a", 5],), {}, "path must be text"),
    ],
)
def test_errors_say_what_was_meant(
    drive: Driver, service: FakeService, method: str, arguments: Any, keywords: Any, message: str
) -> None:
    with pytest.raises(ArgumentTypeError, match=message):
        drive(method, *arguments, **keywords)
    assert not service.received


def test_an_unknown_option_of_a_view(drive: Driver) -> None:
    with pytest.raises(ArgumentTypeError, match=r"View\(\) has no argument 'colums'; did you mean 'columns'"):
        drive.client.View(colums=["subject.label"])
