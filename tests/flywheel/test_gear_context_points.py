"""The folder of a running gear, point by point (BEHAVIOUR 7 and 8.9), and folders that are not as they should be."""

from __future__ import annotations

import datetime as dt
import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest

from asyncclient import flywheel
from asyncclient.errors import ArgumentError, ArgumentTypeError, ConfigurationError
from asyncclient.flywheel.gear_context import NoKeyInput, NoSuchInput
from tests.flywheel.fake_service import FakeService

SESSION = {"type": "session", "id": "s"}


def made(folder: Path, **members: Any) -> flywheel.GearContext:
    """Make the context of a gear that was given this."""
    (folder / "config.json").write_text(json.dumps({"destination": SESSION, **members}), "utf-8")
    return flywheel.GearContext(folder)


def written(folder: Path) -> Any:
    return json.loads((folder / "output" / ".metadata.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _deprecated() -> Any:
    with pytest.warns(DeprecationWarning, match="GearContext is deprecated"):
        yield


def test_the_usual_folder() -> None:
    assert flywheel.GearContext()._path == Path("/flywheel/v0")


def test_folders_are_made(tmp_path: Path) -> None:
    gear = flywheel.GearContext(str(tmp_path / "deep" / "gear"))
    for folder, name in ((gear.work_dir, "work"), (gear.output_dir, "output")):
        assert folder == tmp_path / "deep" / "gear" / name
        assert folder.is_dir()
    assert gear.output_dir.is_dir(), "it is there already"


def test_a_gear_that_was_given_little(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"config": null}', "utf-8")
    gear = flywheel.GearContext(tmp_path)
    assert (gear.config, gear.destination, gear.get_input("x")) == ({}, {}, None)
    assert (gear.get_input_path("x"), gear.get_context_value("x")) == (None, None)
    gear.log_config()
    gear.write_metadata()
    assert not (tmp_path / "output").exists(), "there is nothing to say"


def test_inputs_of_each_base(tmp_path: Path) -> None:
    file = {
        "base": "file",
        "hierarchy": {"type": "acquisition", "id": "a"},
        "location": {"path": str(tmp_path / "f"), "name": "f"},
        "object": {"size": 2},
    }
    (tmp_path / "f").write_bytes("é".encode())
    context_value = {"base": "context", "found": True, "value": {"deep": [1]}}
    gear = made(tmp_path, inputs={"f": file, "c": context_value, "k": {"base": "api-key", "key": "K"}})
    assert gear.get_input("f") == file
    assert gear.get_input_path("f") == str(tmp_path / "f")
    with gear.open_input("f", "rb") as opened:
        assert opened.read() == "é".encode()
    with gear.open_input("f", encoding="utf-8") as opened:
        assert opened.read() == "é"
    assert gear.get_context_value("c") == {"deep": [1]}
    for name in ("f", "k"):
        with pytest.raises(ArgumentError, match=f"input '{name}' is no context input: its base is"):
            gear.get_context_value(name)
    with pytest.raises(ArgumentError, match="input 'k' is no file: its base is 'api-key'"):
        gear.open_input("k")


def test_inputs_that_were_not_given(tmp_path: Path) -> None:
    for inputs, known in (({"image": {"base": "file"}, "mask": {"base": "file"}}, "image, mask"), ({}, "none")):
        with pytest.raises(NoSuchInput, match=f"no input 'imge'; there are: {known}") as caught:
            made(tmp_path, inputs=inputs).open_input("imge")
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value, ConfigurationError)
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    path = str(tmp_path / "went away")
    gear = made(tmp_path, inputs={"f": {"base": "file", "location": {"path": path}}})
    with pytest.raises(FileNotFoundError, match="went away"):
        gear.open_input("f")


def test_outputs(tmp_path: Path) -> None:
    gear = made(tmp_path)
    with gear.open_output("a.bin", "wb") as out:
        out.write(b"\xff")
    with gear.open_output("b.txt", encoding="latin-1") as out:
        out.write("é")
    assert [(tmp_path / "output" / name).read_bytes() for name in ("a.bin", "b.txt")] == [b"\xff", b"\xe9"]
    with pytest.raises(ArgumentTypeError, match="name must be a path, not NoneType"):
        gear.open_output(None)  # type: ignore[arg-type]


def test_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = {"base": "file", "location": {"path": "/in/f", "name": "f"}}
    inputs = {"f": file, "k": {"base": "api-key", "key": "SECRET"}, "c": {"base": "context", "value": 7}}
    gear = made(tmp_path, config={"a": 1}, inputs=inputs)
    level = gear.log.level
    try:
        gear.init_logging("warning")
        gear.log_config()
        assert not caplog.messages
        gear.init_logging()
        gear.log_config()
        gear.init_logging(logging.DEBUG)
        assert gear.log.getEffectiveLevel() == logging.DEBUG
        for wrong in ("LOUD", None, 1.5):
            with pytest.raises(ArgumentError, match=f"{wrong!r} is no level of logging"):
                gear.init_logging(wrong)  # type: ignore[arg-type]
    finally:
        gear.log.setLevel(level)
    assert caplog.messages == [
        "input f: {'path': '/in/f', 'name': 'f'}",
        "input k: ***",
        "input c: 7",
        "config a: 1",
    ]


def test_the_first_key_that_is_one(tmp_path: Path, service: FakeService) -> None:
    inputs = {
        "f": {"base": "file", "key": "no key"},
        "empty": {"base": "api-key", "key": None},
        "k": {"base": "api-key", "key": service.key},
        "later": {"base": "api-key", "key": "other:key"},
    }
    with made(tmp_path, inputs=inputs) as gear:
        client = gear.client
        assert gear.client is client
    assert gear.client is not client, "what was closed is not given out again"
    gear.client.get_project("p")
    gear.client.close()
    with pytest.raises(NoKeyInput, match="no input of this gear holds an API key"):
        _ = made(tmp_path, inputs={"empty": {"base": "api-key"}}).client


@pytest.mark.parametrize("key", [5, "nokey", {"a": 1}])
def test_keys_that_are_none(tmp_path: Path, key: Any) -> None:
    gear = made(tmp_path, inputs={"k": {"base": "api-key", "key": key}})
    with pytest.raises(flywheel.InvalidKey, match="Invalid API key: it") as caught:
        _ = gear.client
    assert str(key) not in str(caught.value)


# --- metadata --------------------------------------------------------------------------------------------------------


def test_metadata_of_files_and_containers(tmp_path: Path) -> None:
    given = {"label": "L", "tags": ["t"]}
    with made(tmp_path) as gear:
        gear.update_container_metadata("project", given, label="M", info={"a": 1})
        gear.update_container_metadata("project", info={"b": 2})
        gear.update_destination_metadata({"label": "S"}, operator="o")
        gear.update_file_metadata("o.txt", {"type": "text", "name": "o.txt"}, type="log")
        gear.update_file_metadata("p.txt", modality="MR")
        gear.update_file_metadata("o.txt", info={})
    assert given == {"label": "L", "tags": ["t"]}, "what was given is left as it is"
    files = [{"name": "o.txt", "type": "log", "info": {}}, {"name": "p.txt", "modality": "MR"}]
    assert written(tmp_path) == {
        "project": {"label": "M", "tags": ["t"], "info": {"b": 2}},
        "session": {"label": "S", "operator": "o", "files": files},
    }
    text = (tmp_path / "output" / ".metadata.json").read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2)


