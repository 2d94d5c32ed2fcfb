"""Drive every method of the official las client against an emulator.

This script runs in a virtual environment of its own, where the official client is installed and this project is not. It gets
the credentials as JSON in ``OFFICIAL_LAS_CREDENTIALS`` and writes a report as JSON to standard output: for each method
how often it was called, and what went wrong with it if anything did. It never stops at the first failure.
"""

from __future__ import annotations

import base64
import contextlib
import inspect
import io
import json
import os
import pathlib
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import las
from las.client import BadRequest, EmptyRequestError, InvalidCredentialsException, NotFound

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 4096
JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 100
HEX = "0123456789abcdef0123456789abcdef"
FIELDS = {"total": {"type": "amount", "maxLength": 10}, "due": {"type": "date"}}

calls: dict[str, int] = {}
errors: dict[str, str] = {}


class Forged(las.Credentials):
    access_token = "never-issued"


class Recorded:
    """The client, with a count of what is called on it."""

    def __init__(self, client: las.Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return method(*args, **kwargs)

        return call


@contextlib.contextmanager
def proving(*methods: str) -> Iterator[None]:
    """Blame what fails inside on these methods, and go on."""
    try:
        yield
    except Exception:
        for method in methods:
            errors.setdefault(method, traceback.format_exc(limit=-4))


@contextlib.contextmanager
def refused(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def eq(actual: Any, expected: Any) -> None:
    assert actual == expected, f"{actual!r} != {expected!r}"


def within(part: dict[str, Any], whole: dict[str, Any]) -> None:
    eq({name: whole.get(name) for name in part}, part)


def ids(answer: dict[str, Any], items: str, key: str) -> list[str]:
    return [item[key] for item in answer[items]]


def app_clients(client: Any) -> None:
    with proving("create_app_client"):
        made = client.create_app_client(
            logout_urls=["https://a.example/out"], callback_urls=["http://localhost:3000/cb"], name="Næme"
        )
        assert made["hasSecret"], made
        eq(made["name"], "Næme")
        assert not client.create_app_client(generate_secret=False)["hasSecret"]
    with proving("get_app_client"):
        got = client.get_app_client(made["appClientId"])
        assert "clientSecret" not in got, got
        eq(got["clientId"], made["clientId"])
        with refused(NotFound):
            client.get_app_client("las:app-client:none")
    with proving("list_app_clients"):
        assert made["appClientId"] in ids(client.list_app_clients(), "appClients", "appClientId")
        page = client.list_app_clients(max_results=1)
        eq(len(page["appClients"]), 1)
        following = client.list_app_clients(max_results=1, next_token=page["nextToken"])
        assert following["appClients"] != page["appClients"]
    with proving("update_app_client"):
        within(
            {"description": None, "roleIds": ["las:role:admin"]},
            client.update_app_client(made["appClientId"], description=None, role_ids=["las:role:admin"]),
        )
        with refused(EmptyRequestError):
            client.update_app_client(made["appClientId"])
    with proving("delete_app_client"):
        eq(client.delete_app_client(made["appClientId"])["appClientId"], made["appClientId"])
        with refused(NotFound):
            client.delete_app_client(made["appClientId"])


def assets(client: Any, folder: pathlib.Path) -> dict[str, Any]:
    path = folder / "remote component.js"
    path.write_bytes(b"export default {};")
    with proving("create_asset"):
        made = client.create_asset(path, name="component", description=None)
        client.create_asset(io.BytesIO(b"abcd"))
        client.create_asset(str(path))
    with proving("get_asset"):
        eq(base64.b64decode(client.get_asset(made["assetId"])["content"]), b"export default {};")
    with proving("list_assets"):
        page = client.list_assets(max_results=2)
        eq(len(page["assets"]), 2)
        assert "content" not in page["assets"][0], page
        eq(len(client.list_assets(max_results=2, next_token=page["nextToken"])["assets"]), 1)
    with proving("update_asset"):
        changed = client.update_asset(made["assetId"], content=b"let x = 1;", name="other")
        eq(changed["name"], "other")
        eq(base64.b64decode(client.get_asset(made["assetId"])["content"]), b"let x = 1;")
    with proving("delete_asset"):
        gone = client.create_asset(b"\x00gone")
        client.delete_asset(gone["assetId"])
        with refused(NotFound):
            client.get_asset(gone["assetId"])
    return made


def payment(client: Any) -> None:
    with proving("create_payment_method"):
        made = client.create_payment_method(name="card")
        assert made["stripeSetupIntentSecret"], made
    with proving("get_payment_method"):
        within({"name": "card", "details": None}, client.get_payment_method(made["paymentMethodId"]))
    with proving("list_payment_methods"):
        eq(ids(client.list_payment_methods(), "paymentMethods", "paymentMethodId"), [made["paymentMethodId"]])
    with proving("update_payment_method"):
        changed = client.update_payment_method(
            made["paymentMethodId"], stripe_setup_intent_secret=made["stripeSetupIntentSecret"], description="d"
        )
        assert changed["details"], changed
        eq(changed["description"], "d")
    with proving("get_organization"):
        organization = client.get_organization("me")
        eq(client.get_organization(organization["organizationId"])["name"], organization["name"])
        with refused(NotFound):
            client.get_organization("las:organization:other")
    with proving("update_organization"):
        changed = client.update_organization("me", payment_method_id=made["paymentMethodId"], name="Nøw")
        within({"paymentMethodId": made["paymentMethodId"], "name": "Nøw"}, changed)
    with proving("delete_payment_method"):
        client.delete_payment_method(made["paymentMethodId"])
        with refused(NotFound):
            client.get_payment_method(made["paymentMethodId"])


def catalogue(client: Any) -> None:
    with proving("list_plans", "get_plan"):
        plans = client.list_plans(owner="las:organization:cradl")["plans"]
        eq(client.get_plan(plans[0]["planId"]), plans[0])
        eq(client.get_plan("las:organization:cradl/las:plan:pro:@latest")["name"], "Pro")
        eq(client.list_plans(owner=["las:organization:nobody"])["plans"], [])
    with proving("list_deployment_environments", "get_deployment_environment"):
        found = client.list_deployment_environments()["deploymentEnvironments"]
        eq(client.get_deployment_environment(found[0]["deploymentEnvironmentId"]), found[0])
        composite = "las:organization:cradl/las:deployment-environment:shared"
        eq(client.get_deployment_environment(composite)["status"], "available")
    with proving("list_roles", "get_role"):
        roles = client.list_roles(max_results=1)
        eq(len(roles["roles"]), 1)
        assert roles["nextToken"]
        eq(client.get_role(roles["roles"][0]["roleId"]), roles["roles"][0])
    with proving("list_logs", "get_log"):
        logs = client.list_logs(workflow_id=f"las:workflow:{HEX}")
        eq(len(logs["logs"]), 2)
        assert client.get_log(logs["logs"][0]["logId"])["events"]
        eq(client.list_logs(transition_id="las:transition:" + "f" * 32)["logs"], [])


def secrets_and_users(client: Any) -> dict[str, Any]:
    with proving("create_secret"):
        secret = client.create_secret({"username": "u", "password": 'b"å\\r'}, name="s")
        assert "data" not in secret, secret
    with proving("list_secrets"):
        eq(ids(client.list_secrets(), "secrets", "secretId"), [secret["secretId"]])
    with proving("update_secret"):
        eq(client.update_secret(secret["secretId"], data={"k": "v"}, description="d")["description"], "d")
    with proving("delete_secret"):
        gone = client.create_secret({"a": "b"})
        client.delete_secret(gone["secretId"])
        with refused(NotFound):
            client.delete_secret(gone["secretId"])
    application = client.list_app_clients()["appClients"][0]["appClientId"]
    with proving("create_user"):
        user = client.create_user("a@example.com", app_client_id=application, role_ids=["las:role:viewer"])
        eq(user["status"], "invite_pending")
        with refused(BadRequest):
            client.create_user("not an address", app_client_id=application)
    with proving("get_user"):
        eq(client.get_user(user["userId"])["userId"], user["userId"])
    with proving("list_users"):
        eq(ids(client.list_users(), "users", "userId"), [user["userId"]])
    with proving("update_user"):
        eq(client.update_user(user["userId"], role_ids=None)["roleIds"], [])
    with proving("delete_user"):
        client.delete_user(user["userId"])
        with refused(NotFound):
            client.get_user(user["userId"])
    return secret


def datasets(client: Any) -> dict[str, Any]:
    with proving("create_dataset"):
        made = client.create_dataset(name="set", metadata={"team": "æøå"})
        within({"numberOfDocuments": 0, "metadata": {"team": "æøå"}}, made)
        client.create_dataset()
    with proving("get_dataset"):
        eq(client.get_dataset(made["datasetId"])["name"], "set")
    with proving("list_datasets"):
        eq(len(client.list_datasets()["datasets"]), 2)
    with proving("update_dataset"):
        eq(client.update_dataset(made["datasetId"], {"n": 1}, description="d")["metadata"], {"n": 1})
    return made


def documents(client: Any, dataset: dict[str, Any], folder: pathlib.Path) -> dict[str, Any]:
    dataset_id = dataset["datasetId"]
    path = folder / "invoice.pdf"
    path.write_bytes(PDF)
    with proving("create_document"):
        made = client.create_document(
            path,
            consent_id=f"las:consent:{HEX}",
            dataset_id=dataset_id,
            ground_truth=[{"label": "total", "value": "54.50"}, {"label": "paid", "value": True}],
            retention_in_days=30,
            metadata={"foo": "bar"},
        )
        client.create_document(JPEG, "image/jpeg", dataset_id=dataset_id)
        client.create_document(io.BytesIO(JPEG), dataset_id=dataset_id)
        with refused(BadRequest):
            client.create_document(PDF, retention_in_days=0)
        with refused(EmptyRequestError):
            client.create_document(b"")
    with proving("get_document"):
        got = client.get_document(made["documentId"])
        eq(base64.b64decode(got["content"]), PDF)
        eq(got["contentType"], "application/pdf")
        sized = client.get_document(made["documentId"], width=100, page=-1, rotation=90, quality="low")
        eq(base64.b64decode(sized["content"]), PDF)
        with refused(BadRequest):
            client.get_document(made["documentId"], rotation=45)
    with proving("list_documents"):
        page = client.list_documents(dataset_id=[dataset_id], max_results=2, order="descending", sort_by="createdTime")
        eq(len(page["documents"]), 2)
        rest = client.list_documents(
            dataset_id=dataset_id, order="descending", sort_by="createdTime", next_token=page["nextToken"]
        )
        eq(ids(rest, "documents", "documentId"), [made["documentId"]])
        eq(len(client.list_documents(consent_id=f"las:consent:{HEX}")["documents"]), 1)
        with refused(BadRequest):
            client.list_documents(next_token="tok/en+1=")
    with proving("update_document"):
        changed = client.update_document(made["documentId"], [{"label": "due", "value": None}], metadata={"a": 1})
        eq(changed["groundTruth"], [{"label": "due", "value": None}])
        eq(changed["metadata"], {"a": 1})
    with proving("create_transformation", "list_transformations"):
        started = client.create_transformation(dataset_id, [{"type": "remove-duplicates"}])
        eq(started["status"], "running")
        while client.list_transformations(dataset_id, status=["running"])["transformations"]:
            pass
        eq(client.get_dataset(dataset_id)["numberOfDocuments"], 2)
    with proving("delete_transformation"):
        client.delete_transformation(dataset_id, started["transformationId"])
        eq(client.list_transformations(dataset_id)["transformations"], [])
    with proving("delete_document"):
        client.delete_document(client.create_document(JPEG)["documentId"])
    with proving("delete_documents"):
        other = client.create_dataset()["datasetId"]
        for _ in range(3):
            client.create_document(JPEG, dataset_id=other)
        one = client.delete_documents(dataset_id=other, max_results=1)
        eq(len(one["documents"]), 1)
        assert one["nextToken"], one
        eq(len(client.delete_documents(dataset_id=other, delete_all=True)["documents"]), 2)
    with proving("delete_dataset"):
        client.create_document(JPEG, dataset_id=other)
        with refused(BadRequest):
            client.delete_dataset(other)
        client.delete_dataset(other, delete_documents=True)
        with refused(NotFound):
            client.get_dataset(other)
    return made


def models(client: Any, dataset: dict[str, Any], document: dict[str, Any]) -> None:
    with proving("create_model"):
        base = {"organizationId": "las:organization:cradl", "modelId": "las:model:invoice"}
        model = client.create_model(FIELDS, name="model", base_model=base, preprocess_config={"maxPages": 3})
        within({"status": "inactive", "metadata": {"baseModel": base}}, model)
        with refused(BadRequest):
            client.create_model({"total": {"type": "unheard-of"}})
    model_id = model["modelId"]
    with proving("get_model"):
        eq(client.get_model(model_id)["fieldConfig"], FIELDS)
        assert client.get_model(model_id, statistics_last_n_days=7)["statistics"]
        eq(client.get_model("las:organization:cradl/las:model:invoice")["name"], "Invoice")
        with refused(BadRequest):
            client.get_model(model_id, statistics_last_n_days=31)
    with proving("list_models"):
        eq(ids(client.list_models(), "models", "modelId"), [model_id])
        assert "las:model:invoice" in ids(client.list_models(owner="las:organization:cradl"), "models", "modelId")
    bundles(client, model_id, dataset["datasetId"])
    trainings(client, model_id)
    predictions(client, model_id, document["documentId"])
    with proving("delete_model"):
        client.delete_model(model_id)
        with refused(NotFound):
            client.get_model(model_id)


def bundles(client: Any, model_id: str, dataset_id: str) -> None:
    with proving("create_data_bundle"):
        made = client.create_data_bundle(model_id, [dataset_id], name="bundle")
        eq(made["status"], "running")
    bundle_id = made["dataBundleId"]
    with proving("get_data_bundle"):
        while client.get_data_bundle(model_id, bundle_id)["status"] == "running":
            pass
        eq(client.get_data_bundle(model_id, bundle_id)["status"], "succeeded")
    with proving("list_data_bundles"):
        eq(ids(client.list_data_bundles(model_id), "dataBundles", "dataBundleId"), [bundle_id])
    with proving("update_data_bundle"):
        eq(client.update_data_bundle(model_id, bundle_id, name=None)["name"], None)
    with proving("delete_data_bundle"):
        gone = client.create_data_bundle(model_id, [dataset_id])["dataBundleId"]
        client.delete_data_bundle(model_id, gone)
        with refused(NotFound):
            client.get_data_bundle(model_id, gone)


def trainings(client: Any, model_id: str) -> None:
    bundle_id = client.list_data_bundles(model_id)["dataBundles"][0]["dataBundleId"]
    with proving("create_training"):
        made = client.create_training(model_id, [bundle_id], metadata={"a": 1}, data_scientist_assistance=False)
        eq(made["status"], "pending")
    training_id = made["trainingId"]
    with proving("get_training"):
        while client.get_training(model_id, training_id)["status"] != "succeeded":
            pass
        assert client.get_training(model_id, training_id, statistics_last_n_days=30)["statistics"]
    with proving("list_trainings"):
        eq(ids(client.list_trainings(model_id), "trainings", "trainingId"), [training_id])
    with proving("update_training"):
        other = client.create_training(model_id, [bundle_id])["trainingId"]
        eq(client.update_training(model_id, other, status="cancelled", name="n")["status"], "cancelled")
        with refused(BadRequest):
            client.update_training(model_id, training_id, status="succeeded")
    with proving("update_model"):
        changed = client.update_model(model_id, trainingId=training_id, name=None, field_config=FIELDS)
        within({"status": "active", "trainingId": training_id, "name": None}, changed)
        # The official client sends the key training_id here, which the service does not know.
        with refused(BadRequest):
            client.update_model(model_id, training_id=training_id)


def predictions(client: Any, model_id: str, document_id: str) -> None:
    with proving("create_prediction"):
        made = client.create_prediction(document_id, model_id, preprocess_config={"maxPages": 1, "autoRotate": True})
        eq(made["status"], "succeeded")
        eq({item["label"] for item in made["predictions"]}, set(FIELDS))
        shared = "las:organization:cradl/las:model:invoice"
        pending = client.create_prediction(document_id, shared, run_async=True)
        eq(pending["status"], "pending")
    with proving("get_prediction"):
        while client.get_prediction(pending["predictionId"])["status"] == "pending":
            pass
        eq(client.get_prediction(pending["predictionId"])["status"], "succeeded")
    with proving("list_predictions"):
        eq(len(client.list_predictions(order="ascending", sort_by="createdTime")["predictions"]), 2)
        found = client.list_predictions(model_id=model_id)
        eq(ids(found, "predictions", "predictionId"), [made["predictionId"]])


def transitions(client: Any, asset: dict[str, Any], secret: dict[str, Any]) -> str:
    with proving("create_transition"):
        docker = client.create_transition(
            "docker", parameters={"imageUrl": "image:1", "cpu": 256, "secretId": secret["secretId"]}, name="d"
        )
        assets = {"jsRemoteComponent": asset["assetId"]}
        manual = client.create_transition("manual", parameters={"assets": assets})
        with refused(BadRequest):
            client.create_transition("docker", params={"imageUrl": "x"})
    docker_id, manual_id = docker["transitionId"], manual["transitionId"]
    with proving("get_transition"):
        eq(client.get_transition(manual_id)["parameters"], {"assets": assets})
    with proving("list_transitions"):
        eq(ids(client.list_transitions(transition_type="manual"), "transitions", "transitionId"), [manual_id])
        eq(len(client.list_transitions(transition_type=["manual", "docker"])["transitions"]), 2)
    with proving("update_transition"):
        changed = client.update_transition(docker_id, cpu=512, environment={"A": "b"}, secret_id=None, name=None)
        eq(changed["parameters"], {"imageUrl": "image:1", "cpu": 512, "environment": {"A": "b"}})
    with proving("delete_transition"):
        client.delete_transition(docker_id)
        with refused(NotFound):
            client.get_transition(docker_id)
    steps(client, manual_id)
    return str(manual_id)


def steps(client: Any, manual_id: str) -> None:
    with proving("execute_transition"):
        run = client.execute_transition(manual_id)
        eq(run["status"], "running")
    run_id = run["executionId"]
    with proving("get_transition_execution"):
        eq(client.get_transition_execution(manual_id, run_id)["executionId"], run_id)
    with proving("send_heartbeat"):
        eq(client.send_heartbeat(manual_id, run_id), {"Your request executed successfully": "204"})
    with proving("update_transition_execution"):
        start = datetime(2022, 1, 1, 12, tzinfo=UTC)
        ended = client.update_transition_execution(
            manual_id, run_id, "succeeded", output={"ok": True}, start_time=start
        )
        within({"status": "succeeded", "output": {"ok": True}, "startTime": "2022-01-01T12:00:00+00:00"}, ended)
        with refused(BadRequest):
            client.update_transition_execution(manual_id, run_id, "failed", error={"message": "too late"})
        with refused(BadRequest):
            client.send_heartbeat(manual_id, run_id)
    with proving("list_transition_executions"):
        found = client.list_transition_executions(
            manual_id, status=["succeeded"], execution_id=run_id, sort_by="endTime", order="descending"
        )
        eq(ids(found, "executions", "executionId"), [run_id])
        eq(client.list_transition_executions(manual_id, status="failed")["executions"], [])


def workflows(client: Any, manual_id: str, secret: dict[str, Any]) -> None:
    definition = {"StartAt": "look", "States": {"look": {"Type": "Task", "Resource": manual_id, "End": True}}}
    with proving("create_workflow"):
        made = client.create_workflow(
            {"definition": definition, "language": "ASL", "version": "1.0.0"},
            error_config={"email": "ops@example.com"},
            completed_config={"imageUrl": "image:done", "environment": {"A": "b"}},
            email_config={"secretId": secret["secretId"]},
            metadata={"foo": "bar"},
            name="w",
        )
        assert made["emailConfig"]["email"], made
    workflow_id = made["workflowId"]
    with proving("get_workflow"):
        eq(client.get_workflow(workflow_id)["name"], "w")
    with proving("list_workflows"):
        eq(ids(client.list_workflows(), "workflows", "workflowId"), [workflow_id])
    with proving("update_workflow"):
        changed = client.update_workflow(workflow_id, email_config=None, status="production")
        within({"emailConfig": None, "status": "production"}, changed)
    with proving("execute_workflow"):
        run = client.execute_workflow(workflow_id, {"documentId": "d"})
        eq(run["status"], "running")
        step_id = run["transitionExecutions"][manual_id][0]
        eq(client.get_transition_execution(manual_id, step_id)["input"], {"documentId": "d"})
        client.update_transition_execution(manual_id, step_id, "succeeded", output={"total": "1"})
    run_id = run["executionId"]
    with proving("get_workflow_execution"):
        within({"status": "succeeded", "output": {"total": "1"}}, client.get_workflow_execution(workflow_id, run_id))
        eq(len(client.list_logs(workflow_execution_id=run_id)["logs"]), 1)
    with proving("update_workflow_execution"):
        eq(client.update_workflow_execution(workflow_id, run_id, status="completed")["status"], "completed")
        second = client.execute_workflow(workflow_id, {})["executionId"]
        failed = client.update_workflow_execution(
            workflow_id, second, next_transition_id="las:transition:commons-failed"
        )
        eq(failed["status"], "failed")
    with proving("list_workflow_executions"):
        hour = timedelta(hours=1)
        present = datetime.now(UTC)
        found = client.list_workflow_executions(
            workflow_id, status=["failed"], from_start_time=present - hour, to_start_time=present + hour
        )
        eq(ids(found, "executions", "executionId"), [second])
        eq(client.list_workflow_executions(workflow_id, from_start_time=present + hour)["executions"], [])
    with proving("delete_workflow_execution"):
        client.delete_workflow_execution(workflow_id, second)
        with refused(NotFound):
            client.get_workflow_execution(workflow_id, second)
    with proving("delete_transition"), refused(BadRequest):
        client.delete_transition(manual_id)
    with proving("delete_workflow"):
        client.delete_workflow(workflow_id)
        with refused(NotFound):
            client.get_workflow(workflow_id)


def main() -> int:
    given = json.loads(os.environ["OFFICIAL_LAS_CREDENTIALS"])
    client = Recorded(las.Client(las.Credentials(**given)))
    with proving("list_assets"), refused(InvalidCredentialsException):
        las.Client(Forged(**given)).list_assets()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        app_clients(client)
        asset = assets(client, folder)
        payment(client)
        catalogue(client)
        secret = secrets_and_users(client)
        dataset = datasets(client)
        document = documents(client, dataset, folder)
        models(client, dataset, document)
        workflows(client, transitions(client, asset, secret), secret)
    public = [name for name, _ in inspect.getmembers(las.Client, inspect.isfunction) if not name.startswith("_")]
    json.dump({"version": version("lucidtech-las"), "methods": public, "calls": calls, "errors": errors}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
