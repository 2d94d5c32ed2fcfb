"""The report of benchmarks as Markdown. Pure: results in, texts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from _report_plots import Plot, plots_of, plots_of_targets
from _results import Result, Row, Series, pick
from _targets import SCRIPTS
from _verdicts import Judged, bound_text, judge_all, number_text, range_text, ratio_text

__all__ = ["between", "calls_table", "plots", "report", "targets_table"]

_COMMAND: Final = "nox -s bench"
_PLAIN: Final = ("cpu", "cores", "memory_gib", "system", "kernel", "python")
_NAMES: Final = {
    "asyncclient": "`asyncclient.las.AsyncClient`, whole call",
    "asyncclient, blocking": "`asyncclient.las.Client`, whole call",
    "aiohttp + orjson": "aiohttp + orjson, bare GET",
    "httpx.AsyncClient": "httpx.AsyncClient, bare GET",
    "requests.Session": "requests.Session, bare GET",
}

_INTRODUCTION: Final = """# Benchmarks

<!-- Written by benchmarks/report.py; do not edit. -->

What the library is held to, and what was measured, the missed ones as well. `nox -s bench` measures all of it on your
machine and writes this page; `nox -s bench -- --quick` does it in a few minutes with smaller sizes.
"""

_METHOD: Final = """## How it is measured

- Every contender is a process of its own. Rounds are interleaved: each contender once, then all again, so that a busy
  moment of the machine hits all of them. The other side of a ratio was measured in the same rounds.
- The ratio that is judged is that of the medians. The spread is the lowest and the highest of the ratios of single rounds.
  Where a number alone is judged, memory or bytes, it is the worst round.
