"""Trees of generated files: formatted, written, compared whole and both ways."""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from asyncclient._codegen._errors import DescriptionError, FormatterError
from asyncclient._codegen._ir import Module
from asyncclient._codegen._text import LINE, MAX_LINES

__all__ = ["RUFF_VERSION", "compare", "formatted", "write"]

RUFF_VERSION: Final = "0.17.5"
"""The formatter whose output is checked in; another version may format differently."""


def formatted(modules: Iterable[Module]) -> dict[str, str]:
    """Format modules and return path to text, with the ``__init__.py`` of every folder.

    Raises:
        FormatterError: ruff is missing, has another version, or refuses a module.
        DescriptionError: A module became too long.
    """
    texts = {module.path: module.text for module in modules}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
        _ruff("--version", expect=f"ruff {RUFF_VERSION}")
        _ruff("check", "--isolated", "--quiet", "--select=I", "--fix", *_options(root, ("isort.known-first-party",)))
        _ruff("format", "--isolated", "--quiet", *_options(root))
        texts = {path: (root / path).read_text("utf-8") for path in sorted(texts)}
    for path, text in texts.items():
        if (count := text.count("\n")) > MAX_LINES:
            raise DescriptionError(f"{path} has {count} lines, more than {MAX_LINES}")
    return texts


def _options(root: Path, first_party: tuple[str, ...] = ()) -> list[str]:
    own = [f'--config=lint.{key}=["asyncclient"]' for key in first_party]
    return [f"--config=line-length={LINE}", "--config=target-version='py311'", *own, "--no-cache", str(root)]


def _ruff(*arguments: str, expect: str | None = None) -> None:
    run = subprocess.run(  # noqa: S603  # our own interpreter, arguments from this module
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if run.returncode != 0:
        raise FormatterError(f"ruff {arguments[0]} failed:\n{run.stdout}{run.stderr}")
    if expect is not None and run.stdout.strip() != expect:
        raise FormatterError(f"this is {run.stdout.strip()}, generated files are formatted with {expect}")


def write(root: Path, texts: Mapping[str, str]) -> None:
    """Make a folder hold these files and no others."""
    for path in _files(root) - texts.keys():
        (root / path).unlink()
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text("utf-8") != text:
            target.write_text(text, "utf-8")
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and folder.name != "__pycache__" and not any(folder.iterdir()):
            folder.rmdir()


def compare(root: Path, texts: Mapping[str, str]) -> list[str]:
    """Return the differences between a folder and what it should hold, one text each; empty if there are none."""
    there = _files(root)
    found = [f"missing: {root.name}/{path}\n" for path in sorted(texts.keys() - there)]
    found += [f"extra: {root.name}/{path}\n" for path in sorted(there - texts.keys())]
    for path in sorted(texts.keys() & there):
        actual = (root / path).read_text("utf-8")
        if actual != texts[path]:
            lines = difflib.unified_diff(
                actual.splitlines(keepends=True), texts[path].splitlines(keepends=True), f"{path} (there)", path
            )
            found.append("".join(lines))
    return found


def _files(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
