"""The HTTP stack of the official client against the emulator: requests, with the streamed forms of requests_toolbelt.

The official client itself is in no package index, so what it does is done here by hand, in its order: the header of the token,
JSON bodies of GET requests, streamed forms, downloads in blocks.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests_toolbelt import MultipartEncoder

from asyncclient.testing import Server

CONTENT = bytes(range(256)) * 9000


class Reference:
    """Makes the requests of the official client; every one on a connection of its own, as it does."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._base_url = base_url
        self._headers = headers

    def call(self, method: str, *path: str, **more: Any) -> requests.Response:
        url = "/".join([f"{self._base_url}/v1", *path])
        headers = {**self._headers, **more.pop("headers", {})}
        response = requests.request(method, url, headers=headers, timeout=30, **more)
        response.raise_for_status()
        return response

    def upload(self, file: Path, *path: str, media_type: str = "video/mp4", **fields: str) -> requests.Response:
        with file.open("rb") as opened:
            parts = {"file": (file.name, opened, media_type), **fields}
            encoder = MultipartEncoder(fields=parts)
            return self.call("POST", *path, data=encoder, headers={"Content-Type": encoder.content_type})


@pytest.fixture
def user(asyncclient_voxel51: Server) -> Reference:
    return Reference(asyncclient_voxel51.url, {"Authorization": "Bearer user-key-123"})


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_quickstart_of_users(user: Reference, clip: Path, tmp_path: Path) -> None:
    listed = user.call("GET", "analytics", "list", json={"all_versions": False}).json()["analytics"]
    doc = user.call("GET", "analytics", listed[0]["id"], "doc").json()
    assert doc["info"]["name"] == listed[0]["name"]
    ttl = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    data = user.upload(clip, "data", data_ttl=ttl).json()["data"]
    request = {"analytic": doc["info"]["name"], "inputs": {"video": {"data-id": data["id"]}}, "parameters": {}}
    files = {
        "file": ("job.json", json.dumps(request, indent=4), "application/json"),
        "job_name": (None, "my job"),
        "auto_start": (None, "False"),
    }
    job = user.call("POST", "jobs", files=files).json()["job"]
    assert user.call("PUT", "jobs", job["id"], "start").content == b""
    seen = []
    while not seen or seen[-1] not in ("COMPLETE", "FAILED"):
        seen.append(user.call("GET", "jobs", job["id"]).json()["job"]["state"])
    assert seen == ["QUEUED", "SCHEDULED", "RUNNING", "COMPLETE"]
    output = tmp_path / "output.json"
    with user.call("GET", "jobs", job["id"], "output", stream=True) as response, output.open("wb") as file:
        for block in response.iter_content(33_554_432):
            file.write(block)
    assert json.loads(output.read_bytes())["inputs"]["video"]["md5"] == hashlib.md5(CONTENT).hexdigest()
    query = {"fields": "id,name,state", "search": "state:COMPLETE", "sort": "upload_date:desc"}
    assert user.call("GET", "jobs", json=query).json()["jobs"][0]["id"] == job["id"]
    assert user.call("PUT", "data", data["id"], "ttl", data={"days": "-10"}).content == b""
    with pytest.raises(requests.HTTPError, match="404"):
        user.call("GET", "data", data["id"])


def test_the_quickstart_of_applications(asyncclient_voxel51: Server, clip: Path) -> None:
    key = {"x-voxel51-application": "app-key-456"}
    application = Reference(asyncclient_voxel51.url, key)
    application.call("POST", "apps", "users", json={"username": "J\u00f6rg"})
    active = Reference(asyncclient_voxel51.url, {**key, "x-voxel51-application-user": "J\u00f6rg"})
    data = active.upload(clip, "data").json()["data"]
    url = active.call("GET", "data", data["id"], "download-url").json()["url"]
    assert requests.get(url, timeout=30).content == CONTENT
    found = application.call("GET", "apps", "data", params={"search": "name:clip", "limit": 5}).json()
    assert [row["id"] for row in found["data"]] == [data["id"]]
    assert application.call("GET", "apps", "users", "list").json() == {"users": ["J\u00f6rg"]}


def test_images_of_analytics(user: Reference, tmp_path: Path) -> None:
    doc, image = tmp_path / "doc.json", tmp_path / "image.tar.gz"
    info = {"name": "me/x", "version": "1", "description": "d", "supports_cpu": True, "supports_gpu": False}
    doc.write_text(json.dumps({"info": info}))
    image.write_bytes(CONTENT)
    made = user.upload(doc, "analytics", media_type="application/json").json()["analytic"]
    assert made["pending"] is True
    with image.open("rb") as opened:
        encoder = MultipartEncoder(fields={"file": (image.name, opened, "application/x-tar")})
        headers = {"Content-Type": encoder.content_type}
        user.call("POST", "analytics", made["id"], "images", data=encoder, params={"type": "CPU"}, headers=headers)
    assert user.call("GET", "analytics", made["id"]).json()["analytic"]["pending"] is False
    user.call("DELETE", "analytics", made["id"])
