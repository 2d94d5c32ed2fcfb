"""Emulators with a tree, and a client of either kind for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncclient import flywheel
from asyncclient.testing import Server
from tests.flywheel.conftest import Driver

__all__ = ["Site", "Sites"]


@dataclass
class Site:
    """An emulator with one acquisition, and who talks to it."""

    server: Server
    drive: Driver
    project: Any
    acquisition: Any

    @property
    def key(self) -> str:
        return self.server.credentials()["api_key"]

    @property
    def state(self) -> Any:
        return self.server.state

    def put(self, name: str, content: bytes) -> Any:
        """Store a file, and return its record."""
        spec = flywheel.FileSpec(name, content)
        (record,) = self.drive("upload_file_to_acquisition", self.acquisition.id, spec)
        return record

    def record(self, name: str) -> Any:
        """Fetch the acquisition anew, and return the record of a file in it, which can act."""
        found = self.drive("get_acquisition", self.acquisition.id)
        return next(file for file in found.files if file.name == name)

    def asked(self, method: str, path: str) -> list[Any]:
        """Return the requests whose path ends like this."""
        return [each for each in self.state.requests if each.method == method and each.path.endswith(path)]


Sites = Callable[..., Site]


def make_site(server: Server, kind: str) -> Site:
    drive = Driver(kind, server.credentials()["api_key"])
    drive("add_group", flywheel.models.GroupInput(id="lab", label="The lab"))
    project = drive.done(drive("get_group", "lab").add_project(label="Study"))
    subject = drive.done(project.add_subject(code="s1", label="s1"))
    session = drive.done(subject.add_session(label="visit"))
    return Site(server, drive, project, drive.done(session.add_acquisition(label="T1")))