- Each target says whether it is about CPU (user and system time of the client's process) or about wall time; the other one
  stands beside it. CPU is the better number on a machine that does other things too, wall time is what one waits for.
- Servers run on the same machine and take part of it. What arrives is counted or compared before a speed is believed.
"""


def report(results: Sequence[Result]) -> str:
    """Write the page.

    Args:
        results: Summaries, of some or all scripts.
    """
    judged = judge_all(results)
    by_script = {result.script: result for result in results}
    parts = [_INTRODUCTION, _state(results, judged), "## Targets\n", _targets(judged)]
    parts += [_image(plot) for plot in plots_of_targets(judged)]
    parts += [_machine(results), _METHOD]
    parts += [_section(by_script.get(name, Result(name))) for name in SCRIPTS]
    return "\n".join(part.strip("\n") + "\n" for part in parts if part)


def plots(results: Iterable[Result]) -> list[Plot]:
    """Draw all plots that the page shows."""
    found = list(results)
    return [*plots_of_targets(judge_all(found)), *(plot for result in found for plot in plots_of(result))]


def _state(results: Sequence[Result], judged: Sequence[Judged]) -> str:
    counts = Counter(each.verdict for each in judged)
    verdicts = ", ".join(f"{counts[name]} {name}" for name in ("met", "missed", "failed", "not run") if counts[name])
    said = f"Of {len(judged)} targets: {verdicts}."
    profiles = {result.profile for result in results if result.status == "measured"}
    if profiles - {"full"}:
        said += (
            "\n\n**Not all of this is a full run**: sizes are smaller and rounds fewer than the targets are about, and a "
            "target that is met with a note is met at the size of the note. The report has all settings, and the load of the "
            "machine at that time."
        )
    return said


def _targets(judged: Iterable[Judged]) -> str:
    head = ("target", "about", "asked for", "measured", "lowest to highest", "beside", "", "note")
    return table(head, [_target(each) for each in judged])


def _target(judged: Judged) -> list[str]:
    target, row = judged.target, judged.row
    return [
        f"`{target.id}`",
        target.question,
        bound_text(target),
        _shown(row) if row else "-",
        range_text(row) if row else "",
        ", ".join(_shown(each) for each in judged.beside),
        _verdict(judged),
        judged.why,
    ]


def _shown(row: Row) -> str:
    said = f" {row.measure}" if row.measure in ("CPU", "wall") else ""
    return ratio_text(row) + said


def _verdict(judged: Judged) -> str:
    return "met" if judged.verdict == "met" else f"**{judged.verdict}**"


def targets_table(results: Sequence[Result]) -> str:
    """Write the short table for the README."""
    judged = judge_all(results)
    rows = [
        [each.target.question, bound_text(each.target), _shown(each.row) if each.row else "-", _verdict(each), each.why]
        for each in judged
    ]
    return f"{_state(results, judged)}\n\n{table(('what', 'asked for', 'measured', '', 'note'), rows)}"


def calls_table(results: Iterable[Result]) -> str:
    """Write the cost of a small call for the README; nothing where it was not measured."""
    found = next((result for result in results if result.script == "calls" and result.series), None)
    if found is None:
        return ""
    groups = list(dict.fromkeys(each.group for each in found.series))
    rows = []
    for name in dict.fromkeys(each.name for each in found.series):
        cpu = [pick(found.series, group, name, "CPU") for group in groups]
        wall = pick(found.series, "16 at a time", name, "wall")
        shown = _NAMES.get(name, " ".join((name, found.versions.get(name, ""))).strip())
        cells = [f"{each.median:.0f} {each.unit}" if each else "-" for each in cpu]
        rows.append([shown, *cells, f"{1e6 / wall.median:,.0f}" if wall else "-"])
    return table(("client", *(f"CPU, {group}" for group in groups), "calls/s at 16"), rows)


def _machine(results: Sequence[Result]) -> str:
    measured = [result for result in results if result.status == "measured"]
    if not measured:
        return ""
    machines = list(dict.fromkeys(_machine_text(result.machine) for result in measured))
    versions: dict[str, str] = {}
    for result in measured:
        versions |= result.versions
    rows = [
        [
            f"`{result.script}`",
            result.profile,
            str(result.machine["started"]),
            f"{result.machine['load_start']} / {result.machine['load_end']}",
            ", ".join(f"{name} {_setting(value)}" for name, value in result.settings.items()),
        ]
        for result in measured
    ]
    return "\n".join(
        [
            "## Machine, versions, settings\n",
            *(f"{text}\n" for text in machines),
            f"{', '.join(f'{name} {number}' for name, number in sorted(versions.items()))}.\n",
            "asyncio's own event loop, but for our blocking clients, which use uvloop where it is installed.\n",
            table(("script", "profile", "started", "load, start / end", "settings"), rows),
        ]
    )


def _machine_text(machine: Mapping[str, Any]) -> str:
    cpu, cores, memory, system, kernel, python = (machine.get(name) for name in _PLAIN)
    return f"{cpu}, {cores} cores, {memory} GiB; {system} {kernel}; Python {python}."


def _setting(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)


def _section(result: Result) -> str:
    question, _, rest = result.about.partition("\n\n")
    how = "\n\n".join(part for part in rest.split("\n\n") if not part.startswith("    "))
    asked = f"**{' '.join(question.split())}**\n" if question else ""
    parts = [f"## `{result.script}`\n", asked, f"{how.strip()}\n"]
    if result.status == "measured":
        parts += [_image(plot) for plot in plots_of(result)]
        parts.append(_series(result.series))
    else:
        parts.append(f"{result.status.capitalize()}{': ' + result.why if result.why else ''}.\n")
    return "\n".join(part for part in parts if part.strip())


def _series(series: Sequence[Series]) -> str:
    measures = list(dict.fromkeys(each.measure for each in series))
    keys = dict.fromkeys((each.group, each.name) for each in series)
    rows = [[group, name, *(_cell(pick(series, group, name, measure)) for measure in measures)] for group, name in keys]
    return table(("work", "", *(f"{measure}, median (lowest to highest)" for measure in measures)), rows)


def _cell(found: Series | None) -> str:
    if found is None:
        return ""
    spread = f" ({number_text(found.low)} to {number_text(found.high)})" if found.rounds > 1 else ""
    return f"{number_text(found.median)} {found.unit}".strip() + spread


def _image(plot: Plot) -> str:
    alternative = escape(plot.alternative, quote=False).replace("[", "(").replace("]", ")")
    return f"\n![{alternative}](benchmarks/{plot.name}.svg)\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    return "\n".join(_table_lines(head, rows)) + "\n"


def _table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def between(text: str, name: str, content: str) -> str:
    """Put content between ``<!-- name -->`` and ``<!-- /name -->``; raises ValueError where those are not."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"there is no {begin.strip()} ... {end}")
    return f"{before}{begin}\n{content}\n{end}{after}"
