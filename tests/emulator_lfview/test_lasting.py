"""With a folder, everything outlives the emulator: another process, on another port, goes on where the last one ended."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from asyncclient.testing import Server, app, serve
from asyncclient.testing.lfview.ranges import Span
from asyncclient.testing.lfview.sessions import QUANTUM_BYTES as Q
from asyncclient.testing.lfview.storage import Storage
from asyncclient.testing.lfview.vault import Vault
from tests.emulator_lfview.conftest import Answers, Api, P, V, slide_body

CONTENT = bytes(range(256)) * 1024 * 3
TOTAL = len(CONTENT)
ARRAY = {"shape": [TOTAL], "dtype": "Uint8Array", "content_length": TOTAL, "content_type": "application/octet-stream"}


def client(server: Server, answers: Answers) -> Api:
    return Api(server.url, None, "good-key", answers)


def kill(server: Server) -> None:
    pid = server._runner.pid  # type: ignore[union-attr]  # a running server with process=True has a ProcessRunner
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    server.close()


def test_sessions_survive_a_kill(tmp_path: Path, answers: Answers) -> None:
    with serve("lfview", process=True, folder=str(tmp_path)) as server:
        api = client(server, answers)
        made = api.ok("POST", f"{P}/files/array", ARRAY)
        assert api.put(made["links"]["location"], CONTENT[:Q], f"bytes 0-{Q - 1}/{TOTAL}").status_code == 308
        api.close()
        kill(server)
    with serve("lfview", process=True, folder=str(tmp_path)) as server:
        api = client(server, answers)
        again = api.ok("GET", f"{P}/files/array/array1")
        location = again["links"]["location"]
        assert location == f"{server.url}/storage/array1"
        assert api.put(location, b"", f"bytes */{TOTAL}").headers["range"] == f"bytes=0-{Q - 1}"
        assert api.put(location, CONTENT[Q:], f"bytes {Q}-{TOTAL - 1}/{TOTAL}").status_code == 200
        assert httpx.get(location).content == CONTENT
        assert api.ok("POST", f"{P}/files/array", ARRAY)["uid"] == "array2"
        api.close()


def test_everything_survives(tmp_path: Path, make_api: Callable[..., Api]) -> None:
    api = make_api(folder=str(tmp_path))
    points = api.points()
    view = api.view(points, contents=(points["vertices"],))
    api.ok("POST", view["links"]["slides"], slide_body(points["links"]["self"]))
    api.ok(
        "POST", view["links"]["invites"], {"email": "b@emulator.example", "roles": ["view.editor"], "send_email": False}
    )
    api.state.add_user("b-key", "b", organization="o", project="p")
    gone = api.array()
    api.ok("DELETE", gone["links"]["self"])
    other = make_api(folder=str(tmp_path))
    assert len(other.state.resources) == len(api.state.resources) == 4
    assert other.ok("GET", f"{P}/views/view1")["elements"] == [f"{other.url}{P}/elements/pointset/pointset1"]
    shared = httpx.get(f"{other.url}{V}/view1", headers={"Authorization": "bearer b-key"}).json()
    assert shared["contents"][1] == f"{other.url}{V}/view1/elements/pointset/pointset1"
    assert list(other.state.sessions) == ["array1"]
    other.state.reset()
    assert len(make_api(folder=str(tmp_path)).state.resources) == 0


def test_a_record_is_whole_or_absent(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    vault.save("kind", "/a/b", {"x": 1})
    vault.save("kind", "/a/b", {"x": 2})
    (tmp_path / "kind" / "half.new").write_text("{")
    assert list(vault.load("kind")) == [("/a/b", {"x": 2})]
    vault.remove("kind", "/a/b")
    vault.remove("kind", "/a/b")
    assert list(vault.load("kind")) == []
    vault.clear("kind", "other")
    assert list(tmp_path.iterdir()) == []


def left_overs() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("asyncclient-emulator-*"))


@pytest.mark.anyio
async def test_memory_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncclient.testing.lfview.storage._MEMORY_BYTES", 10)
    gc.collect()
    before = left_overs()
    storage = Storage(None)
    await storage.write("a", 6, 0, b"abc")
    await storage.write("a", 6, 3, b"def")
    await storage.write("b", 6, 0, b"uvw")
    await storage.write("b", 6, 3, b"xyz")
    assert (storage.get("a", 6), storage.get("b", 6)) == (b"abcdef", b"uvwxyz")
    assert len(left_overs() - before) == 1
    assert b"".join([piece async for piece in storage.pieces("b", Span(1, 5))]) == b"vwxy"
    storage.discard("a")
    storage.discard("b")
    assert not storage.has("b")
    storage.put("c", b"c")
    storage.close()
    assert left_overs() == before
    assert not storage.has("c")
    await storage.write("d", 6, 0, b"again")
    storage.close()


def test_close_keeps_the_folder(tmp_path: Path) -> None:
    emulator = app("lfview", folder=str(tmp_path))
    emulator.state.add(
        "files/image", {"content_length": 1, "content_type": "image/png"}, path=f"{P}/files/image/i", content=b"x"
    )
    emulator.close()
    assert app("lfview", folder=str(tmp_path)).state.content("i") == b"x"


@pytest.mark.anyio
async def test_without_a_socket() -> None:
    emulator = app("lfview")
    given = emulator.credentials("http://lfview.test")
    headers = {"Authorization": f"bearer {given['api_key']}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=emulator), base_url="http://lfview.test") as http:
        made = (await http.post(f"{P}/files/array", json=ARRAY, headers=headers)).json()
        location = made["links"]["location"]
        assert location == "http://lfview.test/storage/array1"
        first = await http.put(location, content=CONTENT[:Q], headers={"Content-Range": f"bytes 0-{Q - 1}/{TOTAL}"})
        assert (first.status_code, first.headers["range"]) == (308, f"bytes=0-{Q - 1}")
        rest = await http.put(
            location, content=CONTENT[Q:], headers={"Content-Range": f"bytes {Q}-{TOTAL - 1}/{TOTAL}"}
        )
        assert rest.json() == {"size": TOTAL}
        assert (await http.get(location)).content == CONTENT
    emulator.close()
