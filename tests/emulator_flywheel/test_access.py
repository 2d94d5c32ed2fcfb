"""Permissions of users that are no administrators of the site: none, read, write, give to others."""

from __future__ import annotations

from typing import Any

import pytest

from asyncclient import flywheel
from tests.emulator_flywheel.conftest import Api

READER = {"label": "reader", "actions": ["containers_view_metadata", "files_view_contents", "files_download"]}
WRITER = {"label": "writer", "actions": [*READER["actions"], "containers_modify_metadata", "files_create_upload"]}
OWNER = {"label": "owner", "actions": [*WRITER["actions"], "project_permissions_manage"]}


@pytest.fixture
def project(api: Api) -> dict[str, str]:
    ids = api.tree()
    (file,) = api.put_form(f"/projects/{ids['project']}/files", ("f.txt", b"one"))
    return {**ids, "file": file["file_id"]}


def as_user(api: Api, project: dict[str, str], role: dict[str, Any] | None) -> flywheel.Client:
    api.state.add_user("ann@example.org", secret="anns-key", root=False)
    if role is not None:
        made = api.ok("POST", "/roles", role)["_id"]
        api.ok("POST", f"/projects/{project['project']}/permissions", {"_id": "ann@example.org", "role_ids": [made]})
    base = api.server.credentials()["api_key"].rpartition(":")[0]
    return flywheel.Client(f"{base}:anns-key")


def attempts(client: flywheel.Client, project: dict[str, str]) -> dict[str, Any]:
    """Return what comes of several calls: None, or the status of the refusal."""
    home, session = project["project"], project["session"]
    calls: dict[str, Any] = {
        "get": lambda: client.get_project(home),
        "below": lambda: client.get_session(session),
        "download": lambda: client.download_file_from_project_as_data(home, "f.txt"),
        "file": lambda: client.get_file(project["file"]),
        "archive": lambda: client.create_download_ticket({"nodes": [{"level": "project", "_id": home}]}),
        "modify": lambda: client.modify_session(session, {"label": "E2"}),
        "upload": lambda: client.upload_file_to_project(home, flywheel.FileSpec("g.txt", b"2")),
        "add": lambda: client.add_session({"label": "x", "project": home, "subject": {"_id": project["subject"]}}),
        "tag": lambda: client.add_file_tags(project["file"], ["t"]),
        "permissions": lambda: client.add_project_permission(home, {"_id": "bob@example.org", "role_ids": []}),
    }
    found = {}
    for name, call in calls.items():
        try:
            call()
            found[name] = None
        except flywheel.ApiException as error:
            found[name] = error.status
    return found


READS, WRITES = ("get", "below", "download", "file", "archive"), ("modify", "upload", "add", "tag")


@pytest.mark.parametrize(
    ("role", "reads", "writes", "gives"),
    [(None, 403, 403, 403), (READER, None, 403, 403), (WRITER, None, None, 403), (OWNER, None, None, None)],
)
def test_roles(api: Api, project: dict[str, str], role: Any, reads: Any, writes: Any, gives: Any) -> None:
    api.state.add_user("bob@example.org")
    with as_user(api, project, role) as client:
        found = attempts(client, project)
        assert {name: found[name] for name in READS} == dict.fromkeys(READS, reads)
        assert {name: found[name] for name in WRITES} == dict.fromkeys(WRITES, writes)
        assert found["permissions"] == gives
        listed = [] if role is None else [project["project"]]
        assert [row.id for row in client.get_all_projects()] == listed
        assert [row.id for row in client.get_all_groups()] == (["lab"] if listed else [])
        assert bool(client.get_all_sessions()) is bool(listed)
        with pytest.raises(flywheel.ApiException) as caught:
            client.get_project("6" * 24)
        assert caught.value.status == 404


def test_groups_and_collections(api: Api, project: dict[str, str]) -> None:
    collection = api.make("collections", label="C")
    with as_user(api, project, None) as client:
        for access, status in ((None, 403), ("ro", 403), ("rw", None)):
            for place in ("groups/lab", f"collections/{collection}"):
                if access == "ro":
                    api.ok("POST", f"/{place}/permissions", {"_id": "ann@example.org", "access": access})
                elif access is not None:
                    api.ok("PUT", f"/{place}/permissions/ann@example.org", {"access": access})
            for change in (
                lambda: client.add_project({"label": "own", "group": "lab"}),
                lambda: client.modify_collection(collection, {"label": "D"}),
            ):
                if status is None:
                    change()
                else:
                    with pytest.raises(flywheel.ApiException) as caught:
                        change()
                    assert caught.value.status == status
