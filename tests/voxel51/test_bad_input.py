"""Bad input is refused before anything is sent, and the error says which argument it is."""

from __future__ import annotations

import datetime as dt
import math
import os
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncclient import AsyncHub, Limits, Progress, errors, voxel51
from asyncclient.voxel51._names import safe_name
from tests.voxel51.wire_server import WireServer

IDS = ("", ".", "..", None, 5, True, b"x", "a\0b", "a\udcffb")
BY_ID = {
    "get_analytic_details": (),
    "get_analytic_doc": (),
    "delete_analytic": (),
    "upload_analytic_image": (b"x", "CPU"),
    "get_data_details": (),
    "download_data": ("out",),
    "get_data_download_url": (),
    "update_data_ttl": (1,),
    "delete_data": (),
    "get_job_details": (),
    "get_job_request": (),
    "start_job": (),
    "update_job_ttl": (1,),
    "archive_job": (),
    "unarchive_job": (),
    "get_job_status": (),
    "download_job_output": ("out",),
    "get_job_output_download_url": (),
    "download_job_logfile": ("out",),
    "get_job_logfile_download_url": (),
    "delete_job": (),
    "kill_job": (),
    "wait_until_job_completes": (),
}
REFUSALS = (errors.ArgumentError, errors.ArgumentTypeError)


@pytest.fixture
async def api(token: voxel51.Token) -> AsyncIterator[voxel51.AsyncAPI]:
    async with voxel51.AsyncAPI(token, max_retries=0) as found:
        yield found


async def refused(call: Any, wire: WireServer, argument: str | None = None) -> BaseException:
    with pytest.raises(REFUSALS) as caught:
        await call
    if argument is not None:
        assert getattr(caught.value, "argument", None) == argument, caught.value
    assert str(caught.value)
    assert wire.received == []
    return caught.value


@pytest.mark.anyio
@pytest.mark.parametrize("name", BY_ID)
async def test_ids_that_cannot_name_anything(api: voxel51.AsyncAPI, wire: WireServer, name: str) -> None:
    for bad in IDS:
        if bad == 5:
            continue  # a number is written as text
        error = await refused(getattr(api, name)(bad, *BY_ID[name]), wire)
        assert "_id" in str(error)
    assert not Path("out").exists()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a/b", "a%2Fb"),
        ("../jobs", "..%2Fjobs"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("vidéo ß", "vid%C3%A9o%20%C3%9F"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a\\b\n", "a%5Cb%0A"),
        ("...", "..."),
    ],
)
async def test_odd_ids_are_one_segment(api: voxel51.AsyncAPI, wire: WireServer, given: str, sent: str) -> None:
    wire.play({"json": {"data": {}}}, {"body": b"content"})
    await api.get_data_details(given)
    await api.download_data(given, "out")
    assert [request.path for request in wire.received] == [f"/v1/data/{sent}", f"/v1/data/{sent}/download"]


@pytest.mark.anyio
@pytest.mark.parametrize("name", [n for n in dir(voxel51.AsyncAPI) if n.startswith("batch_")])
async def test_lists_of_ids(api: voxel51.AsyncAPI, wire: WireServer, name: str) -> None:
    method = getattr(api, name)
    more = {"days": 1} if "ttl" in name else {}
    for bad in ("abc", b"abc", 5, None, {"a": 1}, ["a", ""], ["a", 5], [None]):
        await refused(method(bad, **more), wire)
    wire.play({"json": {"responses": {"a": {"success": True}}}})
    assert await method(iter(["a", "b"]), **more) == {"a": {"success": True}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "name", ["update_data_ttl", "update_job_ttl", "batch_update_data_ttl", "batch_update_jobs_ttl"]
)
async def test_days_or_a_date(api: voxel51.AsyncAPI, wire: WireServer, name: str) -> None:
    first: Any = ["a"] if name.startswith("batch") else "a"
    method = getattr(api, name)
    for both in ((), (1, "2030-01-01"), (0, dt.datetime.now(dt.UTC))):
        error = await refused(method(first, *both), wire, "days")
        assert isinstance(error, voxel51.APIError)
        assert str(error) == "400: Either `days` or `expiration_date` must be provided"
        assert isinstance(error, voxel51.InvalidArguments)
        assert error.status == 400
    for days in (True, math.nan, math.inf, "", "soon", [1], dt.timedelta(days=1)):
        await refused(method(first, days), wire, "days")
    for date in (5, 5.0, True, [2030], dt.time(), b"2030"):
        await refused(method(first, None, date), wire, "expiration_date")


