"""A service from its description alone: what docs/howto/sixth-service.md says, done in a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from asyncclient.testing._uvicorn import HttpServer, listen
from tests.codegen.depot_app import KEY, Depot

PROJECT = Path(__file__).parents[2]
FILES = PROJECT / "docs" / "examples" / "sixth_service"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the files of the page where the page puts them, and what the generator makes of it."""
    root = tmp_path_factory.mktemp("sixth")
    shutil.copytree(PROJECT / "asyncclient", root / "asyncclient", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", root)
    shutil.copytree(FILES / "depot", root / "asyncclient/depot")
    shutil.copy(FILES / "openapi.json", root / "asyncclient/depot/openapi.json")
    shutil.copy(FILES / "service_depot.py", root / "asyncclient/_codegen/services/depot.py")
    shutil.copy(FILES / "use_depot.py", root)
    run(root, "-m", "asyncclient._codegen", "depot")
    return root


def run(root: Path, *arguments: str) -> str:
    """Run Python in the copy; its coverage would be that of files which are gone soon."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def depot() -> Depot:
    return Depot()


@pytest.fixture
def url(depot: Depot) -> Iterator[str]:
    with listen("127.0.0.1", 0) as listener:
        port, ready = listener.getsockname()[1], threading.Event()
        server = HttpServer(depot.app(), listener, ready.set)
        thread = threading.Thread(target=server.run_until_stopped)
        thread.start()
        assert ready.wait(30)
        try:
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.stop()
            thread.join()


def test_the_program_of_the_page_runs_awaited_and_blocking(tree: Path, url: str, depot: Depot) -> None:
    lines = run(tree, "use_depot.py", url, KEY).splitlines()

    assert lines == [
        "6000 bytes",
        "['core 7']",
        "There is a sample called core 7. 409 name-taken",
        "6000 bytes",
        "['lake']",
    ]
    assert (tree / "core-7.bin").read_bytes() == b"layers" * 1000
    assert list(depot.samples) == ["s1"]
    assert depot.files == {"s1": b"layers" * 1000}


def test_requests_are_as_the_description_says(tree: Path, url: str, depot: Depot) -> None:
    run(tree, "use_depot.py", url, KEY)

    sent = [(method, place, json.loads(body)) for method, place, body in depot.requests if method in ("POST", "PATCH")]
    assert sent == [
        ("POST", "/samples", {"name": "core 7", "kind": "rock", "depthM": 12.5}),
        ("POST", "/samples", {"name": "core 7", "kind": "rock"}),
        ("POST", "/samples", {"name": "lake", "kind": "water"}),
        ("PATCH", "/samples/s2", {"takenAt": None}),
    ]
    assert [place for method, place, _ in depot.requests if method == "GET"] == [
        "/samples/s1/content",
        "/samples?pageSize=1",
        "/samples?kind=water",
    ]


def test_pages_are_walked_one_after_the_other(tree: Path, url: str, depot: Depot) -> None:
    depot.samples |= {
        f"s{number}": {"sampleId": f"s{number}", "name": f"n{number}", "kind": "air"} for number in range(5)
    }
    code = f"""
from asyncclient.depot import Client
with Client({KEY!r}, base_url={url!r}) as client:
    print(*[each["name"] for each in client.iterate("list_samples", page_size=2)])
"""
    assert run(tree, "-c", code) == "n0 n1 n2 n3 n4\n"
    assert [place for _, place, _ in depot.requests] == [
        "/samples?pageSize=2",
        "/samples?pageSize=2&pageToken=2",
        "/samples?pageSize=2&pageToken=4",
    ]


def test_refusals_have_their_class_and_never_the_key(tree: Path, url: str) -> None:
    code = f"""
import pickle
from asyncclient.depot import Client
from asyncclient.errors import NotFound, Unauthorized
with Client("wrong-key", base_url={url!r}) as client:
    try:
        client.get_sample("s9")
    except Unauthorized as error:
        print(error, error.code, "wrong-key" in repr(error) + repr(client) + repr(vars(error)))
with Client({KEY!r}, base_url={url!r}) as client:
    try:
        client.get_content("a/b", "never")
    except NotFound as error:
        print(type(pickle.loads(pickle.dumps(error))).__name__, error.status)
"""
    assert run(tree, "-c", code).splitlines() == ["The key is wrong. no-key False", "NotFound 404"]


def test_a_second_run_changes_nothing(tree: Path) -> None:
    run(tree, "-m", "asyncclient._codegen", "--check", "depot")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_client_and_the_program_have_types(tree: Path) -> None:
    wrong = tree / "wrong.py"
    wrong.write_text(
        "from asyncclient.depot import Client\n"
        'sample = Client("key").create_sample(name="core", depth_m="deep")\n'
        'reveal_type(sample["depthM"])\n',
        "utf-8",
    )
    run(tree, "-m", "mypy", "--cache-dir=cache", "-p", "asyncclient.depot")
    run(tree, "-m", "mypy", "--cache-dir=cache", "use_depot.py")
    with pytest.raises(AssertionError) as caught:
        run(tree, "-m", "mypy", "--cache-dir=cache", str(wrong))
    words = str(caught.value)
    assert 'Missing named argument "kind"' in words
    assert 'Argument "depth_m" to "create_sample" of "Client" has incompatible type "str"' in words
    assert 'Revealed type is "float"' in words.replace("builtins.", "")


def test_the_page_prints_every_file(tree: Path) -> None:
    page = (PROJECT / "docs/howto/sixth-service.md").read_text("utf-8")
    there = [path.relative_to(FILES.parent).as_posix() for path in FILES.rglob("*") if path.suffix in (".py", ".json")]
    assert [name for name in there if f'--8<-- "{name}"' not in page] == []
