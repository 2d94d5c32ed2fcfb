"""``asyncclient lfview`` against the emulator: views as folders, tables of points, images; sharing, deletion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asyncclient.cli import main
from asyncclient.cli._lfview import unsigned
from asyncclient.cli._lfview_folder import INDEX, read_folder
from asyncclient.lfview import Session
from asyncclient.testing import Server

Say = Callable[..., Any]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture(autouse=True)
def _as_user(asyncclient_lfview: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASYNCCLIENT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("LFVIEW_SERVICE", raising=False)
    credentials = asyncclient_lfview.credentials()
    monkeypatch.setenv("LFVIEW_API_KEY", credentials["api_key"])
    monkeypatch.setenv("LFVIEW_DISCOVERY_URL", credentials["discovery_url"])
    (tmp_path / "holes.csv").write_text("x,y,z,grade\n0,0,0,1.5\n1,2,3,2.5\n\n4,5,6,nan\n")
    (tmp_path / "photo.png").write_bytes(PNG)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> Any:
        code = main(["lfview", *arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out) if "--json" in arguments else out

    return run


@pytest.fixture
def session(asyncclient_lfview: Server) -> Session:
    credentials: Any = asyncclient_lfview.credentials()
    return Session(**credentials)


def test_points(said: Say, session: Session) -> None:
    url = said("upload", "holes.csv", "--name", "Drill holes").strip()
    view = session.download(url)
    assert view.name == "Drill holes"
    (points,) = view.elements
    assert points.name == "holes"
    assert points.vertices.array.tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    (grade,) = points.data
    assert (grade.name, grade.array.array[:2].tolist()) == ("grade", [1.5, 2.5])


def test_a_view_as_a_folder(said: Say, session: Session) -> None:
    from asyncclient.cli._demo_view import make_view

    first = session.upload(make_view(6, 4))
    found = said("download", first, "folder", "--json")
    assert (found["path"], found["resources"]) == ("folder", 16)
    assert sorted(path.suffix for path in Path("folder").iterdir()).count(".png") == 1
    second = said("upload", "folder", "--name", "again", "--json")[0]["url"]
    assert second != first
    one, two = session.download(first), session.download(second)
    assert two.name == "again"
    for left, right in zip(one.elements, two.elements, strict=True):
        assert type(left) is type(right)
        assert np.array_equal(left.vertices.array, right.vertices.array)
        assert [data.name for data in left.data] == [data.name for data in right.data]
    textures = [view.elements[0].data[1].image.image for view in (one, two)]
    for texture in textures:
        texture.seek(0)
    assert textures[0].read() == textures[1].read()


def test_images_and_thumbnails(said: Say, session: Session) -> None:
    (row,) = said("upload", "photo.png", "--json")
    image = session.download(row["url"]).image
    image.seek(0)
    assert image.read() == PNG
    assert "location" in said("get", row["url"], "--json")["links"]
    urls = said("upload", "holes.csv", "--thumbnail", "photo.png").split()
    assert len(urls) == 1
    found = said("get", urls[0], "--json")
    assert found["name"] == "holes"


def test_signatures_are_not_shown() -> None:
    assert unsigned({"self": "https://a/b", "location": "https://c/d?sig=x?y"}) == {
        "self": "https://a/b",
        "location": "https://c/d",
    }


def test_sharing_and_deletion(said: Say, asyncclient_lfview: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = said("upload", "holes.csv").strip()
    assert said("share", url, "ada@example.org", "--role", "editor") == "ada@example.org: editor\n"
    body = asyncclient_lfview.state.requests[-1]
    assert body.path.endswith("/invites")
    assert main(["lfview", "delete", url]) == 2
    assert "--yes" in capsys.readouterr().err
    assert said("delete", url, "-y") == f"Deleted {url}\n"
    assert main(["lfview", "get", url]) == 4
    assert main(["lfview", "delete", url, "-y", "--json"]) == 4
    out, err = capsys.readouterr()
    assert json.loads(out)[0]["kind"] == "NotFound"
    assert json.loads(err.splitlines()[-1])["error"]["url"] == url
    assert main(["lfview", "download", url, "gone"]) == 4
    assert main(["lfview", "download", url, "gone", "--allow-failure"]) == 4
    assert not Path("gone").exists()


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (("upload", "missing"), "missing: there is no such file or folder", 4),
        (("upload", "holes.csv", "--thumbnail", "missing.png"), "missing.png: there is no such", 4),
        (("upload", "notes.txt"), "is neither a table (.csv) nor an image", 2),
        (("upload", "words.csv"), "is no table of numbers", 2),
        (("upload", "narrow.csv"), "needs three columns", 2),
        (("upload", "void.csv"), "is no table of numbers", 2),
        (("upload", "nothing"), "view.json: is missing", 2),
        (("upload", "broken"), "is not the description of a view", 2),
        (("upload", "older"), "was written by another version", 2),
        (("upload", "climbing"), "is no name of a file in the folder", 2),
        (("download", "no url", "x"), "no URL", 2),
        (("download", "https://lfview.com/app/a/b/c", "photo.png"), "is there already", 2),
        (("share", "https://lfview.com/app/a/b/c", ""), "email must not be empty", 2),
    ],
)
def test_what_cannot_be_done(
    arguments: tuple[str, ...], words: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in {"words": "x,y,z\na,b,c\n", "narrow": "x,y\n1,2\n", "void": "", "notes": ""}.items():
        (tmp_path / f"{name}.{'txt' if name == 'notes' else 'csv'}").write_text(text)
    climbing = {"type": "files/image", "data": {"content_type": "image/png"}, "content": "../photo.png"}
    forms = {
        "nothing": None,
        "broken": [],
        "older": {"form": "0", "resources": {}},
        "climbing": {"form": "asyncclient lfview 1", "root": "a", "resources": {"a": climbing}},
    }
    for name, index in forms.items():
        (tmp_path / name).mkdir()
        if index is not None:
            (tmp_path / name / INDEX).write_text(json.dumps(index))
    assert main(["lfview", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.startswith("asyncclient: ")
    assert err.count("\n") == 1


def test_content_that_was_cut_off(said: Say) -> None:
    url = said("upload", "holes.csv").strip()
    said("download", url, "folder")
    array = next(Path("folder").glob("*.bin"))
    array.write_bytes(array.read_bytes()[:-1])
    with pytest.raises(Exception, match="bytes, the content"):
        read_folder(Path("folder"))


def test_keys(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LFVIEW_API_KEY", "planted-key")
    assert main(["lfview", "upload", "photo.png", "--debug"]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "planted-key" not in err
    monkeypatch.setenv("LFVIEW_API_KEY", "")
    assert main(["lfview", "upload", "photo.png"]) == 3
    assert capsys.readouterr().err == "asyncclient: the key for LF View is missing: set LFVIEW_API_KEY\n"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    assert main(["lfview", "get", "https://lfview.com/app/a/b/c"]) == 2
    assert "pip install 'asyncclient[lfview]'" in capsys.readouterr().err
