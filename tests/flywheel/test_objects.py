"""Objects and helpers: the rest of the contract's test cases (46 to 70), and what stands beside them."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient.errors import ArgumentError, DeadlineExceeded, IntegrityError
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply

SESSION = {"_id": "ses1", "label": "S", "project": "P"}
ACQUISITION = {"_id": "acq1", "label": "A", "files": [{"name": "f.dcm", "file_id": "fid", "version": 3, "size": 5}]}


def obj(drive: Driver, service: FakeService, method: str, answer: dict[str, Any], *args: Any) -> Any:
    """Fetch one object and forget the request."""
    service.play(answer)
    found = drive(method, *(args or ("x",)))
    service.play()
    return found


def test_46_all_pages(drive: Driver, service: FakeService) -> None:
    service.play([{"_id": "1"}, {"_id": "2"}], [{"_id": "3"}], [])
    found = drive.listed(drive.client.projects.iter())
    assert [project.id for project in found] == ["1", "2", "3"]
    assert service.lines == [
        "GET /projects?limit=250",
        "GET /projects?limit=250&after_id=2",
        "GET /projects?limit=250&after_id=3",
    ]
    service.play({"_id": "1"})
    assert drive.done(found[0].reload()).id == "1"


def test_47_pages_in_order(drive: Driver, service: FakeService) -> None:
    service.play([{"_id": "1"}, {"_id": "2"}], [])
    items = drive.client.projects.iter_find("label=x", "created>2018", limit=2, sort="label:asc")
    assert len(drive.listed(items)) == 2
    query = "filter=label%3Dx%2Ccreated%3E2018&sort=label%3Aasc&limit=2"
    assert service.lines == [f"GET /projects?{query}&page=1", f"GET /projects?{query}&page=2"]


def test_48_find(drive: Driver, service: FakeService) -> None:
    projects = drive.client.projects
    service.play([{"_id": "1"}, {"_id": "2"}], [], [], [{"_id": "9"}], {"results": [{"_id": "7"}], "total": 1})
    with pytest.raises(ValueError, match="more results"):
        drive.done(projects.find_one("a=b"))
    with pytest.raises(ValueError, match="No results"):
        drive.done(projects.find_one("a=b"))
    assert drive.done(projects.find_first("a=b")) is None
    assert drive.done(projects.find_first("a=b")).id == "9"
    assert [p.id for p in drive.done(projects.find("a=b", limit=3))] == ["7"]
    limits = [line.rpartition("limit=")[2] for line in service.lines]
    assert limits == ["2", "2", "1", "1", "3"]
    service.play([{"_id": "1"}], [])
    assert [p.id for p in drive.done(projects.find())] == ["1"]
    service.play([{"_id": "5"}])
    assert drive.done(projects(exhaustive=True))[0].id == "5"
    assert "get_all_projects" in repr(projects)


@pytest.mark.parametrize("condition", ["label", "=x", "", "label x"])
def test_filters_that_do_not_parse(drive: Driver, service: FakeService, condition: str) -> None:
    with pytest.raises(ArgumentError, match="filter"):
        drive.done(drive.client.projects.find(condition))
    assert not service.received


def test_files_are_paged_by_file_id(drive: Driver, service: FakeService) -> None:
    service.play({"results": [{"_id": "a", "file_id": "f1"}], "count": 1, "total": 1}, {"results": [], "total": 1})
    assert len(drive.listed(drive.client.files.iter(limit=1))) == 1
    assert service.lines == ["GET /files?limit=1", "GET /files?limit=1&after_id=f1"]


def test_52_get(drive: Driver, service: FakeService) -> None:
    service.play({"_id": "1", "container_type": "session"}, {"_id": "2", "container_type": "group"})
    found = drive("get", "x")
    assert (type(found).__name__, found.container_type) == ("SessionOutput", "session")
    assert drive("get", "x").container_type == "group"


GEAR = {"_id": "gid", "gear": {"name": "mygear", "config": {"a": {"default": 3}, "b": {"type": "string"}}}}


def test_53_analysis_gears(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", {**GEAR, "category": "analysis"})
    session = obj(drive, service, "get_session", SESSION)
    acquisition = obj(drive, service, "get_acquisition", ACQUISITION)
    service.play({"_id": "an1"})
    (file,) = acquisition.files
    run = gear.run(analysis_label="My", destination=session, tags=["t"], inputs={"in1": file}, in2=acquisition)
    assert drive.done(run) == "an1"
    assert service.lines == ["POST /sessions/ses1/analyses?job=true"]
    job = {
        "gear_id": "gid",
        "inputs": {
            "in2": {"type": "acquisition", "id": "acq1"},
            "in1": {"type": "acquisition", "id": "acq1", "name": "f.dcm"},
        },
        "tags": ["t"],
        "priority": "medium",
        "config": {"a": 3},
    }
    assert service.received[0].json == {"label": "My", "job": job}
    with pytest.raises(ValueError, match="destination"):
        gear.run()
    service.play({"_id": "an2"})
    drive.done(gear.run(destination={"type": "session", "id": "s"}))
    assert service.received[0].json["label"].startswith("mygear 20")


def test_54_55_utility_gears(drive: Driver, service: FakeService) -> None:
    gear = obj(drive, service, "get_gear", {**GEAR, "category": "utility"})
    session = obj(drive, service, "get_session", SESSION)
    acquisition = obj(drive, service, "get_acquisition", ACQUISITION)
    service.play({"_id": "job1"}, {"_id": "b1"}, [{"id": "j", "state": "pending"}])
    assert drive.done(gear.run(config={"a": 9}, destination=session, priority="high")) == "job1"
    proposal = drive.done(gear.propose_batch([session, acquisition], config={"a": 1}))
    (job,) = drive.done(proposal.run())
    assert job.state == "pending"
    assert service.lines == ["POST /jobs/add", "POST /batch", "POST /batch/b1/run"]
    assert service.received[0].json == {
        "gear_id": "gid",
        "inputs": {},
        "destination": {"type": "session", "id": "ses1"},
        "tags": [],
        "priority": "high",
        "config": {"a": 9},
    }
    assert service.received[1].json == {
        "gear_id": "gid",
        "targets": [{"type": "session", "id": "ses1"}, {"type": "acquisition", "id": "acq1"}],
        "priority": "medium",
        "config": {"a": 1},
        "tags": [],
        "optional_input_policy": "ignored",
    }
    with pytest.raises(ValueError, match="analysis"):
        gear.create_invocation().set_analysis_label("x")
    with pytest.raises(TypeError, match="in1"):
        gear.run(in1=7)


def test_56_57_paths(drive: Driver, service: FakeService) -> None:
    nodes = [{"container_type": "project", "_id": "p"}, {"container_type": "file", "name": "f x.txt"}]
    service.play({"path": nodes}, {"ticket": "TK"}, {"container_type": "subject", "_id": "s"}, {"path": nodes[:1]})
    url = drive("file_url", "g/P/files/f x.txt")
    assert url == f"{service.origin}/api/projects/p/files/f%20x.txt?ticket=TK"
    assert type(drive("lookup", "g/p//x/")).__name__ == "SubjectOutput"
    assert service.lines == ["POST /resolve", "GET /projects/p/files/f%20x.txt?ticket=", "POST /lookup"]
    assert service.received[0].json == {"path": ["g", "P", "files", "f x.txt"]}
    assert service.received[2].json == {"path": ["g", "p", "", "x", ""]}
    with pytest.raises(ValueError, match="not a file"):
        drive("file_url", ["g", "P"])


def test_58_archives(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    session = obj(drive, service, "get_session", SESSION)
    acquisition = obj(drive, service, "get_acquisition", ACQUISITION)
    service.play({"ticket": "TK", "file_cnt": 2}, Reply(body=b"tar"), {"ticket": "T2"}, Reply(body=b"zip"))
    ticket = drive(
        "download_tar", [session, acquisition], tmp_path / "a.tar", include_types=["nifti"], exclude_types=["dicom"]
    )
    assert (ticket.file_cnt, (tmp_path / "a.tar").read_bytes()) == (2, b"tar")
    drive.done(session.download_zip(tmp_path / "a.zip"))
    assert (tmp_path / "a.zip").read_bytes() == b"zip"
    assert service.lines == [
        "POST /download",
        "GET /download?ticket=TK&format=tar",
        "POST /download",
        "GET /download?ticket=T2&format=zip",
    ]
    assert service.received[0].json == {
        "optional": True,
        "nodes": [{"level": "session", "_id": "ses1"}, {"level": "acquisition", "_id": "acq1"}],
        "filters": [{"types": {"plus": ["nifti"], "minus": ["dicom"]}}],
    }
    with pytest.raises(ValueError, match="Unknown container"):
        drive("download_tar", ["ses1"], tmp_path / "b.tar")


FILE_VIEW: dict[str, Any] = {
    "fileSpec": {
        "container": "project",
        "filter": {"value": "*"},
        "match": "all",
        "formatOptions": {},
        "processFiles": False,
        "columns": [],
    },
    "includeIds": True,
    "includeLabels": True,
    "errorColumn": False,
    "missingDataStrategy": "drop-row",
    "sort": True,
}


def test_59_to_63_views(drive: Driver) -> None:
    view = drive.client.View
    assert view(columns=["subject.code", ("session.label", "sess")], label="L") == {
        "label": "L",
        "columns": [{"src": "subject.code"}, {"src": "session.label", "dst": "sess"}],
        "includeIds": True,
        "includeLabels": True,
        "errorColumn": True,
        "sort": True,
    }
    column = {"src": "file.name", "dst": "project.file.name"}
    assert view(columns=["project.file.name"]) == {"columns": [column], **FILE_VIEW}
    spec = {**FILE_VIEW["fileSpec"], "container": "session", "analysisFilter": {"label": {"value": "*"}}}
    column = {"src": "file.name", "dst": "n", "type": "string"}
    expected = {"columns": [column], **FILE_VIEW, "fileSpec": spec}
    assert view(columns=("session.analysis.file.name", "n", "string")) == expected
    found = view(
        filename="*.csv",
        container="session",
        analysis_label="an*",
        analysis_gear_name="g",
        match="newest",
        zip_files="*.txt",
    )
    assert found["fileSpec"] == {
        "container": "session",
        "analysisFilter": {"label": {"value": "an*", "regex": False}, "gear.name": {"value": "g", "regex": False}},
        "filter": {"value": "*.csv"},
        "zipMember": {"value": "*.txt", "regex": False},
        "match": "newest",
        "formatOptions": {},
        "processFiles": True,
        "columns": [],
    }
    for options in ({"filename": "x"}, {"zip_files": "x"}, {"columns": ["project.file.name", "subject.file.name"]}):
        with pytest.raises(ValueError, match=r"files|filename"):
            view(**options)
    builder = flywheel.ViewBuilder().label("l").description("d").public().group_by("subject.code").filter("a=1")
    assert builder.build()["groupBy"] == {"columns": [{"src": "subject.code"}]}


def test_64_65_rows(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    states = iter(["queued", "completed"])

    def answer(request: Received) -> Reply:
        path = request.target.removeprefix("/api").partition("?")[0]
        if path == "/version":
            return Reply({"release": "20.0.0"})
        if path == "/config":
            return Reply({"features": {"task_manager_data_views": True}})
        if path.endswith("/queue"):
            return Reply({"_id": "E1"})
        return Reply(body=b"a,b\n") if path.endswith("/data") else Reply({"_id": "E1", "state": next(states)})

    service.play(rule=answer)
    rows = drive("read_view_data", "vid", "cid", format="csv", filter="a=1", limit=3, skip=1)
    assert rows.read() == "a,b\n"
    assert service.lines == [
        "GET /version",
        "GET /config",
        "POST /views/vid/queue?containerId=cid&filter=a%3D1&skip=1&limit=3",
        "GET /data_view_executions/E1",
        "GET /data_view_executions/E1",
        "GET /data_view_executions/E1/data?file_format=csv",
    ]
    states = iter(["failed"])
    with pytest.raises(RuntimeError, match="failed"):
        drive("save_view_data", {"columns": []}, "cid", tmp_path / "rows.csv")
    with pytest.raises(TypeError, match="colour"):
        drive("read_view_data", "vid", "cid", colour=1)


def test_65_rows_without_a_task_manager(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    replies = {"/version": {"release": "16.7.0"}, "/config": {"features": {}}}

    def answer(request: Received) -> Reply:
        path = request.target.removeprefix("/api").partition("?")[0]
        return Reply(replies[path]) if path in replies else Reply(body='[{"a": 1}, {"a": "é"}]'.encode())

    service.play(rule=answer)
    assert drive("read_view_data", "vid", "cid", decode=False, format="csv", filter="a=1").read().startswith(b"[{")
    assert service.lines[-1] == "GET /views/vid/data?containerId=cid&format=csv&filter=a%3D1"
    drive("read_view_data", {"columns": [], "errorColumn": True}, "cid")
    assert service.received[-1].json == {"columns": []}
    drive("save_view_data", {"columns": []}, "cid", tmp_path / "rows", format="json")
    assert service.lines[-1] == "POST /views/data?containerId=cid&format=json"
    drive("save_view_data", "vid", "cid", tmp_path / "more")
    assert (tmp_path / "rows").read_bytes() == (tmp_path / "more").read_bytes()
    assert drive("read_view_dataframe", "vid", "cid", {"lines": False})["a"].tolist() == [1, "é"]
    assert service.lines[-1] == "GET /views/vid/data?containerId=cid&format=json-flat"


def test_66_information_of_files(drive: Driver, service: FakeService) -> None:
    (file,) = obj(drive, service, "get_acquisition", {"_id": "A", "files": [{"name": "n"}]}).files
    with pytest.warns(UserWarning, match="stores") as warned:
        drive.done(file.update_info({"a.b": {"$x": 1}}))
    assert len(warned) == 2
    drive.done(file.replace_info({"a": 1}))
    drive.done(file.delete_info("a", ["b"]))
    drive.done(file.replace_classification({"x": ["y"]}, modality="MR"))
    drive.done(file.update(type="nifti"))
    assert service.lines == [
        *["PATCH /acquisitions/A/files/n/info"] * 3,
        "PATCH /acquisitions/A/files/n/classification",
        "PUT /acquisitions/A/files/n",
    ]
    assert [got.json for got in service.received] == [
        {"set": {"a.b": {"$x": 1}}},
        {"replace": {"a": 1}},
        {"delete": ["a", "b"]},
        {"replace": {"x": ["y"]}, "modality": "MR"},
        {"type": "nifti"},
    ]


def test_67_tags_of_files(drive: Driver, service: FakeService) -> None:
    file = obj(
        drive, service, "get_file", {"file_id": "fid", "name": "n", "parent_ref": {"type": "project", "id": "p"}}
    )
    service.play({"tags": ["a", "b"]}, {"modified": 1}, ["a", "c"])
    drive.done(file.rename_tag("a", "z"))
    drive.done(file.add_tag("c"))
    drive.done(file.delete_tag("c"))
    assert service.lines == ["GET /files/fid", *[f"{m} /files/fid/tags" for m in ("PUT", "PATCH", "DELETE")]]
    assert [got.json for got in service.received[1:]] == [["z", "b"], ["c"], ["c"]]
    assert file.ref() == {"type": "project", "id": "p", "name": "n"}


def test_68_children(drive: Driver, service: FakeService) -> None:
    subject = obj(drive, service, "get_subject", {"_id": "SB", "project": "P"})
    body = {"label": "x"}
    service.play({"_id": "news"}, {"_id": "news", "label": "x"})
    session = drive.done(subject.add_session(body))
    assert (session.label, body) == ("x", {"label": "x"})
    assert service.lines == ["POST /sessions", "GET /sessions/news"]
    assert service.received[0].json == {"label": "x", "project": "P", "subject": {"_id": "SB"}}
    service.play([{"_id": "a"}], [])
    assert [a.id for a in drive.listed(session.acquisitions.iter())] == ["a"]
    assert service.lines[0] == "GET /sessions/news/acquisitions?limit=250"
    group = obj(drive, service, "get_group", {"_id": "g"})
    service.play({"_id": "p"}, {"_id": "p", "label": "l"})
    project = drive.done(group.add_project(label="l"))
    assert service.received[0].json == {"label": "l", "group": "g"}
    service.play({"_id": "an"}, {"_id": "an", "label": "L"})
    assert drive.done(project.add_analysis(label="L")).label == "L"
    assert service.lines == ["POST /projects/p/analyses?job=true", "GET /analyses/an?inflate_job=true"]


def test_69_collections(drive: Driver, service: FakeService) -> None:
    drive("add_sessions_to_collection", "C", ["s1", "s2"])
    nodes = [{"_id": "s1", "level": "session"}, {"_id": "s2", "level": "session"}]
    assert service.lines == ["PUT /collections/C"]
    assert service.received[0].json == {"contents": {"operation": "add", "nodes": nodes}}
    collection = obj(drive, service, "get_collection", {"_id": "C"})
    session = obj(drive, service, "get_session", SESSION)
    drive.done(collection.add_sessions(session, ["s2"]))
    assert [node["_id"] for node in service.received[0].json["contents"]["nodes"]] == ["ses1", "s2"]


def test_70_drones(service: FakeService) -> None:
    host, port = "127.0.0.1", int(service.origin.rpartition(":")[2])
    service.play({"is_device": True, "origin": {"id": "dev/1"}}, {"key": "KEY"}, {})
    client = flywheel.create_drone_client(host, "SECRET", "method", "name", port, _force_insecure=True)
    assert service.lines == ["GET /auth/status", "GET /devices/dev%2F1", "GET /auth/status"]
    login = service.received[0].headers
    assert [login[f"x-scitran-{name}"] for name in ("auth", "method", "name")] == ["SECRET", "method", "name"]
    assert "authorization" not in login
    assert service.received[2].headers["authorization"] == "scitran-user KEY"
    client.close()
    service.play({"is_device": False})
    with pytest.raises(RuntimeError, match="not a device"):
        flywheel.create_drone_client(host, "SECRET", "method", "name", port, _force_insecure=True)
    service.play({"is_device": True, "origin": {"id": "d"}}, {})
    with pytest.raises(RuntimeError, match="could not get key"):
        flywheel.create_drone_client(host, "SECRET", "method", "name", port, _force_insecure=True)
    service.play(Reply({"message": "no"}, 403))
    with pytest.raises(flywheel.ApiException, match="403"):
        flywheel.create_drone_client(host, "SECRET", "method", "name", port, _force_insecure=True)


def test_containers_act(drive: Driver, service: FakeService) -> None:
    project = obj(drive, service, "get_project", {"_id": "p", "created": "2020-01-02T03:04:05Z"})
    calls: list[Callable[[], Any]] = [
        lambda: project.update(label="x"),
        lambda: project.update({"label": "x"}),
        lambda: project.add_note("n"),
        lambda: project.delete_note("nid"),
        lambda: project.add_tag("t"),
        lambda: project.rename_tag("t", "u"),
        lambda: project.delete_tag("u"),
        lambda: project.update_info(a=1),
        lambda: project.add_permission({"_id": "u"}),
        lambda: project.get_permission("u"),
        lambda: project.update_permission("u", {"role_ids": []}),
        lambda: project.delete_permission("u"),
        lambda: project.delete_file("f"),
        lambda: project.read_file("f"),
        lambda: project.read_file_zip_member("f", "m"),
        lambda: project.get_file_zip_info("f"),
        lambda: project.update_file_info("f", a=1),
    ]
    for call in calls:
        drive.done(call())
    assert service.lines == [
        *["PUT /projects/p"] * 2,
        "POST /projects/p/notes",
        "DELETE /projects/p/notes/nid",
        "POST /projects/p/tags",
        "PUT /projects/p/tags/t",
        "DELETE /projects/p/tags/u",
        "PATCH /projects/p/info",
        "POST /projects/p/permissions",
        *[f"{method} /projects/p/permissions/u" for method in ("GET", "PUT", "DELETE")],
        "DELETE /projects/p/files/f",
        "GET /projects/p/files/f",
        "GET /projects/p/files/f?member=m",
        "GET /projects/p/files/f?info=true",
        "PATCH /projects/p/files/f/info",
    ]
    assert project.ref() == {"type": "project", "id": "p"}
    assert project.local_created == dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    for args, fields in (((), {}), (({},), {"label": "x"}), ((3,), {})):
        with pytest.raises(ValueError, match="update"):
            project.update(*args, **fields)
    with pytest.raises(ValueError, match="came from no client"):
        flywheel.models.ProjectOutput(id="p").reload()


def test_files_of_analyses_are_outputs(drive: Driver, service: FakeService) -> None:
    analysis = obj(drive, service, "get_analysis", {"_id": "an", "files": [{"name": "o"}]})
    drive.done(analysis.read_file("o"))
    drive.done(analysis.files[0].read())
    drive.done(analysis.delete_file("o"))
    drive.done(analysis.update_file_info("o", a=1))
    assert service.lines == [
        *["GET /analyses/an/files/o"] * 2,
        "DELETE /containers/an/files/o",
        "PATCH /containers/an/files/o/info",
    ]
    service.play({"ticket": "T"})
    drive.done(analysis.get_file_download_url("o"))
    assert service.lines == ["GET /analyses/an/files/o?ticket="]


def test_sessions_have_ages_and_times(drive: Driver, service: FakeService) -> None:
    answer = {**SESSION, "age": 31557600, "timestamp": "2020-01-02T03:04:05Z", "timezone": "Europe/Berlin"}
    session = obj(drive, service, "get_session", answer)
    assert (session.age_years, session.age_days) == (1.0, 365.25)
    assert session.original_timestamp.isoformat() == "2020-01-02T04:04:05+01:00"
    session = obj(drive, service, "get_session", {**answer, "timezone": None})
    with pytest.raises(ValueError, match="timezone"):
        _ = session.original_timestamp


def digest(content: bytes) -> str:
    return f"v0-sha384-{hashlib.sha384(content).hexdigest()}"


def test_downloads_are_compared_with_the_record(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    content = b"hello"
    record = {"name": "n", "version": 2, "size": 5, "hash": digest(content)}
    (file,) = obj(drive, service, "get_project", {"_id": "p", "files": [record]}).files
    service.play(rule=lambda request: Reply(body=content))
    drive.done(file.download(tmp_path / "n"))
    assert service.lines[0] == "GET /projects/p/files/n?version=2"
    assert (tmp_path / "n").read_bytes() == content
    for wrong in (b"hallo", b"hello!"):
        service.play(Reply(body=wrong), Reply(body=wrong))
        with pytest.raises(IntegrityError):
            drive.done(file.download(tmp_path / "n"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("n", content)]


def ranged(content: bytes) -> Any:
    def answer(request: Received) -> Reply:
        given = request.headers.get("range")
        if given is None or "view=True" not in request.target:
            return Reply(body=content)
        first, _, last = given.removeprefix("bytes=").partition("-")
        if int(first) >= len(content):
            return Reply(status=416)
        piece = content[int(first) : int(last) + 1]
        said = f"bytes {first}-{int(first) + len(piece) - 1}/{len(content)}"
        return Reply(body=piece, status=206, headers={"Content-Range": said})

    return answer


def test_random_access(drive: Driver, service: FakeService) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", b"first")
        archive.writestr("b.bin", bytes(1_000_000))
    content = held.getvalue()
    record = {"name": "z.zip", "size": len(content)}
    (file,) = obj(drive, service, "get_project", {"_id": "p", "files": [record]}).files
    service.play(rule=ranged(content))
    with file.open_reader() as reader:
        assert reader.seek(-22, io.SEEK_END) == len(content) - 22
        assert drive.done(reader.read(4)) == b"PK\x05\x06"
        assert drive.done(reader.read()) == content[-18:]
        assert drive.done(reader.read(1)) == b""
        assert sum(int(got.headers.get("range", "bytes=0-0").partition("-")[2]) > 0 for got in service.received) == 1
    assert reader._held == b""  # closed: what was read ahead is let go of
    with pytest.raises(ValueError, match="position"):
        reader.seek(-1)
    if drive.kind == "sync":
        with zipfile.ZipFile(file.open_reader()) as archive:
            assert archive.read("a.txt") == b"first"
    assert b"".join(drive.listed(drive.client.stream_file("p", "z.zip", piece_bytes=300_000))) == content
    assert drive("read_range", "p", "z.zip", 5, 7) == content[5:12]
    assert drive("read_range", "p", "z.zip", len(content), 7) == b""


def test_many_files(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    names = [f"f{number}.txt" for number in range(20)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())

    def answer(request: Received) -> Reply:
        if request.method == "POST":
            name = request.body.partition(b'filename="')[2].partition(b'"')[0].decode()
            return Reply([{"name": name}])
        return Reply({}) if request.target.endswith("/config") else Reply(body=b"content")

    service.play(rule=answer)
    found = drive("upload_many", "c", [str(tmp_path / name) for name in names])
    assert [record.name for record in found] == names
    (tmp_path / "out").mkdir()
    paths = drive("download_many", "c", names, tmp_path / "out")
    assert [path.read_bytes() for path in paths] == [b"content"] * 20
    for name in ("../x", "a/b", ".."):
        with pytest.raises(ValueError, match="name"):
            drive("download_many", "c", [name], tmp_path / "out")


def test_jobs(drive: Driver, service: FakeService) -> None:
    job = obj(drive, service, "get_job", {"id": "j", "state": "running"})
    service.play(
        None,
        None,
        {"logs": [{"fd": 1, "msg": "a\n"}]},
        {"id": "j", "state": "running"},
        {"id": "j", "state": "complete"},
    )
    drive.done(job.change_state("cancelled"))
    drive.done(job.update_priority("high"))
    out = io.StringIO()
    drive.done(job.print_logs(out))
    assert out.getvalue() == "a\n"
    assert drive.done(job.wait()).state == "complete"
    assert service.lines[:3] == ["PUT /jobs/j", "PUT /jobs/priority", "GET /jobs/j/logs"]
    assert [got.json for got in service.received[:2]] == [
        {"state": "cancelled"},
        {"job_ids": ["j"], "priority": "high"},
    ]
    service.play(rule=lambda request: Reply({"id": "j", "state": "running"}))
    with pytest.raises(DeadlineExceeded):
        drive.done(job.wait(0.01))


def test_the_site(drive: Driver, service: FakeService) -> None:
    service.play(
        {"release": "20.1.0"}, {"flywheel_release": "19.0.0"}, [{"name": "a", "type": "string", "description": "d"}]
    )
    assert drive("perform_version_check") is True
    with pytest.warns(UserWarning, match=r"19\.0\.0"):
        assert drive("perform_version_check") is False
    out = io.StringIO()
    drive("print_view_columns", file=out)
    assert out.getvalue() == "a (string): d\n"


def test_models_are_mappings_too(drive: Driver, service: FakeService) -> None:
    project = obj(drive, service, "get_project", {"_id": "p", "label": "l", "new": 1})
    assert (project["_id"], project["new"], project.new) == ("p", 1, 1)
    assert "label" in project
    assert "created" in project
    assert "nothing" not in project
    assert (project.get("created", 7), project.get("nothing", 7)) == (None, 7)
    with pytest.raises(AttributeError, match="nothing"):
        _ = project["nothing"]
    project["label"] = "m"
    assert (project.label, dict(project.items())["label"]) == ("m", "m")
    assert project.to_dict()["id"] == "p"
    assert "'id': 'p'" in project.to_str()
    assert set(project.keys()) >= {"_id", "new"}
    assert project == flywheel.models.ProjectOutput.model_validate({"_id": "p", "label": "m", "new": 1})


@pytest.mark.parametrize(
    ("name", "member", "value", "other"),
    [
        ("GearRule", "not", [{"type": "a"}], []),
        ("GearRuleInput", "not", [{"type": "a"}], []),
        ("GearRuleModifyInput", "not", [{"type": "a"}], []),
        ("GearRuleOutput", "not", [{"type": "a"}], []),
        ("JobAsk", "return", {"jobs": 1}, None),
        ("StructuredQuerySuggestions", "from", 1, 2),
    ],
)
def test_members_whose_official_names_have_an_underscore_before_them(
    name: str, member: str, value: Any, other: Any
) -> None:
    kind: Any = getattr(flywheel.models, name)
    mapping = {f"_{member}": value}
    for made in (kind(**mapping), kind(**{f"{member}_": value}), *map(kind.model_validate, (mapping, {member: value}))):
        assert made.to_wire() == {member: value}
        assert getattr(made, f"_{member}") is getattr(made, f"{member}_") is made[member]
        assert made.model_extra == {}
    copied = pickle.loads(pickle.dumps(made))
    setattr(copied, f"_{member}", other)
    assert (getattr(copied, f"{member}_"), copied == made) == (other, False)


def test_bodies_as_keywords(drive: Driver, service: FakeService) -> None:
    service.play({"_id": "g"}, {"_id": "c"}, {"_id": "u"})
    assert drive("add_group", _id="g", label="L") == "g"
    assert drive("add_collection", label="L") == "c"
    assert drive("add_user", {"_id": "u"}, _request_timeout=5) == "u"
    assert [got.json for got in service.received] == [{"_id": "g", "label": "L"}, {"label": "L"}, {"_id": "u"}]
    for args, fields in (((), {}), (({"_id": "g"},), {"label": "L"})):
        with pytest.raises(ValueError, match="either"):
            drive("add_group", *args, **fields)


def test_a_body_as_keywords_has_the_id_by_the_name_of_objects(drive: Driver, service: FakeService) -> None:
    service.play({"_id": "g"}, {"_id": "u"})
    assert drive("add_group", id="g", label="L") == "g"
    assert drive("add_user", id="u", email="u@example.org") == "u"
    assert [got.json for got in service.received] == [
        {"_id": "g", "label": "L"},
        {"_id": "u", "email": "u@example.org"},
    ]


def test_a_download_goes_on_where_the_connection_broke(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    rest = ranged(content)

    def answer(request: Received) -> Reply:
        if "view=True" not in request.target:
            return Reply(body=content[:3_000_000], length=len(content))
        found: Reply = rest(request)
        return found

    service.play(rule=answer)
    drive("download_file_from_project", "p", "f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == content
    assert service.lines[0] == "GET /projects/p/files/f"
    starts = [int(got.headers["range"].removeprefix("bytes=").partition("-")[0]) for got in service.received]
    assert starts[0] == 0
    assert min(starts[1:]) > 0, "what had arrived was asked for again"
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_large_download_asks_for_ranges_once_it_has_seen_that_it_is_one(
    drive: Driver, service: FakeService, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 80_000
    rest = ranged(content)
    service.play(rule=lambda request: rest(request) if "view=True" in request.target else Reply(body=content))
    drive("download_file_from_project", "p", "f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == content
    assert service.lines[:3] == [
        "GET /projects/p/files/f",
        "GET /projects/p/files/f?view=True",
        "GET /projects/p/files/f/info",
    ]
    ranges = [got.headers["range"] for got in service.received if "range" in got.headers]
    assert len(ranges) == len(set(ranges)) + 1 == 4


def test_objects_within_answers_act_too(drive: Driver, service: FakeService) -> None:
    service.play({"jobs": [{"_id": "j"}]}, [{"session": {"_id": "s"}}], {"results": [{"_id": "p"}], "total": 1})
    (job,) = drive("get_session_jobs", "s").jobs
    (hit,) = drive("search", {"return_type": "session"})
    (project,) = drive("get_all_projects").results
    service.play()
    drive.done(job.change_state("cancelled"))
    drive.done(hit.session.add_tag("t"))
    drive.done(project.add_tag("t"))
    assert service.lines == ["PUT /jobs/j", "POST /sessions/s/tags", "POST /projects/p/tags"]


def test_models_travel(drive: Driver, service: FakeService) -> None:
    project = obj(drive, service, "get_project", {"_id": "p", "label": "l"})
    for other in (pickle.loads(pickle.dumps(project)), copy.deepcopy(project)):
        assert (other.id, other.label) == ("p", "l")
        assert other == project
