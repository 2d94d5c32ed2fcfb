"""The page of the demo: as data make it, and as a browser shows it."""

from __future__ import annotations

import json
import re
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.cli import _plots, main
from asyncclient.cli._demo_data import data_of
from asyncclient.cli._demo_page import _table, page
from asyncclient.cli._demo_record import Call, Mark, Part, Resumption, Run, Sample, Step, Traffic
from asyncclient.cli._demo_report import CALLS, TRANSFERS, calls_row, transfers_row
from asyncclient.cli._page import write_page
from tests.support.processes import require

QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
HOSTILE = '"><script>alert(1)</script><img src=http://localhost/x>'


@pytest.fixture
def run() -> Run:
    """A run of two services over four seconds, with a resumption."""
    las = Part("las", "Lucidtech", Traffic(3_000_000, 2_000_000, 50, 1), files=4, verified_bytes=2_000_000, seconds=4.0)
    las.calls = [Call(0.1 * number, 0.001 * (number + 1), number >= 10) for number in range(40)]
    las.steps = [Step("upload", 4, 2.0), Step("read back", 4, 2.0)]
    las.refused = ["nothing.txt"]
    view = Part(
        "lfview", "LF View", Traffic(8_000_000, 4_000_000, 90, 0), files=8, verified_bytes=4_000_000, seconds=3.0
    )
    view.resumption = Resumption(6_000_000, 24, 4_000_000, 16, 3_000_000, 12)
    view.marks = [Mark(1.0, "began"), Mark(2.0, "killed"), Mark(2.1, "resumed"), Mark(3.0, "complete")]
    view.calls = [Call(0.2, 0.003, False), Call(2.0, 0.05, True)]
    samples = [
        Sample(
            at, (int(at * 6e5), int(at * 1.6e6)), (int(at * 4e5), int(at * 8e5)), 8, 6, {"bulk": 4, "control": 2}, 10
        )
        for at in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
    ]
    return Run("samples", [las, view], "a machine", 0.0, False, (1.0, 5.0), samples)


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """Read the cells of all tables, by their ids."""
    found = {}
    for name, table in re.findall(r'<table id="(\w+)">(.*?)</table>', text, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        found[name] = [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return found


def drawings(text: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def check_numbers(text: str, data: dict[str, Any]) -> None:
    tables = tables_of(text)
    rows = [*data["services"], {**data["totals"], "title": "all"}]
    assert tables["transfers"] == [list(TRANSFERS), *(transfers_row(row) for row in rows)]
    assert tables["calls"] == [list(CALLS), *(calls_row(row) for row in rows)]
    found = data["resumption"]
    names = ["total", "before", "saved", "sent_twice", "sent_later"]
    numbers = [[f"{found[f'{name}_bytes'] / 1e6:.1f}", str(found[f"{name}_parts"])] for name in names]
    assert [row[1:] for row in tables["resumed"][1:]] == numbers


def check_self_contained(text: str) -> None:
    assert not re.search(r"""\b(?:src|href|srcset|action|data)\s*=|url\(|@import|<script|<link|<iframe""", text)
    assert "default-src 'none'" in text


def test_numbers_are_those_of_the_data(run: Run) -> None:
    data = data_of(run)
    text = page(data, run)
    check_numbers(text, data)
    check_self_contained(text)
    assert tables_of(text)["steps"][1:] == [["Lucidtech: upload", "4", "2.00"], ["Lucidtech: read back", "4", "2.00"]]
    assert "nothing.txt: refused (empty), as it should be." in text
    assert "All 12 files of 2 services (6.0 MB) came back the same" in text


def test_the_plots_say_what_they_are(run: Run) -> None:
    areas, points, line, bars = drawings(page(data_of(run), run))
    for drawing in (areas, points, line, bars):
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label")
        assert drawing.find("title") is not None
    assert [each.findtext("title") for each in areas.iter("polygon")] == ["Lucidtech", "LF View"]
    assert len(list(points.iter("circle"))) == 42
    assert "half of the calls before: at most 5.0 ms" in "".join(points.itertext())
    assert [each.text for each in line.iter("text")][-3:] == ["killed", "resumed", "complete"]
    pieces = {each.findtext("title"): each for each in bars.iter("rect")}
    widths = {name: float(each.get("width", "")) for name, each in pieces.items() if name is not None}
    assert list(widths) == [
        "arrived before the kill, not sent again: 3.0 MB",
        "arrived before the kill, sent again: 1.0 MB",
        "sent after the kill: 3.0 MB",
    ]
    saved, twice, later = widths.values()
    assert saved == pytest.approx(later, abs=0.2)
    assert saved == pytest.approx(3 * twice, abs=0.5)


def test_nothing_in_names_becomes_markup(run: Run) -> None:
    run.source = HOSTILE
    run.machine = HOSTILE
    for part in run.parts:
        part.title = HOSTILE
        part.problems, part.refused, part.notes, part.left_out = [HOSTILE], [HOSTILE], [HOSTILE], ""
        part.steps = [Step(HOSTILE, 1, 1.0)]
        part.marks = [Mark(2.0, HOSTILE)]
    text = page(data_of(run), run)
    check_self_contained(text.replace(escape(HOSTILE), ""))
    assert "Something differs." in text
    drawings(text)  # still well formed
    assert HOSTILE not in _table("name", HOSTILE, [HOSTILE], [[HOSTILE, HOSTILE]])


def test_a_run_in_which_nothing_happened() -> None:
    run = Run("samples", [Part("las", "Lucidtech", left_out="it needs more")])
    text = page(data_of(run), run)
    assert "it needs more" in text
    assert "Killed and resumed" not in text
    drawings(text)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    st.lists(st.floats(0, 1e6), max_size=20),
)
def test_plots_stay_in_their_frames(values: list[float], times: list[float]) -> None:
    series = [_plots.Series("a", "--c0", list(enumerate(values)))]
    points = [_plots.Series("b", "--c1", list(enumerate(times)))]
    level = _plots.Line(times[0], "level") if times else None
    shown = (
        _plots.areas(series, "title", "MB/s"),
        _plots.points(points, "title", level, (0.0, 10.0)),
        _plots.growth(series[0], "title", _plots.Line(max(values), "total"), [_plots.Line(1.0, "moment")]),
    )
    for drawing in drawings("".join(shown)):
        _, _, width, height = map(float, drawing.get("viewBox", "").split())
        for each in drawing.iter():
            for pair in each.get("points", "").split():
                x, y = map(float, pair.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height
            assert 0 <= float(each.get("cx", 0)) <= width
            assert 0 <= float(each.get("cy", 0)) <= height
        assert len(list(drawing.iter("text"))) < 60  # ticks are few, whatever the values


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    write_page(path, "first")
    assert path.read_text() == "first"
    assert path.stat().st_mode & 0o400
    other = tmp_path / "other"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode  # readable as other files are
    with pytest.raises(UnicodeEncodeError):
        write_page(path, "second \udc80")
    assert path.read_text() == "first"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other", "page.html"]


# --- in a browser ------------------------------------------------------------------------------------------------------

# The page itself allows no script: whoever measures it looks at it from outside, in a frame.
PROBE = """<!doctype html><body><iframe id="page" style="width: 1000px; height: 3000px" srcdoc="{page}"></iframe><script>
document.getElementById("page").addEventListener("load", () => {{
  const found = document.getElementById("page").contentDocument;
  const box = (each) => {{ const at = each.getBoundingClientRect(); return [at.width, at.height]; }};
  const text = [...found.querySelectorAll(".plot text")].map((each) => getComputedStyle(each).fill);
  const wide = found.documentElement.scrollWidth;
  document.title = JSON.stringify({{
    plots: [...found.querySelectorAll("svg")].map(box), areas: [...found.querySelectorAll("polygon")].map(box),
    dots: found.querySelectorAll("circle").length, tables: found.querySelectorAll("table").length,
    ink: getComputedStyle(found.body).color, text, wide }});
}});
</script></body>"""


def browse(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [require("chromium"), *QUIET, f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=3000", *arguments], capture_output=True, text=True, timeout=100
    )
    assert "CONSOLE" not in done.stderr, done.stderr  # no errors of scripts, none of the policy about what is loaded
    return done


def measured(folder: Path, text: str, *arguments: str) -> dict[str, Any]:
    probe = folder / "probe.html"
    probe.write_text(PROBE.format(page=escape(text)), "utf-8")
    done = browse(folder, *arguments, "--dump-dom", probe.as_uri())
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None, done.stdout[-2000:]
    found: dict[str, Any] = json.loads(unescape(title[1]))
    return found


@pytest.mark.servers
@pytest.mark.timeout(300)
def test_the_report_is_shown_by_a_browser(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require("chromium")
    pytest.importorskip("numpy", reason="the demo needs the extra lfview")
    output = tmp_path / "report.html"
    assert main(["demo", str(folder), "--size", "small", "--json", "--html", str(output)]) == 0
    data = json.loads(capsys.readouterr().out)
    text = output.read_text("utf-8")
    check_numbers(text, data)
    check_self_contained(text)
    shown = browse(tmp_path, "--dump-dom", output.as_uri()).stdout
    check_numbers(shown, data)  # what a browser makes of it
    found = measured(tmp_path, text)
    assert len(found["plots"]) == 4
    for width, height in found["plots"]:
        assert width > 800
        assert height > 80
    assert any(width > 50 and height > 20 for width, height in found["areas"])
    assert found["dots"] == sum(each["count"] for each in data["totals"]["calls"].values())
    assert found["tables"] == 5
    assert found["wide"] <= 1000  # nothing sticks out
    dark = measured(tmp_path, text, "--blink-settings=preferredColorScheme=0")
    assert dark["ink"] != found["ink"]
    assert dark["text"] != found["text"]
