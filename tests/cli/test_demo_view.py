"""The View of the demo: killed, gone on with, compared; and what is said when something is wrong."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy", reason="the View needs the extra lfview")

from asyncclient import testing
from asyncclient.cli import _demo, _demo_lfview
from asyncclient.cli._demo_view import contents_of, make_view
from asyncclient.cli._progress import make_progress
from asyncclient.cli._report import Outcome, Resumption, Stage, print_report
from asyncclient.cli._round_trip import Trip
from asyncclient.testing import Server

Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    return Trip(tmp_path, make_progress(), Outcome("samples"))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """The emulators that the demo starts, to be told what to do wrong."""
    made: list[Server] = []
    serve = testing.serve

    def record(name: str, **options: Any) -> Server:
        made.append(serve(name, **options))
        return made[-1]

    monkeypatch.setattr(testing, "serve", record)
    return made


def test_killed_and_resumed_as_users_see_it(start: Start, temporary: Path) -> None:
    child = start("demo", "--size", "small", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=90)
    assert child.returncode == 0, err
    result = json.loads(out)
    assert result["problems"] == []
    killed, resumed, read = result["stages"][5:8]
    assert [killed["name"], resumed["name"], read["name"]] == [
        "View: upload, killed",
        "View: upload, resumed",
        "View: read, compare",
    ]
    contents = contents_of(make_view(small=True))
    assert resumed["files"] == read["files"] == len(contents)
    assert read["bytes"] == sum(map(len, contents.values()))
    found = result["resumption"]
    assert killed["bytes"] == found["before_bytes"] >= found["total_bytes"] // 2
    assert resumed["bytes"] == found["sent_later_bytes"] < found["total_bytes"]
    assert found["saved_bytes"] > 0
    assert found["saved_parts"] > 0
    assert found["saved_bytes"] + found["sent_later_bytes"] == found["total_bytes"]
    assert found["saved_bytes"] + found["sent_twice_bytes"] == found["before_bytes"]
    assert list(temporary.iterdir()) == []


def test_the_same_view_in_every_process() -> None:
    first, second = (contents_of(make_view(small=True)) for _ in range(2))
    assert first == second
    assert {name.partition(": ")[2] for name in first} == {"vertices", "triangles", "grades", "colours", "photograph"}


def test_the_texture_is_a_png_that_others_read() -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    content = contents_of(make_view(small=True))["Hill: photograph"]
    with image.open(io.BytesIO(content)) as found:
        found.load()
        assert (found.format, found.mode, found.size) == ("PNG", "RGB", (300, 300))


def test_an_upload_that_is_refused(trip: Trip, tmp_path: Path, served: list[Server], monkeypatch: Any) -> None:
    def refuse(demo: Any, order: Any) -> str | None:
        served[0].state.fail_next(400, times=None, method="POST", path="/api/v1/project/*")
        return whole(demo, {**order, "part_bytes": 64 * 262_144})

    whole = _demo_lfview._Demo.upload_the_rest
    monkeypatch.setattr(_demo_lfview._Demo, "upload_the_rest", refuse)
    _demo_lfview.run(trip, tmp_path, small=True)
    (problem,) = trip.outcome.problems
    assert problem.startswith("the upload could not be resumed: BadRequest: ")
    assert [stage.name for stage in trip.outcome.stages] == ["View: upload, killed", "View: upload, resumed"]
    assert trip.outcome.stages[1].files == 0


def test_an_upload_that_ends_too_early(trip: Trip, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(_demo_lfview._Demo, "_half_arrived", lambda demo, child: child.wait() and False)
    _demo_lfview.run(trip, tmp_path, small=True)
    assert trip.outcome.problems == ["the upload ended before it was killed"]
    assert trip.outcome.resumption is not None
    assert trip.outcome.resumption.before_bytes >= trip.outcome.resumption.total_bytes


def test_content_that_comes_back_different(trip: Trip, tmp_path: Path, monkeypatch: Any) -> None:
    made = contents_of

    def other(view: Any) -> dict[str, bytes]:
        found = made(view)
        return found | {"Hill: vertices": b""} if view.url is not None else found

    monkeypatch.setattr(_demo_lfview, "contents_of", other)
    _demo_lfview.run(trip, tmp_path, small=True)
    assert trip.outcome.problems == ["the View: Hill: vertices came back different"]
    assert trip.outcome.stages[-1].files == 7


def test_without_numpy(trip: Trip, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    _demo._move_view(trip, tmp_path, small=True)
    assert trip.outcome.ok
    print_report(trip.outcome, as_json=False)
    said = capsys.readouterr().out
    assert "LF View was left out: it needs pip install 'asyncclient[lfview]'" in said
    assert "files came back the same" in said


def test_the_report_tells_the_story(capsys: pytest.CaptureFixture[str]) -> None:
    found = Resumption(10_000_000, 40, 6_000_000, 24, 5_000_000, 20)
    print_report(Outcome("files", [Stage("upload", 3)], resumption=found), as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "was killed after 6.0 of 10.0 MB (24 of 40 parts)" in said
    assert "5.0 MB (20 parts) were not sent again, 1.0 MB (4 parts) were." in said
    assert said.endswith("All 3 files and the View came back the same, byte for byte.")