def test_values_that_json_knows_by_another_name(tmp_path: Path) -> None:
    gear = made(tmp_path)
    note = flywheel.models.NoteInput(text="é")
    gear.update_destination_metadata(
        timestamp=dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC), day=dt.date(2020, 1, 2), notes=[note], pair=(1, 2)
    )
    gear.update_destination_metadata(flywheel.models.SessionModify(label="x"), mean=numpy.float32(1.5))
    gear.write_metadata()
    assert written(tmp_path)["session"] == {
        "timestamp": "2020-01-02T03:04:05+00:00",
        "day": "2020-01-02",
        "notes": [{"text": "é"}],
        "pair": [1, 2],
        "label": "x",
        "mean": 1.5,
    }


def test_nothing_said(tmp_path: Path) -> None:
    with made(tmp_path) as gear:
        gear.update_container_metadata("project", {})
        gear.update_destination_metadata()
    assert not (tmp_path / "output").exists()
    gear.update_file_metadata("o.txt")
    gear.write_metadata()
    assert written(tmp_path) == {"project": {}, "session": {"files": [{"name": "o.txt"}]}}


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("method", "arguments", "error", "message"),
    [
        ("update_container_metadata", ("project", {}, {}), ArgumentTypeError, "takes one mapping, and keywords"),
        ("update_container_metadata", ("project", ["a"]), ArgumentError, "list is no mapping"),
        ("update_container_metadata", (None, {}), ArgumentTypeError, "container_type must be text, not NoneType"),
        ("update_destination_metadata", ({"x": object()},), ArgumentTypeError, "type object cannot be written as JSON"),
        ("update_destination_metadata", ({"x": {1, 2}},), ArgumentTypeError, "type set cannot be written as JSON"),
        ("update_destination_metadata", ({(1,): 2},), ArgumentTypeError, "keys must be"),
        ("update_destination_metadata", ({"x": float("nan")},), ArgumentError, "cannot be written as JSON"),
        ("update_destination_metadata", ({"x": CIRCLE},), ArgumentError, "Circular"),
        ("update_file_metadata", (5, {"type": "x"}), ArgumentTypeError, "file_name must be text, not int"),
        ("update_file_metadata", ("o", {"name": "p"}), ArgumentError, "name cannot be another"),
        ("get_input", (["f"],), ArgumentTypeError, "name must be text, not list"),
        ("open_input", (None,), ArgumentTypeError, "name must be text, not NoneType"),
    ],
)
def test_what_is_refused_at_once(
    tmp_path: Path, method: str, arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with made(tmp_path) as gear:
        gear.update_destination_metadata(label="kept")
        with pytest.raises(error, match=message):
            getattr(gear, method)(*arguments)
    assert written(tmp_path)["session"] == {"label": "kept"}


def test_files_that_were_set_to_something_else(tmp_path: Path) -> None:
    gear = made(tmp_path)
    gear.update_destination_metadata(files=[{"name": "o"}, "strange"])
    gear.update_file_metadata("o", type="text")
    gear.update_file_metadata("p", type="text")
    gear.write_metadata()
    files = written(tmp_path)["session"]["files"]
    assert files == [{"name": "o", "type": "text"}, "strange", {"name": "p", "type": "text"}]
    gear.update_destination_metadata(files={"o": {}})
    with pytest.raises(ArgumentError, match="'files' was set to what is no list"):
        gear.update_file_metadata("o", type="text")


@pytest.mark.parametrize("destination", [None, {}, {"id": "s"}, {"type": 5}])
def test_metadata_without_a_destination(tmp_path: Path, destination: Any) -> None:
    gear = made(tmp_path, destination=destination)
    calls: list[Callable[[], None]] = [
        lambda: gear.update_destination_metadata(label="x"),
        lambda: gear.update_file_metadata("o", label="x"),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match=r"config\.json: there is no type of the destination"):
            call()
    gear.write_metadata()
    assert not (tmp_path / "output").exists()


def test_the_client_is_closed_even_if_nothing_can_be_written(tmp_path: Path, service: FakeService) -> None:
    (tmp_path / "output").write_text("no folder", "utf-8")
    gear = made(tmp_path, inputs={"k": {"base": "api-key", "key": service.key}})
    with pytest.raises(FileExistsError), gear:
        gear.update_destination_metadata(label="x")
        assert gear.client is not None
    assert gear._client is None


# --- folders that are not as they should be --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not the folder of a running gear"),
        (b"", "is no JSON"),
        (b'{"inputs": {"k": {"base": "api-key", "key": "SECRET"}}', "is no JSON: .*line 1"),
        (b'{"a": "\xff"}', "is no UTF-8"),
        (b"[1]", "must hold a JSON object, not list"),
        (b"null", "must hold a JSON object, not NoneType"),
        (b'{"config": [1], "inputs": [1], "destination": [1]}', "must be an object, not list"),
        (b'{"config": "a", "inputs": {"f": "SECRET"}, "destination": "s"}', "must be an object, not str"),
    ],
)
def test_folders_of_no_gear(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    gear = flywheel.GearContext(tmp_path)
    for look in (
        lambda: gear.config,
        lambda: gear.destination,
        lambda: gear.client,
        lambda: gear.get_input("f"),
        lambda: gear.get_context_value("c"),
        lambda: gear.log_config(),
    ):
        with pytest.raises(ConfigurationError, match=message) as caught:
            look()
        assert str(tmp_path) in str(caught.value)
        assert "SECRET" not in str(caught.value)


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ConfigurationError, match=r"config\.json cannot be read"):
        _ = flywheel.GearContext(tmp_path).config


@pytest.mark.parametrize("location", [None, {}, "f", {"path": None}, {"path": ""}])
def test_files_without_a_path(tmp_path: Path, location: Any) -> None:
    gear = made(tmp_path, inputs={"f": {"base": "file", "location": location}})
    for look in (gear.get_input_path, gear.open_input):
        with pytest.raises(ConfigurationError, match="input 'f' has no path"):
            look("f")


@pytest.mark.parametrize("path", [5, b"gear", ["gear"]])
def test_paths_that_are_none(path: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="gear_path must be a path"):
        flywheel.GearContext(path)
