from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.meta.package import PROJECT, ROOT, generated, modules, tree

PURE = (
    "_build",
    "_codec",
    "_endpoint",
    "_failure",
    "_redirect",
    "_retry",
    "_url",
    "_values",
    "errors",
    "types",
)


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_never_wait(name: str) -> None:
    module = tree(f"asyncclient.{name}")
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node.lineno for node in ast.walk(module) if isinstance(node, waits)]
    named = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    assert not named & {"asyncio", "anyio", "time", "socket", "open"}


def test_no_module_is_too_long() -> None:
    for name, path in modules().items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= (1500 if generated(name) else 600), f"{name} has {lines} lines"


def test_no_function_is_too_long() -> None:
    for name in modules():
        if generated(name):
            continue
        for node in ast.walk(tree(name)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (
                    (node.end_lineno or 0) - node.body[_docstring(node)].lineno + 1
                    if node.body[_docstring(node) :]
                    else 0
                )
                assert lines <= 50, f"{name}.{node.name} has {lines} lines"


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return int(ast.get_docstring(node) is not None)


def test_every_module_says_what_it_is_for() -> None:
    assert not [name for name in modules() if tree(name).body and ast.get_docstring(tree(name)) is None]


def test_types_travel_with_the_package() -> None:
    assert (ROOT / "py.typed").is_file()


def _tracked() -> Iterator[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    yield from (PROJECT / name for name in done.stdout.split("\0") if name)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_tracked_file_speaks_of_this_machine() -> None:
    paths = {str(PROJECT), str(Path.home()), sys.prefix, sys.base_prefix}
    needles = {re.escape(path) + r"[/\s\"'`]" for path in paths if path.count("/") >= 2}
    indexes = [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")]
    hosts = {urlsplit(url).hostname or "" for url in indexes} | {"pypi" + ".org", "python" + "hosted.org"}
    needles |= {re.escape(host) for host in hosts if host}
    pattern = re.compile("|".join(sorted(needles)))
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        found += [f"{path.relative_to(PROJECT)}: {match[0]!r}" for match in pattern.finditer(text)]
    assert not found
