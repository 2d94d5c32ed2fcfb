"""The part of the demo that stores images: at a server, and in the embedded API."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncclient.cli import _demo_sticky_pi
from asyncclient.cli._demo_record import Part
from asyncclient.cli._demo_servers import ChildServer
from asyncclient.cli._demo_sticky_pi import Traps, configuration, make_images
from asyncclient.sticky_pi import image_parser
from tests.cli.demo_parts import done

SIZE = (324, 243)
STEPS = ["upload", "upload again", "annotate", "read back", "embedded", "embedded again", "embedded, annotate"]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "traps").mkdir()
    return make_images(tmp_path / "traps", 8, SIZE)


async def work(part: Part, tmp_path: Path, files: list[Path]) -> None:
    (tmp_path / "client").mkdir()
    server = ChildServer("sticky_pi", configuration(tmp_path / "server")).start()
    try:
        make = lambda hub: Traps(part, hub, server.credentials(), files, tmp_path / "client")  # noqa: E731
        assert await done(part, server.url, make) == []  # no projects
    finally:
        server.close()


@pytest.mark.anyio
async def test_images_are_stored_once_and_come_back(tmp_path: Path, files: list[Path]) -> None:
    part = Part("sticky_pi", "Sticky Pi")
    await work(part, tmp_path, files)
    assert part.problems == []
    assert [step.name for step in part.steps] == STEPS
    assert [step.files for step in part.steps] == [8, 0, 8, 8, 8, 0, 8]
    size = sum(path.stat().st_size for path in files)
    assert (part.files, part.verified_bytes) == (8, size)
    assert size <= part.traffic.up < 2 * size  # once, though they were put twice
    assert part.notes == ["8 of the images also went into the embedded API, without a server."]


@pytest.mark.anyio
async def test_an_image_that_comes_back_different(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part("sticky_pi", "Sticky Pi")
    upload = Traps._store

    async def store_and_change(traps: Traps, client: object, some: list[Path], name: str) -> None:
        await upload(traps, client, some, name)  # type: ignore[arg-type]  # handed on
        if name == "upload":
            whole = some[3].read_bytes()
            some[3].write_bytes(whole[:-2] + b"\0" + whole[-2:])  # still an image, but another file

    monkeypatch.setattr(Traps, "_store", store_and_change)
    await work(part, tmp_path, files)
    assert part.problems[0].endswith(": came back different")
    assert part.files == 7


def test_its_images_are_the_same_at_every_call(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append([path.read_bytes() for path in make_images(tmp_path / name, 8, SIZE)])
    assert made[0] == made[1]
    assert image_parser.ImageParser(str(next((tmp_path / "a").iterdir())))["temp"] == 20.5


def test_a_server_has_secrets_of_its_own(tmp_path: Path) -> None:
    first, second = (configuration(tmp_path) for _ in range(2))
    assert first["SECRET_API_KEY"] != second["SECRET_API_KEY"]
    assert first["API_ADMIN_PASSWORD"] != second["API_ADMIN_PASSWORD"]


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _demo_sticky_pi.missing() is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert _demo_sticky_pi.missing() == "PIL, sqlalchemy, aiosqlite, argon2, itsdangerous"
