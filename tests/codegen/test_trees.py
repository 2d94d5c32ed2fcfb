"""Writing and comparing trees, and the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asyncclient._codegen import _trees
from asyncclient._codegen.__main__ import main
from asyncclient._codegen._errors import DescriptionError, FormatterError
from asyncclient._codegen._ir import Module
from asyncclient._codegen._trees import compare, formatted, write
from asyncclient._codegen.services import UNITS

PACKAGE = Path(__file__).parents[2] / "asyncclient"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKAGE, tmp_path / "asyncclient", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.slow
def test_generated_trees_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    largest = "flywheel"  # takes as long as all others; other tests measure what makes it
    status = main(["--check", *(unit for unit in UNITS if unit != largest)])
    assert status == 0, capsys.readouterr().out
    command = [sys.executable, "-m", "asyncclient._codegen", "--check", largest]
    done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_names_missing_extra_and_changed_files(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = package / "las/_generated"
    (root / "operations/assets.py").unlink()
    (root / "operations/stale.py").write_text("", "utf-8")
    models = root / "models.py"
    models.write_text(models.read_text("utf-8").replace("assetId: Required[str]", "assetId: Required[int]"), "utf-8")
    assert main(["--check", "las"], package=package) == 1
    out = capsys.readouterr()
    assert "missing: _generated/operations/assets.py" in out.out
    assert "extra: _generated/operations/stale.py" in out.out
    assert "-    assetId: Required[int]\n+    assetId: Required[str]" in out.out
    assert "3 generated files are not up to date" in out.err


def test_writing_makes_the_check_pass(package: Path) -> None:
    shutil.rmtree(package / "las/_generated")
    (package / "_sync/_generated/stale").mkdir()
    (package / "_sync/_generated/stale/old.py").write_text("", "utf-8")
    assert main(["las", "hub"], package=package) == 0
    assert not (package / "_sync/_generated/stale").exists()
    assert main(["--check", "las", "hub"], package=package) == 0


def test_facades_are_made_from_fresh_operations(package: Path) -> None:
    description = package / "las/openapi.json"
    text = description.read_text("utf-8").replace("Fetch one asset together", "Bring one asset together")
    description.chmod(0o644)
    description.write_text(text, "utf-8")
    assert main(["las"], package=package) == 0
    assert "Bring one asset together" in (package / "las/_generated/sync/operations.py").read_text("utf-8")


def test_errors_and_unknown_units_are_told(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "las/client.py").unlink()
    assert main(["las"], package=package) == 2
    assert "no module asyncclient.las.client" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["moon"], package=package)
    assert "unknown: moon" in capsys.readouterr().err


def test_unchanged_files_are_not_touched(tmp_path: Path) -> None:
    texts = {"a.py": "A = 1\n", "b/c.py": "C = 1\n"}
    write(tmp_path, texts)
    before = (tmp_path / "a.py").stat().st_mtime_ns
    write(tmp_path, {"a.py": "A = 1\n", "b/c.py": "C = 2\n"})
    assert (tmp_path / "a.py").stat().st_mtime_ns == before
    assert compare(tmp_path, {"a.py": "A = 1\n", "b/c.py": "C = 2\n"}) == []
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/a.pyc").write_bytes(b"")
    assert compare(tmp_path, {"a.py": "A = 1\n", "b/c.py": "C = 2\n"}) == []


def test_the_formatter_refuses_what_is_not_python() -> None:
    with pytest.raises(FormatterError, match=r"bad\.py"):
        formatted([Module("bad.py", "def\n")])


def test_another_formatter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trees, "RUFF_VERSION", "0.0.1")
    with pytest.raises(FormatterError, match=r"formatted with ruff 0\.0\.1"):
        formatted([Module("a.py", "A = 1\n")])


def test_long_modules_are_refused() -> None:
    with pytest.raises(DescriptionError, match="more than 1500"):
        formatted([Module("a.py", "A = 1\n" * 1501)])