@pytest.mark.anyio
@pytest.mark.parametrize("bad", [5, True, b"2030-01-01", ["2030"], dt.timedelta(days=1)])
async def test_dates_that_are_none(api: voxel51.AsyncAPI, wire: WireServer, bad: Any) -> None:
    await refused(api.upload_data(b"x", bad, filename="x"), wire, "ttl")
    await refused(api.upload_job_request(voxel51.JobRequest("a"), "n", ttl=bad), wire, "ttl")
    await refused(api.post_data_as_url("https://h/x", "x", "a/b", 5, bad), wire, "expiration_date")
    await refused(api.post_data_as_url("https://h/x", "x", "a/b", 5, None), wire, "expiration_date")  # type: ignore[arg-type]  # a mistake


@pytest.mark.anyio
async def test_odd_datetimes(api: voxel51.AsyncAPI, wire: WireServer) -> None:
    local_mean_time = dt.timezone(dt.timedelta(minutes=53, seconds=28))
    cases: dict[Any, str] = {
        dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=local_mean_time): "2030-01-02T02:10:37+00:00",
        dt.datetime(2030, 1, 2, tzinfo=dt.timezone(-dt.timedelta(hours=3, minutes=30))): "2030-01-02T00:00:00-03:30",
        dt.datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC): "2030-01-02T03:04:05.000006+00:00",
        dt.date(2030, 1, 2): "2030-01-02",
        "2030-06-01T12:00:00.000Z": "2030-06-01T12:00:00.000Z",
    }
    for given, sent in cases.items():
        wire.play({"json": {"responses": {}}})
        await api.batch_update_data_ttl([], expiration_date=given)
        assert f'"{sent}"' in wire.received[0].body.decode()
    wire.play({"json": {"responses": {}}})
    with pytest.warns(UserWarning, match="has no time zone"):
        await api.batch_update_data_ttl([], expiration_date=dt.datetime(2030, 1, 2, 3, 4, 5))
    assert b'"2030-01-02T03:04:05"' in wire.received[0].body
    wire.play()
    edge = dt.datetime(1, 1, 1, tzinfo=local_mean_time)
    await refused(api.update_data_ttl("a", expiration_date=edge), wire, "expiration_date")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "parameter",
    [{1, 2}, object(), b"bytes", math.nan, -math.inf, [math.nan], {"a": dt.datetime.now(dt.UTC)}, {(1, 2): 3}],
)
async def test_parameters_that_are_no_json(api: voxel51.AsyncAPI, wire: WireServer, parameter: Any) -> None:
    request = voxel51.JobRequest("a/b")
    request.set_parameter("p", parameter)
    await refused(api.upload_job_request(request, "n"), wire)


@pytest.mark.anyio
async def test_job_requests_that_are_none(api: voxel51.AsyncAPI, wire: WireServer) -> None:
    request = voxel51.JobRequest("a/b")
    bad: Any
    for bad in ({"x": 1}, {"data-id": None}, 5, "D", ["D"]):
        request.inputs["video"] = bad
        error = await refused(api.upload_job_request(request, "n"), wire, "job_request")
        assert "video" in str(error)
    for nothing in (None, ""):
        await refused(api.upload_job_request(voxel51.JobRequest(nothing), "n"), wire, "job_request")
    for bad in (None, 5, "", "not json", "[]", b"{", object()):
        await refused(api.upload_job_request(bad, "n"), wire, "job_request")  # type: ignore[arg-type]  # mistakes
    circle: dict[str, Any] = {}
    circle["self"] = circle
    request = voxel51.JobRequest("a/b")
    request.set_parameter("p", circle)
    with pytest.raises((*REFUSALS, RecursionError)):
        await api.upload_job_request(request, "n")
    assert wire.received == []


