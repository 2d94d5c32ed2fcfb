"""Sending images: what is new and nothing else, whatever the files are, through both clients."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from asyncclient import AsyncHub
from asyncclient.errors import ArgumentError, ArgumentTypeError, ConfigurationError, IntegrityError
from asyncclient.sticky_pi import AsyncLocalClient, AsyncRemoteClient, RemoteAPIException
from asyncclient.sticky_pi.client import Failure
from asyncclient.sticky_pi.exceptions import InvalidBundle, InvalidImage, InvalidTuboid, NotAJPEG, UnsafeKey
from asyncclient.types import Limits, Progress, RetryPolicy
from tests.sticky_pi.pictures import jpeg, name_of, series, write
from tests.sticky_pi.serving import ADMIN, Running

pytestmark = pytest.mark.anyio

WHEN = dt.datetime(2022, 5, 17, 18, 34, 50)
ALL = {"device": "%", "start_datetime": "2000-01-01T00:00:00Z", "end_datetime": "2055-12-31T00:00:00Z"}


@pytest.fixture(params=["local", "remote"])
async def client(request: pytest.FixtureRequest, tmp_path: Path, server: Running) -> AsyncIterator[Any]:
    folder = tmp_path / "client"
    if request.param == "local":
        async with AsyncLocalClient(folder) as local:
            yield local
    else:
        async with AsyncRemoteClient(folder, server.url, *ADMIN) as remote:
            images = await remote.get_image_series([ALL])
            await remote.delete_images(images)  # the server is that of all tests
            yield remote


async def test_only_what_is_new_is_sent(client: Any, tmp_path: Path) -> None:
    files = series(tmp_path, "0a5bb6f4", 5, start=WHEN)
    first = await client.put_images(files[:2])
    assert [row["datetime"] for row in first] == [WHEN, WHEN + dt.timedelta(minutes=20)]
    rows = await client.put_images([*map(str, files), str(files[0])])
    assert [row["datetime"] for row in rows] == [WHEN + dt.timedelta(minutes=20 * i) for i in (2, 3, 4)]
    assert await client.put_images(files) == []
    assert len(await client.get_image_series([ALL])) == 5
    assert await client.put_images([]) == []


async def test_unchanged_files_are_not_read_again(client: Any, tmp_path: Path) -> None:
    (path,) = series(tmp_path, "0a5bb6f4", 1, start=WHEN)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert len(await client.put_images([path])) == 1
    path.write_bytes(b"no image any more, and nobody looks")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    assert await client.put_images([path]) == []
    os.utime(path, (1_600_000_001, 1_600_000_001))
    with pytest.raises(NotAJPEG):
        await client.put_images([path])
    assert not [file for file in Path(client.local_dir, "cache").iterdir() if file.suffix != ".json"]


async def test_what_was_no_image_may_become_one(client: Any, tmp_path: Path) -> None:
    path = tmp_path / name_of("0a5bb6f4", WHEN)
    path.write_bytes(b"broken")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    for _ in range(2):
        with pytest.raises(NotAJPEG):
            await client.put_images([path])
    path.write_bytes(jpeg())
    assert len(await client.put_images([path])) == 1


async def test_the_cache_can_be_dropped(client: Any, tmp_path: Path) -> None:
    files = series(tmp_path, "0a5bb6f4", 2, start=WHEN)
    for path in files:
        os.utime(path, (1_600_000_000, 1_600_000_000))
    await client.put_images(files)
    assert list(Path(client.local_dir, "cache").iterdir())
    await client.delete_cache()
    await client.delete_cache()
    assert not list(Path(client.local_dir, "cache").iterdir())


async def test_the_first_bad_file_stops_everything_before_anything_is_sent(client: Any, tmp_path: Path) -> None:
    files = series(tmp_path, "0a5bb6f4", 3, start=WHEN)
    bad = tmp_path / name_of("0a5bb6f4", WHEN + dt.timedelta(days=1))
    bad.write_bytes(jpeg()[:-100])
    with pytest.raises(InvalidImage, match="truncated"):
        await client.put_images([*files, bad])
    with pytest.raises(FileNotFoundError):
        await client.put_images([*files, tmp_path / "missing.jpg"])
    assert await client.get_image_series([ALL]) == []


async def test_bad_files_can_be_left_out(client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = series(tmp_path, "0a5bb6f4", 3, start=WHEN)
    bad = [tmp_path / "something", tmp_path / name_of("0a5bb6f4", WHEN + dt.timedelta(days=1)), tmp_path / "missing"]
    bad[0].write_bytes(jpeg())
    bad[1].write_bytes(b"text")
    failures: list[Failure] = []
    rows = await client.put_images([bad[0], files[0], bad[1], *files[1:], bad[2]], failures=failures)
    assert len(rows) == 3
    assert sorted(failure.path for failure in failures) == sorted(map(str, bad))
    assert all(str(failure.error) for failure in failures)
    client._skip_on_error = True
    assert await client.put_images(bad) == []
    for path in bad:
        assert any(record.levelname == "ERROR" and str(path) in record.getMessage() for record in caplog.records)


async def test_what_the_api_refuses_is_left_out_too(client: Any, tmp_path: Path) -> None:
    files = series(tmp_path, "0a5bb6f4", 3, start=WHEN)
    # Whole by its markers; only who decodes it finds out. The progressive form has no way to go on after that.
    data = bytearray(jpeg((64, 48), progressive=True))
    table = data.index(b"\xff\xc4")
    data[table + 5 : table + 21] = b"\xff" * 16
    files[1].write_bytes(bytes(data))
    failures: list[Failure] = []
    rows = await client.put_images(files, failures=failures)
    assert [row["datetime"] for row in rows] == [WHEN, WHEN + dt.timedelta(minutes=40)]
    assert [failure.path for failure in failures] == [str(files[1])]
    with pytest.raises((InvalidImage, RemoteAPIException)):
        await client.put_images(files)


async def test_two_files_of_one_moment(client: Any, tmp_path: Path) -> None:
    other, copies = tmp_path / "other", tmp_path / "copies"
    other.mkdir()
    copies.mkdir()
    first = write(tmp_path, "0a5bb6f4", WHEN, seed=1)
    second = write(other, "0a5bb6f4", WHEN, seed=2)
    copy = Path(shutil.copy(first, copies))
    with pytest.raises(ArgumentError, match="same device and second"):
        await client.put_images([first, second])
    assert await client.get_image_series([ALL]) == []
    assert len(await client.put_images([first, copy])) == 1
    (row,) = await client.get_image_series([ALL])
    assert await client.put_images([second]) == []  # with a warning, and what is stored stays
    (again,) = await client.get_image_series([ALL])
    assert again["md5"] == row["md5"]


async def test_progress(client: Any, tmp_path: Path) -> None:
    seen: list[Progress] = []
    await client.put_images(series(tmp_path, "0a5bb6f4", 3, start=WHEN), on_progress=seen.append)
    assert (seen[0].phase, seen[0].files_done) == ("hashing", 3)
    assert [event.files_done for event in seen if event.phase == "sending"] == [1, 2, 3]
    assert seen[-1].files_total == 3


@pytest.mark.parametrize("files", ["a.jpg", b"a.jpg", 7, None, [7], [b"a.jpg"]])
async def test_what_are_no_paths(client: Any, files: Any) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        await client.put_images(files)
    assert caught.value.argument == "files"


async def test_local_paths_do_not_leave_this_machine(server: Running, tmp_path: Path) -> None:
    bodies: list[bytes] = []
    (path,) = series(tmp_path, "0a5bb6f4", 1, start=WHEN)
    async with AsyncRemoteClient(tmp_path / "client", server.url, *ADMIN) as client:
        pipeline = client._hub._opened()
        fetch = pipeline.transport.send

        async def watching(request: Any, timeouts: Any) -> Any:
            bodies.append(request.body if isinstance(request.body, bytes) else b"")
            return await fetch(request, timeouts)

        pipeline.transport.send = watching  # type: ignore[method-assign]
        await client.put_images([path])
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "a.txt").write_text("a")
        await client.put_ml_bundle_dir("b", tmp_path / "b")
    assert any(b"0a5bb6f4" in body for body in bodies)
    assert not any(str(tmp_path).encode() in body for body in bodies)


async def test_an_answer_that_was_lost(server: Running, tmp_path: Path) -> None:
    """The image is stored, the answer is 504, and the repetition is refused as it is there already."""
    (path,) = series(tmp_path, "0a5bb6f4", 1, start=WHEN + dt.timedelta(days=100))
    async with AsyncRemoteClient(tmp_path / "client", server.url, *ADMIN) as client:
        quick = client.with_options(retry=RetryPolicy(max_retries=3, base_server_s=0.001))
        send = quick._put_new_images

        async def losing(files: Any, client_info: Any = None) -> Any:
            await send(files)
            error = RemoteAPIException("stored already", status=409)
            error.attempts = 2
            raise error

        quick._put_new_images = losing  # type: ignore[method-assign]
        (row,) = await quick.put_images([path])
        assert row["device"] == "0a5bb6f4"
        assert "url" not in row


# --- the other ways in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "argument"),
    [({"n_threads": 0}, "n_threads"), ({"n_threads": True}, "n_threads"), ({"local_dir": ""}, "local_dir")],
)
def test_clients_refuse_bad_options(tmp_path: Path, options: dict[str, Any], argument: str) -> None:
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        AsyncLocalClient(**{"local_dir": tmp_path, **options})
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    "options",
    [
        {"host": "a host"},
        {"port": 0},
        {"port": "x"},
        {"protocol": "ftp"},
        {"username": ""},
        {"password": None},
        {"host": "https://user:secret@host"},
    ],
)
def test_remote_clients_refuse_bad_options(tmp_path: Path, options: dict[str, Any]) -> None:
    given = {"local_dir": tmp_path, "host": "h", "username": "u", "password": "p", **options}
    with pytest.raises((ArgumentError, ArgumentTypeError, ConfigurationError)) as caught:
        AsyncRemoteClient(**given)
    assert "secret" not in str(caught.value)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    client = AsyncRemoteClient(tmp_path, "h", "u", "the password")
    assert "the password" not in repr(client) + repr(vars(client))


async def test_a_wrong_password(server: Running, tmp_path: Path) -> None:
    async with AsyncRemoteClient(tmp_path, server.url, ADMIN[0], "wrong") as client:
        with pytest.raises(RemoteAPIException) as caught:
            await client.get_users()
    assert caught.value.status == 401
    assert "wrong" not in str(caught.value)


async def test_a_token_that_lapsed_is_replaced(server: Running, tmp_path: Path) -> None:
    async with AsyncRemoteClient(tmp_path, server.url, *ADMIN) as client:
        await client.get_projects()
        client._login.token = {**client._login.token, "token": "no longer valid"}
        assert await client.get_projects() == []


@pytest.mark.parametrize("what", ["get_images", "get_image_series"])
async def test_what_cannot_be_asked(client: Any, what: str) -> None:
    method = getattr(client, what)
    itself: list[Any] = []
    itself.append({"device": itself})
    for info in ([{"device": {1}}], [{"device": b"x"}], itself):
        with pytest.raises((ValueError, TypeError)):
            await method(info)
    with pytest.raises((ValueError, RemoteAPIException)):
        await method([{**ALL, "device": "x", "datetime": WHEN}], "../get_users")


@pytest.mark.parametrize("device", ["'", '"', "x' OR '1'='1", "%'; DROP TABLE images; --", "\\", "\0"])
async def test_signs_of_sql_are_text(client: Any, tmp_path: Path, device: str) -> None:
    await client.put_images(series(tmp_path, "0a5bb6f4", 1, start=WHEN))
    try:
        assert await client.get_image_series([{**ALL, "device": device}]) == []
    except (ValueError, RemoteAPIException) as error:
        assert "sql" not in str(error).lower()  # noqa: PT017
    assert len(await client.get_image_series([ALL])) == 1


async def test_ranges_that_end_before_they_start(client: Any, tmp_path: Path) -> None:
    await client.put_images(series(tmp_path, "0a5bb6f4", 1, start=WHEN))
    backwards = {**ALL, "start_datetime": ALL["end_datetime"], "end_datetime": ALL["start_datetime"]}
    with pytest.raises((ValueError, RemoteAPIException), match="before it starts"):
        await client.get_image_series([backwards])


async def test_annotations_of_an_unknown_image(client: Any) -> None:
    metadata = {"algo_name": "a", "algo_version": "1", "device": "ffffffff", "datetime": WHEN, "md5": "0" * 32}
    with pytest.raises((LookupError, ValueError, RemoteAPIException)):
        await client.put_uid_annotations([{"annotations": [], "metadata": metadata}])


# --- tuboids and bundles -----------------------------------------------------------------------------------------------

SERIES = {
    "device": "08038ade",
    "start_datetime": dt.datetime(2020, 7, 8, 20),
    "end_datetime": dt.datetime(2020, 7, 9, 15),
    "algo_name": "a",
    "algo_version": "1",
    "n_images": 2,
    "n_tuboids": 2,
}


def tuboid(folder: Path, number: int, shots: str = "08038ade.2020-07-08_21-00-00,1.5,2.5,1.0\n") -> Path:
    path = folder / f"08038ade.2020-07-08_20-00-00.2020-07-09_15-00-00.1-a.{number:04}"
    path.mkdir()
    (path / "metadata.txt").write_text(shots)
    (path / "tuboid.jpg").write_bytes(b"tuboid")
    (path / "context.jpg").write_bytes(b"context")
    return path


async def test_tuboids_come_back_in_order(client: Any, tmp_path: Path) -> None:
    await client.delete_tiled_tuboids([ALL])
    folders = [tuboid(tmp_path, 1), tuboid(tmp_path, 2)]
    rows = await client.put_tiled_tuboids(folders, SERIES)
    assert [row["tuboid_id"] for row in rows] == [folder.name for folder in folders]
    found = await client.get_tiled_tuboid_series([ALL])
    assert len(found) == 2
    assert await client.get_tiled_tuboid_series_itc_labels([ALL]) == found
    await client.delete_tiled_tuboids([ALL])


@pytest.mark.parametrize(
    ("shots", "words"),
    [
        ("", "Empty tuboid"),
        ("\n08038ade.2020-07-08_21-00-00,1,2,3\n", "Empty tuboid"),
        ("08038ade.2020-07-08_21-00-00,1,2\n", "line 1"),
        ("08038ade.2020-07-08_21-00-00,1,2,nan\n", "line 1"),
        ("08038ade,1,2,3\n", "line 1"),
    ],
)
async def test_tuboids_with_unreadable_shots(client: Any, tmp_path: Path, shots: str, words: str) -> None:
    with pytest.raises(InvalidTuboid, match=words):
        await client.put_tiled_tuboids([tuboid(tmp_path, 1), tuboid(tmp_path, 2, shots)], SERIES)
    assert await client.get_tiled_tuboid_series([ALL]) == []


async def test_tuboids_that_are_incomplete(client: Any, tmp_path: Path) -> None:
    good, lacking = tuboid(tmp_path, 1), tuboid(tmp_path, 2)
    (lacking / "context.jpg").unlink()
    wrong = tmp_path / "wrong-name"
    wrong.mkdir()
    for folders, series_info, words in (
        ([good, lacking], SERIES, "lacks context.jpg"),
        ([good, wrong], SERIES, "DEVICE.START.END.VERSION.NUMBER"),
        ([good], {name: value for name, value in SERIES.items() if name != "n_images"}, "lacks n_images"),
    ):
        with pytest.raises(InvalidTuboid, match=words):
            await client.put_tiled_tuboids(folders, series_info)
    for given in (str(good), None):
        with pytest.raises(ArgumentTypeError):
            await client.put_tiled_tuboids(given, SERIES)
    with pytest.raises(ArgumentTypeError):
        await client.put_tiled_tuboids([good], [SERIES])
    assert await client.get_tiled_tuboid_series([ALL]) == []


def bundle(folder: Path, name: str) -> Path:
    path = folder / name
    for key, text in {"config/config.yaml": "A: 1\n", "data/a b.svg": "<svg/>", "data/empty.txt": ""}.items():
        (path / key).parent.mkdir(parents=True, exist_ok=True)
        (path / key).write_text(text)
    (path / "output").mkdir()
    (path / "output" / "model_final.pth").write_bytes(os.urandom(100_000))
    return path


async def test_a_bundle_there_and_back(client: Any, tmp_path: Path) -> None:
    name = f"bundle-{type(client).__name__}"
    source = bundle(tmp_path, name)
    sent = await client.put_ml_bundle_dir(name, source)
    assert {row["key"] for row in sent} == {
        "config/config.yaml",
        "data/a b.svg",
        "data/empty.txt",
        "output/model_final.pth",
    }
    assert await client.put_ml_bundle_dir(name, source) == []
    back = tmp_path / "back" / name
    fetched = await client.get_ml_bundle_dir(name, back, "all")
    assert len(fetched) == 4
    for row in fetched:
        assert (back / row["key"]).read_bytes() == (source / row["key"]).read_bytes()
        assert (back / row["key"]).stat().st_mtime == pytest.approx(row["mtime"], abs=0.01)
    assert await client.get_ml_bundle_dir(name, back, "all") == []
    assert sorted(path.name for path in back.rglob("*") if path.is_file()) == sorted(
        Path(row["key"]).name for row in fetched
    )
    (back / "config" / "config.yaml").unlink()
    assert [row["key"] for row in await client.get_ml_bundle_dir(name, back, "data")] == ["config/config.yaml"]


async def test_files_of_other_kinds_are_named(client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = f"kinds-{type(client).__name__}"
    source = bundle(tmp_path, name)
    (source / ".cache").mkdir()
    for key in ("train.py", "output/model_0001.pth", ".cache/kept.bin", "data/a.png"):
        (source / key).write_bytes(b"1")
    left_out = ["earlier"]
    with caplog.at_level(logging.WARNING, "asyncclient.sticky_pi"):
        sent = await client.put_ml_bundle_dir(name, source, left_out=left_out)
    assert len(sent) == 4
    assert left_out == ["earlier", "data/a.png", "output/model_0001.pth", "train.py"]
    [record] = caplog.records
    assert record.getMessage().endswith("*.db: data/a.png, output/model_0001.pth, train.py")
    left_out.clear()
    assert await client.put_ml_bundle_dir(name, source, "model", left_out=left_out) == []
    assert left_out == ["output/model_0001.pth"]


async def test_bundles_stay_in_their_folder(client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("..", "a/b", ""):
        with pytest.raises((ValueError, TypeError)):
            await client.put_ml_bundle_dir(name, tmp_path)
    with pytest.raises(InvalidBundle, match="must have that name"):
        await client.get_ml_bundle_dir("b", tmp_path / "c", "all")

    listed = {"path": "", "md5": "0" * 32, "mtime": 1.0, "url": "http://127.0.0.1:9/x"}
    for key in ("../../evil.txt", "/etc/evil.txt", "data/../../evil.txt", "a\\..\\evil.txt", "evil\0.txt", ""):

        async def hostile(*_: Any, key: str = key) -> list[dict[str, Any]]:
            return [{**listed, "key": key}]

        monkeypatch.setattr(client, "_get_ml_bundle_file_list", hostile)
        with pytest.raises(UnsafeKey):
            await client.get_ml_bundle_dir("b", tmp_path / "b", "all")
    assert not list(tmp_path.rglob("*evil*"))


async def test_a_listing_of_an_older_server_names_neighbours(client: Any, tmp_path: Path) -> None:
    async def listing(info: str, what: str = "all", client_info: Any = None) -> list[dict[str, Any]]:
        return [{"key": "../b-other/data/a.txt", "path": "", "md5": "0" * 32, "mtime": 1.0, "url": ""}]

    client._get_ml_bundle_file_list = listing
    assert await client.get_ml_bundle_dir("b", tmp_path / "b", "all") == []


async def test_a_download_that_was_interrupted_goes_on(server: Running, tmp_path: Path) -> None:
    source, back = tmp_path / "heavy", tmp_path / "back" / "heavy"
    (source / "output").mkdir(parents=True)
    content = os.urandom(1024 * 1024) * 56
    (source / "output" / "model_final.pth").write_bytes(content)
    paced = Limits(max_bandwidth=(None, 16_000_000))  # progress is told ten times a second
    async with AsyncHub(limits=paced) as hub, AsyncRemoteClient(tmp_path / "a", server.url, *ADMIN, hub=hub) as client:
        await client.put_ml_bundle_dir("heavy", source)
        with anyio.CancelScope() as scope:

            def enough(progress: Progress) -> None:
                if progress.bytes_done > 44 * 1024 * 1024:  # more than can be on its way
                    scope.cancel()

            await client.get_ml_bundle_dir("heavy", back, "all", on_progress=enough)
        assert scope.cancelled_caught
    assert not (back / "output" / "model_final.pth").exists()
    async with AsyncHub() as hub, AsyncRemoteClient(tmp_path / "b", server.url, *ADMIN, hub=hub) as client:
        await client.get_ml_bundle_dir("heavy", back, "all")
        assert hub.statistics().bytes_received < len(content)
    assert (back / "output" / "model_final.pth").read_bytes() == content
    assert [path.name for path in (back / "output").iterdir()] == ["model_final.pth"]


@pytest.mark.parametrize("whole", [True, False])
async def test_what_was_fetched_and_not_yet_put_in_place(server: Running, tmp_path: Path, whole: bool) -> None:
    source, back = bundle(tmp_path, "nearly"), tmp_path / "back" / "nearly"
    async with AsyncHub() as hub, AsyncRemoteClient(tmp_path / "a", server.url, *ADMIN, hub=hub) as client:
        await client.put_ml_bundle_dir("nearly", source)
        await client.get_ml_bundle_dir("nearly", back, "all")
        files = [path for path in back.rglob("*") if path.is_file()]
        contents = {path: path.read_bytes() for path in files}
        largest = max(files, key=lambda path: len(contents[path]))
        before = hub.statistics().bytes_received
        largest.rename(largest.with_name(f".{largest.name}.unchecked"))  # a process that was killed here left this
        if not whole:
            largest.with_name(f".{largest.name}.unchecked").write_bytes(b"of another version")
        await client.get_ml_bundle_dir("nearly", back, "all")
        received = hub.statistics().bytes_received - before
    assert (received > len(contents[largest])) is not whole
    assert {path: path.read_bytes() for path in back.rglob("*") if path.is_file()} == contents


async def test_a_file_that_is_not_what_was_listed(server: Running, tmp_path: Path) -> None:
    source, back = bundle(tmp_path, "listed"), tmp_path / "back" / "listed"
    async with AsyncRemoteClient(tmp_path / "a", server.url, *ADMIN) as client:
        await client.put_ml_bundle_dir("listed", source)
        listed = await client._get_ml_bundle_file_list("listed")

        async def wrong(*_: Any) -> list[dict[str, Any]]:
            return [{**row, "md5": "0" * 32} for row in listed]

        client._get_ml_bundle_file_list = wrong  # type: ignore[method-assign]
        with pytest.raises(IntegrityError):
            await client.get_ml_bundle_dir("listed", back, "all")
    assert not [path for path in back.rglob("*") if path.is_file() and not path.name.endswith(".part")]
