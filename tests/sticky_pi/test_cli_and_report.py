"""The commands, and the report as a browser shows it."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from asyncclient.cli import main
from asyncclient.cli._sticky_pi_api import GROUPS
from asyncclient.cli._sticky_pi_page import Device, Shot, bins_of, page, shots_of
from asyncclient.cli._sticky_pi_report import chosen
from asyncclient.sticky_pi import LocalClient
from asyncclient.sticky_pi._operations import AsyncOperations
from tests.sticky_pi.pictures import jpeg, series
from tests.sticky_pi.serving import ADMIN, serving
from tests.support.processes import require

WHEN = dt.datetime(2022, 5, 17, 18)
CONTOUR = [[[8, 8]], [[40, 8]], [[40, 40]], [[8, 40]]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STICKY_PI_HOST", "STICKY_PI_USERNAME", "STICKY_PI_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STICKY_PI_LOCAL_DIR", str(tmp_path / "data"))
    (tmp_path / "card" / "deep").mkdir(parents=True)
    return tmp_path


def command(*arguments: str) -> int:
    return main(["sticky-pi", *arguments])


def test_put_and_list_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series(folder / "card" / "deep", "0a5bb6f4", 3, start=WHEN)
    assert command("put-images", str(folder / "card")) == 0
    assert capsys.readouterr().out == "3 images sent, 0 files left out\n"
    assert command("put-images", str(folder / "card"), "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"sent": [], "left_out": []}
    assert command("get-image-series", "--device", "0a%", "--start", "2022-05-17T18:10", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert command("get-image-series", "--what", "thumbnail") == 0
    assert capsys.readouterr().out.count(".thumbnail") == 3


def test_files_that_are_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series(folder / "card", "0a5bb6f4", 1, start=WHEN)
    (folder / "card" / "holiday.jpg").write_bytes(jpeg())
    assert command("put-images", str(folder / "card")) == 1
    out, err = capsys.readouterr()
    assert out == "1 image sent, 1 file left out\n"
    assert "holiday.jpg: Wrong file name" in err
    assert command("put-images", "--no-skip-on-error", str(folder / "card")) == 2


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["put-images", "no-such-folder"], "there is no", 4),
        (["get-image-series", "--start", "yesterday"], "--start is not a time", 2),
        (["report", "--start", "2022-02-01", "--end", "2022-01-01"], "ends before it starts", 2),
        (["users", "--delete", "nobody", "-y"], "there is no user nobody", 4),
        (["get-image-series", "--host", "http://127.0.0.1:9"], "set STICKY_PI_PASSWORD", 3),
        (["fly"], "fly", 2),
    ],
)
def test_what_cannot_be_done(
    folder: Path,
    arguments: list[str],
    words: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert command(*arguments) == code
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err


def test_bundles(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder / "nets"
    (source / "config").mkdir(parents=True)
    (source / "config" / "config.yaml").write_text("A: 1\n")
    assert command("put-ml-bundle", "nets", str(source)) == 0
    assert capsys.readouterr().out == "config/config.yaml\n"
    (folder / "back").mkdir()
    assert command("get-ml-bundle", "nets", str(folder / "back" / "nets"), "--json") == 0
    assert [row["key"] for row in json.loads(capsys.readouterr().out)] == ["config/config.yaml"]
    assert (folder / "back" / "nets" / "config" / "config.yaml").read_text() == "A: 1\n"


def test_files_that_bundles_do_not_hold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = folder / "nets"
    (source / "config").mkdir(parents=True)
    for name in ("config/config.yaml", "config/train.py", "net.onnx"):
        (source / name).write_text("A: 1\n")
    assert command("put-ml-bundle", "nets", str(source)) == 0
    out, err = capsys.readouterr()
    assert out == "config/config.yaml\n"
    assert "1 file sent, 2 files left out\n" in err
    assert "no files of such kinds: config/train.py, net.onnx\n" in err
    assert command("put-ml-bundle", "nets", str(source), "--json", "--what", "data") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"sent": [], "left_out": [{"key": "config/train.py"}]}
    assert not err


def test_users(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STICKY_PI_NEW_PASSWORD", "a long password")
    assert command("users", "--add", "a_a", "--email", "ada@host.org") == 0
    assert command("users", "--add", "aba", "--read-only") == 0
    capsys.readouterr()
    assert command("users", "--delete", "a_a", "--yes") == 0  # a name, though the API would take it for a pattern
    assert capsys.readouterr().out == "aba  reads\n"


def test_against_a_server(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    series(folder / "card", "0a5bb6f4", 2, start=WHEN)
    monkeypatch.setenv("STICKY_PI_PASSWORD", ADMIN[1])
    with serving(folder / "server") as server:
        monkeypatch.setenv("STICKY_PI_HOST", server.url)
        assert command("put-images", str(folder / "card")) == 0
        assert command("report", "--output", str(folder / "page.html")) == 0
        assert command("users", "--json") == 0
    out = capsys.readouterr().out
    assert "2 images sent" in out
    assert "2 images of 1 device\n" in out
    assert ADMIN[1] not in out
    assert (folder / "page.html").read_text("utf-8").count("<img") == 2


def test_any_operation(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series(folder / "card", "0a5bb6f4", 3, start=WHEN)
    command("put-images", str(folder / "card"), "--quiet")
    assert command("api", "images", "get_image_series", "--describe") == 0
    assert "info (required): list[Mapping[str, Any]]" in capsys.readouterr().out
    asked = '{"device": "%", "start_datetime": "2022-05-17", "end_datetime": "2022-05-18"}'
    assert command("api", "images", "get-image-series", "-p", f"info={asked}", "-p", "what=thumbnail") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["datetime"] == "2022-05-17T18:00:00Z"
    assert rows[0]["url"].endswith(".thumbnail")
    given = [{"name": "Meadow"}, {"name": "Forest"}]
    (folder / "projects.json").write_text(json.dumps(given))
    assert command("api", "projects", "put_projects", "-p", f"info=@{folder / 'projects.json'}") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["Meadow", "Forest"]
    assert command("api", "projects", "get_projects") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert command("api", "images", "get_images") == 2
    assert "get_images needs --param info=..." in capsys.readouterr().err


def test_any_operation_of_a_server(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STICKY_PI_PASSWORD", ADMIN[1])
    with serving(folder / "server") as server:
        assert command("api", "users", "get_users", "--host", server.url) == 0
        rows = json.loads(capsys.readouterr().out)
        assert ADMIN[0] in [row["username"] for row in rows]
        assert command("api", "users", "get_users", "--host", server.url, "--username", "nobody") == 3


def test_every_operation_is_in_one_group() -> None:
    named = [name for names in GROUPS.values() for name in names.split()]
    own = {name for name in vars(AsyncOperations) if not name.startswith("_")}
    assert len(named) == len(set(named))
    assert set(named) >= own


# --- the report --------------------------------------------------------------------------------------------------------


def fill(client: Any, folder: Path) -> None:
    files = series(folder, "0a5bb6f4", 4, start=WHEN, step_s=1800) + series(folder, "1b74105a", 1, start=WHEN)
    rows = client.put_images(files)
    annotations = [{"contour": CONTOUR, "name": "insect", "stroke_colour": "#0000ff", "value": 1}]
    metadata = {"algo_name": "<script>alert(1)</script>", "algo_version": "1"}
    keys = {name: rows[1][name] for name in ("device", "datetime", "md5")}
    client.put_uid_annotations([{"annotations": annotations, "metadata": {**metadata, **keys}}])


@pytest.mark.servers
def test_the_report_is_shown_by_a_browser(folder: Path) -> None:
    chromium = require("chromium")
    with LocalClient(folder / "data") as client:
        fill(client, folder / "card")
    output = folder / "report.html"
    assert command("report", "--start", "2022-05-17", "--end", "2022-05-18", "-o", str(output)) == 0
    text = output.read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", text)
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
    profile = f"--user-data-dir={folder / 'profile'}"
    browse = [chromium, *quiet, profile, "--virtual-time-budget=2000", "--window-size=1000,1400"]
    shot = folder / "shot.png"
    taken = subprocess.run(
        [*browse, f"--screenshot={shot}", output.as_uri()], capture_output=True, text=True, timeout=100
    )
    assert shot.is_file(), taken.stderr
    done = subprocess.run([*browse, "--dump-dom", output.as_uri()], capture_output=True, text=True, timeout=100)
    check_document(done.stdout)
    check_pixels(shot)


def check_document(dom: str) -> None:
    assert "<title>Sticky Pi, devices %, 2022-05-17 to 2022-05-18</title>" in dom
    assert re.findall(r'data-device="(\w+)" data-images="(\d)"', dom) == [("0a5bb6f4", "4"), ("1b74105a", "1")]
    assert dom.count("<img") == 5
    assert dom.count("<polygon") == 1
    assert "2022-05-17 18:30:00, 1 object<" in dom
    assert "2022-05-17 18:00: 2 images per hour, 1 objects per image" in dom
    assert "<script" not in dom


def check_pixels(path: Path) -> None:
    """The page is drawn: bars of the plot, the line of the contour, and pictures."""
    with Image.open(path) as image:
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert colours.get((0x4C, 0x78, 0xA8), 0) > 1000
    assert colours.get((0, 0, 255), 0) > 50
    assert sum(count for (red, green, blue), count in colours.items() if red > 90 and blue < 90 and green > 90) > 5000


def shot(minutes: int, objects: int | None = None) -> Shot:
    return Shot("0a5bb6f4", WHEN + dt.timedelta(minutes=minutes), 64, 48, "", objects, ())


def test_images_are_counted_by_the_hour() -> None:
    bins, step = bins_of([shot(0), shot(30, 4), shot(59, 2), shot(150)])
    assert step == 1
    assert [(each.images_per_hour, each.objects_per_image) for each in bins] == [(3, 3), (0, None), (1, None)]
    assert bins_of([]) == ([], 1)


def test_long_times_are_counted_in_larger_steps() -> None:
    bins, step = bins_of([shot(0), shot(60 * 24 * 365)])
    assert len(bins) <= 240
    assert step == 48
    assert sum(each.images_per_hour * step for each in bins) == pytest.approx(2)
    bins, _ = bins_of([shot(0), shot(60 * 24 * 365 * 70)])
    assert len(bins) <= 240


def test_pictures_are_chosen_evenly() -> None:
    assert chosen(3, 10) == [0, 1, 2]
    assert chosen(101, 5) == [0, 25, 50, 75, 100]
    assert chosen(10, 1) == [0]
    assert chosen(10, 0) == []


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", '{"annotations": 7}', '{"annotations": [7, {"contour": 7}, {"contour": [[["x", 1]]]}]}'],
)
def test_annotations_that_cannot_be_drawn(text: str) -> None:
    row = {"device": "d", "datetime": WHEN, "width": 4, "height": 4, "url": "", "n_objects": 1, "json": text}
    (found,) = shots_of([row, {}])
    assert (found.n_objects, found.contours) == (1, ())


def test_nothing_in_names_and_colours_becomes_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    annotation = {"contour": CONTOUR, "stroke_colour": hostile}
    row = {"device": hostile, "datetime": WHEN, "width": 4, "height": 4, "url": "", "n_objects": 1}
    shots = shots_of([{**row, "json": json.dumps({"annotations": [annotation]})}])
    text = page([Device(hostile, shots, {0: b"jpeg"})], hostile)
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert page([], "empty").count("No images.") == 1
