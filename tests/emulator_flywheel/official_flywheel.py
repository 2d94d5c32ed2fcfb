"""Let the official Flywheel client do a session of real work.

This script runs in a virtual environment of its own, where the official client is installed and this project is not; or
with this project's client in its place, where ``OFFICIAL_FLYWHEEL_MODULE`` names that (and ``OFFICIAL_FLYWHEEL_PACKAGE`` the
package it is of): the import is all that differs. The client is used as it is: the API key says where the emulator is. The script writes a report as JSON to standard output: ids,
digests of contents, and what went wrong in which step if anything did. It never stops at the first failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import sys
import tarfile
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the package is of its time
    import requests

    flywheel: Any = importlib.import_module(os.environ.get("OFFICIAL_FLYWHEEL_MODULE", "flywheel"))

KEY = os.environ["OFFICIAL_FLYWHEEL_KEY"]
DRONE_SECRET = os.environ["OFFICIAL_FLYWHEEL_DRONE_SECRET"]
FOLDER = Path(os.environ["HOME"])
LARGE_BYTES = 1_000_000

ids: dict[str, str] = {}
digests: dict[str, str] = {}
errors: dict[str, str] = {}
steps: list[str] = []


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Blame what fails inside on this step, and go on."""
    steps.append(name)
    try:
        yield
    except Exception:
        errors[name] = traceback.format_exc(limit=-4)


def eq(actual: Any, expected: Any) -> None:
    assert actual == expected, f"{actual!r} != {expected!r}"


def refused(call: Callable[[], Any], status: int) -> Any:
    try:
        call()
    except flywheel.ApiException as error:
        eq(error.status, status)
        return error
    raise AssertionError("no ApiException")


