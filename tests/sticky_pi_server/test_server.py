"""The server over HTTP: who may do what, what is refused and how, and files."""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from asyncclient.errors import ConfigurationError
from asyncclient.sticky_pi import _passwords
from asyncclient.sticky_pi.configuration import LocalAPIConf
from asyncclient.sticky_pi.server import create_app
from tests.sticky_pi import cases, pictures
from tests.sticky_pi_server.places import ALWAYS, SECRET, files_below
from tests.sticky_pi_server.serving import ADMIN, PASSWORD, serving

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
NAME = pictures.name_of("0a5bb6f4", T0)
ALL = [{"device": "%", **ALWAYS}]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def server(files: Path) -> Iterator[str]:
    conf = {"SECRET_API_KEY": SECRET, "LOCAL_DIR": str(files), "MAX_UPLOAD_BYTES": 500_000, "MAX_JSON_BYTES": 20_000}
    with serving(conf) as url:
        yield url


@pytest.fixture
def http(server: str) -> Iterator[httpx.Client]:
    """Calls as the administrator."""
    with httpx.Client(base_url=server, auth=(ADMIN, PASSWORD), trust_env=False, timeout=30) as client:
        token = client.post("/get_token").json()["token"]
        client.auth = httpx.BasicAuth(token, "")
        yield client


def as_user(http: httpx.Client, name: str, **facts: Any) -> httpx.BasicAuth:
    """Create a user and sign in."""
    password = f"{name}-password"
    http.post("/put_users", json=[{"username": name, "password": password, **facts}]).raise_for_status()
    return httpx.BasicAuth(http.post("/get_token", auth=(name, password)).json()["token"], "")


def put_image(http: httpx.Client, data: bytes | None = None, name: str = NAME, **form: str) -> httpx.Response:
    return http.post("/_put_new_images", files={name: (name, data or pictures.jpeg())}, data=form)


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["type"]


# --- recorded --------------------------------------------------------------------------------------------------------

# The platform's server answers 500 to everything it cannot do; this one says what it is.
OTHER_STATUS = {
    "unknown-column": 400,
    "upload-wrong-field": 422,
    "upload-none": 400,
    "list-like-null": 400,
}


@cases.needs_contract
@pytest.mark.anyio
async def test_recorded_exchanges(conf: dict[str, Any], kind: str) -> None:
    tokens: list[str] = []
    uid = {"UID_USER": "spi_uid", "UID_PASSWORD": "uid-password-123"}
    with serving({**conf, **uid}) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
        for case in cases.load()["http"]:
            answer = http.send(_request(http, case["request"], tokens))
            expected = case["response"]
            assert answer.status_code == OTHER_STATUS.get(case["id"], expected["status"]), (case["id"], answer.text)
            if "www_authenticate" in expected:
                assert answer.headers["www-authenticate"] == expected["www_authenticate"]
                assert answer.text == expected["text"]
            if "allow" in expected:
                assert answer.headers["allow"] == expected["allow"]
            if "json" in expected:
                assert answer.content.endswith(b"\n")
                got, wanted = answer.json(), expected["json"]
                if kind != "mariadb":
                    got, wanted = _known(got), _known(wanted)
                assert cases.same_rows(_by_identity(got), _by_identity(wanted)), (case["id"], got, wanted)
            if case["id"].startswith("token-") and answer.status_code == 200 and "token" in answer.json():
                tokens.append(answer.json()["token"])
                assert abs(answer.json()["expiration"] - time.time() - 86400) < 60


def _by_identity(rows: Any) -> Any:
    """Leave out ids: databases may skip numbers."""
    if isinstance(rows, list):
        return [_by_identity(row) for row in rows]
    return {key: value for key, value in rows.items() if key not in ("id", "api_user_id")}


def _request(http: httpx.Client, given: dict[str, Any], tokens: list[str]) -> httpx.Request:
    auth = None
    if given["auth"]:
        token = tokens[-1] if tokens else ""
        where = {
            "${token with the last two characters changed}": token[:-2] + ("aa" if token[-2:] != "aa" else "bb"),
            "${token}": token,
            "${ADMIN_PASSWORD}": PASSWORD,
        }
        auth = httpx.BasicAuth(
            cases.filled(given["auth"]["username"], where), cases.filled(given["auth"]["password"], where)
        )
    more: dict[str, Any] = {"headers": given.get("headers")}
    if "json" in given:
        more["json"] = given["json"]
    if "body_text" in given:
        more["content"] = given["body_text"].encode()
    if "file_parts" in given:
        more["files"] = [
            (part["field"], (part["filename"], Path(cases.filled(part["content_of"], cases.places())).read_bytes()))
            for part in given["file_parts"]
        ]
        more["data"] = given.get("form_fields")
    request = http.build_request(given["method"], given["path"], **more)
    return request if auth is None else next(auth.auth_flow(request))


