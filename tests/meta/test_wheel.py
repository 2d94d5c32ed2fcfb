"""What is published: built, looked through, installed into clean environments, used from elsewhere."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.meta.package import PROJECT, ROOT, SERVICES, modules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SETTINGS = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))

DATA = {
    "asyncclient/py.typed",
    *(f"asyncclient/testing/{name}/contract.json" for name in ("flywheel", "las", "lfview", "voxel51")),
}
"""Files of the package that are no modules."""

NEEDS = {
    "asyncclient.lfview.files": "lfview",
    "asyncclient.lfview.manifests": "lfview",
    "asyncclient.lfview.scene": "lfview",
    "asyncclient.lfview.spatial": "lfview",
    "asyncclient.lfview.spatial.options": "lfview",
    "asyncclient.lfview.utils": "lfview",
    "asyncclient.sticky_pi.server": "sticky-pi-server",
    "asyncclient.sticky_pi.specifications:LocalAPI": "sticky-pi",
    "asyncclient.sticky_pi.storage:DiskStorage": "sticky-pi",
    "asyncclient.testing:Emulator": "testing",
}
"""Public modules, and names in them, that need an extra."""


def environment(folder: Path, *requirements: str) -> Path:
    """Make an environment that holds nothing else; return its interpreter."""
    venv.create(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # Compiled as they are imported: most of what the extras bring is not.
    options = ("--quiet", "--disable-pip-version-check", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", str(python), "install", *options, *requirements)
    return python


def run(python: Path | str, *arguments: str, cwd: Path | None = None) -> str:
    """Run a program that knows nothing of the checkout."""
    hidden = ("COVERAGE_", "PYTHONPATH", "PYTHONHOME")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run([str(python), *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it, by the build backend in an environment of its own."""
    folder = tmp_path_factory.mktemp("built")
    python = environment(folder / "backend", *SETTINGS["build-system"]["requires"])
    backend = SETTINGS["build-system"]["build-backend"]
    code = "import importlib, sys; print(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(sys.argv[3]))"
    sdist = folder / run(python, "-c", code, backend, "build_sdist", str(folder), cwd=PROJECT).split()[-1]
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    source = folder / sdist.name.removesuffix(".tar.gz")
    wheel = folder / run(python, "-c", code, backend, "build_wheel", str(folder), cwd=source).split()[-1]
    return sdist, wheel


@pytest.fixture(scope="module")
def metadata(built: tuple[Path, Path]) -> Message:
    with zipfile.ZipFile(built[1]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(wheel.read(name).decode("utf-8"))


def test_the_wheel_holds_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    folder = next(name for name in names if name.endswith("/METADATA")).partition("/")[0]
    wanted = {
        path.relative_to(PROJECT).as_posix()
        for name, path in modules().items()
        if "_codegen" not in name.split(".")
    }  # fmt: skip
    about = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert names - wanted == DATA | {f"{folder}/{name}" for name in about}
    assert wanted - names == set()


def test_the_sdist_holds_what_tests_and_generators_need(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "noxfile.py", "pyproject.toml", "tests/conftest.py"} <= names
    assert {f"asyncclient/{name}/openapi.json" for name in SERVICES} <= names
    assert {path.relative_to(PROJECT).as_posix() for path in ROOT.rglob("*.py")} <= names
    junk = re.compile(r"(^|/)(__pycache__|\.git|\.nox|\.venv|\.hypothesis|\.\w+_cache|site|dist)/|\.py[co]$|\.coverage")
    assert sorted(name for name in names if junk.search(name)) == []


def test_the_metadata_says_what_pyproject_says(metadata: Message) -> None:
    project = SETTINGS["project"]
    assert (metadata["Name"], metadata["Requires-Python"]) == (project["name"], project["requires-python"])
    assert (metadata["License-Expression"], metadata.get_all("License-File")) == ("MIT", ["LICENSE"])
    assert set(metadata.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])
    assert metadata["Version"] == importlib.metadata.version("asyncclient")
    plain = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert len(plain) == len(project["dependencies"])
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "asyncclient" in str(metadata.get_payload())


def test_the_extra_all_brings_every_other(metadata: Message) -> None:
    (everything,) = SETTINGS["project"]["optional-dependencies"]["all"]
    named = set(everything.partition("[")[2].rstrip("]").split(","))
    assert named == set(SETTINGS["project"]["optional-dependencies"]) - {"all"}


def test_the_demo_runs_from_elsewhere_with_all_extras(built: tuple[Path, Path], tmp_path: Path) -> None:
    python = environment(tmp_path / "all", f"{built[1]}[all]")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = python.with_name("asyncclient")

    said = run(program, "demo", "--size", "small", cwd=elsewhere)

    assert re.search(r"All \d+ files of 5 services .* came back the same, byte for byte", said)
    assert str(PROJECT) not in run(python, "-c", "import asyncclient; print(asyncclient.__file__)", cwd=elsewhere)
    assert f"asyncclient {importlib.metadata.version('asyncclient')}\n" == run(program, "--version")


@pytest.fixture(scope="module")
def bare(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the package and without any extra."""
    return environment(tmp_path_factory.mktemp("bare") / "env", str(built[1]))


def test_without_extras_every_public_module_imports_or_names_its_extra(bare: Path, tmp_path: Path) -> None:
    public = [name for name in modules() if not any(part.startswith("_") for part in name.split("."))]
    # Emulators are reached through asyncclient.testing, and the plugin by pytest.
    public = [name for name in public if not name.startswith("asyncclient.testing.")]
    code = """
import importlib, sys
for place in sys.argv[1:]:
    module, _, name = place.partition(":")
    try:
        found = importlib.import_module(module)
        if name:
            getattr(found, name)
    except ImportError as error:
        print(place, error, sep="\\t")
"""
    places = sorted({*public, *NEEDS})

    said = dict(
        line.split("\t") for line in run(bare, "-W", "error", "-c", code, *places, cwd=tmp_path).splitlines()
    )  # fmt: skip

    assert said.keys() == NEEDS.keys()
    for place, extra in NEEDS.items():
        assert f"pip install 'asyncclient[{extra}]'" in said[place], place


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(("-m", "asyncclient.cli", "las"), "cli"), (("-m", "asyncclient.testing", "las"), "testing")],
)
def test_without_extras_programs_name_theirs(bare: Path, arguments: tuple[str, ...], extra: str) -> None:
    done = subprocess.run([str(bare), *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"pip install 'asyncclient[{extra}]'" in done.stderr


def test_types_reach_those_who_install_it(bare: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from asyncclient.las import Client\nreveal_type(Client().get_model)\nClient(1)\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", f"--python-executable={bare}", f"--cache-dir={tmp_path}", program],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert "def (model_id: str" in done.stdout.replace("builtins.", "")
    assert 'has incompatible type "int"' in done.stdout
    assert "Skipping analyzing" not in done.stdout