def test_a_job_request_is_compared_with_its_documentation() -> None:
    doc = {
        "inputs": [{"name": "video", "required": True}],
        "parameters": [{"name": "accel", "required": False}, {"name": "fps", "required": True}],
    }
    request = voxel51.JobRequest("a/b")
    request.set_input("vidoe", data_id="D")
    request.set_parameter("accel", 1)
    with pytest.raises(errors.ArgumentError) as caught:
        request.check(doc)
    assert "input 'vidoe' is unknown, did you mean 'video'?" in str(caught.value)
    assert "input 'video' is missing" in str(caught.value)
    assert "parameter 'fps' is missing" in str(caught.value)
    request.inputs = {"video": voxel51.RemoteDataPath("D")}
    request.set_parameter("fps", 5)
    request.check(doc)


@pytest.mark.anyio
async def test_sources_that_cannot_be_sent(
    api: voxel51.AsyncAPI, application_token: voxel51.ApplicationToken, wire: WireServer, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(tmp_path / "pipe")
    app = voxel51.AsyncApplicationAPI(application_token, hub=api._hub)
    uploads = (
        api.upload_data,
        api.upload_analytic,
        app.upload_analytic,
        lambda path: api.upload_analytic_image("a", path, "CPU"),
        lambda path: app.upload_analytic_image("a", path, "CPU"),
    )
    for upload in uploads:
        for path in (folder, str(folder)):
            with pytest.raises(IsADirectoryError) as caught:
                await upload(path)
            assert caught.value.filename == str(folder)
        with pytest.raises(FileNotFoundError):
            await upload("nope.mp4")
        for bad in (tmp_path / "pipe", "a\0b", 5, None, {"a": 1}):
            await refused(upload(bad), wire)
    await refused(api.upload_data(b"no name"), wire, "filename")
    with (tmp_path / "text").open("w+") as text:
        await refused(api.upload_data(text), wire)


@pytest.mark.anyio
async def test_a_file_that_vanishes_or_shrinks(token: voxel51.Token, wire: WireServer, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(8 * 1024 * 1024))
    wire.play(respond=lambda request: {"json": {"data": {"id": "D"}}})

    def shrink(event: Progress) -> None:
        if event.bytes_done < 8 * 1024 * 1024:
            os.truncate(path, 1000)

    async with AsyncHub(limits=Limits(max_bandwidth=8 * 1024 * 1024)) as hub:  # slow enough to be caught in the act
        api = voxel51.AsyncAPI(token, hub=hub, max_retries=0)
        with pytest.raises(errors.AsyncClientError):
            await api.upload_data(path, on_progress=shrink)
        assert path.stat().st_size == 1000
        path.unlink()
        with pytest.raises(FileNotFoundError):
            await api.upload_data(path)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../x", "x"),
        ("/etc/passwd", "passwd"),
        ("a\\..\\evil.mp4", "evil.mp4"),
        ("C:evil.mp4", "evil.mp4"),
        ("x\r\n.mp4\0", "x.mp4"),
        ("clip.mp4. .", "clip.mp4"),
        ("CON.mp4", "_CON.mp4"),
        ("视频 é.mp4", "视频 é.mp4"),
        (".hidden", ".hidden"),
    ],
)
async def test_a_name_of_the_platform_stays_in_the_folder(
    api: voxel51.AsyncAPI, wire: WireServer, name: str, safe: str
) -> None:
    wire.play({"json": {"data": {"name": name}}}, {"body": b"1"})
    assert await api.download_data("D") == safe
    wire.play({"json": {"job": {"output_filename": name}}}, {"body": b"2"})
    assert await api.download_job_output("J") == safe
    assert [path.name for path in Path.cwd().iterdir()] == [safe]
    assert Path(safe).read_bytes() == b"2"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["", ".", "..", "../..", "a/", "\0", None, 5, ["x"], " . "])
