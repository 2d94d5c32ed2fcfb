"""Tuboids, labels, users, projects and bundles, on each database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select

from asyncclient.sticky_pi._api import AsyncRemoteAPI
from asyncclient.sticky_pi._refusals import AccessDenied, AlreadyStored, BadInput, BadUpload, DoesNotFit, NotStored
from asyncclient.sticky_pi._tables import tuboids, users
from asyncclient.sticky_pi.exceptions import UnsafeKey
from tests.sticky_pi_server.places import ALWAYS, files_below, user

pytestmark = pytest.mark.anyio

SERIES: dict[str, Any] = {
    "device": "08038ade",
    "start_datetime": "2020-07-08T20:00:00Z",
    "end_datetime": "2020-07-09T15:00:00Z",
    "n_images": 10,
    "n_tuboids": 2,
    "algo_name": "test",
    "algo_version": "1-2",
}
SHOTS = "08038ade.2020-07-08_21-00-00,1.5,2.5,1.0\n08038ade.2020-07-08_22-00-00,1.5,2.5,1.0\n"
ALL = [{"device": "%", **ALWAYS}]


def tuboid(number: int, shots: str = SHOTS, **series: Any) -> dict[str, Any]:
    name = f"08038ade.2020-07-08_20-00-00.2020-07-09_15-00-00.1-a.{number:04}"
    files: dict[str, Any] = {"metadata": shots.encode(), "tuboid": b"picture", "context": b"context"}
    return {"tuboid_id": name, "series_info": {**SERIES, **series}, **files}


# --- tuboids and labels ----------------------------------------------------------------------------------------------


async def test_tuboids(api: AsyncRemoteAPI, conf: dict[str, Any]) -> None:
    stored = await api._put_tiled_tuboids([tuboid(1), tuboid(2)], {"id": 3})
    assert [row["id_in_series"] for row in stored] == [2, 1]
    first = stored[1]
    assert (first["n_shots"], first["n_tuboids_series"], first["device_series"]) == (2, 2, "08038ade")
    for row in stored:  # MariaDB keeps whole seconds
        row["datetime_created"] = row["datetime_created"].replace(microsecond=0)
    found = await api.get_tiled_tuboid_series(ALL)
    for row in found:
        row["datetime_created"] = row["datetime_created"].replace(microsecond=0)
    assert found == sorted(stored, key=lambda row: row["id"])
    assert len(files_below(conf["LOCAL_DIR"])) == 6
    with pytest.raises(AlreadyStored, match="Cannot add more tuboids to parent series <TuboidSeries"):
        await api._put_tiled_tuboids([tuboid(3)])
    (row, _) = await api.get_tiled_tuboid_series([{"device": "0803%", **ALWAYS}], "data")
    assert list(row)[-3:] == ["tuboid", "metadata", "context"]
    bounds = {"start_datetime": SERIES["start_datetime"], "end_datetime": SERIES["end_datetime"]}
    assert len(await api.get_tiled_tuboid_series([{"device": "%", **bounds}])) == 2
    late = {"device": "%", **bounds, "start_datetime": "2020-07-08T20:00:01Z"}
    assert await api.get_tiled_tuboid_series([late]) == []
    assert len(await api.delete_tiled_tuboids(ALL)) == 1
    assert files_below(conf["LOCAL_DIR"]) == []
    assert await api.delete_tiled_tuboids(ALL) == []
    await api._put_tiled_tuboids([tuboid(1)])
    assert len(files_below(conf["LOCAL_DIR"])) == 3


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (tuboid(1, ""), BadUpload, "Empty tuboid sent"),
        (tuboid(1, "a,b\n"), BadUpload, "4 fields"),
        (tuboid(1, "x.2020-07-08_21-00-00,1,2,x\n"), BadUpload, "cannot be read"),
        (tuboid(1, "x.2020-07-08_19-00-00,1,2,3\n"), DoesNotFit, "starts before its parent"),
        (tuboid(1, SHOTS + "x.2020-07-10_19-00-00,1,2,3\n"), DoesNotFit, "ends after its parent"),
        (tuboid(1, colour="red"), BadInput, "unknown key 'colour'"),
        (tuboid(1, n_tuboids="many"), BadInput, "n_tuboids"),
        (tuboid(1, end_datetime="2020-07-01T15:00:00Z"), BadInput, "ends before it starts"),
        ({**tuboid(1), "tuboid_id": "../../etc/passwd.1"}, UnsafeKey, "not the name"),
        ({**tuboid(1), "tuboid_id": "a.b.c.d.e"}, BadInput, "must be a number"),
        ({key: value for key, value in tuboid(1).items() if key != "context"}, BadInput, "'context' is missing"),
        ({**tuboid(1), "context": "/nowhere/at/all.jpg"}, FileNotFoundError, "nowhere"),
    ],
)
async def test_bad_tuboids(
    quick_api: AsyncRemoteAPI, tmp_path: Path, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await quick_api._put_tiled_tuboids([given])
    assert files_below(tmp_path) == []
    async with quick_api._read() as connection:
        assert (await connection.execute(select(func.count()).select_from(tuboids))).scalar() == 0


async def test_a_tuboid_twice(api: AsyncRemoteAPI, conf: dict[str, Any]) -> None:
    await api._put_tiled_tuboids([tuboid(1)])
    with pytest.raises(AlreadyStored):
        await api._put_tiled_tuboids([{**tuboid(1), "tuboid": b"other"}])
    (picture,) = Path(conf["LOCAL_DIR"]).rglob("tuboid.jpg")
    assert picture.read_bytes() == b"picture"


async def test_a_series_does_not_overflow(api: AsyncRemoteAPI) -> None:
    refused = []

    async def put(number: int) -> None:
        try:
            await api._put_tiled_tuboids([tuboid(number)])
        except AlreadyStored as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(put, number)
    assert (len(await api.get_tiled_tuboid_series(ALL)), len(refused)) == (2, 3)


async def test_labels(api: AsyncRemoteAPI) -> None:
    await api._put_tiled_tuboids([tuboid(1), tuboid(2)])
    name = tuboid(1)["tuboid_id"]
    label = {"tuboid_id": name, "algo_name": "itc", "algo_version": "1", "label": 4, "pattern": "In.*", "type": "x"}
    (row,) = await api.put_itc_labels([{**label, "order": "o", "unknown": 3}], {"id": 9})
    assert (row["id"], row["api_user_id"], row["label"], row["order"], row["genus"]) == (None, 9, 4, "o", None)
    with pytest.raises(AlreadyStored):
        await api.put_itc_labels([{**label, "algo_version": "2"}, label])
    assert len(await api._get_itc_labels([{"tuboid_id": name}, {"tuboid_id": name}])) == 2
    assert await api._get_itc_labels([{"tuboid_id": "nobody"}, {"tuboid_id": tuboid(2)["tuboid_id"]}]) == []
    with pytest.raises(NotStored, match="No match for"):
        await api.put_itc_labels([{**label, "tuboid_id": "nope"}])
    for bad in ({"label": "x"}, {"label": 1.5}, {"pattern": None}, {"type": 3}):
        with pytest.raises(BadInput):
            await api.put_itc_labels([{**label, "algo_version": "3", **bad}])


# --- users -----------------------------------------------------------------------------------------------------------


async def test_users(api: AsyncRemoteAPI) -> None:
    ada = {"username": "ada", "password": "ada-password", "email": "ada@example.com"}
    grace = {"username": "grace", "password": "grace-password", "is_admin": True, "can_write": None}
    (row,) = await api.put_users([ada, grace])
    assert (row["username"], row["is_admin"], row["can_write"], row["password_hash"]) == ("grace", True, True, "*" * 11)
    assert [row["username"] for row in await api.put_users([])] == ["ada", "grace"]
    assert [row["username"] for row in await api.get_users([{"username": "%A%"}])] == ["ada", "grace"]
    assert len(await api.get_users([{"username": "ada"}, {"username": "a%"}])) == 2
    number = (await api.get_users([{"username": "ada"}]))[0]["id"]
    assert [row["username"] for row in await api.get_users([{"id": number}])] == ["ada"]
    assert await api.get_users([{"username": "ada", "email": "nope"}]) == []
    with pytest.raises(AlreadyStored):
        await api.put_users([{"username": "ada", "password": "x"}])
    assert await api.verify_password("ada", "ada-password") == "ada"
    for name, password in (("ada", "wrong"), ("ADA", "ada-password"), ("nobody", "x"), ("", ""), ("a\x00", "x")):
        assert await api.verify_password(name, password) is False
    token = (await api.get_token({"username": "ada"}))["token"]
    assert await api.verify_password(token, "whatever") == "ada"
    assert [row["username"] for row in await api.delete_users([{"username": "ada"}])] == ["ada"]
    assert await api.verify_password(token, "") is False
    async with api._read() as connection:
        (stored,) = (await connection.execute(select(users.c.password_hash))).scalars()
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    "given",
    [
        {"username": "nopw"},
        {"username": "x", "password": "y", "colour": "red"},
        {"username": "", "password": "y"},
        {"username": "a:b", "password": "y"},
        {"username": "x", "password": ""},
        {"username": "x", "password": 5},
        {"username": "x", "password": "y" * 2000},
        {"username": "x", "password": "y", "is_admin": "yes"},
        {"username": "x\x00", "password": "y"},
    ],
)
async def test_bad_users(quick_api: AsyncRemoteAPI, given: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        await quick_api.put_users([{"username": "good", "password": "good"}, given])
    assert await quick_api.get_users() == []


async def test_too_long_values(api: AsyncRemoteAPI, kind: str) -> None:
    long = [{"username": "u" * 40, "password": "y"}]
    if kind == "sqlite":  # which has no lengths
        assert len(await api.put_users(long)) == 1
        return
    with pytest.raises(DoesNotFit):
        await api.put_users(long)


async def test_filters_are_text(api: AsyncRemoteAPI) -> None:
    await api.put_users([{"username": "ada", "password": "x"}])
    for pattern in ("' OR 1=1 --", '"username"', "%'; DROP TABLE users; --", "\\", ":id", "%(id)s", "?"):
        assert await api.get_users([{"username": pattern}]) == []
    for bad in ({"nokey": "%"}, {"is_admin": True}, {"email": None}, {"password_hash": "$%"}, {"id": [1]}, {1: 2}):
        with pytest.raises(BadInput):
            await api.get_users([bad])
    assert len(await api.get_users([{}])) == 1


async def test_only_administrators_see_addresses(quick_api: AsyncRemoteAPI) -> None:
    await quick_api.put_users(
        [{"username": name, "password": "x", "email": f"{name}@x.org"} for name in ("ada", "eve")]
    )
    eve = user((await quick_api.get_users([{"username": "eve"}]))[0])
    assert [row["email"] for row in await quick_api.get_users(None, eve)] == [None, "eve@x.org"]
    with pytest.raises(AccessDenied):
        await quick_api.get_users([{"email": "a%"}], eve)


# --- projects --------------------------------------------------------------------------------------------------------


async def people(api: AsyncRemoteAPI) -> dict[str, dict[str, Any]]:
    await api.put_users(
        [{"username": name, "password": "x", "is_admin": name == "grace"} for name in ("ada", "eve", "grace")]
    )
    return {row["username"]: user(row) for row in await api.get_users()}


async def test_projects(api: AsyncRemoteAPI) -> None:
    who = await people(api)
    ada, eve, grace = who["ada"], who["eve"], who["grace"]
    (project,) = await api.put_projects([{"name": "p", "notes": "n" * 2000}], ada)
    assert list(project) == [
        "datetime_created", "api_version", "api_user_id", "id", "name", "description", "notes"
    ]  # fmt: skip
    assert await api.get_projects([{"name": "P"}], ada) == await api.get_projects(None, grace)
    assert await api.get_projects(None, eve) == await api.get_project_permissions(None, eve) == []
    give = {"project_id": project["id"], "user_id": eve["id"], "level": 1}
    with pytest.raises(AccessDenied):
        await api.put_project_permissions([give], eve)
    with pytest.raises(BadInput, match="client_info"):
        await api.put_project_permissions([give])
    (row,) = await api.put_project_permissions([give], ada)
    assert (row["id"], row["level"], row["api_user_id"]) == (None, 1, ada["id"])
    with pytest.raises(AlreadyStored):
        await api.put_project_permissions([{**give, "level": 2}], ada)
    with pytest.raises(NotStored):
        await api.put_project_permissions([{**give, "user_id": 12345}], ada)
    assert len(await api.get_project_permissions([{"name": "p%"}], eve)) == 2
    assert await api.delete_projects([{}], eve) == []
    await api.put_projects([{"name": "nobody's"}])
    assert len(await api.delete_projects([{}, {}])) == 2
    assert await api.get_projects() == await api.get_project_permissions() == []


@pytest.mark.parametrize("level", [-1, 4, "x", None, True, 1.5])
async def test_bad_levels(quick_api: AsyncRemoteAPI, level: Any) -> None:
    who = await people(quick_api)
    (project,) = await quick_api.put_projects([{"name": "p"}], who["ada"])
    with pytest.raises(BadInput):
        await quick_api.put_project_permissions(
            [{"project_id": project["id"], "user_id": who["eve"]["id"], "level": level}], who["ada"]
        )


async def test_series_of_projects(api: AsyncRemoteAPI) -> None:
    who = await people(api)
    ada, eve = who["ada"], who["eve"]
    (project,) = await api.put_projects([{"name": "p"}], ada)
    base = {"project_id": project["id"]}
    times = {"start_datetime": "2021-01-01T12:12:12Z", "end_datetime": "2021-01-12_12-12-12"}
    (one, two) = await api.put_project_series(
        [{**base, "device": "0123abcd", **times}, {**base, "device": "cdef1234", **times}], ada
    )
    assert list(one) == ["id", "device", "start_datetime", "end_datetime"]
    with pytest.raises(AlreadyStored):
        await api.put_project_series([{**base, "device": "0123abcd", **times}], ada)
    assert await api.put_project_columns([{**base, "column_name": "bait", "column_SQL_type": "Integer"}], ada) == [
        {"column_name": "bait", "column_SQL_type": "Integer"}
    ]
    await api.put_project_columns([{**base, "column_name": "has bait", "old_column_name": "bait"}], ada)
    await api.put_project_columns([{**base, "column_name": "notes", "column_SQL_type": "VARCHAR(20)"}], ada)
    for text in ("it's", '"x"', "a; DROP TABLE users", "%(id)s", None):
        (row,) = await api.put_project_series([{**base, "id": one["id"], "has bait": "1", "notes": text}], ada)
        assert (row["has bait"], row["notes"], row["device"]) == (1, text, "0123abcd")
    assert [row["notes"] for row in await api.get_project_series([base], who["grace"])] == [None, None]
    await api.put_project_permissions([{**base, "user_id": eve["id"], "level": 1}], ada)
    assert len(await api.get_project_series([base], eve)) == 2
    with pytest.raises(AccessDenied):
        await api.put_project_series([{**base, "id": one["id"], "notes": "mine"}], eve)
    assert await api.delete_project_columns([{**base, "column_name": "notes"}], ada) == [{"column_name": "notes"}]
    (deleted,) = await api.delete_project_series([{**base, "id": two["id"]}], ada)
    assert deleted["device"] == "cdef1234"
    with pytest.raises(NotStored):
        await api.delete_project_series([{**base, "id": two["id"]}], ada)
    await api.delete_projects([{"name": "p"}], ada)
    with pytest.raises(AccessDenied):
        await api.get_project_series([base], ada)
    with pytest.raises(NotStored):
        await api.get_project_series([base])


@pytest.mark.parametrize(
    "given",
    [
        {"column_name": "x"},
        {"column_name": 'x" INTEGER; --', "column_SQL_type": "INTEGER"},
        {"column_name": "x`", "column_SQL_type": "INTEGER"},
        {"column_name": "x", "column_SQL_type": "INTEGER); DROP TABLE users; --"},
        {"column_name": "x", "column_SQL_type": "BLOB"},
        {"column_name": "x", "column_SQL_type": 5},
        {"column_name": "device", "column_SQL_type": "INTEGER"},
        {"column_name": "ID", "old_column_name": "bait"},
        {"column_name": "x", "old_column_name": "device"},
        {"column_name": "x", "old_column_name": "nothing"},
        {"column_name": "bait", "column_SQL_type": "INTEGER"},
        {"column_SQL_type": "INTEGER"},
    ],
)
async def test_bad_columns(quick_api: AsyncRemoteAPI, given: dict[str, Any]) -> None:
    (project,) = await quick_api.put_projects([{"name": "p"}])
    base = {"project_id": project["id"]}
    await quick_api.put_project_columns([{**base, "column_name": "bait", "column_SQL_type": "TEXT"}])
    with pytest.raises(BadInput):
        await quick_api.put_project_columns([{**base, **given}])


@pytest.mark.parametrize(
    "given",
    [
        {"nope": 1},
        {"bait": "many"},
        {"bait": [1]},
        {"device": None},
        {"start_datetime": "yesterday"},
        {"end_datetime": "2020-01-01T00:00:00Z"},
    ],
)
async def test_bad_series(quick_api: AsyncRemoteAPI, given: dict[str, Any]) -> None:
    (project,) = await quick_api.put_projects([{"name": "p"}])
    base = {"project_id": project["id"]}
    await quick_api.put_project_columns([{**base, "column_name": "bait", "column_SQL_type": "INTEGER"}])
    times = {"start_datetime": "2021-01-01T12:12:12Z", "end_datetime": "2021-01-12T12:12:12Z"}
    with pytest.raises(BadInput):
        await quick_api.put_project_series([{**base, "device": "0123abcd", **times, **given}])
    assert await quick_api.get_project_series([base]) == []


@pytest.mark.parametrize("type_", ["FLOAT", "DECIMAL(6,2)", "TEXT", "DATETIME", "DATE", "BOOLEAN", "double precision"])
async def test_types_of_columns(api: AsyncRemoteAPI, type_: str) -> None:
    (project,) = await api.put_projects([{"name": "p"}])
    base = {"project_id": project["id"]}
    await api.put_project_columns([{**base, "column_name": "c", "column_SQL_type": type_}])
    times = {"start_datetime": "2021-01-01T12:12:12Z", "end_datetime": "2021-01-12T12:12:12Z"}
    value: Any = {"DATETIME": "2020-02-03T04:05:06Z", "DATE": "2020-02-03", "BOOLEAN": 1, "TEXT": "é"}.get(type_, 2.5)
    (row,) = await api.put_project_series([{**base, "device": "0123abcd", **times, "c": value}])
    shown = row["c"].strftime("%Y-%m-%dT%H:%M:%SZ") if type_ == "DATETIME" else row["c"]
    assert shown == value


# --- everything ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["get_images", "get_image_series", "get_images_to_annotate", "delete_images", "put_uid_annotations",
     "get_uid_annotations", "get_uid_annotations_series", "get_tiled_tuboid_series", "delete_tiled_tuboids",
     "put_itc_labels", "_get_itc_labels", "get_users", "put_users", "delete_users", "get_projects", "put_projects",
     "delete_projects", "get_project_permissions", "put_project_series", "get_project_series",
     "delete_project_series", "put_project_columns", "delete_project_columns", "_get_ml_bundle_upload_links"],
)  # fmt: skip
async def test_info_of_a_wrong_form(name: str, quick_api: AsyncRemoteAPI) -> None:
    api = quick_api
    for bad in ({"device": "x"}, "text", 5, [1], [[]], [None]):
        with pytest.raises(BadInput, match="must be a"):
            await getattr(api, name)(bad)
    if name not in ("put_users", "get_projects", "get_users"):
        assert await getattr(api, name)([]) == []


@pytest.mark.parametrize("name", ["get_image_series", "get_uid_annotations_series", "get_tiled_tuboid_series"])
async def test_bad_ranges(name: str, quick_api: AsyncRemoteAPI) -> None:
    api = quick_api
    for change in (
        {"start_datetime": "2060-01-01T00:00:00Z"},
        {"end_datetime": "never"},
        {"end_datetime": None},
        {"device": None},
        {"device": "\x00"},
    ):
        with pytest.raises(BadInput):
            await getattr(api, name)([{"device": "%", **ALWAYS, **change}])
    with pytest.raises(BadInput, match="'end_datetime' is missing"):
        await getattr(api, name)([{"device": "%", "start_datetime": ALWAYS["start_datetime"]}])
