"""The test cases of the contract (BEHAVIOUR, section 10), awaited and blocking, in the order of their numbers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from asyncclient import flywheel
from asyncclient.errors import IntegrityError
from asyncclient.flywheel import ApiException, FileSpec, models
from tests.flywheel.conftest import Driver
from tests.flywheel.fake_service import FakeService, Received, Reply


def test_01_path_values_are_quoted(drive: Driver, service: FakeService) -> None:
    drive("get_project", "abc/ d")
    (got,) = service.received
    assert got.line == "GET /api/projects/abc%2F%20d"
    assert (got.body, got.headers["content-type"], got.headers["accept"]) == (b"", *["application/json"] * 2)


def test_02_query(drive: Driver, service: FakeService) -> None:
    drive("get_all_projects", exhaustive=True, filter="label=a b,c>1", limit=5, sort=None)
    assert service.lines == ["GET /projects?exhaustive=True&filter=label%3Da+b%2Cc%3E1&limit=5"]


def test_03_04_05_texts_become_bodies(drive: Driver, service: FakeService) -> None:
    drive("add_project_tag", "pid", "té")
    drive("add_project_note", "pid", "té")
    drive("add_project_tag", "pid", {"value": "b"})
    drive("add_project_tag", "pid", models.Tag(value="b"))
    assert service.lines[:2] == ["POST /projects/pid/tags", "POST /projects/pid/notes"]
    assert [got.json for got in service.received] == [{"value": "té"}, {"text": "té"}, {"value": "b"}, {"value": "b"}]


def test_06_rename_gives_the_text(drive: Driver, service: FakeService) -> None:
    service.play("x")
    assert drive("rename_project_tag", "p", "a", "b") == "x"
    assert (service.lines, service.received[0].json) == (["PUT /projects/p/tags/a"], {"value": "b"})


def test_07_08_names_of_tags_and_files(drive: Driver, service: FakeService) -> None:
    drive("delete_project_tag", "pid", "a/b é.%2F~")
    for name in ("a;b,c+d?e#f", "%2e%2e", "a/../b"):
        drive("delete_project_file", "pid", name)
    assert service.lines == [
        "DELETE /projects/pid/tags/a%2Fb%20%C3%A9.%252F~",
        "DELETE /projects/pid/files/a%3Bb%2Cc%2Bd%3Fe%23f",
        "DELETE /projects/pid/files/%252e%252e",
        "DELETE /projects/pid/files/a%2F..%2Fb",
    ]
    assert service.received[0].headers["content-length"] == "0"


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_09_names_that_are_other_places(drive: Driver, service: FakeService, name: str) -> None:
    with pytest.raises(ValueError, match="filename"):
        drive("delete_project_file", "pid", name)
    assert not service.received


def test_10_none_and_unknown_arguments(drive: Driver, service: FakeService) -> None:
    with pytest.raises(ValueError, match="project_id"):
        drive("get_project", None)
    with pytest.raises(TypeError, match="foo"):
        drive("get_project", "x", foo=1)
    with pytest.raises(ValueError, match="body"):
        drive("add_project", None)
    with pytest.raises(TypeError, match=r"join_avatar'; did you mean 'join_avatars'"):
        drive("get_project", "x", join_avatar=True)
    assert not service.received


def test_11_to_14_bodies_that_are_empty_or_lists(drive: Driver, service: FakeService) -> None:
    query = [{"attribute": "label", "operator": "=", "value": "x"}]
    assert drive("add_project_tags", "pid", []) is None
    drive("delete_sessions_by_ids", ["a", "b"], delete_reason="test_data")
    drive("delete_sessions_by_query", query)
    drive("modify_project", "pid", {})
    assert service.lines == [
        "PATCH /projects/pid/tags",
        "DELETE /sessions?delete_reason=test_data",
        "DELETE /sessions/delete_by_query",
        "PUT /projects/pid",
    ]
    assert [got.json for got in service.received] == [[], ["a", "b"], query, {}]


def test_15_plain_dicts(drive: Driver, service: FakeService) -> None:
    given = {"x": None, "d": dt.datetime(2020, 1, 2, 3, 4, 5), "e": dt.date(2020, 1, 2), "t": (1, 2)}
    drive("modify_project", "pid", given)
    assert service.received[0].json == {"x": None, "d": "2020-01-02T03:04:05", "e": "2020-01-02", "t": [1, 2]}


def test_16_models_send_what_was_set(drive: Driver, service: FakeService) -> None:
    when = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    drive("modify_session", "s", models.SessionModify(label="x", timestamp=when, operator=None))
    drive("add_job", {"gear_id": "g", "inputs": {"k": models.GearContextInput()}})
    assert service.received[0].json == {"timestamp": "2020-01-02T03:04:05+02:00", "label": "x"}
    assert service.received[1].json == {"gear_id": "g", "inputs": {"k": {"base": "context"}}}


def test_17_to_21_queries(drive: Driver, service: FakeService) -> None:
    drive("get_legacy_usage_report", "month", start_date=dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC))
    drive("get_session_jobs", "s", states=["a", "b"], tags=[])
    drive("get_next_job", tags=["a", "b"])
    drive("get_providers", _class="storage")
    drive("get_access_log_report", access_types=["view_file", "delete_file"], csv=True)
    assert service.lines == [
        "GET /report/legacy-usage?type=month&start_date=2020-01-02T03%3A04%3A05%2B00%3A00",
        "GET /sessions/s/jobs?states=a&states=b",
        "GET /jobs/next?tags=a&tags=b",
        "GET /site/providers?class=storage",
        "GET /report/accesslog?csv=True&access_types=view_file&access_types=delete_file",
    ]


def test_22_23_answers_are_unwrapped(drive: Driver, service: FakeService) -> None:
    service.play({"number_cancelled": 4}, {"_id": "5"}, {"_id": "5"}, {"_id": "6"})
    assert drive("cancel_batch", "b") == 4
    assert drive("add_project", {"label": "x"}) == "5"
    whole = drive("add_project", {"label": "x"}, _ignore_simplified_return_value=True)
    assert (type(whole).__name__, whole.id) == ("InsertedId", "5")
    data, status, headers = drive("projects_api.add_project_with_http_info", {"label": "x"})
    assert (data.id, status, headers["content-length"]) == ("6", 200, "12")
    assert service.received[0].body == b""


def test_24_models_as_bodies(drive: Driver, service: FakeService) -> None:
    """Deviation: the description, which was not set, is not sent (BEHAVIOUR 4.7)."""
    drive("add_project", models.ProjectInput(label="l", group="g"), inherit=True)
    assert (service.lines, service.received[0].json) == (["POST /projects?inherit=True"], {"label": "l", "group": "g"})


def test_25_job_is_sent_once(drive: Driver, service: FakeService) -> None:
    drive("add_project_analysis", "pid", {"label": "x"})
    drive("add_project_analysis", "pid", {"label": "x"}, job=False)
    assert service.lines == ["POST /projects/pid/analyses?job=true", "POST /projects/pid/analyses?job=False"]


def test_26_27_features(drive: Driver, service: FakeService) -> None:
    drive("get_project", "p", x_accept_feature=["foo"])
    drive("get_project", "p", x_accept_feature=[])
    assert [got.headers["x-accept-feature"] for got in service.received] == [
        "Safe-Redirect,multipart_signed_url,foo",
        "Safe-Redirect,multipart_signed_url",
    ]
    with pytest.raises(NotImplementedError):
        drive("get_project", "p", x_accept_feature=["pagination"])
    with pytest.raises(TypeError, match="list"):
        drive("get_project", "p", x_accept_feature="foo")
    assert len(service.received) == 2
    drive.client.enable_feature("slim-containers")
    drive("get_project", "p", x_accept_feature=["foo"])
    found = service.received[-1].headers["x-accept-feature"]
    assert found == "Safe-Redirect,multipart_signed_url,slim-containers,foo"


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_28_exhaustive(service: FakeService, kind: str) -> None:
    drive = Driver(kind, service.key, exhaustive=True)
    drive("get_project", "p")
    drive("get_all_projects", exhaustive=False)
    drive("get_all_projects", limit=1)
    assert service.lines == [
        "GET /projects/p?exhaustive=true",
        "GET /projects?exhaustive=False",
        "GET /projects?limit=1&exhaustive=true",
    ]
    drive.close()


def test_30_31_refusals(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    detail = [{"loc": ["body"], "msg": "bad", "type": "t"}]
    target = tmp_path / "f"
    target.write_bytes(b"old")
    service.play(Reply({"detail": detail}, 422), Reply({"message": "nf"}, 404), Reply(status=500, body=b"<html>"))
    with pytest.raises(ApiException) as caught:
        drive("get_project", "x")
    assert (caught.value.status, caught.value.reason, caught.value.detail) == (422, None, detail)
    with pytest.raises(ApiException) as caught:
        drive("download_file_from_project", "x", "f", str(target))
    assert (caught.value.status, caught.value.reason, str(caught.value)) == (404, "nf", "(404) Reason: nf")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(ApiException) as caught:
        drive("get_project", "x")
    assert (caught.value.reason, caught.value.body) == ("Internal Server Error", "<html>")


def test_32_retries(drive: Driver, service: FakeService) -> None:
    service.play(Reply(status=503), Reply(status=503), None)
    drive("get_project", "p")
    assert len(service.received) == 3
    service.play(rule=lambda request: Reply({"message": "down"}, 503))
    with pytest.raises(ApiException) as caught:
        drive("get_project", "p")
    assert (len(service.received), caught.value.status) == (8, 503)
    service.play(rule=lambda request: Reply({"message": "down"}, 503))
    with pytest.raises(ApiException):
        drive("add_project", {"label": "x"})
    assert len(service.received) == 1
    service.play(Reply(status=429, headers={"Retry-After": "0"}), None)
    drive("get_project", "p")
    assert len(service.received) == 2


def test_33_redirects_and_the_key(drive: Driver, service: FakeService) -> None:
    elsewhere = service.origin.replace("127.0.0.1", "localhost")
    service.play(Reply(status=302, headers={"Location": f"{elsewhere}/other"}), None)
    drive("get_project", "p")
    assert "authorization" not in service.received[1].headers
    service.play(Reply(status=302, headers={"Location": f"{service.origin}/same"}), None)
    drive("get_project", "p")
    assert service.received[1].headers["authorization"] == "scitran-user abc"


def test_34_35_members_of_archives(drive: Driver, service: FakeService) -> None:
    service.play(Reply(body=b"abcd"), {"members": [{"path": "a", "size": 1}]})
    name = "download_file_from_project_as_data"
    assert drive(name, "p", "z.zip", member="dir/a b.txt", range="bytes=0-3", view=True) == b"abcd"
    assert drive("get_project_file_zip_info", "p", "z.zip").members[0].path == "a"
    assert service.lines == [
        "GET /projects/p/files/z.zip?member=dir%2Fa+b.txt&view=True",
        "GET /projects/p/files/z.zip?info=true",
    ]
    headers = service.received[0].headers
    assert (headers["range"], headers["accept"]) == ("bytes=0-3", "application/octet-stream")


def test_36_urls_with_tickets(drive: Driver, service: FakeService) -> None:
    """Deviation: what was asked for beside the file is repeated, or the URL would deliver something else (5.2.3)."""
    service.play({"ticket": "TK"})
    url = drive("get_project_download_url", "p", "a b/é.txt", version=2, member="m")
    assert service.lines == ["GET /projects/p/files/a%20b%2F%C3%A9.txt?ticket=&member=m&version=2"]
    expected = f"{service.origin}/api/projects/p/files/a%20b%2F%C3%A9.txt?ticket=TK"
    assert url == f"{expected}&member=m&version=2"
    service.play({"ticket": "TK"})
    assert drive("get_project_download_url", "p", "a b/é.txt") == expected


def test_37_38_forms(drive: Driver, service: FakeService) -> None:
    spec = FileSpec('naïve "x".txt', b"hello")
    drive("upload_file_to_project", "pid", spec, metadata={"a": 1}, signed=False)
    drive("upload_file_to_project", "pid", [], signed=False)
    full, empty = service.received
    boundary = full.headers["content-type"].partition("boundary=")[2]
    assert (
        full.body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{{"a":1}}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="naïve %22x%22.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
        ).encode()
    )
    boundary = empty.headers["content-type"].partition("boundary=")[2]
    assert empty.body == f"--{boundary}--\r\n".encode()


class Store:
    """A site that offers signed URLs, and the store they lead to."""

    def __init__(self, service: FakeService, urls: int = 1, kind: str = "s3", *, size: int | None = None) -> None:
        self.origin = service.origin
        self.count, self.kind, self.size = urls, kind, size
        self.replies: dict[int, list[Reply]] = {}
        service.play(rule=self.answer)

    def urls(self) -> Any:
        marks = {"s3": "b.s3.example", "google": "storage.googleapis.example", "azure": "blob"}
        query = "?uploadId=U1" if self.kind == "s3" and self.count > 1 else ""
        found = [f"{self.origin}/store/{marks[self.kind]}/{number}{query}" for number in range(1, self.count + 1)]
        return found if self.count > 1 else found[0]

    def answer(self, request: Received) -> Reply:
        path, _, query = request.target.removeprefix("/api").partition("?")
        if path == "/config":
            return Reply({"features": {"signed_url": True}})
        if path.startswith("/store/"):
            number = int(path.rpartition("/")[2])
            waiting = self.replies.get(number)
            return waiting.pop(0) if waiting else Reply(body=b"", headers={"ETag": f'"e{number}"'})
        if query.partition("&")[0] == "ticket=":
            names = request.json["filenames"]
            return Reply({"ticket": "T1", "urls": {names[0]: self.urls()}, "headers": {"x-ms-blob-type": "BlockBlob"}})
        return Reply([{"name": "f", "size": self.size} if self.size is not None else {"name": "f"}])


def path_of(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_39_one_signed_url(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    Store(service, kind="azure")
    (record,) = drive("upload_file_to_project", "pid", path_of(tmp_path, "dåta.txt", b"0123456789"))
    assert record.name == "f"
    config, ticket, put, close = service.received
    assert [config.line, ticket.line, close.line] == [
        "GET /api/config",
        "POST /api/projects/pid/files?ticket=",
        "POST /api/projects/pid/files?ticket=T1",
    ]
    assert ticket.json == {"metadata": {"name": "dåta.txt", "size": 10}, "filenames": ["dåta.txt"]}
    assert (put.method, put.body, put.headers["content-length"]) == ("PUT", b"0123456789", "10")
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert not {"authorization", "x-accept-feature"} & put.headers.keys()
    assert (close.body, close.headers["content-length"]) == (b"", "0")


def test_40_several_signed_urls(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    Store(service, 3)
    metadata = {"info": {"a": 1}}
    path = path_of(tmp_path, "d.txt", b"0123456789")
    drive("upload_file_to_project", "pid", path, metadata=metadata, preserve_metadata=True)
    assert metadata == {"info": {"a": 1}}
    ticket, close = service.received[1], service.received[-1]
    assert ticket.target == "/api/projects/pid/files?ticket=&preserve_metadata=True"
    assert ticket.json["metadata"] == {"info": {"a": 1}, "name": "d.txt", "size": 10}
    parts = {got.target: got.body for got in service.received if got.method == "PUT"}
    assert [parts[target] for target in sorted(parts)] == [b"0123", b"4567", b"89"]
    assert close.target == "/api/projects/pid/files?ticket=T1&preserve_metadata=True"
    assert close.json == {"multipart": {"e_tags": ["e1", "e2", "e3"], "upload_id": "U1"}}


KEYS = [
    {"x-amz-server-side-encryption": "aws:kms"},
    {"x-amz-server-side-encryption": "aws:kms:dsse"},
    {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
]


def stored(content: bytes, **headers: str) -> Reply:
    return Reply(body=b"", headers={"ETag": f'"{hashlib.md5(content).hexdigest()}"', **headers})


def test_40_signed_parts_are_held_against_their_etags(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    store = Store(service, 3)
    # What the store encrypts with its own keys has an md5 for an etag all the same.
    store.replies = {
        1: [stored(b"0123", **{"x-amz-server-side-encryption": "AES256"})],
        2: [stored(b"something else"), stored(b"4567")],
        3: [stored(b"89")],
    }
    drive("upload_file_to_project", "pid", path_of(tmp_path, "d.txt", b"0123456789"))
    sent = sorted(got.target.partition("?")[0][-1] for got in service.received if got.method == "PUT")
    assert sent == ["1", "2", "2", "3"]
    assert service.received[-1].json["multipart"]["e_tags"][1] == hashlib.md5(b"4567").hexdigest()


def test_40_signed_parts_that_never_arrive_right(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    store = Store(service, 3)
    store.replies = {2: [stored(b"something else", **{"x-amz-server-side-encryption": "AES256"})] * 9}
    with pytest.raises(IntegrityError, match="part 2"):
        drive("upload_file_to_project", "pid", path_of(tmp_path, "d.txt", b"0123456789"))
    assert not any("ticket=T1" in got.target for got in service.received)


@pytest.mark.parametrize("headers", KEYS)
def test_40_etags_under_other_keys(
    drive: Driver, service: FakeService, tmp_path: Path, headers: dict[str, str]
) -> None:
    store = Store(service, 3)
    store.replies = {number: [stored(b"no md5 of the part", **headers)] for number in (1, 2, 3)}
    drive("upload_file_to_project", "pid", path_of(tmp_path, "d.txt", b"0123456789"))
    assert len([got for got in service.received if got.method == "PUT"]) == 3


def test_41_an_empty_file(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    Store(service)
    drive("upload_file_to_project", "pid", path_of(tmp_path, "zero.bin", b""))
    _, ticket, put, close = service.received
    assert ticket.json == {"metadata": {"name": "zero.bin"}, "filenames": ["zero.bin"]}
    assert put.headers["content-length"] == "0"
    assert close.target.endswith("ticket=T1")


def test_42_outputs_of_analyses(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    Store(service)
    drive("upload_output_to_project_analysis", "pid", "aid", path_of(tmp_path, "o.txt", b"x"))
    drive("signed_upload_output_to_session_analysis", "ignored", "aid", path_of(tmp_path, "o.txt", b"x"))
    assert [line for line in service.lines if "analyses" in line] == [
        "POST /analyses/aid/files?ticket=",
        "POST /analyses/aid/files?ticket=T1",
    ] * 2
    assert service.received[1].json["metadata"] == [{"name": "o.txt", "size": 1}]


def test_43_44_parts_that_fail(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    path = path_of(tmp_path, "d.txt", b"0123456789")
    store = Store(service, 3)
    store.replies[2] = [Reply(status=503), Reply(status=503)]
    drive("upload_file_to_project", "pid", path)
    puts = [(got.target[-13:], got.body) for got in service.received if got.method == "PUT"]
    assert sorted(puts) == [("1?uploadId=U1", b"0123"), *[("2?uploadId=U1", b"4567")] * 3, ("3?uploadId=U1", b"89")]
    store = Store(service, 3)
    store.replies[2] = [Reply({"message": "no"}, 403)]
    with pytest.raises(ApiException) as caught:
        drive("upload_file_to_project", "pid", path)
    assert caught.value.status == 403
    assert not [line for line in service.lines if line.endswith("ticket=T1")]


def test_45_more_urls_than_bytes(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    Store(service, 7)
    drive("upload_file_to_project", "pid", path_of(tmp_path, "d.txt", b"0123456789"))
    assert sorted(len(got.body) for got in service.received if got.method == "PUT") == [2] * 5
    assert service.received[-1].json["multipart"]["e_tags"] == ["e1", "e2", "e3", "e4", "e5"]


def test_google_gets_ranges_of_its_size(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    store = Store(service, 3, "google")
    store.replies[1] = [Reply(status=308, headers={"Range": "bytes=0-262143"})]
    store.replies[2] = [Reply(status=308, headers={"Range": "bytes=0-524287"})]
    content = bytes(range(256)) * 3000
    drive("upload_file_to_project", "pid", path_of(tmp_path, "d.bin", content))
    puts = [got for got in service.received if got.method == "PUT"]
    assert [got.headers["content-range"] for got in puts] == [
        "bytes 0-262143/768000",
        "bytes 262144-524287/768000",
        "bytes 524288-767999/768000",
    ]
    assert b"".join(got.body for got in puts) == content
    assert service.received[-1].body == b""


def test_the_size_the_service_reports_is_compared(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    from asyncclient.errors import IntegrityError

    Store(service, kind="azure", size=9)
    with pytest.raises(IntegrityError, match="9 bytes"):
        drive("upload_file_to_project", "pid", path_of(tmp_path, "d.txt", b"0123456789"))


def test_sites_without_signed_urls_get_forms(drive: Driver, service: FakeService, tmp_path: Path) -> None:
    path = path_of(tmp_path, "d.txt", b"0123456789")
    service.play(rule=lambda request: Reply([{"name": "d.txt"}] if request.method == "POST" else {}))
    assert drive("upload_file_to_project", "pid", path)[0].name == "d.txt"
    assert service.lines == ["GET /config", "POST /projects/pid/files"]
    assert drive("signed_upload_file_to_project", "pid", path) is None
    drive("upload_file_to_project", "pid", [path, path], metadata=[{"a": 1}, {"b": 2}])
    assert service.lines[2:] == ["POST /projects/pid/files"] * 2, "the site is asked once; one file a form"
    assert [b'{"a":1}' in service.received[-2].body, b'{"b":2}' in service.received[-1].body] == [True, True]


def test_49_50_jobs_of_analyses(drive: Driver, service: FakeService) -> None:
    service.play([{"_id": "1", "job": {"id": "j1", "state": "complete"}}], {"_id": "1", "label": "x", "job": "jid"})
    (analysis,) = drive("get_session_analyses", "s", inflate_job=True)
    assert (analysis.job.id, analysis.job.state) == ("j1", "complete")
    assert drive("get_session_analysis", "s", "a").job == "jid"


def test_51_inputs_of_jobs(drive: Driver, service: FakeService) -> None:
    inputs = {"k": {"base": "api-key", "key": "S"}, "c": {"base": "context", "found": True, "value": {"a": 1}}}
    service.play({"inputs": inputs, "config": {}})
    found = drive("get_job_config", "j").inputs
    assert (found["k"].key, found["c"].found, found["c"].value) == ("S", True, {"a": 1})


def test_other_unions_are_chosen_by_the_data(drive: Driver, service: FakeService) -> None:
    service.play({"results": [{"_id": "p", "label": "l"}], "count": 1, "total": 7})
    page = drive("get_all_projects")
    assert (page.total, type(page.results[0]).__name__) == (7, "ProjectListOutput")
    service.play([{"_id": "c", "acquisition_count": 2, "session_count": 1}, {"_id": "d"}])
    assert len(drive("get_all_collections")) == 2
    service.play({"_id": "b", "jobs": [{"id": "j", "state": "failed"}], "gear_id": "g", "state": "failed"})
    assert (batch := drive("get_batch", "b", jobs=True)).jobs[0].state == "failed"
    assert type(batch).__name__ == "ClassicBatchJobOutputInflatedJobs"
    service.play({"_id": "b", "jobs": ["j"], "state": "failed"})
    assert type(drive("get_batch", "b")).__name__ == "PremadeJobsBatchJobOutput"
    service.play({"a": {"found": False}, "b": {"found": True, "value": 3, "id": "i", "container_type": "project"}})
    context = drive("get_gear_context", "g", "projects", "p")
    assert {key: type(value).__name__ for key, value in context.items()} == {
        "a": "GearContextValueOutputUnfound",
        "b": "GearContextValueOutput",
    }
    service.play(
        {"_id": "g", "gear": {"inputs": {"i": {"base": "api-key", "x": 1}, "f": {"base": "file", "type": {}}}}}
    )
    gear = drive("get_gear", "g").gear
    assert (type(gear.inputs["i"]).__name__, gear.inputs["i"].x, type(gear.inputs["f"]).__name__) == (
        "GearKeyInput",
        1,
        "GearFileInput",
    )
    service.play({"facets": {"a": 1}}, [{"return_type": "file"}], Reply(body=b"a,b\n1,2\n"))
    assert drive("search", {"return_type": "file"}, facets=True) == {"facets": {"a": 1}}
    assert type(drive("search", {"return_type": "file"})[0]).__name__ == "SearchResponse"
    assert drive("search", {"return_type": "file"}, csv=True) == "a,b\n1,2\n"


def test_71_72_content_is_left_alone(drive: Driver, service: FakeService) -> None:
    service.play({"provider_id": "p"}, Reply(body=b"a,b"), Reply(body=b"\x89PNG"))
    drive("upload_signed_fs_file", "tok", "data")
    assert (service.lines, service.received[0].body) == (["PUT /upload/fs-file?token=tok"], b"data")
    assert drive("evaluate_view", "v", "c") == b"a,b"
    assert drive("get_current_user_avatar") == b"\x89PNG"


def test_73_no_key_and_no_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: FakeService) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in (flywheel.AsyncClient, flywheel.Client):
        with pytest.raises(flywheel.LoginNeeded, match="login"):
            kind()
    folder = tmp_path / ".config" / "flywheel"
    folder.mkdir(parents=True)
    (folder / "user.json").write_text("{", "utf-8")
    with pytest.raises(flywheel.LoginNeeded, match="cannot be read"):
        flywheel.AsyncClient()
    (folder / "user.json").write_text(json.dumps({"root": False}), "utf-8")
    with pytest.raises(flywheel.LoginNeeded, match="holds no key"):
        flywheel.AsyncClient()
    (folder / "user.json").write_text(json.dumps({"key": service.key, "root": False}), "utf-8")
    with flywheel.Client(disable_auth_check=True) as client:
        client.get_project("p")
    assert service.lines == ["GET /projects/p"]
