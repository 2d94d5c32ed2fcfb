"""Images and annotations, on each database."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select, update

from asyncclient.sticky_pi._api import AsyncLocalAPI, AsyncRemoteAPI
from asyncclient.sticky_pi._refusals import AlreadyStored, BadInput, BadUpload, DoesNotFit, NotStored
from asyncclient.sticky_pi._tables import intents, uid_annotations
from asyncclient.sticky_pi.image_parser import ImageParser
from tests.sticky_pi import pictures
from tests.sticky_pi_server.places import ALWAYS, files_below

pytestmark = pytest.mark.anyio

T0 = dt.datetime(2022, 1, 2, 3, 4, 5)
ALL = [{"device": "%", **ALWAYS}]


def images(folder: Path, count: int, device: str = "0a5bb6f4") -> list[Path]:
    folder.mkdir(exist_ok=True)
    return [pictures.write(folder, device, T0 + dt.timedelta(minutes=n), seed=n) for n in range(count)]


def keys(paths: list[Path]) -> list[dict[str, Any]]:
    return [{"device": ImageParser(path)["device"], "datetime": ImageParser(path)["datetime"]} for path in paths]


def annotation(path: Path, **more: Any) -> dict[str, Any]:
    image = ImageParser(path)
    metadata = {"algo_name": "uid", "algo_version": "2", **{k: image[k] for k in ("device", "datetime", "md5")}}
    return {"annotations": [{"contour": [[[1, 2]], [[3, 4]]], "name": "insect"}], "metadata": {**metadata, **more}}


async def store(api: AsyncRemoteAPI | AsyncLocalAPI, paths: list[Path]) -> list[dict[str, Any]]:
    return await api._put_new_images({str(path): ImageParser(path)["md5"] for path in paths}, {"id": 7})


async def test_what_is_stored_comes_back(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 3)
    stored = await store(api, paths)
    assert [row["id"] for row in stored] == [None] * 3
    assert [row["api_user_id"] for row in stored] == [7] * 3
    rows = await api.get_images(keys(paths))
    assert [row["md5"] for row in rows] == [ImageParser(path)["md5"] for path in paths]
    row = rows[0]
    assert list(row)[:6] == ["datetime_created", "api_version", "api_user_id", "id", "device", "datetime"]
    assert list(row)[-1] == "url"
    assert (row["lat"], row["lng"], row["alt"], row["bat"], row["but"]) == (-10.123456, 20.5, -5, 99, 0)
    assert (row["temp"], row["hum"], row["lum"]) == (20.5, 40.0, 0.5)
    assert row["datetime"] == T0
    assert row["datetime_created"].microsecond == 0
    assert len(files_below(conf["LOCAL_DIR"])) == 9
    name = f"raw_images/0a5bb6f4/{paths[0].name}"
    assert (Path(conf["LOCAL_DIR"]) / name).read_bytes() == paths[0].read_bytes()


@pytest.mark.parametrize("form", ["path", "open file", "parser"])
async def test_forms_of_files(api: AsyncRemoteAPI, tmp_path: Path, form: str) -> None:
    (path,) = images(tmp_path / "in", 1)
    opened = io.BytesIO(path.read_bytes())
    opened.name = path.name  # type: ignore[attr-defined]
    file: Any = {"path": path, "open file": opened, "parser": ImageParser(path)}[form]
    await api._put_new_images([(file, None)])
    assert len(await api.get_image_series(ALL)) == 1


async def test_each_image_once_however_often_asked(api: AsyncRemoteAPI, tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 2)
    await store(api, paths)
    assert len(await api.get_images(keys(paths) * 700)) == 2
    assert await api.get_images([]) == []


@pytest.mark.parametrize("text", ["2022-01-02T03:04:05Z", "2022-01-02_03-04-05", "2022-01-02 03:04:05"])
async def test_forms_of_datetimes(api: AsyncRemoteAPI, tmp_path: Path, text: str) -> None:
    await store(api, images(tmp_path / "in", 1))
    assert len(await api.get_images([{"device": "0a5bb6f4", "datetime": text}])) == 1


async def test_case_of_devices(api: AsyncRemoteAPI, kind: str, tmp_path: Path) -> None:
    await store(api, images(tmp_path / "in", 1))
    assert len(await api.get_images([{"device": "0A5BB6F4", "datetime": T0}])) == (0 if kind == "sqlite" else 1)
    for pattern, count in {"0A5B%": 1, "_a5bb6f4": 1, "a5bb6f4": 0, "0a5bb6f4%": 1, "'; --": 0, '"device"': 0}.items():
        assert len(await api.get_image_series([{"device": pattern, **ALWAYS}])) == count, pattern


async def test_series_start_is_in_and_end_is_out(
    api: AsyncRemoteAPI, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await store(api, images(tmp_path / "in", 3))
    series = {"device": "%", "start_datetime": T0, "end_datetime": T0 + dt.timedelta(minutes=2)}
    assert len(await api.get_image_series([series])) == 2
    assert len(await api.get_image_series([series, series])) == 4
    caplog.clear()
    assert await api.get_image_series([{**series, "end_datetime": T0}]) == []
    assert "No data for series {'device': '%', 'start_datetime': datetime.datetime(2022, 1, 2, 3, 4, 5)" in caplog.text


async def test_batches_keep_what_comes_before_a_refused_image(api: AsyncRemoteAPI, tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 20)
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no")
    with pytest.raises(ValueError, match="Wrong file name"):
        await api._put_new_images([*((str(path), None) for path in paths[:18]), (tmp_path / "in" / "broken.jpg", None)])
    assert len(await api.get_image_series(ALL)) == 18
    with pytest.raises(AlreadyStored, match="with the same content"):
        await api._put_new_images([(paths[18], None), (paths[3], None), (paths[19], None)])
    assert len(await api.get_image_series(ALL)) == 19


async def test_a_refused_duplicate_changes_nothing(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    (path,) = images(tmp_path / "in", 1)
    await store(api, [path])
    (tmp_path / "other").mkdir()
    other = pictures.write(tmp_path / "other", "0a5bb6f4", T0, seed=99)
    with pytest.raises(AlreadyStored, match="with other content"):
        await store(api, [other])
    (row,) = await api.get_image_series(ALL)
    stored = Path(conf["LOCAL_DIR"], "raw_images", "0a5bb6f4", path.name)
    assert (row["md5"], stored.read_bytes()) == (ImageParser(path)["md5"], path.read_bytes())
    assert not list(Path(conf["LOCAL_DIR"], ".incoming").iterdir())


async def test_one_of_many_at_the_same_time_wins(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    results: list[str] = []

    async def put(seed: int) -> None:
        folder = tmp_path / f"in{seed}"
        folder.mkdir()
        path = pictures.write(folder, "0a5bb6f4", T0, seed=seed)
        try:
            await store(api, [path])
            results.append(ImageParser(path)["md5"])
        except AlreadyStored:
            pass

    async with anyio.create_task_group() as tasks:
        for seed in range(6):
            tasks.start_soon(put, seed)
    (row,) = await api.get_image_series(ALL)
    stored = Path(conf["LOCAL_DIR"], "raw_images", "0a5bb6f4", pictures.name_of("0a5bb6f4", T0))
    assert results == [row["md5"]] == [ImageParser(stored)["md5"]]


async def test_wrong_md5(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    (path,) = images(tmp_path / "in", 1)
    with pytest.raises(BadUpload, match=f"MD5 of uploaded image {path.name} does not match the reference: 00"):
        await api._put_new_images({path: "0" * 32})
    assert await api.get_image_series(ALL) == []
    assert files_below(conf["LOCAL_DIR"]) == []


async def test_values_that_do_not_fit(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    (path,) = images(tmp_path / "in", 1)
    image = ImageParser(path)
    image["alt"] = 1e9
    with pytest.raises(DoesNotFit, match="alt"):
        await api._put_new_images([(image, None)])
    image["alt"], image["temp"] = 1.0, float("nan")
    await api._put_new_images([(image, None)])
    assert (await api.get_image_series(ALL))[0]["temp"] is None


async def test_delete(api: AsyncRemoteAPI, conf: dict[str, Any], tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 3)
    await store(api, paths)
    await api.put_uid_annotations([annotation(paths[0])])
    (row,) = await api.delete_images(keys(paths[:1]))
    assert "url" not in row
    assert float(row["lat"]) == -10.123456
    assert len(files_below(conf["LOCAL_DIR"])) == 6
    assert await api.get_uid_annotations(keys(paths)) == []
    assert await api.delete_images(keys(paths[:1])) == []
    assert len(await api.delete_images(await api.get_images(keys(paths)))) == 2
    assert files_below(conf["LOCAL_DIR"]) == []
    await store(api, paths)
    assert len(files_below(conf["LOCAL_DIR"])) == 9


# --- annotations -----------------------------------------------------------------------------------------------------


async def test_annotations(api: AsyncRemoteAPI, tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 2)
    await store(api, paths)
    given = [annotation(paths[0]), annotation(paths[1], datetime="2022-01-02_03-05-05")]
    rows = await api.put_uid_annotations(given)
    assert [(row["n_objects"], row["json"]) for row in rows] == [(1, ""), (1, "")]
    assert all(isinstance(row["id"], int) for row in rows)
    assert all("json" not in row for row in await api.get_uid_annotations(keys(paths)))
    found = await api.get_uid_annotations(keys(paths), "data")
    assert json.loads(found[1]["json"])["metadata"]["datetime"] == "2022-01-02T03:05:05Z"
    assert json.loads(found[0]["json"])["annotations"] == given[0]["annotations"]
    assert len(await api.get_uid_annotations_series(ALL)) == 2
    with pytest.raises(AlreadyStored):
        await api.put_uid_annotations([annotation(paths[0])])
    assert await api.put_uid_annotations([]) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"datetime": "2020-01-01T00:00:00Z"}, NotStored),
        ({"md5": "0" * 32}, DoesNotFit),
        ({"algo_name": None}, BadInput),
        ({"device": 5}, BadInput),
        ({"datetime": "2020-13-45T00:00:00Z"}, BadInput),
    ],
)
async def test_annotations_are_all_or_nothing(
    api: AsyncRemoteAPI, tmp_path: Path, change: dict[str, Any], error: type[Exception]
) -> None:
    (path,) = images(tmp_path / "in", 1)
    await store(api, [path])
    with pytest.raises(error):
        await api.put_uid_annotations([annotation(path), annotation(path, algo_version="3", **change)])
    async with api._read() as connection:
        assert (await connection.execute(select(func.count()).select_from(uid_annotations))).scalar() == 0


async def test_large_annotations(api: AsyncRemoteAPI, tmp_path: Path) -> None:
    (path,) = images(tmp_path / "in", 1)
    await store(api, [path])
    large = annotation(path)
    large["annotations"] = [{"contour": [[[n, n]] for n in range(50)], "value": n} for n in range(400)]
    await api.put_uid_annotations([large])
    (row,) = await api.get_uid_annotations(keys([path]), "data")
    assert (row["n_objects"], len(row["json"]) > 200_000) == (400, True)


# --- reservations ----------------------------------------------------------------------------------------------------


async def test_reservations(api: AsyncRemoteAPI, tmp_path: Path) -> None:
    paths = images(tmp_path / "in", 11)
    await store(api, paths)
    await api.put_uid_annotations([annotation(paths[0]), annotation(paths[1], algo_version="1")])
    wanted = [{"device": "%", **ALWAYS, "algo_name": "uid", "algo_version": "2"}]
    first = await api.get_images_to_annotate(wanted)
    second = await api.get_images_to_annotate(wanted, "thumbnail")
    assert [len(first), len(second), len(await api.get_images_to_annotate(wanted))] == [8, 2, 0]
    found = {row["datetime"] for row in (*first, *second)}
    assert T0 not in found
    assert T0 + dt.timedelta(minutes=1) in found
    async with api._write() as connection:
        old = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(hours=6, seconds=5)
        await connection.execute(update(intents).values(datetime_created=old))
    assert len(await api.get_images_to_annotate(wanted)) == 8


async def test_nobody_gets_what_another_has_reserved(
    conf: dict[str, Any], make_api: Callable[[dict[str, Any]], AsyncRemoteAPI], tmp_path: Path
) -> None:
    apis = [make_api(conf), make_api(conf)]  # as in two workers
    await store(apis[0], images(tmp_path / "in", 16))
    wanted = [{"device": "%", **ALWAYS, "algo_name": "uid", "algo_version": "2"}]
    found: list[int] = []

    async def reserve(api: AsyncRemoteAPI) -> None:
        found.extend(row["id"] for row in await api.get_images_to_annotate(wanted))

    async with anyio.create_task_group() as tasks:
        for n in range(4):
            tasks.start_soon(reserve, apis[n % 2])
    assert len(found) == len(set(found)) == 16
