"""Models, data bundles, trainings."""

from __future__ import annotations

from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Handler, Json, Show, as_it_is
from asyncclient.testing.las.seeds import CRADL_ID, ORGANIZATION_ID
from asyncclient.testing.las.tables import Row, Table

__all__ = ["HANDLERS", "find_model"]

_PREPROCESSING = {"autoRotate": False, "imageQuality": "LOW", "maxPages": 3}
_DONE = ("succeeded", "failed", "cancelled")


def find_model(call: Call, given: str) -> Row:
    """Find a model of the organization by its id, or one of another organization by ``organization/id``.

    Raises:
        Refusal: 404, there is none.
    """
    owner, slash, model_id = given.rpartition("/")
    return call.tables.models.get(model_id, organizationId=owner if slash else ORGANIZATION_ID)


def _shown(call: Call, row: Row) -> Json:
    model_id = row.data["modelId"]
    running = [item for item in call.tables.trainings.where(modelId=model_id) if item.data["status"] not in _DONE]
    bundles = call.tables.data_bundles.where(modelId=model_id)
    return row.data | {"numberOfDataBundles": len(bundles), "numberOfRunningTrainings": len(running)}


def _check_base(call: Call, metadata: Json) -> None:
    base = metadata.get("baseModel")
    if base is not None:
        call.tables.models.get(base.get("modelId"), organizationId=base.get("organizationId"))


def create_model(call: Call) -> Json:
    body = call.body
    _check_base(call, body.get("metadata", {}))
    optional = ("postprocessConfig", "width", "height")
    row = call.tables.models.add(
        {
            "organizationId": ORGANIZATION_ID,
            "fieldConfig": body["fieldConfig"],
            "preprocessConfig": body.get("preprocessConfig", _PREPROCESSING),
            "metadata": body.get("metadata"),
            "status": "inactive",
            "trainingId": None,
            **{name: body[name] for name in optional if name in body},
            **call.named(),
        }
    )
    return _shown(call, row)


def get_model(call: Call) -> Json:
    row = find_model(call, call.params["modelId"])
    answer = _shown(call, row)
    if "statisticsLastNDays" in call.query:
        answer["statistics"] = _statistics(call, modelId=row.data["modelId"])
    return answer


def _statistics(call: Call, **wanted: str) -> Json:
    return {
        "days": call.query["statisticsLastNDays"],
        "numberOfPredictions": len(call.tables.predictions.where(**wanted)),
    }


def list_models(call: Call) -> Json:
    owners: list[str] = call.query.get("owner") or [ORGANIZATION_ID]
    return call.page([row for row in call.tables.models if row.data["organizationId"] in owners], _shown)


def update_model(call: Call) -> Json:
    row = _own_model(call)
    values = dict(call.body)
    if "trainingId" in values:
        training_id = values["trainingId"]
        if training_id is not None:
            call.tables.trainings.get(training_id, modelId=row.data["modelId"])
        values["status"] = "inactive" if training_id is None else "active"
    call.change(row, values)
    return _shown(call, row)


def _own_model(call: Call) -> Row:
    return find_model(call, call.params["modelId"])


def delete_model(call: Call) -> Json:
    row = _own_model(call)
    answer = _shown(call, row)
    for table in (call.tables.data_bundles, call.tables.trainings):
        for child in table.where(modelId=row.data["modelId"]):
            table.remove(child)
    call.tables.models.remove(row)
    return answer


def create_data_bundle(call: Call) -> Json:
    model = _own_model(call)
    datasets = [_snapshot(call, call.tables.datasets.get(item)) for item in call.body["datasetIds"]]
    row = call.tables.data_bundles.add(
        {
            "modelId": model.data["modelId"],
            "datasets": datasets,
            "status": "running",
            "summary": None,
            **call.named(),
        }
    )
    return call.job(row, _bundled).data


def _snapshot(call: Call, dataset: Row) -> Json:
    documents = call.tables.documents.where(datasetId=dataset.data["datasetId"])
    return dataset.data | {"numberOfDocuments": len(documents)}


def _bundled(row: Row) -> None:
    documents = sum(dataset["numberOfDocuments"] for dataset in row.data["datasets"])
    row.data.update(status="succeeded", summary={"numberOfDocuments": documents})


def create_training(call: Call) -> Json:
    model = _own_model(call)
    body = call.body
    for bundle_id in body["dataBundleIds"]:
        call.tables.data_bundles.get(bundle_id, modelId=model.data["modelId"])
    row = call.tables.trainings.add(
        {
            "modelId": model.data["modelId"],
            "dataBundleIds": body["dataBundleIds"],
            "dataScientistAssistance": body.get("dataScientistAssistance", False),
            "deploymentEnvironmentId": None,
            "evaluation": {},
            "gpuHours": None,
            "instanceType": body.get("instanceType") or "small-gpu",
            "metadata": body.get("metadata"),
            "status": "pending",
            "warmStartConfig": body.get("warmStartConfig", {}),
            **call.named(),
        }
    )
    return call.job(row, _trained).data


def _trained(row: Row) -> None:
    environment = f"{CRADL_ID}/las:deployment-environment:shared"
    row.data.update(
        status="succeeded", gpuHours=0.5, deploymentEnvironmentId=environment, evaluation={"accuracy": 0.97}
    )


def get_training(call: Call) -> Json:
    row = _child(call, call.tables.trainings, "trainingId")
    row.poll()
    if "statisticsLastNDays" in call.query:
        return row.data | {"statistics": _statistics(call, trainingId=row.data["trainingId"])}
    return row.data


def update_training(call: Call) -> Json:
    row = _child(call, call.tables.trainings, "trainingId")
    if call.body.get("status") == "cancelled":
        if row.data["status"] in _DONE:
            raise Refusal(400, f"The training has {row.data['status']} already")
        row.unfinished_polls = None
    call.change(row, call.body)
    return row.data


def _child(call: Call, table: Table, param: str) -> Row:
    """Find a row that belongs to the model in the path."""
    return table.get(call.params[param], modelId=_own_model(call).data["modelId"])


def get_data_bundle(call: Call) -> Json:
    row = _child(call, call.tables.data_bundles, "dataBundleId")
    row.poll()
    return row.data


def update_data_bundle(call: Call) -> Json:
    row = _child(call, call.tables.data_bundles, "dataBundleId")
    call.change(row, call.body)
    return row.data


def delete_data_bundle(call: Call) -> Json:
    row = _child(call, call.tables.data_bundles, "dataBundleId")
    call.tables.data_bundles.remove(row)
    return row.data


def _children(table: str, show: Show = as_it_is) -> Handler:
    def listed(call: Call) -> Json:
        rows: Table = getattr(call.tables, table)
        mine = rows.where(modelId=_own_model(call).data["modelId"])
        status: Any = call.query.get("status")
        wanted = [row for row in mine if status is None or row.data["status"] == status]
        answer = call.page(wanted, show)
        return answer | ({} if status is None else {"status": [status]})

    return listed


HANDLERS: dict[str, Handler] = {
    "create_model": create_model,
    "get_model": get_model,
    "list_models": list_models,
    "update_model": update_model,
    "delete_model": delete_model,
    "create_data_bundle": create_data_bundle,
    "get_data_bundle": get_data_bundle,
    "list_data_bundles": _children("data_bundles"),
    "update_data_bundle": update_data_bundle,
    "delete_data_bundle": delete_data_bundle,
    "create_training": create_training,
    "get_training": get_training,
    "list_trainings": _children("trainings"),
    "update_training": update_training,
}
