"""Writes docs/benchmarks.md, its plots and the tables of the README from the results of benchmarks.

python benchmarks/report.py            # of .benchmarks/, which are kept in benchmarks/results.json without the rounds
python benchmarks/report.py --stored   # of benchmarks/results.json
python benchmarks/report.py --check    # only compares

The status of a comparison is 1 if a file is not what the results say.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))  # for runs by path from anywhere

from _report import between, calls_table, plots, report, targets_table
from _results import Result
from _targets import SCRIPTS

__all__ = ["gathered", "main", "stored", "wanted"]

_HERE: Final = Path(__file__).parent
_STORED: Final = _HERE / "results.json"


def main() -> int:
    given = _arguments()
    results = stored(_STORED) if given.stored or given.check else gathered(given.results)
    if not (given.stored or given.check):
        _STORED.write_text(_json([result.to_json() for result in results]), "utf-8")
    root = _HERE.parent
    files = wanted(results, root)
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    left = [path for path in (root / "docs" / "benchmarks").glob("*.svg") if path not in files]
    for path in (*stale, *left):
        print(f"{'differs' if given.check else 'written' if path in files else 'removed'}: {path.relative_to(root)}")
    if given.check:
        return 1 if stale or left else 0
    for path in left:
        path.unlink()
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], "utf-8")
    return 0


def gathered(folder: Path) -> list[Result]:
    """Read what the scripts wrote, without the rounds, and what they say of themselves; what is not there was not run."""
    return [replace(_read(folder / f"{script}.json", script), about=_about(script)) for script in SCRIPTS]


def _read(path: Path, script: str) -> Result:
    if not path.exists():
        return Result(script)
    return Result.from_json(json.loads(path.read_text("utf-8"))).summary()


def _about(script: str) -> str:
    return ast.get_docstring(ast.parse((_HERE / f"{script}.py").read_text("utf-8"))) or ""


def stored(path: Path) -> list[Result]:
    """Read the summaries that the report was made of."""
    return [Result.from_json(each) for each in json.loads(path.read_text("utf-8"))]


def wanted(results: Sequence[Result], root: Path) -> dict[Path, str]:
    """Return what the files of the report should hold."""
    readme = root / "README.md"
    text = between(readme.read_text("utf-8"), "targets", targets_table(results))
    files = {
        readme: between(text, "calls", calls_table(results)),
        root / "docs" / "benchmarks.md": report(results),
    }
    for plot in plots(results):
        files[root / "docs" / "benchmarks" / f"{plot.name}.svg"] = plot.svg
    return files


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path(".benchmarks"), help="where the scripts wrote to")
    parser.add_argument("--stored", action="store_true", help="write the report anew, of the results that are stored")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