def _known(rows: Any) -> Any:
    """Leave out what other databases store otherwise than MariaDB: single precision, and whole altitudes."""
    if isinstance(rows, list):
        return [_known(row) for row in rows]
    return {key: value for key, value in rows.items() if key not in ("alt", "temp", "hum")}


# --- who may do what -------------------------------------------------------------------------------------------------


def test_roles(http: httpx.Client) -> None:
    writer, reader = as_user(http, "ada"), as_user(http, "eve", can_write=False, is_admin=True)
    for route, least in {
        "/get_users": 0,
        "/get_image_series/metadata": 0,
        "/put_projects": 1,
        "/put_uid_annotations": 1,
        "/_get_ml_bundle_upload_links": 1,
        "/get_images_to_annotate/metadata": 1,
        "/delete_images": 2,
        "/delete_users": 2,
        "/put_users": 2,
        "/delete_tiled_tuboids": 2,
    }.items():
        statuses = [http.post(route, json=[], auth=who).status_code for who in (reader, writer, http.auth)]
        assert statuses == [200 if level >= least else 403 for level in (0, 1, 2)], route
    refused = http.post("/put_projects", json=[], auth=reader)
    assert (refused.text, "www-authenticate" in refused.headers) == ("Unauthorized Access", True)


def test_another_users_project(http: httpx.Client) -> None:
    ada, eve = as_user(http, "ada"), as_user(http, "eve")
    (project,) = http.post("/put_projects", json=[{"name": "p"}], auth=ada).json()
    mine = [{"project_id": project["id"]}]
    assert http.post("/get_project_series", json=mine, auth=ada).json() == []
    assert http.post("/get_projects", json=[{}], auth=eve).json() == []
    for route in ("/get_project_series", "/put_project_series", "/delete_project_columns"):
        answer = http.post(route, json=[{**mine[0], "column_name": "x"}], auth=eve)
        assert reason(answer) == (403, "AccessDenied"), route
    missing = http.post("/get_project_series", json=[{"project_id": 4711}], auth=eve)
    assert reason(missing) == (403, "AccessDenied")


def test_wrong_passwords_are_limited(http: httpx.Client, server: str) -> None:
    good = http.auth
    statuses = [http.post("/get_token", auth=(ADMIN, f"wrong-{n}")).status_code for n in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    held = http.post("/get_token", auth=(ADMIN, PASSWORD))
    assert held.status_code == 429
    assert 0 < int(held.headers["retry-after"]) <= 61
    assert http.post("/get_users", json=[{}], auth=good).status_code == 200
    assert http.post("/get_token", auth=("nobody", "x")).status_code == 401


def test_tokens_expire(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert http.post("/get_users", json=[{}]).status_code == 200
    monkeypatch.setattr(_passwords, "TOKEN_LIFE_S", -1)
    for _ in range(8):  # none of which counts as a wrong password
        answer = http.post("/get_users", json=[{}])
        assert (answer.status_code, answer.text) == (401, "Unauthorized Access")


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic YWRtaW4=", "Bearer x", "Basic " + "A" * 9000, "Basic //8=", "Basic Og=="],
)
def test_bad_credentials(server: str, header: str) -> None:
    answer = httpx.post(f"{server}/get_users", json=[{}], headers={"Authorization": header}, trust_env=False)
    assert (answer.status_code, answer.text) == (401, "Unauthorized Access")


def test_names_that_are_not_ascii(http: httpx.Client, server: str) -> None:
    http.post("/put_users", json=[{"username": "zoé", "password": "pässwort"}]).raise_for_status()
    for encoding in ("utf-8", "latin-1"):
        auth = httpx.BasicAuth("zoé".encode(encoding), "pässwort".encode(encoding))
        assert http.post("/get_token", auth=auth).status_code == 200


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "given", "status"),
    [
        ("/get_images/video", [], 400),
        ("/get_images/metadata", [{"device": "x"}], 400),
        ("/get_image_series/metadata", [{"device": "%", "start_datetime": "x", "end_datetime": "y"}], 400),
        ("/get_tiled_tuboid_series/nothing", [], 400),
        ("/get_users", [{"nope": "%"}], 400),
        ("/get_users", {"username": "x"}, 400),
        ("/put_users", [{"username": ADMIN, "password": "x"}], 409),
        (
            "/put_itc_labels",
            [{"tuboid_id": "x", "algo_name": "a", "algo_version": "1", "pattern": "p", "type": "t"}],
            404,
        ),
        ("/_get_ml_bundle_file_list/all", "../x", 400),
        ("/_get_ml_bundle_upload_links", [{"bundle_name": "b", "key": "../../x.txt", "md5": "", "mtime": 1}], 400),
        ("/_get_ml_bundle_upload_links", [{"bundle_name": "b", "key": "data/x.txt", "md5": "", "mtime": "x"}], 400),
        ("/get_project_series", None, 400),
    ],
)
def test_bad_calls(http: httpx.Client, route: str, given: Any, status: int) -> None:
    answer = http.post(route, json=given)
    assert answer.status_code == status, answer.text
    assert set(answer.json()["error"]) == {"type", "message"}
    assert "SELECT" not in answer.text
    assert "INSERT" not in answer.text


