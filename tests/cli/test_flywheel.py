"""``asyncclient flywheel``: paths, names and arguments, without a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncclient.cli import main
from asyncclient.cli._api import arguments_of
from asyncclient.cli._errors import Problem
from asyncclient.cli._flywheel_api import catalogue
from asyncclient.cli._flywheel_paths import Filter, parse, safe_name, shown, type_of, unique_names
from asyncclient.cli._flywheel_plan import same_as

STEP = st.text(min_size=1).filter(lambda step: step.strip() not in ("", ".", ".."))


@given(st.lists(STEP))
def test_paths_are_read_as_they_are_shown(steps: list[str]) -> None:
    assert parse(shown(steps)) == tuple(steps)


@pytest.mark.parametrize("path", ["fw:///x", "fw://a//b", "fw://a/./b", "fw://a/../b", "fw://..", "fw:// /x"])
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(Problem, match="a path is of names"):
        parse(path)


@given(st.text())
def test_a_safe_name_stays_in_its_folder(text: str) -> None:
    name = safe_name(text)
    assert name == Path(name).name
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert len(name.encode()) <= 200
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("T1w größe 測.nii.gz", "T1w größe 測.nii.gz"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("..", "_"),
        ("", "_"),
        ("a. ", "a_"),
        ("NUL.txt", "_NUL.txt"),
        ("C:\\x", "C__x"),
        (".hidden", ".hidden"),
        ("ü" * 300 + ".nii.gz", "ü" * 83 + "ü" * 13 + ".nii.gz"),
    ],
)
def test_safe_names(label: str, name: str) -> None:
    assert safe_name(label) == name


@given(st.lists(st.tuples(st.sampled_from(["a/b", "a_b", "a", "1~a_b", "2~a_b"]), st.sampled_from("123"))))
def test_names_side_by_side_are_different(entries: list[tuple[str, str]]) -> None:
    names = unique_names(entries)
    assert len(set(names)) == len(entries)
    if entries:
        assert names[0] == safe_name(entries[0][0])


def test_filters() -> None:
    assert type_of("A.DCM.ZIP") == "dicom"
    assert type_of("x.zip") == "archive"
    assert type_of("x") == ""
    assert Filter(("dicom",)).takes("x.zip", "dicom")
    assert not Filter(("dicom",)).takes("x.dcm", "archive")
    assert not Filter(without_types=("nifti",)).takes("x.nii.gz")
    assert Filter(names=("*.nii*", "x")).takes("x")
    assert not Filter(names=("*.NII",)).takes("x.nii")


class Record:
    def __init__(self, size: int | None, digest: str | None) -> None:
        self.size, self.hash = size, digest


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("record", "same"),
    [
        (Record(1, None), True),
        (Record(None, None), False),
        (Record(2, None), False),
        (Record(1, "md5 of some kind"), True),
        (Record(1, "v0-sha384-00"), False),
    ],
)
async def test_same(tmp_path: Path, record: Record, same: bool) -> None:
    (tmp_path / "x").write_bytes(b"q")
    assert await same_as(tmp_path / "x", record) is same
    assert not await same_as(tmp_path / "y", record)
    assert not await same_as(tmp_path, record)


# --- operations ------------------------------------------------------------------------------------------------------


def arguments(group: str, operation: str, *given: str) -> dict[str, Any]:
    operations = catalogue()
    return arguments_of(operations.operation(operations.group(group), operation), given)


def test_all_groups_and_operations_are_there() -> None:
    groups = catalogue().groups
    found = {name for functions in groups.values() for name in functions}
    assert len(groups) == 34
    assert len(found) >= 496
    for name in groups:
        title = "".join(part.capitalize() for part in name.split("_"))
        assert {catalogue().group(form) for form in (name, f"{name}_api", name.replace("_", "-"), f"{title}Api")} == {
            name
        }


def test_arguments() -> None:
    assert arguments("projects", "get_all_projects", "limit=3", "exhaustive=true", "filter=label=a") == {
        "limit": 3,
        "exhaustive": True,
        "filter": "label=a",
    }
    assert arguments("projects", "add_project", 'body={"label": "x"}') == {"body": {"label": "x"}}
    tags = ("cid=1", "body=a", "body=b c")
    assert arguments("projects", "add_project_tags", *tags) == {"cid": "1", "body": ["a", "b c"]}
    assert arguments("projects", "add_project_tags", "cid=1", 'body=["a"]')["body"] == ["a"]
    assert arguments("projects", "get_project", "project_id=123") == {"project_id": "123"}
    note = arguments("projects", "add_project_note", "container_id=1", "body=a note")
    assert note["body"] == "a note"
    files = arguments("projects", "upload_file_to_project", "container_id=1", "file=a", "file=b")
    assert files["file"] == ["a", "b"]


def test_an_argument_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"label": "ü"}', "utf-8")
    assert arguments("projects", "add_project", f"body=@{tmp_path}/b.json") == {"body": {"label": "ü"}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("project", "get_project"), "there is no group 'project'; did you mean projects"),
        (("projects", "get_projct"), "there is no operation 'get_projct'; did you mean get_project"),
        (("projects", "get_project"), "get_project needs --param project_id=..."),
        (("projects", "get_project", "x"), "--param takes name=value, not 'x'"),
        (("projects", "get_project", "projectid=1"), "there is no parameter 'projectid'; did you mean project_id"),
        (("projects", "get_project", "project_id=1", "project_id=2"), "given 2 times"),
        (("projects", "get_all_projects", "limit=many"), "--param limit: 'many' is not of type int"),
        (("projects", "get_all_projects", "limit=true"), "--param limit: 'true' is not of type int"),
        (("projects", "get_all_projects", "exhaustive=1"), "--param exhaustive: '1' is not of type bool"),
        (("projects", "add_project", "body={"), "--param body: is not JSON"),
        (("projects", "add_project", "body=@missing.json"), "--param body: missing.json: No such file"),
    ],
)
def test_arguments_that_are_none(given: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    group, operation, *params = given
    code = main(["flywheel", "api", group, operation, *(part for param in params for part in ("--param", param))])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flywheel", "--all-help"]) == 0
    out = capsys.readouterr().out
    for name in ("ls", "cp", "sync", "jobs", "view", "api"):
        assert f"Usage: asyncclient flywheel {name} " in out
    assert main(["flywheel", "api", "--json"]) == 0
    assert "data_view_executions" in json.loads(capsys.readouterr().out)
    assert main(["flywheel", "api", "projects"]) == 0
    assert "get_project" in capsys.readouterr().out.splitlines()
    assert main(["flywheel", "api", "projects", "get_project", "--describe"]) == 0
    assert "  project_id (required): str" in capsys.readouterr().out.splitlines()
