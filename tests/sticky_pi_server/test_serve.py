"""``asyncclient sticky-pi serve``, as users start it."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.sticky_pi import pictures
from tests.sticky_pi_server.buckets import Bucket
from tests.sticky_pi_server.places import ALWAYS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
START_S = 60


@contextmanager
def served(*arguments: str, cwd: Path, **env: str) -> Iterator[tuple[str, str]]:
    """Run the command until the block ends; yields the URL and what it said."""
    command = [sys.executable, "-m", "asyncclient.cli", "sticky-pi", "serve", "--port", "0", *arguments]
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("S3_", "API_", "SECRET", "DATABASE"))
    }
    environment = {**clean, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env}
    log = cwd / f"log-{time.monotonic_ns()}"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield _wait(process, log), log.read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"server: (http://\S+),", log.read_text()):
            try:
                httpx.get(found[1], trust_env=False, timeout=START_S)
            except httpx.TransportError:
                continue
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"it does not serve:\n{log.read_text()}")


def hang_up(url: str, token: str) -> None:
    """Go away in the middle of a request."""
    request = httpx.Request("POST", f"{url}/get_users", content=b"[" + b" " * 999)
    login = next(httpx.BasicAuth(token, "").auth_flow(request)).headers["authorization"]
    head = f"POST /get_users HTTP/1.1\r\nhost: t\r\nauthorization: {login}\r\ncontent-type: application/json\r\n"
    with socket.create_connection((request.url.host, request.url.port or 80), timeout=START_S) as connection:
        connection.sendall(f"{head}content-length: 1000\r\nexpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")  # so it waits for the body
        connection.sendall(b"[")


def test_the_simplest_server(tmp_path: Path) -> None:
    with served(cwd=tmp_path) as (url, said):
        password = re.search(r"user admin, password (\S+):", said)
        assert password is not None
        answer = httpx.post(f"{url}/get_token", auth=("admin", password[1]), trust_env=False, timeout=30)
        token = answer.json()["token"]
        assert "sqlite, files in" in said
    folder = tmp_path / "sticky-pi"
    assert "chmod" not in said
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert (modes["sticky-pi"], modes["secret-key"], modes["database.db"]) == (0o700, 0o600, 0o600)
    (folder / "database.db").chmod(0o644)
    with served(cwd=tmp_path) as (url, said):
        assert "user admin" not in said
        assert f"can read the hashes of passwords: chmod 600 {folder / 'database.db'}\n" in said
        (row,) = httpx.post(f"{url}/get_users", json=[{}], auth=(token, ""), trust_env=False, timeout=30).json()
        assert row["username"] == "admin"
        hang_up(url, token)  # what is logged is looked at when the server has ended


@pytest.mark.servers
@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["mariadb", "postgresql"], indirect=True)
async def test_workers_on_a_database_server_and_s3(database: str, bucket: Bucket, tmp_path: Path) -> None:
    paths = [pictures.write(tmp_path, "0a5bb6f4", T0 + dt.timedelta(minutes=n), seed=n) for n in range(12)]
    secrets = {
        "SECRET_API_KEY": "k" * 40,
        "S3_PRIVATE_KEY": bucket.conf["S3_PRIVATE_KEY"],
        "API_ADMIN_PASSWORD": "x" * 20,
    }
    arguments = ["--database-url", database, "--s3-host", bucket.conf["S3_HOST"], "--workers", "2"]
    arguments += ["--s3-bucket", bucket.conf["S3_BUCKET_NAME"], "--s3-access-key", bucket.conf["S3_ACCESS_KEY"]]
    with served(*arguments, cwd=tmp_path, **secrets) as (url, said):
        assert f"bucket {bucket.conf['S3_BUCKET_NAME']}" in said
        assert "password" not in said
        assert not (tmp_path / "sticky-pi").exists()  # no key was made where one is given
        token = httpx.post(f"{url}/get_token", auth=("admin", "x" * 20), trust_env=False, timeout=60).json()["token"]

        def put(path: Path) -> int:
            form = {path.name: (path.name, path.read_bytes())}
            # A connection of its own, so that both workers are asked.
            return httpx.post(
                f"{url}/_put_new_images", files=form, auth=(token, ""), trust_env=False, timeout=60
            ).status_code

        with ThreadPoolExecutor(6) as threads:
            statuses = list(threads.map(put, [*paths, *paths]))
        assert sorted(statuses) == [200] * 12 + [409] * 12
        series = [{"device": "%", **ALWAYS}]
        rows = httpx.post(
            f"{url}/get_image_series/image", json=series, auth=(token, ""), trust_env=False, timeout=60
        ).json()
        assert len(rows) == 12
        stored = {row["md5"]: httpx.get(row["url"], trust_env=False).content for row in rows}
        assert sorted(stored.values()) == sorted(path.read_bytes() for path in paths)
    assert len(bucket.keys()) == 36


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--database-url", "oracle://user:hidden@x"], "no support for databases"),
        (["--database-url", "postgresql://user:hidden@127.0.0.1:1/x"], "cannot use"),
        (["--s3-bucket", "b"], "S3 needs S3_HOST"),
        (["--tls-key", "key.pem"], "https needs both"),
    ],
)
def test_what_cannot_start(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "asyncclient.cli", "sticky-pi", "serve", "--port", "0", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert words in done.stderr
    assert "hidden" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1