def test_bad_bodies(http: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    for body in (b"{", b"\xff", b"", b"[" * 10_000, b'{"a": NaN}'):
        assert reason(http.post("/get_users", content=body, headers=kind)) == (400, "BadInput"), body[:20]
    assert reason(http.post("/get_users", content=b"[]", headers={"Content-Type": "text/plain"})) == (400, "BadInput")
    assert reason(http.post("/get_users", json=["x" * 30_000])) == (413, "TooLarge")
    assert reason(http.post("/get_users", content=iter([b"[" + b" " * 30_000, b"]"]), headers=kind)) == (
        413,
        "TooLarge",
    )
    assert (
        reason(http.post("/_put_new_images", content=b"x", headers={"Content-Type": "multipart/form-data"}))[0] == 400
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"not a picture", NAME),
        (pictures.jpeg()[:-200], NAME),
        (pictures.jpeg(exif=b""), NAME),
        (pictures.jpeg(exif=pictures.device_exif("v,T", "3.1.0,")), NAME),
        (pictures.jpeg(), "picture.jpg"),
        (pictures.jpeg(), "zzzzzzzz.2022-01-02_03-04-05.jpg"),
        (pictures.jpeg(), "0a5bb6f4.2022-13-02_03-04-05.jpg"),
    ],
    ids=["no JPEG", "cut off", "no EXIF", "empty value", "name", "device", "datetime"],
)
def test_bad_images(http: httpx.Client, files: Path, data: bytes, name: str) -> None:
    answer = put_image(http, data, name)
    assert answer.status_code == 422, answer.text
    assert http.post("/get_image_series/metadata", json=ALL).json() == []
    assert files_below(files) == []


def test_uploads(http: httpx.Client, files: Path) -> None:
    data = pictures.jpeg()
    assert reason(put_image(http, data, **{f"{NAME}.md5": "0" * 32})) == (422, "BadUpload")
    (row,) = put_image(http, data).json()
    assert (row["id"], row["device"], row["datetime"]) == (None, "0a5bb6f4", "2022-01-02T03:04:05Z")
    assert reason(put_image(http, pictures.jpeg(seed=2))) == (409, "AlreadyStored")
    assert (files / "raw_images" / "0a5bb6f4" / NAME).read_bytes() == data
    assert reason(put_image(http, b"x" * 600_000)) == (413, "TooLarge")
    assert reason(http.post("/_put_new_images", data={"x": "y"}, files={})) == (400, "BadInput")


def test_tuboids(http: httpx.Client, files: Path) -> None:
    series = {
        "device": "08038ade", "start_datetime": "2020-07-08T20:00:00Z", "end_datetime": "2020-07-09T15:00:00Z",
        "n_images": 10, "n_tuboids": 2, "algo_name": "test", "algo_version": "1",
    }  # fmt: skip
    name = "08038ade.2020-07-08_20-00-00.2020-07-09_15-00-00.1-a.0001"
    parts = {
        "metadata": ("metadata.txt", b"08038ade.2020-07-08_21-00-00,1.5,2.5,1.0\n"),
        "tuboid": ("tuboid.jpg", b"t"),
        "context": ("context.jpg", b"c"),
        "tuboid_id": ("tuboid_id", json.dumps(name).encode()),
        "series_info": ("series_info", json.dumps(series).encode()),
    }
    ((row,),) = http.post("/_put_tiled_tuboids", files=parts).json()
    assert (row["id_in_series"], row["n_shots"], row["end_datetime_series"]) == (1, 1, "2020-07-09T15:00:00Z")
    assert reason(http.post("/_put_tiled_tuboids", files=parts)) == (409, "AlreadyStored")
    less = {key: part for key, part in parts.items() if key != "context"}
    assert reason(http.post("/_put_tiled_tuboids", files=less)) == (400, "BadInput")
    assert reason(http.post("/_put_tiled_tuboids", files={**parts, "tuboid_id": ("tuboid_id", b"x")})) == (
        400,
        "BadInput",
    )
    assert len(files_below(files)) == 3


