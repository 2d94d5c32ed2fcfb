"""Facts about files: by the container and name, or by the file's id."""

from __future__ import annotations

from asyncclient.testing._contract import Refusal
from asyncclient.testing.flywheel.contents import in_thread, zip_info
from asyncclient.testing.flywheel.filters import matches
from asyncclient.testing.flywheel.handlers.containers import conditions_of
from asyncclient.testing.flywheel.handlers.marks import change_info
from asyncclient.testing.flywheel.listing import listed
from asyncclient.testing.flywheel.route import Call, Table, handles
from asyncclient.testing.flywheel.shown import shown_file, shown_inputs
from asyncclient.testing.flywheel.store import restore
from asyncclient.testing.flywheel.tables import Container, Json, Series, Version, now

__all__ = ["TABLE"]

TABLE: Table = {}


def _newest(call: Call) -> Version:
    return call.container.series(call.args[1]).version(None)


@handles(TABLE, "GET */{}/files/{}/info")
def get_file_info(call: Call) -> Json:
    container = call.container
    return shown_file(container, container.series(call.args[1]), _newest(call))


@handles(TABLE, "GET analyses/{}/inputs/{}/info")
def get_input_info(call: Call) -> Json:
    for item in shown_inputs(call.state, call.container):
        if item["name"] == call.args[1]:
            return item
    raise Refusal(404, "File not found")


@handles(TABLE, "PUT */{}/files/{}")
def modify_file(call: Call) -> Json:
    version = _newest(call)
    version.data |= {name: value for name, value in call.body.items() if name in ("type", "modality")}
    version.modified = now()
    return {"modified": 1}


@handles(TABLE, "PATCH */{}/files/{}/info")
def modify_info(call: Call) -> Json:
    version = _newest(call)
    version.info = change_info(version.info, call.body)
    version.modified = now()
    return {"modified": 1}


@handles(TABLE, "PATCH */{}/files/{}/classification")
def modify_classification(call: Call) -> Json:
    version, body = _newest(call), call.body
    found = {name: list(values) for name, values in version.data.get("classification", {}).items()}
    if body.get("replace") is not None:
        found = {name: list(values) for name, values in body["replace"].items()}
    for name, values in (body.get("add") or {}).items():
        found[name] = list(dict.fromkeys([*found.get(name, ()), *values]))
    for name, values in (body.get("delete") or {}).items():
        found[name] = [value for value in found.get(name, ()) if value not in values]
    version.data["classification"] = {name: values for name, values in found.items() if values}
    if body.get("modality") is not None:
        version.data["modality"] = body["modality"]
    version.modified = now()
    return {"modified": 1}


@handles(TABLE, "DELETE */{}/files/{}")
def delete_named_file(call: Call) -> Json:
    container = call.container
    return {"deleted": _delete(container, container.series(call.args[1]), None)}


def _delete(container: Container, series: Series, number: int | None) -> int:
    found = [item for item in series.versions if item.deleted is None and number in (None, item.number)]
    for version in found:
        version.deleted = now()
    if found:
        container.touch()
    return 1 if found else 0


def _file(call: Call) -> tuple[Container, Series, Version]:
    container, series = call.state.file(call.args[0])
    return container, series, series.version(call.query.get("version"))


@handles(TABLE, "GET files")
def list_files(call: Call) -> Json | list[Json]:
    rows = [(row, *pair) for row in call.state.containers.values() for pair in row.live_files()]
    rows.sort(key=lambda row: row[1].file_id)
    return listed(
        rows, lambda row: shown_file(*row), call.query, paged=True, ids=lambda row: (row[1].file_id, row[2].id)
    )


@handles(TABLE, "GET files/{}")
def get_file(call: Call) -> Json:
    return shown_file(*_file(call))


@handles(TABLE, "DELETE files/{}")
def delete_file(call: Call) -> Json:
    container, series, _ = _file(call)
    return {"deleted": _delete(container, series, call.query.get("version"))}


@handles(TABLE, "DELETE files")
def delete_by_ids(call: Call) -> Json:
    found = [call.state.files[item] for item in call.body if item in call.state.files]
    deleted = sum(_delete(*pair, None) for pair in found)
    return {"deleted": deleted, "not_found": len(call.body) - deleted}


@handles(TABLE, "DELETE files/delete_by_query")
def delete_by_query(call: Call) -> Json:
    if not call.body:
        raise Refusal(422, "body: has no filter")
    conditions, deleted = conditions_of(call.body), 0
    for container in list(call.state.containers.values()):
        for series, version in list(container.live_files()):
            if matches(shown_file(container, series, version), conditions):
                deleted += _delete(container, series, None)
    return {"deleted": deleted}


@handles(TABLE, "POST files/{}/move")
def move_file(call: Call) -> Json:
    container, series, _ = _file(call)
    reference = call.body.get("container_reference")
    target = container if reference is None else call.state.get(reference["id"], reference["type"])
    name = call.body.get("name") or series.name
    known = target.files.get(name)
    if known is not None and known is not series and known.newest is not None:
        raise Refusal(409, "There is a file of this name already")
    del container.files[series.name]
    series.name = name
    target.files[name] = series
    call.state.files[series.file_id] = (target, series)
    return {"modified": 1}


@handles(TABLE, "POST files/{}/restore")
def restore_file(call: Call) -> Json:
    container, series = call.state.file(call.args[0])
    wanted = call.query.get("version")
    found = [item for item in series.versions if wanted in (None, item.number)]
    if not found:
        raise Refusal(404, "File not found")
    return shown_file(container, series, restore(call.state, container, series, found[-1], call.origin))


@handles(TABLE, "GET files/{}/tags")
def get_tags(call: Call) -> list[str]:
    return list(_file(call)[2].data.get("tags", ()))


@handles(TABLE, "PUT files/{}/tags")
def set_tags(call: Call) -> Json:
    _file(call)[2].data["tags"] = list(dict.fromkeys(call.body))
    return {"modified": 1}


@handles(TABLE, "PATCH files/{}/tags")
def add_tags(call: Call) -> list[str]:
    data = _file(call)[2].data
    data["tags"] = list(dict.fromkeys([*data.get("tags", ()), *call.body]))
    return list(data["tags"])


@handles(TABLE, "DELETE files/{}/tags")
def delete_tags(call: Call) -> None:
    data = _file(call)[2].data
    data["tags"] = [tag for tag in data.get("tags", ()) if tag not in call.body]


@handles(TABLE, "GET files/{}/versions")
def list_versions(call: Call) -> list[Json]:
    _, series = call.state.file(call.args[0])
    return [
        {
            "file_id": series.file_id,
            "version": item.number,
            "created": item.created,
            "origin": item.origin,
            "deleted": item.deleted,
        }
        for item in series.versions
    ]


@handles(TABLE, "GET files/{}/zip_info")
async def get_zip_info(call: Call) -> Json:
    return await in_thread(zip_info, _file(call)[2].content)
