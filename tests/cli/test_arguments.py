"""Version, help, wrong arguments, missing extras: one line, the right stream, the right exit code."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asyncclient import __version__, errors
from asyncclient.cli import main
from asyncclient.cli._errors import EXIT_CODES, Missing, Problem, exit_code, guarded
from asyncclient.cli._settings import begin
from asyncclient.errors import ConnectError
from asyncclient.las.exceptions import InvalidCredentialsException, MissingCredentials


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
        (["las", "documents", "delete"], "give either ids or --dataset"),
        (["las", "documents", "delete", "x", "--dataset", "y"], "give either ids or --dataset"),
        (
            ["las", "documents", "lst"],
            "No such command 'lst'. Did you mean 'list'?; see asyncclient las documents --help",
        ),
        (["las", "api", "docs"], "there is no group 'docs'"),
        (["las", "api", "datasets", "get_dataset"], "get_dataset needs --param dataset_id=..."),
        (["config", "--timeout"], "--timeout"),
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


# --- how commands end ------------------------------------------------------------------------------------------------


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectError("x"), 5),
        (errors.DeadlineExceeded("op", 1.0), 5),
        (errors.TooManyRequests("x", status=429), 5),
        (errors.ServerError("x", status=503), 5),
        (errors.ConfigurationError("x"), 3),
        (errors.Unauthorized("x", status=401), 3),
        (errors.Forbidden("x", status=403), 3),
        (errors.NotFound("x", status=404), 4),
        (Missing("x"), 4),
        (Problem("x"), 2),
        (errors.ArgumentError("x"), 2),
        (errors.ArgumentTypeError("x"), 2),
        (ImportError("x"), 2),
        (errors.BadRequest("x", status=400), 1),
        (errors.Conflict("x", status=409), 1),
        (errors.IntegrityError("f", expected="a", actual="b"), 1),
        (errors.DecodeError("x"), 1),
        (PermissionError(13, "x"), 1),
        (InvalidCredentialsException("x", status=403), 3),
        (MissingCredentials("x"), 3),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_exit_codes(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert code in EXIT_CODES
    assert guarded(lambda: _raise(error)) == code
    begin().as_json = True
    assert guarded(lambda: _raise(error)) == code
    plain, found = capsys.readouterr().err.splitlines()
    assert plain.startswith("asyncclient: ")
    said = json.loads(found)["error"]
    assert said["message"] == plain.removeprefix("asyncclient: ")
    assert (said["kind"], said["exit_code"]) == (type(error).__name__, code)
    assert said.get("status") == getattr(error, "status", None)


def test_every_error_of_the_package_has_a_code() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    found = {kind.__name__: exit_code(kind.__new__(kind)) for kind in kinds}
    assert set(found.values()) == {1, 2, 3, 4, 5}
    assert {name for name, code in found.items() if code == 1} == {
        *("AsyncClientError", "APIError", "BadRequest", "Conflict", "DecodeError", "HubClosed", "WrongLoop"),
        *("TransferError", "SourceChanged", "RemoteChanged", "IntegrityError", "SessionExpired", "ResumeError"),
    }


def test_expected_errors_become_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(ConnectError("nobody\nlistens \x1b[2J"))) == 5
    assert capsys.readouterr().err == "asyncclient: nobody listens ?[2J\n"
    assert guarded(lambda: _raise(OSError())) == 1
    assert capsys.readouterr().err == "asyncclient: OSError\n"


def test_debug_shows_the_traceback_and_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    begin().debug = True

    def work() -> int:
        logging.getLogger("asyncclient.las").debug("a record")
        raise ConnectError("nobody listens")

    assert guarded(work) == 5
    said = capsys.readouterr().err
    assert "DEBUG   asyncclient.las: a record" in said
    assert "Traceback" in said
    assert said.endswith("asyncclient: nobody listens\n")
    logging.getLogger("asyncclient.las").debug("later")
    assert capsys.readouterr().err == ""


def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raise(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "asyncclient: interrupted\n"


def test_defects_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)


def test_errors_in_arguments_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["las", "documents", "list", "--json", "--limit", "x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--limit" in json.loads(err)["error"]["message"]


@pytest.mark.parametrize("before", [True, False])
def test_shared_options_before_and_after_the_command(before: bool, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["transfers", "abort", "0123456"]
    assert main(["--json", "--debug", *words] if before else [*words, "--json", "--debug"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" in err
    assert json.loads(err.splitlines()[-1])["error"]["kind"] == "Missing"
    assert main(words) == 4  # and nothing of it is left
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("group", ["flywheel", "las", "lfview", "sticky-pi", "voxel51", "transfers", "testing"])
def test_a_group_alone_shows_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group]) == 0
    alone = capsys.readouterr().out
    assert main([group, "-h"]) == 0
    assert capsys.readouterr().out.strip() == alone.strip()


def test_a_closed_pipe(start: Callable[..., subprocess.Popen[str]]) -> None:
    child = start("voxel51", "--all-help", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    err = child.stderr.read()
    child.stderr.close()
    assert (child.wait(60), err) == (141, "")


def test_names_that_the_terminal_cannot_show() -> None:
    code = (
        "import sys; from asyncclient.cli._app import run; from asyncclient.cli import _transfers\n"
        "_transfers.list_all = lambda: print('gr\\u00f6\\u00dfe \\u6e2c \\udcff')\n"
        "sys.exit(run(['transfers', 'list']))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "gr\\xf6\\xdfe \\u6e2c \\udcff\n", "")
