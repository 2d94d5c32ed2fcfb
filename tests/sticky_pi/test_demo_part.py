"""The part of the demo that stores images."""

from __future__ import annotations

from pathlib import Path

from asyncclient.cli import _demo_sticky_pi
from asyncclient.cli._progress import make_progress
from asyncclient.cli._report import Outcome
from asyncclient.cli._round_trip import Trip
from asyncclient.sticky_pi import image_parser


def test_images_are_stored_once_and_come_back(tmp_path: Path) -> None:
    outcome = Outcome("samples")
    with make_progress() as progress:
        _demo_sticky_pi.run(Trip(tmp_path, progress, outcome), tmp_path, small=True)
    assert outcome.ok, outcome.problems
    assert [stage.files for stage in outcome.stages] == [8, 8, 8]


def test_its_images_are_the_same_at_every_call(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append([path.read_bytes() for path in _demo_sticky_pi.make_images(tmp_path / name, small=True)])
    assert made[0] == made[1]
    assert image_parser.ImageParser(str(next((tmp_path / "a").iterdir())))["temp"] == 20.5
