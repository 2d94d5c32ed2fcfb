"""Predictions: what a model reads in a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Handler, Json, as_it_is
from asyncclient.testing.las.handlers.models import find_model
from asyncclient.testing.las.tables import Row

__all__ = ["HANDLERS", "predicted"]

_GUESSES = {
    "amount": "1234.50",
    "date": "2024-11-29",
    "digits": "0123456789",
    "numeric": "42",
    "string": "emulated",
}


def predicted(field_config: Json, ground_truth: list[Json]) -> list[Json]:
    """Return what the model reads: the ground truth where the document has it, made-up values elsewhere."""
    known = {item["label"]: item["value"] for item in ground_truth}
    found: list[Json] = []
    for label, config in field_config.items():
        if config["type"] == "lines":
            found.append({"label": label, "value": [predicted(config["fields"], [])], "page": 0})
            continue
        certain = isinstance(known.get(label), (str, int, float))
        value = str(known[label]) if certain else _guess(config)
        confidence = 0.99 if certain else 0.75
        found.append({"label": label, "value": value or None, "confidence": confidence, "page": 0})
    return found


def _guess(config: Json) -> str:
    if config["type"] == "enum" or "enum" in config:
        return str(next(iter(config.get("enum", [])), "emulated"))
    return _GUESSES[config["type"]][: config.get("maxLength", 1024)]


def create_prediction(call: Call) -> Json:
    body = call.body
    document = call.tables.documents.get(body["documentId"])
    model = find_model(call, body["modelId"])
    training_id = body.get("trainingId", model.data["trainingId"])
    if "trainingId" in body and training_id != model.data["trainingId"]:
        call.tables.trainings.get(training_id, modelId=model.data["modelId"])
    wait = not body.get("async", False)
    if wait and "blob" not in document.hidden:
        raise Refusal(400, "The document has no file")
    row = call.tables.predictions.add(
        {
            "documentId": body["documentId"],
            "modelId": body["modelId"],
            "trainingId": training_id,
            "preprocessConfig": dict(_preprocessing(body, model)),
            "postprocessConfig": body.get("postprocessConfig", model.data.get("postprocessConfig")),
            "status": "pending",
            "predictions": None,
            "nextPage": None,
            "inferenceTime": None,
            "createdBy": call.caller,
            "createdTime": call.created()["createdTime"],
        }
    )
    call.job(row, lambda done: _finish(done, document, model))
    if wait:
        row.settle()
    return row.data


def _preprocessing(body: Json, model: Row) -> Iterator[tuple[str, Any]]:
    yield from model.data["preprocessConfig"].items()
    yield from body.get("preprocessConfig", {}).items()
    yield from ((name, body[name]) for name in ("maxPages", "autoRotate", "imageQuality", "rotation") if name in body)


def _finish(row: Row, document: Row, model: Row) -> None:
    if "blob" not in document.hidden:
        row.data.update(status="failed", error="The document has no file")
        return
    values = predicted(model.data["fieldConfig"], document.data.get("groundTruth", []))
    row.data.update(status="succeeded", predictions=values, inferenceTime=0.25)


def get_prediction(call: Call) -> Json:
    row = call.tables.predictions.get(call.params["predictionId"])
    row.poll()
    return row.data


def list_predictions(call: Call) -> Json:
    wanted = {"modelId": call.query["modelId"]} if "modelId" in call.query else {}
    return call.page(call.tables.predictions.where(**wanted), as_it_is)


HANDLERS: dict[str, Handler] = {
    "create_prediction": create_prediction,
    "get_prediction": get_prediction,
    "list_predictions": list_predictions,
}
