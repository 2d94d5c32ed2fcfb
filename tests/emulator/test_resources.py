"""What the service refuses, and what changes with what. That all methods work is proven by the official client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator.conftest import Api

H = "0123456789abcdef0123456789abcdef"
FIELDS = {
    "total": {"type": "amount"},
    "kind": {"type": "enum", "enum": ["a", "b"]},
    "code": {"type": "digits", "maxLength": 4},
}


def test_seeds(api: Api) -> None:
    organization = api.ok("GET", "/organizations/me")
    assert organization == api.ok("GET", f"/organizations/{organization['organizationId']}")
    assert api.ok("GET", f"/plans/{organization['planId'].replace('/', '%2F')}")["name"] == "Free"
    names = [model["modelId"] for model in api.ok("GET", "/models", owner="las:organization:cradl")["models"]]
    assert names == ["las:model:invoice", "las:model:receipt"]
    assert api.ok("GET", "/models")["models"] == []
    assert len(api.ok("GET", "/roles")["roles"]) == 3
    assert [log.get("events") for log in api.ok("GET", "/logs")["logs"]] == [None, None]


@pytest.mark.parametrize(
    "path",
    [
        "/models/las%3Amodel%3Ainvoice",
        "/models/las%3Aorganization%3Aother%2Flas%3Amodel%3Ainvoice",
        "/plans/las%3Aorganization%3Aother%2Flas%3Aplan%3Apro",
        "/plans/las%3Aplan%3Apro%3A2",
        "/deploymentEnvironments/none",
        "/documents/none",
        "/batches",
        "/logs/a/b",
    ],
)
def test_unknown(api: Api, path: str) -> None:
    api.refused(404, "GET", path)


def test_outside_the_api(api: Api) -> None:
    for path in ("/", "/v2/assets", "/v1"):
        response = api.http.get(path)
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"})
    response = api.http.put("/v1/assets")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json; charset=utf-8", b"{}", 200),
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b'{"metadata": {"a": NaN}}', 400),
        ("application/json", b'{"name": "\xff"}', 400),
    ],
)
def test_bodies(api: Api, content_type: str, body: bytes, status: int) -> None:
    request = httpx.Request(
        "POST",
        f"{api.server.url}/v1/datasets",
        content=body,
        headers={"authorization": api.http.headers["authorization"], "content-type": content_type},
    )
    response = api.http.send(request)
    assert response.status_code == status, response.text


def test_closed_and_not_empty(api: Api) -> None:
    dataset = api.ok("POST", "/datasets", {"retentionInDays": 30})["datasetId"]
    assert api.refused(400, "POST", "/datasets", {"nam": "x"}) == "body: 'nam' is not known"
    assert api.refused(400, "PATCH", f"/datasets/{dataset}", {}) == "body: has fewer than 1 properties"
    assert api.refused(400, "POST", "/datasets", {"name": "x" * 4097}) == "body.name: has more than 4096 characters"
    assert api.refused(400, "GET", "/datasets", limit=1) == "query: 'limit' is not known"
    assert api.ok("PATCH", f"/datasets/{dataset}", {"name": None})["version"] == 1


def test_references_must_exist(api: Api) -> None:
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/documents", {"datasetId": f"las:dataset:{H}"}),
        ("POST", "/appClients", {"roleIds": ["las:role:none"]}),
        ("POST", "/users", {"email": "a@b.no", "appClientId": "las:app-client:none"}),
        ("PATCH", "/organizations/me", {"paymentMethodId": f"las:payment-method:{H}"}),
        ("POST", "/predictions", {"documentId": f"las:document:{H}", "modelId": "las:model:invoice"}),
        ("POST", "/transitions", {"transitionType": "manual", "parameters": {"assets": {"x": f"las:asset:{H}"}}}),
        *(
            ("POST", "/transitions", {"transitionType": "docker", "parameters": {"imageUrl": "x", **secret}})
            for secret in ({"secretId": f"las:secret:{H}"}, {"environmentSecrets": [f"las:secret:{H}"]})
        ),
        ("POST", "/models", {"fieldConfig": FIELDS, "metadata": {"baseModel": {"modelId": "las:model:none"}}}),
    ]
    for method, path, body in cases:
        assert api.refused(404, method, path, body).startswith("There is no such"), path


def test_content_must_be_base64(api: Api) -> None:
    for path in ("/assets", "/documents"):
        assert api.refused(400, "POST", path, {"content": "a?b"}) == "body.content: is not base64"
        assert api.refused(400, "POST", path, {"content": "ø"}) == "body.content: is not base64"
    asset = api.ok("POST", "/assets", {"content": "YQ=="})
    assert asset["contentMD5"] == "DMF1ucDxtqgxw5niaXcmYQ=="
    api.refused(400, "PATCH", f"/assets/{asset['assetId']}", {"content": "?"})
    assert api.ok("PATCH", f"/assets/{asset['assetId']}", {"name": "n"})["contentMD5"] == asset["contentMD5"]


def test_users_and_payment(api: Api) -> None:
    user = {"email": "a@b.no", "appClientId": "las:app-client:emulator"}
    api.ok("POST", "/users", user)
    assert "already" in api.refused(400, "POST", "/users", user)
    assert "'name' is not known" in api.refused(400, "POST", "/users", user | {"name": "n"})
    method = api.ok("POST", "/paymentMethods", {})
    path = f"/paymentMethods/{method['paymentMethodId']}"
    assert "secret" in api.refused(400, "PATCH", path, {"stripeSetupIntentSecret": "other"})
    assert api.ok("PATCH", path, {"name": "n"})["details"] is None


def test_documents(api: Api) -> None:
    dataset = api.ok("POST", "/datasets", {})["datasetId"]
    truth = [{"label": "total", "value": "1"}]
    made = api.ok("POST", "/documents", {"groundTruth": truth, "consentId": f"las:consent:{H}", "name": "n"})
    path = f"/documents/{made['documentId']}"
    assert (made["groundTruth"], made["name"], made["contentType"]) == (truth, "n", None)
    assert "groundTruth" not in api.ok("PATCH", path, {"groundTruth": None})
    assert api.ok("PATCH", path, {"datasetId": dataset})["datasetId"] == dataset
    assert api.ok("GET", f"/datasets/{dataset}")["numberOfDocuments"] == 1
    assert len(api.ok("GET", "/documents", documentId=made["documentId"])["documents"]) == 1
    listed = api.ok("GET", "/documents", consentId=[f"las:consent:{H}"], datasetId=dataset)
    assert (listed["consentId"], listed["datasetId"], len(listed["documents"])) == ([f"las:consent:{H}"], [dataset], 1)
    assert "still has documents" in api.refused(400, "DELETE", f"/datasets/{dataset}")
    api.ok("DELETE", path)
    api.ok("DELETE", f"/datasets/{dataset}")


def test_the_count_of_a_dataset_may_lag(make_api: Callable[..., Api]) -> None:
    api = make_api(count_lag_polls=2)
    dataset = api.ok("POST", "/datasets", {})["datasetId"]
    for _ in range(2):
        api.ok("POST", "/documents", {"datasetId": dataset, "content": "YQ=="})
    api.ok("DELETE", "/documents", datasetId=dataset)
    api.refused(400, "DELETE", f"/datasets/{dataset}")
    assert api.ok("GET", "/datasets")["datasets"][0]["numberOfDocuments"] == 2
    assert [api.ok("GET", f"/datasets/{dataset}")["numberOfDocuments"] for _ in range(2)] == [2, 0]
    api.ok("DELETE", f"/datasets/{dataset}")


def test_legacy_fields(make_api: Callable[..., Api]) -> None:
    api = make_api(legacy_fields=True)
    model = api.ok("POST", "/models", {"fieldConfig": FIELDS, "width": 1280, "height": 800})
    assert (model["width"], model["height"]) == (1280, 800)
    assert api.ok("PATCH", f"/models/{model['modelId']}", {"status": "active"})["status"] == "active"
    user = {"email": "a@b.no", "appClientId": "las:app-client:emulator", "name": "n", "avatar": None}
    assert api.ok("POST", "/users", user)["name"] == "n"
    schema = {"inputJsonSchema": {"title": "in"}}
    assert api.ok("POST", "/transitions", {"transitionType": "manual", **schema})["inputJsonSchema"] == {"title": "in"}


def test_models_go_with_their_children(api: Api) -> None:
    dataset = api.ok("POST", "/datasets", {})["datasetId"]
    model = f"/models/{api.ok('POST', '/models', {'fieldConfig': FIELDS})['modelId']}"
    bundle = api.ok("POST", f"{model}/dataBundles", {"datasetIds": [dataset]})["dataBundleId"]
    training = api.ok("POST", f"{model}/trainings", {"dataBundleIds": [bundle]})["trainingId"]
    shown = api.ok("GET", model)
    assert (shown["numberOfDataBundles"], shown["numberOfRunningTrainings"]) == (1, 1)
    assert api.ok("GET", f"{model}/dataBundles", status="succeeded")["dataBundles"] == []
    assert len(api.ok("GET", f"{model}/trainings", status="pending")["trainings"]) == 1
    api.state.settle()
    assert api.ok("GET", f"{model}/dataBundles/{bundle}")["status"] == "succeeded"
    assert "succeeded already" in api.refused(400, "PATCH", f"{model}/trainings/{training}", {"status": "cancelled"})
    api.ok("PATCH", f"{model}", {"trainingId": training})
    assert api.ok("PATCH", f"{model}", {"trainingId": None})["status"] == "inactive"
    api.refused(404, "PATCH", f"{model}", {"trainingId": "las:model-training:none"})
    api.ok("DELETE", model)
    assert not [*api.state.tables.data_bundles, *api.state.tables.trainings]


def predict(api: Api, content: str | None = "JVBERi0xLjQ=", **more: Any) -> tuple[int, dict[str, Any]]:
    body = {"groundTruth": [{"label": "total_amount", "value": "9.50"}]} | ({"content": content} if content else {})
    document = api.ok("POST", "/documents", body)["documentId"]
    model = "las:organization:cradl/las:model:invoice"
    response = api.send("POST", "/predictions", {"documentId": document, "modelId": model, **more})
    return response.status_code, response.json()


def test_predictions_take_looks(make_api: Callable[..., Api]) -> None:
    api = make_api(pending_polls=2)
    _, made = predict(api, **{"async": True}, maxPages=2, rotation=90)
    assert (made["status"], made["predictions"]) == ("pending", None)
    assert made["preprocessConfig"] == {"autoRotate": False, "imageQuality": "LOW", "maxPages": 2, "rotation": 90}
    path = f"/predictions/{made['predictionId']}"
    seen = [api.ok("GET", path)["status"] for _ in range(4)]
    assert seen == ["pending", "pending", "succeeded", "succeeded"]
    values = {item["label"]: item["value"] for item in api.ok("GET", path)["predictions"]}
    assert values == {
        "total_amount": "9.50",
        "due_date": "2024-11-29",
        "invoice_id": "emulated",
        "currency": "emulated",
    }


def test_predictions_without_a_file(api: Api) -> None:
    assert predict(api, None) == (400, {"message": "The document has no file"})
    _, made = predict(api, None, **{"async": True})
    api.state.settle()
    failed = api.ok("GET", f"/predictions/{made['predictionId']}")
    assert (failed["status"], failed["error"]) == ("failed", "The document has no file")


def test_predictions_of_all_kinds(api: Api) -> None:
    fields = FIELDS | {"rows": {"type": "lines", "fields": {"price": {"type": "amount"}}}}
    model = api.ok("POST", "/models", {"fieldConfig": fields})["modelId"]
    _, made = predict(api, modelId=model)
    assert [item["value"] for item in made["predictions"][:3]] == ["1234.50", "a", "0123"]
    assert made["predictions"][3]["value"][0][0]["value"] == "1234.50"
    api_id = made["documentId"]
    body = {"documentId": api_id, "modelId": model, "trainingId": "las:model-training:none"}
    api.refused(404, "POST", "/predictions", body)


def test_a_transformation_removes_duplicates(api: Api) -> None:
    dataset = api.ok("POST", "/datasets", {})["datasetId"]
    for content in ("YQ==", "YQ==", "Yg==", None, None):
        body = {"datasetId": dataset} | ({} if content is None else {"content": content})
        api.ok("POST", "/documents", body)
    path = f"/datasets/{dataset}/transformations"
    one, two = (api.ok("POST", path, {"operations": [{"type": "remove-duplicates"}]}) for _ in range(2))
    assert api.ok("DELETE", f"{path}/{one['transformationId']}")["status"] == "failed"
    assert api.ok("GET", f"/datasets/{dataset}")["numberOfDocuments"] == 5
    api.state.settle()
    assert api.ok("GET", path, status="succeeded")["transformations"][0]["transformationId"] == two["transformationId"]
    assert api.ok("GET", f"/datasets/{dataset}")["numberOfDocuments"] == 4
    assert api.ok("DELETE", f"{path}/{two['transformationId']}")["status"] == "succeeded"
