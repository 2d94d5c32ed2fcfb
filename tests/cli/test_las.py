"""``asyncclient las`` against the emulator: real files, refusals, failures in parts, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient.cli import main
from asyncclient.testing import Server

Say = Callable[..., Any]
NOTHING = "las:document:" + "0" * 32
MODEL = "las:organization:cradl/las:model:invoice"


@pytest.fixture(autouse=True)
def _as_user(asyncclient_las: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name, value in asyncclient_las.credentials().items():
        monkeypatch.setenv(f"LAS_{name.upper()}", value)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    """A function that runs a command, which has to work, and gives what it prints: text, or with --json the value."""

    def run(*arguments: str, code: int = 0) -> Any:
        found = main(["las", *arguments])
        out, err = capsys.readouterr()
        assert found == code, err
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    folder = tmp_path / "invoices"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.pdf").write_bytes(b"%PDF-1.4 hidden")
    (folder / "größe\n測.pdf").write_bytes(b"%PDF-1.4 one")
    (folder / "sub" / "b.pdf").write_bytes(b"%PDF-1.4 two" * 1000)
    return folder


def test_from_a_folder_and_back(said: Say, invoices: Path, asyncclient_las: Server) -> None:
    dataset = said("datasets", "create", "--name", "this year", "--description", "all").strip()
    rows = said("documents", "upload", str(invoices), "--dataset", dataset, "--retention-days", "30", "--json")
    assert [row["path"] for row in rows] == [str(invoices / "größe\n測.pdf"), str(invoices / "sub" / "b.pdf")]
    ids = [row["documentId"] for row in rows]
    found = said("documents", "list", "--dataset", dataset, "--json")
    assert {row["documentId"] for row in found} == set(ids)
    assert {row["retentionInDays"] for row in found} == {30}
    assert len(said("documents", "list", "-l", "1").splitlines()) == 3
    assert said("datasets", "list", "--json")[0]["name"] == "this year"
    assert "all" in said("datasets", "get", dataset)
    before = asyncclient_las.state.counters["get_document"]
    assert said("documents", "get", ids[0], "--json")["documentId"] == ids[0]
    assert asyncclient_las.state.counters["get_document"] == before + 1
    said("documents", "download", ids[1], "-o", "b.pdf")
    assert Path("b.pdf").read_bytes() == (invoices / "sub" / "b.pdf").read_bytes()
    back = said("documents", "download", *ids, "-o", "back", "--json")
    assert [Path(row["path"]).read_bytes() for row in back] == [Path(row["path"]).read_bytes() for row in rows]
    assert said("documents", "delete", ids[0], "--yes") == f"Deleted {ids[0]}\n"
    assert said("documents", "delete", "--dataset", dataset, "--yes", "--json") == [{"documentId": ids[1]}]
    assert said("datasets", "delete", dataset, "-y", "--json") == {"datasetId": dataset, "deleted": True}
    assert said("datasets", "list", "--json") == []


def test_a_dataset_with_its_documents(said: Say, invoices: Path) -> None:
    dataset = said("datasets", "create", "--json")["datasetId"]
    assert said("documents", "upload", str(invoices), "--dataset", dataset).count("las:document:") == 2
    assert said("datasets", "delete", dataset, "--documents", "-y") == f"Deleted {dataset}\n"


def test_names_of_files_stay_in_their_line(said: Say, invoices: Path) -> None:
    assert all(line.startswith("las:document:") for line in said("documents", "upload", str(invoices)).splitlines())


def test_predictions(said: Say, invoices: Path) -> None:
    document = said("documents", "upload", str(invoices / "sub" / "b.pdf"), "--json")[0]["documentId"]
    assert "total_amount" in said("predictions", "create", document, MODEL, "--max-pages", "1")
    found = said("predictions", "create", document, MODEL, "--json")
    assert {"label", "value"} <= set(found["predictions"][0])
    assert len(said("predictions", "list", "--model", MODEL, "--json")) == 2
    assert said("models", "list").startswith("modelId")
    made = said(
        *("api", "models", "create_model", "-p", 'field_config={"total": {"type": "amount", "maxLength": 10}}'),
        *("-p", "name=mine"),
    )
    model = json.loads(made)["modelId"]
    assert "mine" in said("models", "get", model)


def test_any_operation(said: Say, invoices: Path) -> None:
    assert "datasets" in said("api").splitlines()
    assert "create_document" in said("api", "documents", "--json")
    assert "content (required): Any" in said("api", "documents", "create_document", "--describe")
    file = invoices / "sub" / "b.pdf"
    made = said(
        "api", "documents", "create-document", "-p", f"content={file}", "-p", 'metadata={"a": 1}', "-p", "name=5"
    )
    made = json.loads(made)
    listed = json.loads(said("api", "documents", "list_documents", "-p", "max_results=1"))
    assert [row["documentId"] for row in listed["documents"]] == [made["documentId"]]
    assert listed["documents"][0]["metadata"] == {"a": 1}


def test_failures_in_parts(said: Say, invoices: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (invoices / "empty.pdf").write_bytes(b"")
    assert main(["las", "documents", "upload", str(invoices), "--json"]) == 1
    out, err = capsys.readouterr()
    assert ["error" in row for row in json.loads(out)] == [True, False, False]
    assert json.loads(err)["error"]["path"] == str(invoices / "empty.pdf")
    assert main(["las", "documents", "upload", str(invoices / "empty.pdf")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"asyncclient: {invoices / 'empty.pdf'}: content is empty")
    assert main(["las", "documents", "download", NOTHING]) == 4
    assert list(Path().glob("*document*")) == []


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("documents", "upload", "missing.pdf"), "missing.pdf: there is no such file", 4),
        (("documents", "upload", "empty"), "empty: holds no files", 2),
        (("documents", "get", NOTHING), "", 4),
        (("documents", "download", "a", "b", "-o", "file"), "file: is a file", 2),
        (("documents", "delete", NOTHING, "-y"), "", 4),
        (("documents", "delete", NOTHING), "--yes", 2),
        (("models", "list", "--profile", "none"), "profile 'none'", 3),
        (("models", "get", ""), "model_id", 2),
    ],
)
def test_what_cannot_be_done(
    arguments: tuple[str, ...], words: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    assert main(["las", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.startswith("asyncclient: ")
    assert err.count("\n") == 1


def test_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LAS_CLIENT_SECRET", "planted-secret")
    assert main(["las", "models", "list", "--debug"]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "planted-secret" not in err
    for name in ("ID", "SECRET"):
        monkeypatch.delenv(f"LAS_CLIENT_{name}")
    assert main(["las", "models", "list"]) == 3
    assert "LAS_CLIENT_ID" in capsys.readouterr().err


def test_nobody_answers(
    asyncclient_las: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAS_AUTH_ENDPOINT", "http://127.0.0.1:1")
    assert main(["las", "models", "list", "--max-retries", "0"]) == 5
    assert "cannot connect" in capsys.readouterr().err


def test_the_limit_of_time(asyncclient_las: Server, said: Say, capsys: pytest.CaptureFixture[str]) -> None:
    asyncclient_las.state.delay(30, path="/models")
    assert main(["las", "models", "list", "--timeout", "0.2"]) == 5
    assert "0.2 s" in capsys.readouterr().err


def test_retries(asyncclient_las: Server, said: Say) -> None:
    asyncclient_las.state.fail_next(503, method="GET", path="/models")
    said("models", "list", "--max-retries", "0", code=5)


def test_asked_on_a_terminal(asyncclient_las: Server, invoices: Path, said: Say) -> None:
    document = said("documents", "upload", str(invoices / "sub" / "b.pdf"), "--json")[0]["documentId"]
    for answer, left in ((b"n\n", 1), (b"y\n", 0)):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "asyncclient.cli", "las", "documents", "delete", document],
            stdin=theirs,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.close(theirs)
        os.write(ours, answer)
        out, _ = child.communicate(timeout=60)
        os.close(ours)
        assert child.returncode == 0
        assert "Delete 1 document(s)? [y/N]" in out
        assert len(said("documents", "list", "--json")) == left


def test_ctrl_c(
    asyncclient_las: Server, invoices: Path, start: Callable[..., subprocess.Popen[str]], said: Say
) -> None:
    arrived = threading.Event()
    asyncclient_las.state.delay(60, path="/fileserver/*")
    child = start("las", "documents", "upload", str(invoices), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not asyncclient_las.state.counters["create_document"] and child.poll() is None:
        arrived.wait(0.01)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "asyncclient: interrupted\n")


@pytest.mark.parametrize(("options", "shown"), [((), True), (("--no-progress",), False), (("-q",), False)])
def test_bars_on_a_terminal(invoices: Path, options: tuple[str, ...], shown: bool) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "asyncclient.cli", "las", "documents", "upload", str(invoices), *options]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True)
    os.close(theirs)
    out, _ = child.communicate(timeout=60)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # the other end is closed, and all was read
        pass
    os.close(ours)
    assert child.returncode == 0
    assert out.count("las:document:") == 2
    assert (b"2/2" in written) is shown
    assert shown or written == b""
