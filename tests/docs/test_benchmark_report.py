"""The report of benchmarks says what the results say: medians, ratios, what is missed, failed or was not run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from _plots import Bar, Line, Point, bars, lines
from _report import between, calls_table, plots, report, targets_table
from _results import Result, Series, compare, judge, measured, series
from _targets import SCRIPTS, TARGETS, target_of
from _verdicts import judge_all, number_text, ratio_text, value_text
from report import stored, wanted
from run import PROFILES, run_all, run_one

ROOT = Path(__file__).parents[2]
_SVG = "{http://www.w3.org/2000/svg}"
_positive = st.floats(1e-6, 1e9)
_rounds = st.lists(st.tuples(_positive, _positive), min_size=1, max_size=9)


def _sides(rounds: Sequence[tuple[float, float]]) -> tuple[Series, Series]:
    ours, other = zip(*rounds, strict=True)
    return series("work", "ours", "CPU", "s", ours), series("work", "other", "CPU", "s", other)


# --- numbers -----------------------------------------------------------------------------------------------------------


@given(st.lists(_positive, min_size=1))
def test_a_series_has_its_median_between_its_ends(values: list[float]) -> None:
    found = series("work", "ours", "CPU", "s", iter(values))
    assert found.low == min(values) <= found.median <= max(values) == found.high
    assert sum(value <= found.median for value in values) >= len(values) / 2
    assert (found.rounds, found.values) == (len(values), tuple(values))


@given(_rounds, st.sampled_from(["calls.aiohttp", "voxel51.large-up"]))
def test_the_ratio_of_medians_lies_within_the_ratios_of_rounds(rounds: list[tuple[float, float]], target: str) -> None:
    row = compare(target, *_sides(rounds))
    assert row.low <= row.ratio * (1 + 1e-9)
    assert row.ratio <= row.high * (1 + 1e-9)
    assert row.met == judge(row.ratio, row.comparison, row.wanted)


def test_ratios_point_the_way_that_the_target_says() -> None:
    ours, other = _sides([(1.0, 4.0), (2.0, 4.0), (8.0, 4.0)])
    least, most = compare("voxel51.large-up", ours, other), compare("calls.aiohttp", ours, other)
    assert (least.ratio, least.low, least.high, least.met) == (2.0, 0.5, 4.0, True)
    assert (most.ratio, most.low, most.high, most.met) == (0.5, 0.25, 2.0, True)
    assert not compare("voxel51.large-up", other, ours).met
    assert not compare("calls.aiohttp", other, ours).met


def test_other_rounds_or_units_are_not_compared() -> None:
    ours, other = _sides([(1.0, 4.0), (2.0, 4.0)])
    with pytest.raises(ValueError):
        compare("calls.aiohttp", ours, series("work", "other", "CPU", "s", [1.0]))
    with pytest.raises(ValueError, match="cannot be compared"):
        compare("calls.aiohttp", ours, replace(other, unit="ms"))


def test_a_bound_of_one_number_is_judged_by_the_worst_round() -> None:
    growth = series("sparse file", "download", "memory", "MiB", [3.0, 70.0, 4.0])
    row = measured("transfers.memory-down", growth)
    assert (row.ratio, row.met, row.other) == (70.0, False, None)
    assert measured("transfers.memory-down", series("", "", "memory", "MiB", [64.0])).met


@given(_positive, st.sampled_from(["≤", "≥"]))
def test_the_bound_itself_is_good_enough(number: float, comparison: str) -> None:
    assert judge(number, comparison, number)  # type: ignore[arg-type,unused-ignore]  # one of the two
    assert judge(number * 0.9, comparison, number) == (comparison == "≤")
    assert judge(number * 1.1, comparison, number) == (comparison == "≥")


@given(_positive)
def test_three_digits_are_kept(number: float) -> None:
    assert abs(float(number_text(number).replace(",", "")) - number) <= max(number * 0.0051, 1e-12)


@given(st.floats(0.99, 1.01), st.sampled_from(["calls.aiohttp", "calls.httpx", "voxel51.large-up"]))
def test_a_miss_never_reads_as_if_it_were_met(share: float, target: str) -> None:
    wanted_ratio, least = target_of(target).wanted, target_of(target).comparison == "≥"
    numbers = (1.0, wanted_ratio * share) if least else (wanted_ratio * share, 1.0)
    row = compare(target, *_sides([numbers]))
    text = ratio_text(row).removesuffix(" " + row.unit)
    read = 1 / float(text[2:]) if text.startswith("1/") else float(text)
    near = abs(row.ratio - wanted_ratio) < wanted_ratio * 1e-7
    assert near or judge(read, row.comparison, row.wanted) == row.met


def test_small_parts_are_written_as_fractions() -> None:
    assert value_text(1 / 31, "\N{MULTIPLICATION SIGN}", "≤") == "1/31"
    assert value_text(0.6, "\N{MULTIPLICATION SIGN}", "≤") == "0.6 \N{MULTIPLICATION SIGN}"
    assert value_text(0.3, "\N{MULTIPLICATION SIGN}", "≥") == "0.3 \N{MULTIPLICATION SIGN}"
    assert value_text(0, "lost", "≤") == "0 lost"


# --- verdicts and the page ---------------------------------------------------------------------------------------------


def _result(script: str, ours: float, other: float) -> Result:
    """Make a result with all rows of a script: ours, and what other contenders took."""
    found, rows = [], []
    for target in TARGETS:
        if target.script != script:
            continue
        mine = series(target.id, "asyncclient", target.measure, "s", [ours, ours * 1.5, ours * 2])
        theirs = series(target.id, "other", target.measure, "s", [other, other * 1.5, other * 2])
        found += [mine, theirs]
        alone = target.measure in ("count", "memory")
        rows.append(measured(target.id, mine, "small") if alone else compare(target.id, mine, theirs, "small"))
    machine = {"cpu": "a processor", "cores": 2, "started": "2020-01-01T00:00:00Z", "load_start": 0.1, "load_end": 0.2}
    return Result(
        script,
        "measured",
        profile="quick",
        settings={"rounds": 3},
        machine=machine,
        versions={"nginx": "1.2"},
        series=tuple(found),
        rows=tuple(rows),
    )


@given(st.sets(st.sampled_from(sorted(SCRIPTS))), st.sets(st.sampled_from(sorted(SCRIPTS))))
def test_no_target_is_ever_left_out(ran: set[str], failed: set[str]) -> None:
    results = [_result(script, 1.0, 1.0) for script in ran - failed]
    results += [Result(script, "failed", "ended with status 3") for script in failed]
    judged = judge_all(results)
    assert [each.target.id for each in judged] == [target.id for target in TARGETS]
    page, table = report(results), targets_table(results)
    for each in judged:
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{each.target.id}` |")]
        assert each.target.question in line
        assert each.target.question in table
        if each.why:
            assert any(each.target.question in line and each.why in line for line in table.splitlines())
        if each.target.script in failed:
            assert each.verdict == "failed"
            assert "**failed** | ended with status 3" in line
        elif each.target.script not in ran:
            assert each.verdict == "not run"
            assert "**not run**" in line
        else:
            assert each.verdict in ("met", "missed")
            assert ("**missed**" in line) == (each.verdict == "missed")


def test_a_row_that_its_script_left_out_was_not_run() -> None:
    (judged,) = [each for each in judge_all([Result("flywheel", "measured")]) if each.target.id == "flywheel.begin"]
    assert (judged.verdict, judged.row) == ("not run", None)
    assert "left out" in judged.why


@pytest.mark.parametrize(("ours", "verdict"), [(1.0, "met"), (20.0, "**missed**")])
def test_the_page_says_what_is_met_and_what_is_missed(ours: float, verdict: str) -> None:
    page = report([replace(_result("voxel51", ours, 10.0), about="Is it fast?\n\nThis way.\n\n    python it")])
    rows = [line for line in page.splitlines() if line.startswith("| `voxel51.")]
    assert len(rows) == 6
    assert all(f"| {verdict} | small" in line for line in rows)
    assert "**Is it fast?**" in page
    assert "This way." in page
    assert "python it" not in page
    assert "**Not all of this is a full run**" in page
    assert "a processor, 2 cores" in page
    assert "nginx 1.2" in page


def test_the_other_measure_stands_beside() -> None:
    wall = series("large up", "asyncclient", "wall", "s", [1.0]), series("large up", "other", "wall", "s", [7.0])
    cpu = series("large up", "asyncclient", "CPU", "s", [2.0]), series("large up", "other", "CPU", "s", [2.0])
    rows = tuple(compare("voxel51.large-up", *sides) for sides in (wall, cpu))
    page = report([replace(_result("voxel51", 1, 1), rows=rows)])
    (line,) = [line for line in page.splitlines() if line.startswith("| `voxel51.large-up` |")]
    assert "| 1 \N{MULTIPLICATION SIGN} CPU |" in line
    assert "| 7 \N{MULTIPLICATION SIGN} wall | **missed** |" in line


def test_the_table_of_calls_has_a_column_for_each_concurrency() -> None:
    values = {"1 at a time": 100e-0, "16 at a time": 50.0}
    found = [
        series(group, "lucidtech-las", measure, "µs", [value])
        for group, value in values.items()
        for measure in ("CPU", "wall")
    ]
    table = calls_table([Result("calls", "measured", series=tuple(found), versions={"lucidtech-las": "11.4.1"})])
    assert table.splitlines()[-1] == "| lucidtech-las 11.4.1 | 100 µs | 50 µs | 20,000 |"
    assert calls_table([]) == ""


def test_a_result_comes_back_from_json() -> None:
    result = _result("transfers", 2.0, 3.0)
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert all(each.values == () for each in result.summary().series)
    assert plots([result.summary()]) == plots([result])


def test_only_what_is_between_the_marks_is_replaced() -> None:
    text = "a\n<!-- t -->\nold\n<!-- /t -->\nb\n"
    new = between(text, "t", "new\n")
    assert new == "a\n<!-- t -->\n\nnew\n\n<!-- /t -->\nb\n"
    assert between(new, "t", "new\n") == new
    with pytest.raises(ValueError, match="there is no"):
        between("a\n<!-- t -->\nold\n", "t", "new\n")


# --- plots -------------------------------------------------------------------------------------------------------------


_label = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=60)
_ordered = st.tuples(_positive, _positive, _positive).map(sorted)


@st.composite
def _bars(draw: Callable[..., object]) -> Bar:
    low, value, high = draw(_ordered)  # type: ignore[misc]  # what Hypothesis draws
    bound, met = draw(st.none() | _positive), draw(st.none() | st.booleans())
    return Bar(draw(_label), value, low, high, bound, met, draw(_label))  # type: ignore[arg-type]


@given(st.lists(_bars(), min_size=1, max_size=12), _label, _label)
def test_bars_are_an_image_in_words_too(shown: list[Bar], title: str, description: str) -> None:
    svg = bars(title, description, shown, "what it counts")
    root = _checked(svg, title, description)
    assert len(root.findall(f"{_SVG}rect")) == len(shown) + 1  # and the ground
    assert svg == bars(title, description, shown, "what it counts")


@given(st.lists(st.lists(st.none() | _ordered, min_size=3, max_size=3), min_size=1, max_size=6), _label)
def test_lines_are_an_image_in_words_too(given_lines: list[list[list[float] | None]], title: str) -> None:
    shown = [
        Line(f"line {number}", tuple(Point(p[1], p[0], p[2]) if p else None for p in points))
        for number, points in enumerate(given_lines)
    ]
    root = _checked(lines(title, "words", shown, ["1", "16", "100"], ("across", "upward")), title, "words")
    assert len(root.findall(f"{_SVG}polyline")) == len(shown)


def _checked(svg: str, title: str, description: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert (root.findtext(f"{_SVG}title") or "") == title
    assert (root.findtext(f"{_SVG}desc") or "") == description
    assert "prefers-color-scheme: dark" in (root.findtext(f"{_SVG}style") or "")
    assert {element.tag.removeprefix(_SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "text", "line", "path", "polyline", "circle")
    }
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or "href" in name]
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for element in root.iter():
        for name, most in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= most + 0.1, (element.tag, name)
    return root


# --- what is in the repository -----------------------------------------------------------------------------------------


def test_readme_page_and_plots_are_what_the_results_say() -> None:
    """``python benchmarks/report.py --stored`` writes them anew."""
    files = wanted(stored(ROOT / "benchmarks" / "results.json"), ROOT)
    assert [path.name for path, text in files.items() if path.read_text("utf-8") != text] == []
    there = set((ROOT / "docs" / "benchmarks").glob("*.svg"))
    assert there == {path for path in files if path.suffix == ".svg"}


def test_the_stored_rows_are_about_the_targets_as_they_are() -> None:
    for result in stored(ROOT / "benchmarks" / "results.json"):
        for row in result.rows:
            target = target_of(row.target)
            assert (row.question, row.wanted, row.comparison) == (target.question, target.wanted, target.comparison)
            assert target.script == result.script
            assert row.met == judge(row.ratio, row.comparison, row.wanted)
        assert all(each.values == () for each in result.series)


def test_nothing_stored_names_a_place_of_the_machine() -> None:
    text = (ROOT / "benchmarks" / "results.json").read_text("utf-8")
    for name in ("README.md", "docs/benchmarks.md"):
        text += (ROOT / name).read_text("utf-8") if name != "README.md" else ""
    assert re.findall(r"(?<![\w./])/(?:home|root|tmp|usr|opt|var|work|mnt|Users)/[\w./]*", text) == []


def test_every_script_has_targets_and_says_its_question_first() -> None:
    assert {target.script for target in TARGETS} == set(SCRIPTS)
    assert len({target.id for target in TARGETS}) == len(TARGETS)
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")}
    assert scripts == {*SCRIPTS, "report", "run"}
    for script in SCRIPTS:
        first = (ROOT / "benchmarks" / f"{script}.py").read_text("utf-8").partition("\n\n")[0]
        assert first.startswith('"""')
        assert first.endswith("?"), script
    assert {script for profile in PROFILES.values() for script in profile} <= set(SCRIPTS)


