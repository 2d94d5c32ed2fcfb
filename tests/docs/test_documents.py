"""What the documents say of the repository is true: printed programs, links, commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_SNIPPET = re.compile(r'--8<-- "([^"]+)"')
_TEST_COMMAND = "pip install nox && nox"


def _blocks(text: str, language: str) -> Iterator[str]:
    for found, body in _BLOCK.findall(text):
        if found == language:
            yield body


@pytest.mark.parametrize("name", ["async_documents.py", "sync_documents.py", "web_service.py"])
def test_the_readme_prints_the_examples_as_they_are(name: str) -> None:
    assert (EXAMPLES / name).read_text("utf-8") in list(_blocks(README, "python"))


def test_every_program_in_the_readme_is_an_example() -> None:
    known = {path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
    assert [block for block in _blocks(README, "python") if block not in known] == []


def test_the_readme_and_ci_name_the_same_test_command() -> None:
    assert any(_TEST_COMMAND in block for block in _blocks(README, "console"))
    ci = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert ci[-1] == _TEST_COMMAND


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = [target.partition("#")[0] for target in _LINK.findall(document.read_text("utf-8"))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_blocks_of_python_are_python(document: Path) -> None:
    for block in _blocks(document.read_text("utf-8"), "python"):
        snippet = _SNIPPET.search(block)
        if snippet:
            assert (EXAMPLES / snippet[1]).is_file()
        else:
            compile(block, str(document), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "docs" / "mkdocs.yml").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f"- {page}" not in contents] == []
