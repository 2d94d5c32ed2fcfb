"""Development tasks. `nox` alone does what CI does; `nox -l` lists all."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["check", "types", "tests", "docs"]
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")
OFFICIAL_LAS = "lucidtech-las==11.4.1"
OFFICIAL_LAS_PYTHON = "ASYNCCLIENT_OFFICIAL_LAS_PYTHON"
# The client uses names that numpy dropped in 1.24, and pkg_resources, which setuptools dropped later.
OFFICIAL_LFVIEW = ("lfview-api-client==0.1.2", "numpy==1.23.5", "setuptools<70")
OFFICIAL_LFVIEW_PYTHON = "ASYNCCLIENT_OFFICIAL_LFVIEW_PYTHON"
OFFICIAL_FLYWHEEL = "flywheel-sdk==20.0.0"
OFFICIAL_FLYWHEEL_PYTHON = "ASYNCCLIENT_OFFICIAL_FLYWHEEL_PYTHON"


def install(session: nox.Session, *groups: str, package: str = ".[all]") -> None:
    """Install groups of pyproject.toml and the package, by default with all extras."""
    session.install("-e", package, *nox.project.dependency_groups(PROJECT, *groups))


def official_python(session: nox.Session, name: str, variable: str, *requirements: str) -> str:
    """Return the interpreter of an environment that holds nothing but the official client of a service."""
    given = os.environ.get(variable)
    if given:
        return given
    folder = Path(".nox", f"official-{name}").resolve()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        session.run(sys.executable, "-m", "virtualenv", "--quiet", str(folder), external=True)
    session.run(str(python), "-m", "pip", "install", "--quiet", *requirements, external=True)
    return str(python)


def official_las_python(session: nox.Session) -> str:
    """Return the interpreter of an environment that holds nothing but the official las client."""
    return official_python(session, "las", OFFICIAL_LAS_PYTHON, OFFICIAL_LAS)


def official_lfview_python(session: nox.Session) -> str:
    """Return the interpreter for the official LF View client; "" where its numpy is too old for this Python."""
    if sys.version_info >= (3, 12) and not os.environ.get(OFFICIAL_LFVIEW_PYTHON):
        return ""  # the tests skip themselves, with the reason
    return official_python(session, "lfview", OFFICIAL_LFVIEW_PYTHON, *OFFICIAL_LFVIEW)


def official_flywheel_python(session: nox.Session) -> str:
    """Return the interpreter of an environment that holds nothing but the official Flywheel client."""
    return official_python(session, "flywheel", OFFICIAL_FLYWHEEL_PYTHON, OFFICIAL_FLYWHEEL)


@nox.session
def check(session: nox.Session) -> None:
    """Lint, formatting, and whether generated files are up to date."""
    install(session, "check", package=".")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "asyncclient._codegen", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Types of the package, of the examples and of the public surface as other type checkers see it."""
    install(session, "types")
    # One run: what the second and third would read again is most of their time. Each of the two uses one processor.
    mypy = ("mypy", "asyncclient", "docs/examples", "noxfile.py", "benchmarks")
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(session.run, *mypy, env={"MYPYPATH": "benchmarks"}), pool.submit(session.run, "pyright")]
    for each in running:
        each.result()


@nox.session
def tests(session: nox.Session) -> None:
    """All tests; arguments go to pytest. Without arguments also the coverage of what is written by hand."""
    with ThreadPoolExecutor() as pool:  # pip uses one processor
        official = {
            OFFICIAL_LAS_PYTHON: pool.submit(official_las_python, session),
            OFFICIAL_LFVIEW_PYTHON: pool.submit(official_lfview_python, session),
            OFFICIAL_FLYWHEEL_PYTHON: pool.submit(official_flywheel_python, session),
        }
        install(session, "tests")
    env = {variable: python.result() for variable, python in official.items()}
    env["PYTHONDONTWRITEBYTECODE"] = ""  # hundreds of processes would compile the package, each for itself
    if not session.posargs:
        # What every process would do for itself: compiling, and the assertions of all tests, are most of its start.
        session.run("python", "-m", "compileall", "-q", "-j", "0", "asyncclient")
        with ThreadPoolExecutor() as pool:
            collect = ("python", "-m", "pytest", "--collect-only", "-qq")
            folders = sorted({str(path.parent) for path in Path("tests").glob("*/test_*.py")})
            halves = (folders[::2], folders[1::2])
            list(pool.map(lambda half: session.run(*collect, *half, env=env, silent=True), halves))
    # A file stays with one process, and with it what its tests share; conftest.py says which come first. One more than
    # processors: a third of the time a test waits for a server or another process.
    workers = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or workers), env=env)
    if not session.posargs:
        session.run("coverage", "combine", "--quiet")
        session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documents into site/; warnings are errors. The package is read, not imported."""
    session.install(*nox.project.dependency_groups(PROJECT, "docs"))
    session.run("mkdocs", "build", "--strict", "--config-file", "docs/mkdocs.yml", env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def generate(session: nox.Session) -> None:
    """Write generated files anew; `nox -s generate -- --check` only compares."""
    install(session, "check", package=".")
    session.run("python", "-m", "asyncclient._codegen", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """All benchmarks and their report; `-- --quick` in some minutes, `-- calls --rounds 3` one, with its arguments."""
    install(session, "bench")
    env = {
        OFFICIAL_LAS_PYTHON: official_las_python(session),
        OFFICIAL_FLYWHEEL_PYTHON: official_flywheel_python(session),
    }
    session.run("python", "benchmarks/run.py", *session.posargs, env=env)
