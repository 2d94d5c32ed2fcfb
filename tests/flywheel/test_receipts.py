"""What comes back for a form is compared with what was sent."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from asyncclient.errors import IntegrityError, SourceChanged
from asyncclient.flywheel import FileSpec
from asyncclient.flywheel._small_files import SMALL_BYTES
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply

SMALL, LARGE = b"hello", bytes(range(256)) * (SMALL_BYTES // 256) + b"end"


class OnlyOnce(io.RawIOBase):
    """A stream that cannot go back."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._rest.readinto(buffer)


def hash_of(content: bytes, kind: str = "sha384") -> str:
    return f"v0-{kind}-{hashlib.new(kind, content).hexdigest()}"


def given(form: str, content: bytes, folder: Path) -> Any:
    if form == "path":
        (folder / "a.bin").write_bytes(content)
        return str(folder / "a.bin")
    return FileSpec("a.bin", {"bytes": content, "file": io.BytesIO(content), "stream": OnlyOnce(content)}[form])


FORMS = [("bytes", SMALL), ("path", SMALL), ("bytes", LARGE), ("path", LARGE), ("file", LARGE), ("stream", LARGE)]
IDS = [f"{form}-{len(content)}" for form, content in FORMS]


@pytest.mark.parametrize(("form", "content"), FORMS, ids=IDS)
def test_another_size_is_an_error(
    drive: Driver, service: FakeService, tmp_path: Path, form: str, content: bytes
) -> None:
    service.play([{"name": "a.bin", "size": len(content) - 1}])
    with pytest.raises(IntegrityError) as caught:
        drive("upload_file_to_project", "pid", given(form, content, tmp_path), signed=False)
    assert (caught.value.path, caught.value.expected) == ("a.bin", f"{len(content)} bytes")
    assert caught.value.actual == f"{len(content) - 1} bytes"
    assert len(service.received) == 1  # nothing is sent again by itself


@pytest.mark.parametrize(("form", "content"), FORMS[:-1], ids=IDS[:-1])
def test_another_digest_is_an_error(
    drive: Driver, service: FakeService, tmp_path: Path, form: str, content: bytes
) -> None:
    service.play([{"name": "a.bin", "size": len(content), "hash": hash_of(b"something else")}])
    with pytest.raises(IntegrityError) as caught:
        drive("upload_file_to_project", "pid", given(form, content, tmp_path), signed=False)
    assert caught.value.expected == f"sha384 {hashlib.sha384(content).hexdigest()}"
    assert caught.value.actual == f"sha384 {hashlib.sha384(b'something else').hexdigest()}"


@pytest.mark.parametrize("kind", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(("form", "content"), FORMS, ids=IDS)
def test_what_is_right_passes(
    drive: Driver, service: FakeService, tmp_path: Path, form: str, content: bytes, kind: str
) -> None:
    service.play([{"name": "a.bin", "size": len(content), "hash": hash_of(content, kind)}])
    (record,) = drive("upload_file_to_project", "pid", given(form, content, tmp_path), signed=False)
    assert record.hash == hash_of(content, kind)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        [{"name": "a.bin"}],
        [{"name": "a.bin", "hash": "v0-md5-abc"}],
        [{"name": "a.bin", "hash": ""}],
        [{"name": "b.bin", "size": 1}, {"name": "c.bin", "size": 2}],
        [{"name": "b.bin", "size": 1}, {"name": "a.bin", "size": len(SMALL)}],
        {"ticket": "T", "urls": {}},
    ],
)
def test_answers_that_say_nothing_of_it_pass(drive: Driver, service: FakeService, answer: Any) -> None:
    service.play(answer)
    drive("upload_file_to_project", "pid", FileSpec("a.bin", SMALL), signed=False)
    assert len(service.received) == 1


def test_the_record_is_found_by_its_name(drive: Driver, service: FakeService) -> None:
    service.play([{"name": "b.bin", "size": len(SMALL)}, {"name": "a.bin", "size": 1}])
    with pytest.raises(IntegrityError, match=r"a\.bin: expected 5 bytes, arrived as 1 bytes"):
        drive("upload_file_to_project", "pid", FileSpec("a.bin", SMALL), signed=False)


def test_one_of_many_files(drive: Driver, service: FakeService) -> None:
    def rule(request: Received) -> Reply:
        return Reply([{"name": "x", "size": 1 if b'filename="3.bin"' in request.body else len(SMALL)}])

    service.play(rule=rule)
    with pytest.raises((IntegrityError, ExceptionGroup)) as caught:
        drive("upload_many", "cid", [FileSpec(f"{number}.bin", SMALL) for number in range(6)], signed=False)
    found = caught.value.exceptions[0] if isinstance(caught.value, ExceptionGroup) else caught.value
    assert isinstance(found, IntegrityError)
    assert found.path == "3.bin"


def test_a_file_that_changes_before_it_is_compared(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    path = given("path", LARGE, tmp_path)

    def rule(request: Received) -> Reply:
        Path(path).write_bytes(LARGE[::-1] + b"more")
        return Reply([{"name": "a.bin", "size": len(LARGE), "hash": hash_of(LARGE)}])

    service.play(rule=rule)
    with pytest.raises(SourceChanged):
        drive("upload_file_to_project", "pid", path, signed=False)
