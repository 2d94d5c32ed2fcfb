"""MariaDB and PostgreSQL for tests: those that run on this machine, else private ones on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.processes import free_port, running

__all__ = ["clear", "kept_database", "mariadb", "postgresql"]


@contextlib.contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """Yield the URL of a MariaDB server whose user may create databases, without a database."""
    url = "mysql+asyncmy://root@127.0.0.1:{port}"
    if _answers(url.format(port=3306) + "/mysql", 3306):
        yield url.format(port=3306)
        return
    server, install = _program("mariadbd", "/usr/sbin"), _program("mariadb-install-db")
    data, port = folder / "mariadb", free_port()
    user = _user("mysql")
    _own(folder, user)
    common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
    _run([install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"], folder)
    command = [server, *common, "--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/m.sock"]
    with running([*command, "--innodb-flush-log-at-trx-commit=0"], port, folder / "mariadb.log"):
        yield url.format(port=port)


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Yield the URL of a PostgreSQL server whose user may create databases, without a database."""
    url = "postgresql+asyncpg://postgres@127.0.0.1:{port}"
    if _answers(url.format(port=5432) + "/postgres", 5432):
        yield url.format(port=5432)
        return
    places = sorted(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin"))
    initdb, server = _program("initdb", *places), _program("postgres", *places)
    data, port = folder / "postgresql", free_port()
    user = _user("postgres")
    _own(folder, user)
    _run([initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"], folder, user)
    command = [server, "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-F"]
    with running(_as(user, command), port, folder / "postgresql.log"):
        yield url.format(port=port)


async def _create(server: str, name: str) -> None:
    await _execute(_admin(server), f"CREATE DATABASE {name}")


async def _drop(server: str, name: str) -> None:
    force = "" if server.startswith("mysql") else " WITH (FORCE)"
    await _execute(_admin(server), f"DROP DATABASE {name}{force}")


def _admin(server: str) -> str:
    return f"{server}/{'mysql' if server.startswith('mysql') else 'postgres'}"


@contextlib.contextmanager
def kept_database(server: str) -> Iterator[str]:
    """Yield the URL of a database for many tests, which is dropped at the end."""
    name = f"asyncclient_{secrets.token_hex(6)}"
    _wait_for(_create(server, name))
    try:
        yield f"{server}/{name}"
    finally:
        _wait_for(_drop(server, name))


def _wait_for(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(1) as thread:  # fixtures may be asked for within a running loop
        thread.submit(asyncio.run, work).result()


async def clear(url: str, *, keep: str) -> None:
    """Empty all tables but one, and drop those that projects have made."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda inner: inspect(inner).get_table_names())
            made = [name for name in names if name.startswith("project_series_")]
            rest = [name for name in names if name not in made and name != keep]
            for name in made:
                await connection.execute(text(f"DROP TABLE {name}"))
            for statement in _emptying(engine.dialect.name, rest):
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _emptying(dialect: str, names: list[str]) -> list[str]:
    if dialect == "postgresql":
        return [f"TRUNCATE {', '.join(names)} RESTART IDENTITY"]
    again = [f"ALTER TABLE {name} AUTO_INCREMENT = 1" for name in names if name in ("projects", "users")]
    empty = [f"DELETE FROM {name}" for name in names]
    return ["SET FOREIGN_KEY_CHECKS=0", *empty, *again, "SET FOREIGN_KEY_CHECKS=1"]


async def _execute(url: str, statement: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(statement))
    finally:
        await engine.dispose()


def _answers(url: str, port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        _wait_for(_execute(url, "SELECT 1"))
    except Exception:
        return False  # nobody there, or somebody else's
    return True


def _program(name: str, *places: str) -> str:
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(places) or None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed; see tests/install-servers.sh")
        pytest.skip(f"{name} is not installed; tests/install-servers.sh installs it on Debian")
    return path


def _user(name: str) -> str:
    """Return who a server is to run as: these refuse to be root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    return name


def _own(folder: Path, user: str) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, user)
        for parent in folder.parents:  # pytest closes its folders to others
            if str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)


def _as(user: str, command: list[str]) -> list[str]:
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else command


def _run(command: list[str], folder: Path, user: str | None = None) -> None:
    done = subprocess.run(_as(user, command) if user else command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
