"""The examples of the documents run as they are printed."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

from asyncclient.sticky_pi import RemoteClient
from tests.sticky_pi.pictures import jpeg, series
from tests.sticky_pi.serving import ADMIN, serving

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def run(name: str, *arguments: object) -> list[str]:
    environment = {**os.environ, "STICKY_PI_USERNAME": ADMIN[0], "STICKY_PI_PASSWORD": ADMIN[1]}
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_card(tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    series(card, "0a5bb6f4", 2, start=dt.datetime(2022, 5, 17))
    (card / "holiday.jpg").write_bytes(jpeg())
    left_out, counted = "left out holiday.jpg InvalidImageName", "2 images of 2022"
    assert run("sticky_pi_card.py", card, tmp_path / "store") == [
        "stored 0a5bb6f4 2022-05-17 00:00:00",
        "stored 0a5bb6f4 2022-05-17 00:20:00",
        left_out,
        counted,
    ]
    assert run("sticky_pi_card.py", card, tmp_path / "store") == [left_out, counted]


def test_annotations(tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    files = series(tmp_path / "card", "0a5bb6f4", 10, start=dt.datetime(2022, 5, 17))
    with serving(tmp_path / "server") as server:
        with RemoteClient(tmp_path / "client", server.url, *ADMIN) as client:
            client.put_images(files)
        lines = run("sticky_pi_annotate.py", tmp_path / "client", server.url)
    assert lines == ["annotated 8", "annotated 2", "10 objects in 10 images"]