async def test_a_name_that_is_none_is_an_error(api: voxel51.AsyncAPI, wire: WireServer, name: Any) -> None:
    wire.play({"json": {"data": {"name": name}}})
    with pytest.raises(errors.DecodeError, match="give output_path"):
        await api.download_data("D")
    assert len(wire.received) == 1
    assert not list(Path.cwd().iterdir())


def test_long_names_are_cut_and_keep_their_suffix() -> None:
    cut = safe_name("视" * 200 + ".mp4", operation="download_data")
    assert len(cut.encode()) <= 255
    assert cut.endswith("视.mp4")
    assert len(safe_name("x" * 300, operation="download_data")) == 255


@pytest.mark.anyio
async def test_other_arguments(
    api: voxel51.AsyncAPI, application_token: voxel51.ApplicationToken, wire: WireServer
) -> None:
    app = voxel51.AsyncApplicationAPI(application_token, hub=api._hub)
    await refused(api.query_data(5), wire, "data_query")  # type: ignore[arg-type]  # mistakes, all of them
    await refused(api.query_data(None), wire, "data_query")  # type: ignore[arg-type]
    await refused(api.query_jobs("limit=1"), wire, "jobs_query")  # type: ignore[arg-type]
    await refused(api.query_jobs(voxel51.JobsQuery), wire, "jobs_query")  # type: ignore[arg-type]
    await refused(app.query_application_data("x"), wire, "data_query")  # type: ignore[arg-type]
    error = await refused(app.query_application_jobs({"feilds": "id"}), wire, "jobs_query")
    assert "feilds" in str(error)
    await refused(app.create_user(None), wire, "username")  # type: ignore[arg-type]
    await refused(app.create_user(5), wire, "username")  # type: ignore[arg-type]
    await refused(api.list_analytics("yes"), wire, "all_versions")  # type: ignore[arg-type]
    await refused(api.post_data_as_url("https://h", "x", "a/b", "5", "2030"), wire, "size")  # type: ignore[arg-type]
    await refused(api.get_job_state(), wire, "job_id")
    await refused(api.is_job_complete(), wire, "job_id")
    await refused(api.is_job_expired(), wire, "job_id")
    await refused(api.is_job_complete(job=5), wire, "job")  # type: ignore[arg-type]
    await refused(api.is_job_expired(job={"expiration_date": None}), wire, "job")
    await refused(api.is_job_expired(job={"expiration_date": "soon"}), wire, "job")
    await refused(api.download_job_logfile("J", ""), wire, "output_path")
    await refused(api.download_data("D", 5), wire, "output_path")
    for name in ("sleep_time", "max_wait_time"):
        for bad in (-1, math.nan, math.inf, "5", True):
            await refused(api.wait_until_job_completes("J", **{name: bad}), wire, name)  # type: ignore[arg-type]
    for bad in (0, -1, "2", True, 1.5):
        await refused(api.thread_map(api.get_job_details, [], bad), wire, "max_workers")  # type: ignore[arg-type]


def test_the_blocking_form_refuses_the_same(token: voxel51.Token, wire: WireServer) -> None:
    with voxel51.API(token) as api, warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (
            lambda: api.get_data_details(""),
            lambda: api.batch_delete_data("ab"),
            lambda: api.update_data_ttl("D"),
            lambda: api.upload_job_request("x", "n"),
            lambda: api.thread_map(api.get_job_details, [], 0),
        ):
            with pytest.raises(REFUSALS):
                call()
        with pytest.raises(IsADirectoryError):
            api.upload_data(".")
    assert wire.received == []
