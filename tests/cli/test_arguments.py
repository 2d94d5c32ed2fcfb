"""Version, help, wrong arguments, missing extras: one line, the right stream, the right exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient import __version__
from asyncclient.cli import main
from asyncclient.cli._errors import guarded
from asyncclient.errors import ConnectError


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"asyncclient {__version__}\n"


def test_arguments_of_the_process_are_the_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["asyncclient", "--version"])
    assert main() == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["demo", "--help"],
        ["testing", "--help"],
        ["transfers", "--help"],
        ["transfers", "resume", "--help"],
    ],
)
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert "Usage: asyncclient" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dmeo"], "No such command 'dmeo'"),
        (["demo", "--fast"], "--fast"),
        (["demo", "--size", "huge"], "huge"),
        (["demo", "a", "b"], "b"),
        (["testing", "serve"], "SERVICE"),
        (["testing", "serve", "las", "--port", "70000"], "65535"),
        (["testing", "serve", "nothing"], "there is no emulator for 'nothing'; there are: "),
    ],
)
def test_wrong_arguments(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("asyncclient: ")
    assert captured.err.count("\n") == 1
    assert said.lower() in captured.err.lower()


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from asyncclient.cli import main; sys.exit(main(['demo']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == ("asyncclient: the command line needs the extra 'cli': pip install 'asyncclient[cli]'\n")
    assert done.stdout == ""


def test_without_the_extra_for_testing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    code = f"import sys; sys.modules['starlette'] = None; from asyncclient.cli import main; sys.exit(main(['demo', {str(tmp_path)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "pip install 'asyncclient[testing]'" in done.stderr
    assert done.stderr.count("\n") == 1


def _raise(error: BaseException) -> int:
    raise error


def test_expected_errors_become_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(ConnectError("nobody\nlistens")), debug=False) == 1
    assert capsys.readouterr().err == "asyncclient: nobody listens\n"
    assert guarded(lambda: _raise(OSError()), debug=False) == 1
    assert capsys.readouterr().err == "asyncclient: OSError\n"


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(ConnectError("nobody listens")), debug=True) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("asyncclient: nobody listens\n")


def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(KeyboardInterrupt()), debug=False) == 130
    assert capsys.readouterr().err == "asyncclient: interrupted\n"


def test_defects_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0, debug=False)
