"""What the documents say of the repository is true: printed programs, links, commands, words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_tree import parse

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *PAGES, *(ROOT / "benchmarks").glob("*.md")])

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_SNIPPET = re.compile(r'^--8<-- "([^":]+)(?::([\w-]+))?"$', re.MULTILINE)
_TEST_COMMAND = "pip install nox && nox"

# What the pages have their readers type besides asyncclient; tests run the programs.
_OTHER_COMMANDS = {
    *("cd", "cmp", "curl", "export", "mkdir", "mypy", "nox", "pip", "python", "python3", "uvicorn"),
    ".",  # an environment is activated
}
# One word for one thing. On the left what is not said, on the right instead of what.
_WORDS = {
    r"\bE-?[Tt]ag|\bETag|[Ee]ntity tag": "etag",
    r"\bpart-file|\bpartfile|temporary part": "part file",
    r"\bjournalling\b|\bjournal file\b|\bjournalfile\b": "journal",
    r"\bqueue lane|\bpriority lane": "lane",
    r"\bupload-session|\bsession upload": "upload session",
    r"\bcheck ?sum of the whole|\bMD5": "md5",
}
_MAY_SAY = {"benchmarks.md"}  # generated


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> Iterator[str]:
    for found, body in _BLOCK.findall(text):
        if found == language:
            yield body


@pytest.mark.parametrize("name", ["async_documents.py", "sync_documents.py", "web_service.py"])
def test_the_readme_prints_the_examples_as_they_are(name: str) -> None:
    assert (EXAMPLES / name).read_text("utf-8") in list(blocks(README, "python"))


def test_every_program_in_the_readme_is_an_example() -> None:
    known = {path.read_text("utf-8") for path in EXAMPLES.glob("*.py")}
    assert [block for block in blocks(README, "python") if block not in known] == []


def test_the_readme_and_ci_name_the_same_test_command() -> None:
    assert any(_TEST_COMMAND in block for block in blocks(README, "console"))
    ci = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert ci[-1] == _TEST_COMMAND


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """In every document; of the pages, the build checks anchors too."""
    targets = [target.partition("#")[0] for target in _LINK.findall(document.read_text("utf-8"))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_programs_are_taken_in_from_files_that_run(page: Path) -> None:
    by_hand = [block for block in blocks(page.read_text("utf-8"), "python") if not _SNIPPET.fullmatch(block.strip())]
    assert by_hand == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_taken_in_is_there(page: Path) -> None:
    for file, section in _SNIPPET.findall(page.read_text("utf-8")):
        path = next(path for path in (EXAMPLES / file, ROOT / "docs" / file) if path.is_file())
        if section:
            text = path.read_text("utf-8")
            assert text.count(f"--8<-- [start:{section}]") == text.count(f"--8<-- [end:{section}]") == 1


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "learn").glob("*.md")), ids=name_of)
def test_what_the_tutorial_prints_was_seen_by_a_test(page: Path) -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for block in blocks(page.read_text("utf-8"), "text"):
        found = _SNIPPET.fullmatch(block.strip())
        assert found is not None
        assert f'"{found[1]}"' in tests or Path(found[1]).parent.name == "notebook"  # all of these are compared


def commands(text: str) -> Iterator[str]:
    for block in blocks(text, "console"):
        for line in re.findall(r"^\$ (.*)$", block.replace("\\\n", " "), re.MULTILINE):
            yield from (part.strip() for part in line.split("&&"))


COMMANDS = sorted(
    {(name_of(path), line) for path in [ROOT / "README.md", *PAGES] for line in commands(path.read_text("utf-8"))}
)


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_can_be_typed(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = re.fullmatch(r"\w+=\$\((.*)\)", line)
    words = shlex.split(inner[1] if inner else line)
    while "=" in words[0]:
        words.pop(0)
    if words[0] == "asyncclient":
        monkeypatch.chdir(tmp_path)
        for name in ("card", "nets"):  # folders that must exist for the parser
            (tmp_path / name).mkdir()
        words = [str(tmp_path) if word == "/media/card" else word for word in words]
        if "--install-completion" not in words:  # it is done as soon as it is read
            parse(shlex.join(words))
        return
    assert words[0] in _OTHER_COMMANDS
    if words[0] == "python" and words[1].endswith(".py") and words[1] != "report.py":
        assert any(EXAMPLES.rglob(words[1])), f"{words[1]} is no example"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in _MAY_SAY], ids=name_of)
def test_one_word_for_one_thing(page: Path) -> None:
    prose = re.sub(r"`[^`]*`", "", _BLOCK.sub("", page.read_text("utf-8")))
    assert {found: right for wrong, right in _WORDS.items() for found in re.findall(wrong, prose)} == {}


def test_every_page_is_in_the_table_of_contents() -> None:
    contents = (ROOT / "docs" / "mkdocs.yml").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in PAGES]
    assert [page for page in pages if f"- {page}" not in contents] == []


def test_the_build_fails_on_broken_links_and_anchors() -> None:
    """Together with ``--strict``, which makes errors of warnings."""
    settings = (ROOT / "docs" / "mkdocs.yml").read_text("utf-8").partition("\nvalidation:\n")[2]
    for kind in ("omitted_files", "absolute_links", "unrecognized_links", "anchors"):
        assert f"  {kind}: warn\n" in settings
    assert "check_paths: true" in (ROOT / "docs" / "mkdocs.yml").read_text("utf-8")
    assert '"mkdocs", "build", "--strict"' in (ROOT / "noxfile.py").read_text("utf-8")
