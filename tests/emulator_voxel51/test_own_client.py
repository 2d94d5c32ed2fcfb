"""The clients of this library and the emulator, together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from asyncclient import AsyncHub, Hub, voxel51
from asyncclient.testing import Server

CONTENT = bytes(range(256)) * 12_000


def tokens(server: Server) -> tuple[voxel51.Token, voxel51.ApplicationToken]:
    credentials = server.credentials()
    url = credentials["base_api_url"]
    return (
        voxel51.Token.from_private_key(credentials["private_key"], url),
        voxel51.ApplicationToken.from_private_key(credentials["application_key"], url),
    )


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "视频 é.mp4"
    path.write_bytes(CONTENT)
    return path


def test_a_script(asyncclient_voxel51: Server, clip: Path, tmp_path: Path) -> None:
    user, _ = tokens(asyncclient_voxel51)
    with Hub() as hub:
        api = voxel51.API(user, hub=hub)
        data = api.upload_data(clip, ttl="2999-01-01")
        assert (data["name"], data["size"], data["type"]) == (clip.name, len(CONTENT), "video/mp4")
        request = voxel51.JobRequest("voxel51/vehicle-sense")
        request.set_input("video", data_id=data["id"])
        job = api.upload_job_request(request, "job ü", auto_start=True)
        api.wait_until_job_completes(job["id"], sleep_time=0.01)
        assert api.get_job_request(job["id"]).to_dict() == request.to_dict()
        api.download_job_output(job["id"], str(tmp_path / "out.json"))
        found = api.query_jobs(voxel51.JobsQuery().add_all_fields().add_search("state", "COMPLETE"))
        assert [row["id"] for row in found["jobs"]] == [job["id"]]
        answers = api.batch_delete_data([data["id"], "nothing"])
        assert [answer["success"] for answer in answers.values()] == [True, False]
        with pytest.raises(voxel51.APIError, match="404: Data not found"):
            api.get_data_details(data["id"])
    assert b'"fps"' not in (tmp_path / "out.json").read_bytes()


@pytest.mark.anyio
async def test_an_application_and_its_users(asyncclient_voxel51: Server, clip: Path) -> None:
    _, application = tokens(asyncclient_voxel51)
    async with AsyncHub() as hub:
        api = voxel51.AsyncApplicationAPI(application, hub=hub)
        for name in ("alice", "Jörg"):
            await api.create_user(name)
            async with api.with_user(name):
                await api.upload_data(clip)
                assert len(await api.list_data()) == 1
        assert await api.list_users() == ["alice", "Jörg"]
        found = await api.query_application_data(voxel51.DataQuery().add_fields(["id", "name"]))
        assert [row["name"] for row in found["data"]] == [clip.name] * 2
        with pytest.raises(voxel51.ApplicationAPIError, match="409: User already exists"):
            await api.create_user("alice")
        assert {row["version"] for row in await api.list_analytics(all_versions=True)} == {"0.9", "0.10", "1.0"}


@pytest.mark.anyio
async def test_a_download_that_is_cut_goes_on(asyncclient_voxel51: Server, clip: Path, tmp_path: Path) -> None:
    user, _ = tokens(asyncclient_voxel51)
    async with AsyncHub() as hub:
        api = voxel51.AsyncAPI(user, hub=hub)
        data = await api.upload_data(clip)
        asyncclient_voxel51.state.cut_next(2_000_000, method="GET", path="/data/*/download")
        await api.download_data(data["id"], tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == CONTENT
    statuses = [row.status for row in asyncclient_voxel51.state.requests if row.operation == "download_data"]
    assert statuses[-1] == 206


@pytest.mark.anyio
@pytest.mark.parametrize("ranges", [True, False])
async def test_redirects_get_no_key(
    asyncclient_serve: Callable[..., Server], clip: Path, tmp_path: Path, ranges: bool
) -> None:
    server = asyncclient_serve("voxel51", redirect_downloads=True, storage_host="localhost", ranges=ranges)
    user, application = tokens(server)
    async with AsyncHub() as hub:
        api = voxel51.AsyncAPI(user, hub=hub)
        data = await api.upload_data(clip)
        await api.download_data(data["id"], tmp_path / "back.mp4")
        apps = voxel51.AsyncApplicationAPI(application, hub=hub)
        await apps.create_user("alice")
        async with apps.with_user("alice"):
            data = await apps.upload_data(clip)
            await apps.download_data(data["id"], tmp_path / "again.mp4")
    for name in ("back.mp4", "again.mp4"):
        assert (tmp_path / name).read_bytes() == CONTENT
    signed = [row for row in server.state.requests if row.operation == "signed_download"]
    assert signed
    for row in signed:
        assert row.status in (200, 206)
        assert not {"authorization", "x-voxel51-application", "x-voxel51-application-user"} & set(row.headers)


@pytest.mark.anyio
async def test_a_job_that_fails(asyncclient_voxel51: Server, clip: Path) -> None:
    user, _ = tokens(asyncclient_voxel51)
    asyncclient_voxel51.state.fail_jobs("ANALYTIC")
    async with AsyncHub() as hub:
        api = voxel51.AsyncAPI(user, hub=hub)
        request = voxel51.JobRequest("voxel51/vehicle-sense")
        request.set_input("video", data_id=(await api.upload_data(clip))["id"])
        job = await api.upload_job_request(request, "job", auto_start=True)
        with pytest.raises(voxel51.JobExecutionError) as failed:
            await api.wait_until_job_completes(job["id"], sleep_time=0.01)
        assert failed.value.failure_type == "ANALYTIC"
