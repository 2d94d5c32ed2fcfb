"""Downloads: ranges, members of zip files, tickets, redirects, archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.emulator_flywheel.conftest import Api

CONTENT = bytes(position % 251 for position in range(700_000))


def zipped(**members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"hello"
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def filled(api: Api) -> str:
    """Store one file in four parts and return its path."""
    place = f"/acquisitions/{api.tree()['acquisition']}/files"
    ticket = api.ticket(place, "é/f.bin", len(CONTENT))
    urls = ticket["urls"]["é/f.bin"]
    size = -(-len(CONTENT) // len(urls))
    for n, url in enumerate(urls):
        api.put(url, CONTENT[n * size : (n + 1) * size], ticket["headers"])
    api.ok("POST", f"{place}?ticket={ticket['ticket']}")
    return f"{place}/{quote('é/f.bin', safe='')}"


@pytest.mark.parametrize("needs_view", [True, False])
def test_ranges(make_api: Callable[..., Api], needs_view: bool) -> None:
    api = make_api(part_bytes=200_000, range_needs_view=needs_view)
    path = filled(api)

    def get(field: str, view: bool) -> httpx.Response:
        return api.send("GET", f"{path}?view={view}", headers={"range": field})

    for first, last in ((0, 0), (5, 9), (174_999, 175_000), (100_000, 650_000), (699_999, 699_999)):
        response = get(f"bytes={first}-{last}", view=True)
        assert (response.status_code, response.content) == (206, CONTENT[first : last + 1])
        assert response.headers["content-range"] == f"bytes {first}-{last}/700000"
    assert get("bytes=-3", view=True).content == CONTENT[-3:]
    assert get("bytes=699990-", view=True).content == CONTENT[-10:]
    assert get("bytes=700000-", view=True).status_code == 416
    assert get("lines=1-2", view=True).status_code == 200
    assert get("bytes=0-3", view=False).status_code == (200 if needs_view else 206)


def test_headers(api: Api) -> None:
    response = api.send("GET", filled(api))
    assert response.headers["content-length"] == "700000"
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9%2Ff.bin"


def test_versions_and_hashes(api: Api) -> None:
    place = f"/projects/{api.tree()['project']}/files"
    (first,) = api.put_form(place, ("f.txt", b"one"))
    api.put_form(place, ("f.txt", b"two"))
    assert api.send("GET", f"{place}/f.txt?version=1").content == b"one"
    assert api.send("GET", f"{place}/f.txt?version=1&hash={first['hash']}").content == b"one"
    assert "hash" in api.refused(409, "GET", f"{place}/f.txt?hash={first['hash']}")
    api.refused(404, "GET", f"{place}/f.txt?version=3")
    api.refused(404, "GET", f"{place}/other")


def test_members(api: Api) -> None:
    place = f"/projects/{api.tree()['project']}/files"
    (row,) = api.put_form(place, ("z.zip", zipped(**{"dir/ä.txt": "inside", "b.bin": "x"})))
    api.put_form(place, ("plain.txt", b"text"))
    info = api.ok("GET", f"{place}/z.zip?info=true")
    assert info["comment"] == "hello"
    assert [(item["path"], item["size"]) for item in info["members"]] == [("dir/ä.txt", 6), ("b.bin", 1)]
    assert api.ok("GET", f"/files/{row['file_id']}/zip_info") == info
    response = api.send("GET", f"{place}/z.zip", params={"member": "dir/ä.txt"})
    assert (response.content, response.headers["content-type"]) == (b"inside", "text/plain")
    response = api.send("GET", f"{place}/z.zip?member=dir/ä.txt&view=true", headers={"range": "bytes=2-3"})
    assert (response.status_code, response.content, response.headers["content-range"]) == (206, b"si", "bytes 2-3/6")
    assert "no such member" in api.refused(400, "GET", f"{place}/z.zip?member=no")
    for query in ("info=true", "member=x"):
        assert "not a zip" in api.refused(400, "GET", f"{place}/plain.txt?{query}")


def test_tickets(api: Api) -> None:
    path = filled(api)
    ticket = api.ok("GET", f"{path}?ticket=")
    assert (ticket["filename"], ticket["file_cnt"], ticket["size"]) == ("é/f.bin", 1, 700_000)
    url = f"{api.server.url}/api{path}?ticket={ticket['ticket']}"
    assert api.plain.get(url).content == CONTENT
    assert api.plain.get(f"{url}x").status_code == 400
    assert api.plain.get(f"{api.server.url}/api{path}").status_code == 401
    place = path.rpartition("/")[0]
    api.put_form(place, ("other", b"x"))
    assert api.plain.get(f"{api.server.url}/api{place}/other?ticket={ticket['ticket']}").status_code == 400


def test_redirects(make_api: Callable[..., Api]) -> None:
    api = make_api(redirect_downloads=True, part_bytes=200_000, storage_host="localhost")
    path = filled(api)
    response = api.send("GET", path)
    assert response.status_code == 302
    url = response.headers["location"]
    assert httpx.URL(url).host == "localhost"
    whole = api.plain.get(url)
    assert (whole.content, whole.headers["accept-ranges"]) == (CONTENT, "bytes")
    field = {"range": "bytes=10-19", "if-range": whole.headers["etag"]}
    part = api.plain.get(url, headers=field)
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert api.plain.get(url, headers={**field, "if-range": '"other"'}).status_code == 200
    assert api.plain.head(url).headers["content-length"] == "700000"
    assert api.http.get(url).status_code == 400  # with a key
    assert api.plain.get(f"{api.server.url}/signed/unknown").status_code == 404
    assert api.send("GET", path, headers={"x-accept-feature": "other"}).status_code == 200


def test_analyses(api: Api) -> None:
    ids = api.tree()
    api.put_form(f"/acquisitions/{ids['acquisition']}/files", ("in.txt", b"input"))
    reference = {"type": "acquisition", "id": ids["acquisition"], "name": "in.txt"}
    analysis = api.ok("POST", f"/sessions/{ids['session']}/analyses", {"label": "x", "inputs": [reference]})["_id"]
    api.put_form(f"/analyses/{analysis}/files", ("out.txt", b"output"))
    for base in (f"/analyses/{analysis}", f"/sessions/{ids['session']}/analyses/{analysis}"):
        assert api.send("GET", f"{base}/inputs/in.txt").content == b"input"
        assert api.send("GET", f"{base}/files/out.txt").content == b"output"
        api.refused(404, "GET", f"{base}/inputs/out.txt")
    assert api.ok("GET", f"/analyses/{analysis}/inputs/in.txt/info")["size"] == 5
    api.refused(404, "GET", f"/analyses/{analysis}/inputs/out.txt/info")


def nodes(*pairs: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"nodes": [{"level": level, "_id": node} for level, node in pairs], **more}


@pytest.fixture
def full(api: Api) -> dict[str, str]:
    """A tree with files at two levels, and an analysis with an output."""
    ids = api.tree()
    api.put_form(f"/projects/{ids['project']}/files", ("p.pdf", b"%PDF"))
    api.put_form(f"/acquisitions/{ids['acquisition']}/files", ("a.nii", CONTENT), ("b.txt", b""), ("odd", b"x"))
    ids["analysis"] = api.ok("POST", f"/sessions/{ids['session']}/analyses", {"label": "An/alysis"})["_id"]
    api.put_form(f"/analyses/{ids['analysis']}/files", ("out.csv", b"1"))
    return ids


def test_archives(api: Api, full: dict[str, str]) -> None:
    body = nodes(("project", full["project"]), ("analysis", full["analysis"]))
    ticket = api.ok("POST", "/download", body)
    assert (ticket["file_cnt"], ticket["size"]) == (5, len(CONTENT) + 6)
    head = "scitran/lab/P"
    names = [f"{head}/p.pdf", *(f"{head}/S/E/A/{name}" for name in ("a.nii", "b.txt", "odd"))]
    names.append(f"{head}/S/E/An_alysis/out.csv")
    tar = api.send("GET", f"/download?ticket={ticket['ticket']}").content
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == names
        member = archive.extractfile(names[1])
        assert member is not None
        assert member.read() == CONTENT
    packed = api.plain.get(f"{api.server.url}/api/download?ticket={ticket['ticket']}&format=zip").content
    with zipfile.ZipFile(io.BytesIO(packed)) as zip_file:
        assert zip_file.testzip() is None
        assert zip_file.namelist() == names
        assert zip_file.read(names[1]) == CONTENT


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ([{"types": {"plus": ["nifti"]}}], ["a.nii"]),
        ([{"types": {"minus": ["nifti", "pdf"]}}], ["b.txt", "odd"]),
        ([{"types": {"plus": ["null"]}}], ["odd"]),
        ([{"types": {"minus": ["null"]}}], ["p.pdf", "a.nii", "b.txt"]),
        ([{"types": {"plus": ["nifti"]}}, {"types": {"plus": ["pdf"]}}], ["p.pdf", "a.nii"]),
        ([{"tags": {"plus": ["keep"]}}], ["a.nii"]),
        ([{"tags": {"minus": ["keep"]}}], ["p.pdf", "b.txt", "odd"]),
        ([{"since": 0}], ["p.pdf", "a.nii", "b.txt", "odd"]),
        ([{"since": 9_999_999_999}], []),
    ],
)
def test_filters(api: Api, full: dict[str, str], rules: Any, wanted: list[str]) -> None:
    (row,) = api.ok("GET", "/files?filter=name=a.nii")["results"]
    api.ok("PUT", f"/files/{row['file_id']}/tags", ["keep"])
    body = nodes(("project", full["project"]), filters=rules)
    if not wanted:
        api.refused(404, "POST", "/download", body)
        return
    ticket = api.ok("POST", "/download?prefix=x", body)["ticket"]
    files = api.state.tickets[ticket]["files"]
    assert [file.path.rpartition("/")[2] for file in files] == wanted
    assert all(file.path.startswith("x/lab/P/") for file in files)


def test_nodes_that_are_not_there(api: Api, full: dict[str, str]) -> None:
    body = nodes(("project", full["session"]), ("acquisition", full["acquisition"]))
    api.refused(404, "POST", "/download", body)
    assert api.ok("POST", "/download", {**body, "optional": True})["file_cnt"] == 3
    for strategy in ("bulk", "classic", "full"):
        assert api.ok("POST", f"/download?type={strategy}", {**body, "optional": True})["file_cnt"] == 3
    api.refused(422, "POST", "/download?type=other", body)
    api.refused(404, "GET", "/download?ticket=unknown")
    collection = api.make("collections", label="c")
    contents = {"operation": "add", "nodes": [{"_id": full["session"], "level": "session"}]}
    api.ok("PUT", f"/collections/{collection}", {"contents": contents})
    assert api.ok("POST", "/download", nodes(("collection", collection)))["file_cnt"] == 3
