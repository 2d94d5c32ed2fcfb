"""Downloads that the service redirects to a signed address: the store never gets to see a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply
from tests.flywheel.sites import Sites

CONTENT = bytes(range(256)) * 40_000  # several ranges

SECRETS = {"authorization", "cookie", "x-accept-feature", "content-type"}


@pytest.mark.parametrize("storage_host", [None, "localhost"])
def test_the_store_of_the_emulator(sites: Sites, storage_host: str | None, tmp_path: Path) -> None:
    site = sites(redirect_downloads=True, storage_host=storage_host)
    site.put("f.bin", CONTENT)
    home = site.acquisition.id
    site.drive("download_file_from_acquisition", home, "f.bin", tmp_path / "f.bin")
    assert (tmp_path / "f.bin").read_bytes() == CONTENT
    assert site.drive("download_file_from_acquisition_as_data", home, "f.bin") == CONTENT
    assert site.drive("read_range", home, "f.bin", 10, 5) == CONTENT[10:15]
    fetched = [each for each in site.state.requests if each.path.startswith("/signed/") and each.method == "GET"]
    assert len(fetched) > 3
    assert not any("authorization" in each.headers for each in fetched)


@pytest.mark.parametrize("location", ["/store/f?X-Amz-Signature=abc", "/store/f", "/api/f?sig=abc"])
def test_a_store_of_the_same_origin(drive: Driver, service: FakeService, location: str) -> None:
    def answer(request: Received) -> Reply:
        if request.target.startswith("/api/projects"):
            return Reply(status=302, headers={"Location": location})
        return Reply(body=b"content")

    service.play(rule=answer)
    assert drive("download_file_from_project_as_data", "p", "f") == b"content"
    asked, stored = service.received
    assert asked.headers["authorization"] == "scitran-user abc"
    assert stored.target == location
    assert not SECRETS & set(stored.headers)


def test_within_the_service_the_key_goes_along(drive: Driver, service: FakeService) -> None:
    service.play(Reply(status=307, headers={"Location": "/api/projects/p/files/g"}), Reply(body=b"content"))
    assert drive("download_file_from_project_as_data", "p", "f") == b"content"
    assert [request.headers["authorization"] for request in service.received] == ["scitran-user abc"] * 2
