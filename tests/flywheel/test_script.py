"""The scripts of the documents, as they are printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.flywheel.fake_service import FakeService, Received, Reply

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class Site:
    """As much of a service as the scripts need: objects by id, files with content."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.content: dict[str, bytes] = {}
        self.infos: list[Any] = []

    def answer(self, request: Received) -> Reply:
        method, path = request.method, request.target.removeprefix("/api").partition("?")[0]
        steps = path.strip("/").split("/")
        if steps[0] in ("auth", "config"):
            return Reply({})
        if method == "POST" and len(steps) == 1 and steps[0] != "lookup":
            made = request.json
            made["_id"] = made.get("_id") or f"{steps[0]}{len(self.objects)}"
            self.objects[made["_id"]] = made
            return Reply({"_id": made["_id"]})
        if path == "/lookup":
            return Reply({**next(o for o in self.objects.values() if o.get("group")), "container_type": "project"})
        if method == "POST" and steps[-1] == "files":
            content = request.body.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
            record = {"name": "T1.nii", "size": len(content), "version": 1, "type": "nifti"}
            self.content["T1.nii"] = content
            self.objects[steps[1]].setdefault("files", []).append(record)
            return Reply([record])
        if method == "PATCH":
            self.infos.append(request.json)
        if steps[-2:-1] == ["files"]:
            return Reply(body=self.content[steps[-1]])
        if method == "GET" and (len(steps) == 1 or steps[-1] in ("sessions", "acquisitions")):
            after = "after_id" in request.target
            key = "group" if steps[-1] == "projects" else "subject" if steps[-1] == "sessions" else "session"
            return Reply([] if after else [o for o in self.objects.values() if key in o and "code" not in o])
        return Reply(self.objects.get(steps[1], {}))


@pytest.fixture
def site(service: FakeService) -> Site:
    found = Site()
    service.play(rule=found.answer)
    return found


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_script_of_the_official_client(site: Site, service: FakeService, tmp_path: Path) -> None:
    (tmp_path / "T1.nii").write_bytes(b"content")
    printed = run("flywheel_project.py", service.key, tmp_path / "T1.nii", tmp_path / "copy")
    assert printed.splitlines() == ["projects1 Study", "T1.nii 7"]
    assert (tmp_path / "copy").read_bytes() == b"content"
    assert site.infos == [{"set": {"checked": True}}]
    assert [o.get("label") for o in site.objects.values()] == ["The lab", "Study", "s-01", "visit 1", "T1w"]

    (tmp_path / "out").mkdir()
    assert run("flywheel_async.py", service.key, "lab/Study", tmp_path / "out") == "T1.nii\n"
    assert (tmp_path / "out" / "T1.nii").read_bytes() == b"content"