# --- running them all --------------------------------------------------------------------------------------------------

_STUB = """
import json, sys
sys.path.insert(0, {benchmarks!r})
from _results import Result
if {script!r} == "calls":
    raise SystemExit(3)
if {script!r} != "cancel":
    with open(sys.argv[-1], "w") as file:
        json.dump(Result({script!r}, "measured").to_json(), file)
raise SystemExit({script!r} == "latency")
"""


def test_a_script_that_fails_is_in_the_report_and_the_others_go_on(tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "calls.json").write_text("of another run")
    for script in SCRIPTS:
        stub = _STUB.format(benchmarks=str(ROOT / "benchmarks"), script=script)
        (tmp_path / f"{script}.py").write_text(stub, "utf-8")
    failed = run_all("quick", results, tmp_path)
    assert failed == [
        "calls: ended with status 3",
        "cancel: wrote no result",
        "latency: ended with status 1",  # it measured, and found something wrong
    ]
    found = {script: json.loads((results / f"{script}.json").read_text("utf-8")) for script in SCRIPTS}
    statuses = {script: (each["status"], each["why"]) for script, each in found.items()}
    assert statuses["calls"] == ("failed", "ended with status 3")
    assert statuses["cancel"] == ("failed", "wrote no result")
    assert all(statuses[script] == ("measured", "") for script in SCRIPTS if script not in ("calls", "cancel"))


def test_a_script_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    child = "import time; time.sleep(600)"
    code = (
        "import pathlib, subprocess, sys, signal; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        f"c = subprocess.Popen([sys.executable, '-c', {child!r}]); pathlib.Path({str(noted)!r}).write_text(str(c.pid));"
        "c.wait(); import time; time.sleep(600)"
    )
    assert run_one([sys.executable, "-c", code], 2.0, {}, grace_s=0.5) == "not done after 2 s"
    pid = int(noted.read_text())
    deadline = time.monotonic() + 20
    while _alive(pid):
        assert time.monotonic() < deadline, "a child was left"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_one_script_gets_its_arguments() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "calls", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "--concurrency" in done.stdout
    unknown = subprocess.run([*command[:2], "--fast"], capture_output=True, text=True, timeout=60, check=False)
    assert (unknown.returncode, "--quick" in unknown.stderr) == (2, True)
