"""All commands together: shared options, help with examples, and what is loaded for what."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import main
from asyncclient.cli._app import load_all
from asyncclient.cli._commands import LocalCommand, SilentCommand
from asyncclient.cli._errors import EXIT_CODES
from asyncclient.cli._examples import EXAMPLES

SHARED = {"--json", "--quiet", "--no-progress", "--timeout", "--max-retries", "--debug", "--help"}
# One name for one thing. The names below are the only ones that may stand for something else, with the reason.
KNOWN_AS = {
    "-a": ("--all", "--all-fields"),  # --all-fields is the platform's own tool's
    "-c": ("--count", "--column"),  # --count likewise
    "-f": ("--force", "--filename"),
    "-i": ("--id",),
    "-j": ("--jobs-cluster",),
    "-l": ("--limit",),
    "-m": ("--mime-type",),
    "-n": ("--dry-run", "--name"),
    "-o": ("--output",),
    "-p": ("--param", "--path", "--platform"),
    "-q": ("--quiet",),
    "-r": ("--recursive", "--request"),
    "-s": ("--search", "--size"),
    "-t": ("--analytic-type", "--image-type"),
    "-u": ("--url",),
    "-v": ("--version",),
    "-y": ("--yes",),
    "-e": ("--expiration-date",),
    "-h": ("--help",),
}


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{path} {name}")


TREE = dict(walk(load_all(), "asyncclient"))
COMMANDS = {path: command for path, command in TREE.items() if not hasattr(command, "commands")}


def options_of(command: Any) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(param.opts) for param in command.params if param.param_type_name == "option" for name in param.opts
    }


def test_there_are_all_services() -> None:
    assert len(COMMANDS) > 60
    for service in ("flywheel", "las", "lfview", "sticky-pi", "voxel51"):
        assert f"asyncclient {service}" in TREE
    for service in ("flywheel", "las", "voxel51"):
        assert f"asyncclient {service} api" in COMMANDS


@pytest.mark.parametrize("path", COMMANDS)
def test_shared_options(path: str) -> None:
    command = COMMANDS[path]
    options = {*options_of(command), "--help"}
    assert {"--debug", "--quiet", "-q"} <= options
    if not isinstance(command, SilentCommand):
        assert "--json" in options
    if not isinstance(command, LocalCommand):
        assert options >= SHARED
    for name in options_of(command):
        assert re.fullmatch(r"-[a-z]|--[a-z0-9]+(-[a-z0-9]+)*", name), name


@pytest.mark.parametrize("path", COMMANDS)
def test_short_options_mean_the_same_everywhere(path: str) -> None:
    for names in (param.opts for param in COMMANDS[path].params if param.param_type_name == "option"):
        for short in (name for name in names if not name.startswith("--")):
            assert set(names) & set(KNOWN_AS[short]), (short, names)


@pytest.mark.parametrize("path", COMMANDS)
def test_what_deletes_can_be_told_not_to_ask(path: str) -> None:
    options = options_of(COMMANDS[path])
    if path.endswith(" delete") or "--delete" in options:
        assert {"-y", "--yes"} <= set(options)


@pytest.mark.parametrize("path", TREE)
def test_help(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split()[1:], "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"Usage: {path} [OPTIONS]")
    text, _, examples = out.partition("\nExamples:\n")
    lines = examples.strip("\n").split("\n")
    assert lines
    assert all(line.startswith("  $ asyncclient") for line in lines), "the help ends with the examples"
    words = re.split(r"\n\n", text)[1].strip()
    assert words[0].isupper()
    assert words.rstrip().endswith((".", ")")) or "." in words
    for param in TREE[path].params:
        assert getattr(param, "help", "") or param.name == "help", f"{path}: {param.name} says nothing of itself"


def test_no_examples_of_commands_that_are_not_there() -> None:
    assert set(EXAMPLES) == set(TREE)


@pytest.mark.parametrize(("path", "line"), [(path, line) for path, lines in EXAMPLES.items() for line in lines])
def test_examples_are_commands(path: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("card", "nets"):  # folders that must exist for the parser
        (tmp_path / name).mkdir()
    parse(line)


def parse(line: str) -> None:
    """Read a line with the parser of the command that it names, down to its values; nothing is done."""
    program, *words = shlex.split(line)
    assert program == "asyncclient"
    command, path = TREE["asyncclient"], "asyncclient"
    context = command.make_context("asyncclient", [], resilient_parsing=True)
    while words and f"{path} {words[0]}" in TREE:
        path = f"{path} {words.pop(0)}"
        command = TREE[path]
        if hasattr(command, "commands"):
            context = command.make_context(path.split()[-1], [], parent=context, resilient_parsing=True)
    assert not hasattr(command, "commands"), f"{line}: names no command"
    command.make_context(path.split()[-1], words, parent=context)


# --- what is loaded --------------------------------------------------------------------------------------------------

HEAVY = {"httpx", "pydantic", "rich", "anyio", "asyncio", "numpy", "orjson", "sqlalchemy", "starlette"}
SERVICES = ("flywheel", "las", "lfview", "sticky_pi", "voxel51")


def loaded(arguments: list[str], **environment: str) -> set[str]:
    code = (
        "import atexit, json, sys, os\n"
        "atexit.register(lambda: os.write(2, json.dumps(sorted(sys.modules)).encode()))\n"
        "from asyncclient.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--version"], None), (["--help"], None), ([], "asyncclient "), ([], "asyncclient las documents upload --")],
    ids=str,
)
def test_help_and_completion_load_little(arguments: list[str], words: str | None) -> None:
    completing = {} if words is None else completion("bash", words)
    found = loaded(arguments, **completing)
    tops = {name.partition(".")[0] for name in found}
    heavy = HEAVY - {"asyncio"} if words and "las" in words else HEAVY
    assert not tops & heavy
    assert not [name for name in found if any(name.startswith(f"asyncclient.{service}") for service in SERVICES)]
    if words is None:
        assert not [
            name for name in found if re.match(r"asyncclient\.cli\._(las|lfview|flywheel|voxel51|sticky)", name)
        ]


# --- completion ------------------------------------------------------------------------------------------------------


def completion(shell: str, words: str) -> dict[str, str]:
    return {
        "_ASYNCCLIENT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(words: str, shell: str = "bash") -> str:
        for name, value in completion(shell, words).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main([])
        assert not ended.value.code
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("asyncclient l", "las lfview"),
        ("asyncclient transfers ", "list resume abort prune"),
        ("asyncclient las documents up", "upload"),
        ("asyncclient las documents upload --da", "--dataset"),
        ("asyncclient config s", "show sticky-pi"),
        ("asyncclient testing serve v", "voxel51"),
        ("asyncclient lfview share URL EMAIL --role ", "editor spectator"),
        ("asyncclient flywheel view --format t", "tsv"),
        ("asyncclient las api data", "data_bundles datasets"),
        ("asyncclient las api documents list", "list_documents"),
        ("asyncclient flywheel api projects get_all_projects_", "get_all_projects_groups"),
        ("asyncclient voxel51 api st", "status"),
        ("asyncclient voxel51 api nothing ", ""),
        ("asyncclient lfview api s", "session slides"),
        ("asyncclient lfview api slides delete", "delete_feedback delete_slide"),
        ("asyncclient sticky-pi api t", "tuboids"),
        ("asyncclient sticky-pi api users put", "put_users"),
    ],
)
def test_completion(words: str, expected: str, completed: Any) -> None:
    assert completed(words).split() == expected.split()


def test_completion_of_profiles(completed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert completed("asyncclient las models list --profile ") == "\n"
    file = tmp_path / ".lucidtech" / "credentials.cfg"
    file.parent.mkdir()
    file.write_text("[default]\nclient_secret = planted\n[test]\n[live]\n")
    assert completed("asyncclient las models list --profile ").split() == ["default", "test", "live"]
    file.write_text("no sections\n")
    assert completed("asyncclient las models list --profile ") == "\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_other_shells(
    shell: str, completed: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "lfview" in completed("asyncclient l", shell)
    monkeypatch.setenv("_ASYNCCLIENT_COMPLETE", f"source_{shell}")
    with pytest.raises(SystemExit):
        main([])
    assert f"_ASYNCCLIENT_COMPLETE=complete_{shell}" in capsys.readouterr().out


def test_completion_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "completion"
    program = tmp_path / "asyncclient"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m asyncclient.cli "$@"\n')
    program.chmod(0o700)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment["HOME"] = str(tmp_path)
    commands = "asyncclient --show-completion >completion && asyncclient --install-completion; echo $?"
    shown = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert shown.stdout.splitlines()[-1] == "0", shown.stderr
    assert str(next(tmp_path.glob(".bash_completions/asyncclient*"))) in (tmp_path / ".bashrc").read_text()
    code = (
        f"source {script}; complete -p asyncclient; COMP_WORDS=(asyncclient transfers re); COMP_CWORD=2; "
        "_asyncclient_completion asyncclient; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["complete -o default -F _asyncclient_completion asyncclient", "resume"], (
        done.stderr
    )


# --- the page about all this -----------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "command-line.md").read_text("utf-8")


def test_the_page_has_the_exit_codes() -> None:
    table = PAGE.partition("### Exit codes")[2].partition("\n\nOf several")[0]
    found = {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE)}
    assert found == EXIT_CODES


def test_the_page_names_every_command() -> None:
    for path in TREE:
        _, *words = path.split()
        if len(words) < 2:
            continue
        section = PAGE.partition(f"\n## asyncclient {words[0]}")[2].partition("\n## ")[0]
        assert section, f"{words[0]} has no section"
        last = words[-1]
        text = PAGE if last == "api" else section
        assert re.search(rf"`(?:\w+ )?{re.escape(last)}\b|asyncclient {' '.join(words)}\b", text), path


@pytest.mark.parametrize("line", re.findall(r"^\$ (asyncclient .*)$", PAGE, re.MULTILINE))
def test_examples_on_the_page_are_commands(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "--install-completion" not in line:  # it is done as soon as it is read
        parse(line)
