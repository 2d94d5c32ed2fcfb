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
from asyncclient.cli._lfview_api import OPERATIONS
from asyncclient.cli._lfview_folder import INDEX, read_folder
from asyncclient.lfview import Session
from asyncclient.testing import Server

Say = Callable[..., Any]
ROOT = Path(__file__).parents[2]
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


def test_any_operation(said: Say, session: Session, asyncclient_lfview: Server) -> None:
    url = said("upload", "holes.csv").strip()
    org, project, view = url.rsplit("/", 3)[1:] if "/app/" in url else (*url.split("/")[-4:-2], url.rsplit("/", 1)[1])
    place = ("-p", f"org={org}", "-p", f"project={project}")
    assert "views" in said("api").splitlines()
    assert "body (required): Mapping[str, Any]" in said("api", "views", "invite-to-view", "--describe")
    assert "user_api_url" in said("api", "session", "lookup_endpoints", "--json")
    assert json.loads(said("api", "session", "get_user"))["accepted_terms"] is True
    body = {"name": "Empty", "contents": [], "elements": []}
    made = json.loads(said("api", "views", "upload_view", *place, "-p", f"body={json.dumps(body)}"))
    uid = made["links"]["self"].rsplit("/", 1)[1]
    one = (*place, "-p", f"view={uid}")
    Path("view.json").write_text(json.dumps({**body, "name": "Renamed"}))
    said("api", "views", "upload_view_update", *one, "-p", "body=@view.json")
    assert json.loads(said("api", "views", "download_view", *one))["name"] == "Renamed"
    assert said("api", "views", "delete_view", *one) == ""
    assert main(["lfview", "api", "views", "download_view", *one]) == 4
    assert json.loads(said("api", "views", "download_view", *place, "-p", f"view={view}"))["name"] == "holes"


def test_content_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    url = main(["lfview", "upload", "photo.png"]) or capfdbinary.readouterr().out.decode().strip()
    org, project, base, sub, uid = url.split("/")[-5:]
    names = {"org": org, "project": project, "base_type": base, "sub_type": sub, "uid": uid}
    given = [text for name, value in names.items() for text in ("-p", f"{name}={value}")]
    assert main(["lfview", "api", "resources", "download", *given]) == 0
    location = json.loads(capfdbinary.readouterr().out)["links"]["location"]
    assert main(["lfview", "api", "content", "download_content", "-p", f"location={location}"]) == 0
    assert capfdbinary.readouterr().out == PNG


def test_names_stay_in_their_path(capsys: pytest.CaptureFixture[str]) -> None:
    given = ("-p", "org=lab", "-p", "project=..", "-p", "view=a")
    assert main(["lfview", "api", "views", "download_view", *given]) == 2
    assert "'..' is no name" in capsys.readouterr().err
    given = ("-p", "org=lab", "-p", "project=a/../b", "-p", "view=a")
    assert main(["lfview", "api", "views", "download_view", *given]) == 3
    assert "/project/lab/a%2F..%2Fb/views/a" in capsys.readouterr().err


def test_every_operation_of_the_service_is_there() -> None:
    description = json.loads((ROOT / "asyncclient" / "lfview" / "openapi.json").read_text("utf-8"))
    there = {
        (call["tags"][0], call["operationId"], method.upper(), path.removeprefix("/") if "location" in path else path)
        for path, calls in description["paths"].items()
        for method, call in calls.items()
        if "operationId" in call
    }
    known = {(call.group, call.name, call.method, call.path) for call in OPERATIONS}
    assert {entry[:3] for entry in there} - {entry[:3] for entry in known} == {("content", "upload_content", "PUT")}
    assert {entry for entry in known if entry[1] != "lookup_endpoints"} <= there