def content(size: int, seed: int) -> bytes:
    return bytes((position * 31 + seed + position // 251) % 256 for position in range(size))


def noted(name: str, data: bytes) -> bytes:
    digests[name] = hashlib.sha384(data).hexdigest()
    return data


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = "Größe".encode()
        archive.writestr("dir/a b.txt", "inside")
        archive.writestr("table.csv", "x,y\n1,2\n3,4\n")
    return out.getvalue()


fw: Any = None
group: Any = None
project: Any = None
subject: Any = None
session: Any = None
acquisition: Any = None

with step("login"):
    fw = flywheel.Client(KEY)
    user = fw.get_current_user()
    eq(user.id, "user@emulator.example")
    eq(fw.get_version().release, "20.0.0")
    assert fw.get_config().features["core_api"]
    eq([item.id for item in fw.users.iter()], ["user@emulator.example"])

with step("tree"):
    eq(fw.add_group({"_id": "lab", "label": "The Lab"}), "lab")
    group = fw.get_group("lab")
    project = group.add_project(label="Étude", description="about")
    subject = project.add_subject(label="S-1", sex="female")
    session = subject.add_session(label="Visit 1", timestamp=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), age=31557600)
    acquisition = session.add_acquisition(label="T1w")
    ids.update(project=project.id, subject=subject.id, session=session.id, acquisition=acquisition.id)
    eq([item.label for item in group.projects()], ["Étude"])
    eq([item.id for item in project.sessions()], [session.id])
    eq(session.subject.label, "S-1")
    eq(acquisition.parents.subject, subject.id)
    eq(session.age_years, 1.0)
    second = fw.add_session({"project": project.id, "label": "Visit 2", "subject": {"code": "S-1"}})
    eq(fw.get_session(second).subject.id, subject.id)
    for number in range(7):
        fw.add_acquisition({"session": second, "label": f"run-{number}"})
    refused(lambda: group.add_project(label="Étude"), 409)

with step("upload"):
    small = FOLDER / "dåta.txt"
    small.write_bytes(noted("dåta.txt", b"0123456789"))
    (answer,) = acquisition.upload_file(str(small), metadata={"info": {"made": "here"}, "modality": "MR"})
    eq((answer.name, answer.size, answer.version, answer.type), ("dåta.txt", 10, 1, "text"))
    large = FOLDER / "large.nii.gz"
    large.write_bytes(noted("large.nii.gz", content(LARGE_BYTES, 7)))
    acquisition.upload_file(str(large))
    spec = flywheel.FileSpec('quo"ted.csv', b"x,y\n1,2\n3,4\n", "text/csv")
    acquisition.upload_file([spec, flywheel.FileSpec("pack.zip", zipped())])
    empty = FOLDER / "zero.bin"
    empty.touch()
    acquisition.upload_file(str(empty))
    project.upload_file(flywheel.FileSpec("protocol.pdf", noted("protocol.pdf", b"%PDF")))
    acquisition = acquisition.reload()
    names = [item.name for item in acquisition.files]
    eq(names, ["dåta.txt", "large.nii.gz", 'quo"ted.csv', "pack.zip", "zero.bin"])
    file = acquisition.get_file("dåta.txt")
    eq((file.info, file.modality), ({"made": "here"}, "MR"))
    eq(acquisition.get_file("zero.bin").size, 0)

with step("versions"):
    small.write_bytes(noted("dåta.txt", b"9876543210!"))
    (answer,) = fw.upload_file_to_acquisition(acquisition.id, str(small), preserve_metadata=True)
    eq((answer.version, answer.info, answer.size), (2, {"made": "here"}, 11))
    eq([item.version for item in fw.get_file_versions(answer.file_id)], [1, 2])
    eq(fw.download_file_from_acquisition_as_data(acquisition.id, "dåta.txt", version=1), b"0123456789")
    eq(fw.get_file(answer.file_id, version=1).size, 10)
    ids["file"] = answer.file_id

with step("find"):
    eq(fw.projects.find_one("label=Étude").id, project.id)
    eq(len(session.acquisitions.find()), 1)
    eq([item.label for item in fw.acquisitions.find('label="T1w"')], ["T1w"])
    eq(len(list(fw.acquisitions.iter(limit=3))), 8)
    eq(len(list(fw.acquisitions.iter_find("label=~^run-", limit=2))), 7)
    ordered = fw.acquisitions.iter_find("label!=T1w", sort="label:desc", limit=3)
    eq([item.label for item in ordered], [f"run-{number}" for number in range(6, -1, -1)])
    eq(fw.sessions.find_first("created>2018-09-22,label=Visit 1").id, session.id)
    assert fw.sessions.find_first("created<2018-09-22") is None
    eq([item.name for item in fw.files.find("name=large.nii.gz")], ["large.nii.gz"])
    eq(len(list(fw.files.iter(limit=2))), 6)
    refused(lambda: fw.get_all_projects(filter="label"), 422)
    try:
        fw.subjects.find_one("label=nobody")
    except ValueError as error:
        eq(str(error), "No results found!")
    else:
        raise AssertionError("found nobody")

with step("update"):
    project.update(description="changed", label="Étude")
    session.update({"weight": 70.5})
    subject.update_info({"a": {"b": 1}, "c": 2, "key.with$": 3})
    subject.delete_info("c")
    eq(subject.reload().info, {"a": {"b": 1}, "key_with-": 3})
    subject.replace_info({"only": True})
    eq(subject.reload().info, {"only": True})
    eq(project.reload().description, "changed")
    project.add_tag("té")
    project.add_tag("b")
    eq(project.rename_tag("té", "a/b é.%2F~"), "a/b é.%2F~")
    fw.add_project_tags(project.id, ["c", "d"])
    fw.delete_project_tags(project.id, ["b", "c"])
    eq(project.reload().tags, ["a/b é.%2F~", "d"])
    project.delete_tag("a/b é.%2F~")
    note = project.add_note("naïve")
    eq(fw.get_project_note(project.id, note.id).text, "naïve")
    fw.modify_project_note(project.id, note.id, {"text": "changed"})
    eq([item.text for item in project.reload().notes], ["changed"])
    project.delete_note(note.id)
    eq(project.reload().notes, [])

with step("permissions"):
    fw.add_user(flywheel.User(id="other@emulator.example", firstname="O", lastname="P"))
    project.add_permission({"_id": "other@emulator.example", "role_ids": ["reader"]})
    project.update_permission("other@emulator.example", {"role_ids": ["writer"]})
    eq(project.get_permission("other@emulator.example").role_ids, ["writer"])
    project.delete_permission("other@emulator.example")
    refused(lambda: project.get_permission("other@emulator.example"), 404)
    group.add_permission({"_id": "other@emulator.example", "access": "ro"})
    eq(group.get_permission("other@emulator.example").access, "ro")

with step("file facts"):
    file = acquisition.reload().get_file('quo"ted.csv')
    file.update(type="tabular data", modality="MR")
    file.update_info({"k": "v"})
    file.update_classification({"Intent": ["Structural"]})
    file.update_classification({"Intent": ["Functional"], "Measurement": ["T1"]})
    file.delete_classification({"Intent": ["Structural"]})
    file.add_tag("one")
    file.add_tags(["two", "three"])
    file.rename_tag("one", "first")
    file.delete_tag("two")
    file = file.reload()
    eq((file.type, file.info, file.tags), ("tabular data", {"k": "v"}, ["first", "three"]))
    eq(file.classification, {"Intent": ["Functional"], "Measurement": ["T1"]})

with step("resolve"):
    eq(fw.lookup("lab/Étude/S-1/Visit 1/T1w").id, acquisition.id)
    eq(fw.lookup(f"lab/<id:{project.id}>/S-1").id, subject.id)
    eq(fw.get(session.id).label, "Visit 1")
    found = fw.resolve("lab/Étude")
    eq([item.container_type for item in found.path], ["group", "project"])
    eq(sorted(item.container_type for item in found.children), ["file", "subject"])
    eq(fw.lookup("lab/Étude/S-1/Visit 1/T1w/files/large.nii.gz").size, LARGE_BYTES)
    refused(lambda: fw.lookup("lab/nowhere"), 404)
    url = fw.file_url("lab/Étude/files/protocol.pdf")
    eq(requests.get(url, timeout=30).content, b"%PDF")

with step("download"):
    target = FOLDER / "down.nii.gz"
    acquisition.download_file("large.nii.gz", str(target))
    eq(hashlib.sha384(target.read_bytes()).hexdigest(), digests["large.nii.gz"])
    eq(acquisition.reload().get_file("large.nii.gz").hash, f"v0-sha384-{digests['large.nii.gz']}")
    eq(acquisition.read_file("zero.bin"), b"")
    eq(acquisition.read_file('quo"ted.csv'), b"x,y\n1,2\n3,4\n")
    part = fw.download_file_from_acquisition_as_data(acquisition.id, "dåta.txt", range="bytes=2-4", view=True)
    eq(part, b"765")
    eq(requests.get(acquisition.get_file_download_url("dåta.txt"), timeout=30).content, b"9876543210!")
    refused(lambda: acquisition.read_file("missing"), 404)
    refused(lambda: fw.download_file_from_acquisition_as_data(acquisition.id, "dåta.txt", hash="v0-sha384-0"), 409)

with step("zip members"):
    info = acquisition.get_file_zip_info("pack.zip")
    eq((info.comment, [item.path for item in info.members]), ("Größe", ["dir/a b.txt", "table.csv"]))
    eq(acquisition.read_file_zip_member("pack.zip", "dir/a b.txt"), b"inside")
    eq(len(acquisition.get_file("pack.zip").get_zip_info().members), 2)
    refused(lambda: acquisition.read_file_zip_member("pack.zip", "nothing"), 400)
    refused(lambda: acquisition.get_file_zip_info("dåta.txt"), 400)

with step("archives"):
    ticket = fw.download_tar([session], str(FOLDER / "all.tar"), exclude_types=["nifti"])
    eq(ticket.file_cnt, 4)
    with tarfile.open(FOLDER / "all.tar") as archive:
        head = "scitran/lab/Étude/S-1/Visit 1/T1w/"
        eq(archive.getnames(), [head + name for name in ("dåta.txt", 'quo"ted.csv', "pack.zip", "zero.bin")])
        member = archive.extractfile(head + "dåta.txt")
        assert member is not None
        eq(member.read(), b"9876543210!")
    project.download_zip(str(FOLDER / "all.zip"), include_types=["nifti", "pdf"])
    with zipfile.ZipFile(FOLDER / "all.zip") as packed:
        eq(packed.testzip(), None)
        names = ["scitran/lab/Étude/protocol.pdf", head + "large.nii.gz"]
        eq(packed.namelist(), names)
        eq(hashlib.sha384(packed.read(names[1])).hexdigest(), digests["large.nii.gz"])

with step("analysis"):
    analysis = session.add_analysis(label="By hand", inputs=[acquisition.get_file("dåta.txt").ref()])
    eq([item.name for item in analysis.inputs], ["dåta.txt"])
    analysis.upload_output(str(large))
    analysis.add_note("well done")
    analysis = analysis.reload()
    eq(
        ([item.name for item in analysis.files], [item.text for item in analysis.notes]),
        (["large.nii.gz"], ["well done"]),
    )
    eq(hashlib.sha384(analysis.read_file("large.nii.gz")).hexdigest(), digests["large.nii.gz"])
    eq(fw.download_input_from_analysis_as_data(analysis.id, "dåta.txt"), b"9876543210!")
    eq([item.id for item in fw.get_session_analyses(session.id)], [analysis.id])
    eq([item.label for item in session.reload().analyses], ["By hand"])
    ids["analysis"] = analysis.id

with step("gears"):
    manifest = {
        "name": "mygear",
        "label": "My gear",
        "description": "does",
        "version": "1.0",
        "author": "a",
        "license": "MIT",
        "source": "http://x",
        "url": "http://x",
        "inputs": {"in1": {"base": "file"}},
        "config": {"a": {"type": "integer", "default": 3}},
    }
    exchange = {"git-commit": "x", "rootfs-hash": "x", "rootfs-url": "x"}
    gear_id = fw.add_gear("mygear", {"gear": manifest, "category": "utility", "exchange": exchange})
    gear = fw.get_gear(gear_id)
    eq(gear.get_default_config(), {"a": 3})
    job_id = gear.run(config={"a": 9}, in1=acquisition.get_file("dåta.txt"), destination=acquisition, priority="high")
    job = fw.get_job(job_id)
    eq((job.state, job.config["config"], job.priority), ("pending", {"a": 9}, "high"))
    job.change_state("running")
    job.update_priority("low")
    fw.add_job_logs(job_id, [{"fd": 1, "msg": "hello\n"}])
    eq([item.msg for item in job.reload().get_logs()], ["hello\n"])
    job.change_state("complete")
    eq(job.reload().state, "complete")
    retried = fw.retry_job(job_id, ignore_state=True)
    eq(fw.get_job(retried).previous_job_id, job_id)
    maker = fw.add_gear("maker", {"gear": {**manifest, "name": "maker"}, "category": "analysis", "exchange": exchange})
    made = fw.get_gear(maker).run(
        analysis_label="Made", destination=session, inputs={"in1": acquisition.get_file("dåta.txt")}
    )
    eq(fw.get_analysis(made).job.gear_info.name, "maker")
    batch = gear.propose_batch([session, acquisition], config={"a": 1})
    eq(len(batch.run()), 2)
    eq(fw.cancel_batch(batch.id), 2)
    eq(len(fw.jobs.find("state=cancelled")), 2)
    eq([item.gear.name for item in fw.gears.find("gear.name=mygear")], ["mygear"])

with step("views"):
    view = fw.View(columns=["subject.label", ("session.weight", "w"), "acquisition.file.name"], label="Files")
    text = fw.read_view_data(view, project.id, format="csv").read()
    assert {"project.id", "subject.label", "w", "acquisition.file.name"} <= {*text.splitlines()[0].split(",")}
    eq(len(text.splitlines()), 6)
    view_id = fw.add_view(project.id, view)
    eq([item.label for item in fw.get_views(project.id)], ["Files"])
    rows = json.loads(fw.read_view_data(view_id, session.id, format="json-flat").read())
    eq([row["w"] for row in rows], [70.5] * 5)
    fw.save_view_data(view_id, session.id, str(FOLDER / "view.csv"), format="csv", limit=2)
    eq(len((FOLDER / "view.csv").read_text("utf-8").splitlines()), 3)
    table = fw.View(container="acquisition", filename="*.csv", match="first", columns=["acquisition.label"])
    rows = json.loads(fw.read_view_data(table, session.id, format="json-flat").read())
    eq([(row["acquisition.label"], row["x"], row["y"]) for row in rows], [("T1w", "1", "2"), ("T1w", "3", "4")])
    out = io.StringIO()
    fw.print_view_columns(file=out)
    assert "project.id (string)" in out.getvalue()
    fw.delete_view(view_id)

with step("collections"):
    collection_id = fw.add_collection({"label": "Best"})
    collection = fw.get_collection(collection_id)
    collection.add_sessions(session)
    eq([item.id for item in collection.sessions()], [session.id])
    eq([item.id for item in collection.acquisitions()], [acquisition.id])

with step("placed by label"):
    metadata = {
        "group": {"_id": "lab"},
        "project": {"label": "Étude"},
        "session": {"label": "Visit 3", "subject": {"code": "S-2"}},
        "acquisition": {"label": "scan", "files": [{"name": "dåta.txt"}]},
    }
    fw.upload_by_label(files=str(small), metadata=metadata)
    placed = fw.lookup("lab/Étude/S-2/Visit 3/scan")
    eq(placed.files[0].name, "dåta.txt")
    token = fw.start_project_packfile_upload(project.id)
    fw.project_packfile_upload(project.id, token, str(small))
    packed_as = {
        "project": {"_id": project.id},
        "session": {"label": "Visit 3", "subject": {"code": "S-2"}},
        "acquisition": {"label": "slices"},
        "packfile": {"type": "dicom"},
    }
    fw.end_project_packfile_upload(token, json.dumps(packed_as), 1, project.id)
    slices = fw.lookup("lab/Étude/S-2/Visit 3/slices")
    eq(slices.read_file_zip_member("slices.dicom.zip", "dåta.txt"), b"9876543210!")

with step("drone"):
    host, port, *rest = KEY.split(":")
    insecure = {"_force_insecure": True} if "__force_insecure" in rest else {}
    drone = flywheel.create_drone_client(host, DRONE_SECRET, "reaper", "scanner-1", port=int(port), **insecure)
    status = drone.get_auth_status()
    eq((status.is_device, status.origin.type), (True, "device"))

with step("described"):
    eq(fw.get_all_roles(), [])
    eq(fw.get_site_rules(), [])
    assert fw.get_site_report() is not None
    eq(
        fw.get_access_log_report(access_types=["view_file"], start_date=datetime.now(UTC) - timedelta(days=1)),
        [],
    )
    refused(lambda: fw.add_role({"label": "no actions"}), 422)

with step("delete"):
    acquisition.delete_file("zero.bin")
    assert acquisition.reload().get_file("zero.bin") is None
    fw.delete_file(ids["file"], version=2)
    eq(acquisition.reload().read_file("dåta.txt"), b"0123456789")
    restored = fw.restore_file(ids["file"], 2, False)
    eq((restored.version, restored.restored_from, restored.size), (3, 2, 11))
    result = fw.delete_acquisitions_by_query([{"attribute": "label", "operator": "=", "value": "run-0"}])
    eq(result.deleted, 1)
    runs = [item.id for item in fw.acquisitions.find("label=~^run-")]
    eq(fw.delete_acquisitions_by_ids(runs[:2], delete_reason="test_data").deleted, 2)
    eq(len(fw.acquisitions.find("label=~^run-")), 4)
    fw.delete_session(second, delete_reason="test_data")
    error = refused(lambda: fw.get_session(second), 404)
    eq(error.reason, "Session not found")
    fw.add_group({"_id": "spare", "label": "x"})
    spare = fw.add_project({"label": "x", "group": "spare"})
    fw.delete_project(spare)
    fw.delete_group("spare")
    refused(lambda: fw.get_group("spare"), 404)

PACKAGE = os.environ.get("OFFICIAL_FLYWHEEL_PACKAGE", "flywheel-sdk")
report = {"version": version(PACKAGE), "steps": steps, "errors": errors, "ids": ids, "digests": digests}
json.dump(report, sys.stdout)