# --- files -----------------------------------------------------------------------------------------------------------


def test_links_to_files(http: httpx.Client) -> None:
    data = pictures.jpeg()
    put_image(http, data).raise_for_status()
    (row,) = http.post("/get_image_series/image", json=ALL).json()
    anybody = httpx.Client(trust_env=False)
    with anybody:
        assert anybody.get(row["url"]).content == data
        part = anybody.get(row["url"], headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.content) == (206, data[2:6])
        for bad in (
            row["url"][:-1] + ("0" if row["url"][-1] != "0" else "1"),
            row["url"].replace(NAME, NAME + ".thumbnail"),
            re.sub(r"Expires=\d+", "Expires=1", row["url"]),
            row["url"].partition("?")[0],
            f"{http.base_url}/_files/../database.db",
            f"{http.base_url}/_files/%2e%2e/database.db",
        ):
            assert anybody.get(bad).status_code in (403, 404), bad


def test_bundles(http: httpx.Client, files: Path) -> None:
    candidate = {"bundle_name": "b", "key": "data/a é.txt", "md5": "x", "mtime": 1.5, "path": "mine"}
    (link,) = http.post("/_get_ml_bundle_upload_links", json=[candidate]).json()
    target = link.pop("url")
    assert link == candidate
    with httpx.Client(trust_env=False) as anybody:
        sent = anybody.post(target["url"], data=target["fields"], files={"file": ("a.txt", b"content")})
        assert sent.status_code == 204
        for change in ({"key": "ml/b/data/other.txt"}, {"signature": "0"}, {"expires": "9999999999"}):
            form = {**target["fields"], **change}
            assert anybody.post(target["url"], data=form, files={"file": ("a", b"x")}).status_code == 403
        assert anybody.post(target["url"], data=target["fields"]).status_code == 400
    (row,) = http.post("/_get_ml_bundle_file_list/data", json="b").json()
    assert (row["key"], row["md5"]) == ("data/a é.txt", "9a0364b9e99bb480dd25e1f0284c8555")
    assert httpx.get(row["url"], trust_env=False).content == b"content"
    assert http.post("/_get_ml_bundle_file_list/model", json="b").json() == []
    assert http.post("/_get_ml_bundle_upload_links", json=[{**candidate, "md5": row["md5"]}]).json() == []
    assert files_below(files) == ["ml/b/data/a é.txt"]


# --- life ------------------------------------------------------------------------------------------------------------


def test_a_caller_that_hangs_up_leaves_nothing(http: httpx.Client, server: str, files: Path) -> None:
    token = http.post("/get_token").request.headers["authorization"]
    head = (
        f"POST /_put_new_images HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: 5000\r\n"
        f'Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name="{NAME}"; '
        f'filename="{NAME}"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", urlsplit(server).port or 0)) as peer:
        peer.sendall(head.encode() + pictures.jpeg()[:500])
    assert http.post("/get_image_series/metadata", json=ALL).json() == []
    assert files_below(files) == []


def test_a_second_start_keeps_everything(files: Path) -> None:
    conf = {
        "SECRET_API_KEY": SECRET,
        "LOCAL_DIR": str(files),
        "UID_USER": "spi_uid",
        "UID_PASSWORD": "uid-password-123",
    }
    for _ in range(2):
        with serving(conf) as url:
            rows = httpx.post(f"{url}/get_users", json=None, headers={"Content-Type": "application/json"}, content=b"null",
                              auth=("spi_uid", "uid-password-123"), trust_env=False).json()  # fmt: skip
            assert [(row["id"], row["username"], row["is_admin"]) for row in rows] == [
                (1, "admin", True),
                (2, "spi_uid", True),
            ]


@pytest.mark.parametrize(
    "conf",
    [
        {"LOCAL_DIR": "x"},
        LocalAPIConf(LOCAL_DIR="x"),
        {"SECRET_API_KEY": SECRET},
        {"SECRET_API_KEY": SECRET, "LOCAL_DIR": "x", "API_ADMIN_NAME": "a", "API_ADMIN_PASSWORD": "short"},
        {"SECRET_API_KEY": SECRET, "LOCAL_DIR": "x", "DATABASE_URL": "oracle://x"},
        {"SECRET_API_KEY": SECRET, "LOCAL_DIR": "x", "DATABASE_URL": "no url"},
        {"SECRET_API_KEY": SECRET, "LOCAL_DIR": "x", "S3_BUCKET_NAME": "b"},
    ],
)
def test_bad_configurations(conf: Any) -> None:
    with pytest.raises(ConfigurationError):
        create_app(conf)
