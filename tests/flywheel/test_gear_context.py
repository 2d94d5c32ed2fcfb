from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from tests.flywheel.fake_service import FakeService


def folder(tmp_path: Path, **inputs: Any) -> Path:
    config = {"config": {"a": 1}, "destination": {"type": "session", "id": "s"}, "inputs": inputs}
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def _deprecated() -> Any:
    with pytest.warns(DeprecationWarning, match="GearContext"):
        yield


def test_inputs_and_outputs(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("x", "utf-8")
    file = {"base": "file", "location": {"path": str(tmp_path / "in.txt"), "name": "in.txt"}}
    context_value = {"base": "context", "found": True, "value": 7}
    path = folder(tmp_path, f=file, c=context_value, gone={"base": "context", "found": False, "value": 1})
    with flywheel.GearContext(path) as gear:
        assert (gear.config, gear.destination) == ({"a": 1}, {"type": "session", "id": "s"})
        assert gear.get_input("none") is None
        assert gear.get_input_path("none") is None
        with gear.open_input("f") as opened:
            assert opened.read() == "x"
        assert (gear.get_context_value("c"), gear.get_context_value("gone")) == (7, None)
        with pytest.raises(OSError, match="none"):
            gear.open_input("none")
        with pytest.raises(ValueError, match="no file"):
            gear.get_input_path("c")
        with gear.open_output("o.txt") as out:
            out.write("y")
        gear.update_file_metadata("o.txt", {"type": "text"})
        gear.update_file_metadata("o.txt", info={"a": 1})
        gear.update_destination_metadata(label="L")
        gear.update_container_metadata("project", {"info": {}})
        assert gear.work_dir.is_dir()
    assert json.loads((path / "output" / ".metadata.json").read_text("utf-8")) == {
        "session": {"files": [{"name": "o.txt", "type": "text", "info": {"a": 1}}], "label": "L"},
        "project": {"info": {}},
    }


def test_nothing_is_written_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), flywheel.GearContext(folder(tmp_path)) as gear:
        gear.update_destination_metadata(label="L")
        raise KeyError
    assert not (tmp_path / "output").exists()


def test_the_client_of_a_gear(tmp_path: Path, service: FakeService) -> None:
    with flywheel.GearContext(folder(tmp_path, api={"base": "api-key", "key": service.key})) as gear:
        gear.client.get_project("p")
    assert service.lines == ["GET /auth/status", "GET /projects/p"]
    with flywheel.GearContext(folder(tmp_path)) as gear, pytest.raises(RuntimeError, match="API key"):
        _ = gear.client
