"""Organization, app clients, users, roles, plans, payment methods, deployment environments, assets, secrets, logs."""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid

from asyncclient.testing._contract import Refusal
from asyncclient.testing.las.handlers._call import Call, Handler, Json, as_it_is, fetching, listing, removing
from asyncclient.testing.las.seeds import CRADL_ID, ORGANIZATION_ID
from asyncclient.testing.las.tables import Row, Table

__all__ = ["HANDLERS"]


def _organization_row(call: Call) -> Row:
    wanted = call.params["organizationId"]
    return call.tables.organizations.get(ORGANIZATION_ID if wanted == "me" else wanted)


def _shown_organization(call: Call, row: Row) -> Json:
    tables = call.tables
    own_models = len(tables.models.where(organizationId=ORGANIZATION_ID))
    counts = {
        "numberOfAppClientsCreated": len(tables.app_clients),
        "numberOfAssetsCreated": len(tables.assets),
        "numberOfDatasetsCreated": len(tables.datasets),
        "numberOfModelsCreated": own_models,
        "numberOfSecretsCreated": len(tables.secrets),
        "numberOfTransitionsCreated": len(tables.transitions),
        "numberOfUsersCreated": len(tables.users),
        "numberOfWorkflowsCreated": len(tables.workflows),
        "monthlyNumberOfDataBundlesCreated": len(tables.data_bundles),
        "monthlyNumberOfDocumentsCreated": len(tables.documents),
        "monthlyNumberOfPredictionsCreated": len(tables.predictions),
        "monthlyNumberOfTrainingsCreated": len(tables.trainings),
        "monthlyNumberOfTransformationsCreated": len(tables.transformations),
        "monthlyNumberOfTransitionExecutionsCreated": len(tables.transition_executions),
        "monthlyNumberOfWorkflowExecutionsCreated": len(tables.workflow_executions),
    }
    return row.data | counts


def get_organization(call: Call) -> Json:
    return _shown_organization(call, _organization_row(call))


def update_organization(call: Call) -> Json:
    row = _organization_row(call)
    if call.body.get("paymentMethodId") is not None:
        call.tables.payment_methods.get(call.body["paymentMethodId"])
    call.change(row, call.body)
    return _shown_organization(call, row)


def create_app_client(call: Call) -> Json:
    body = call.body
    client_id = secrets.token_hex(13)
    secret = secrets.token_hex(25) if body.get("generateSecret", True) else None
    _check_roles(call)
    row = call.tables.app_clients.add(
        {
            "clientId": client_id,
            "hasSecret": secret is not None,
            "callbackUrls": body.get("callbackUrls"),
            "logoutUrls": body.get("logoutUrls"),
            "loginUrls": body.get("loginUrls"),
            "defaultLoginUrl": body.get("defaultLoginUrl"),
            "roleIds": body.get("roleIds", []),
            **call.named(),
        }
    )
    if secret is None:
        return row.data
    call.state.clients[client_id] = secret
    return row.data | {"clientSecret": secret}


def update_app_client(call: Call) -> Json:
    row = call.tables.app_clients.get(call.params["appClientId"])
    _check_roles(call)
    call.change(row, call.body)
    return row.data


def delete_app_client(call: Call) -> Json:
    row = call.tables.app_clients.get(call.params["appClientId"])
    call.tables.app_clients.remove(row)
    call.state.clients.pop(row.data["clientId"], None)
    return row.data


def _check_roles(call: Call) -> None:
    for role_id in call.body.get("roleIds", ()):
        call.tables.roles.get(role_id)


def create_user(call: Call) -> Json:
    body = call.body
    call.tables.app_clients.get(body["appClientId"])
    _check_roles(call)
    if any(row.hidden["email"] == body["email"] for row in call.tables.users):
        raise Refusal(400, "There is a user with this e-mail address already")
    legacy = {"email": body["email"], "name": body.get("name"), "avatar": body.get("avatar")}
    row = call.tables.users.add(
        {
            "roleIds": body.get("roleIds", []),
            "metadata": body.get("metadata"),
            "profileId": f"las:profile:{uuid.uuid4().hex}",
            "status": "invite_pending",
            **(legacy if call.state.options.legacy_fields else {}),
            **call.created(),
        },
        email=body["email"],
    )
    return row.data


def update_user(call: Call) -> Json:
    row = call.tables.users.get(call.params["userId"])
    _check_roles(call)
    call.change(row, call.body)
    return row.data


def create_payment_method(call: Call) -> Json:
    secret = f"seti_{secrets.token_hex(12)}"
    row = call.tables.payment_methods.add({"details": None, **call.named()}, setup_secret=secret)
    return row.data | {"stripePublishableKey": "pk_emulator", "stripeSetupIntentSecret": secret}


def update_payment_method(call: Call) -> Json:
    row = call.tables.payment_methods.get(call.params["paymentMethodId"])
    values = dict(call.body)
    confirmed = values.pop("stripeSetupIntentSecret", None)
    if confirmed is not None:
        if confirmed != row.hidden["setup_secret"]:
            raise Refusal(400, "This is not the secret of the payment method's set-up")
        values["details"] = {"brand": "visa", "last4": "4242"}
    call.change(row, values)
    return row.data


def create_asset(call: Call) -> Json:
    content = call.body["content"]
    row = call.tables.assets.add({"contentMD5": _md5_of(call, content), **call.named()}, content=content)
    return row.data


def _md5_of(call: Call, content: str) -> str:
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(400, "body.content: is not base64") from None
    blob = call.state.blobs.put(data)
    call.state.blobs.discard(blob)
    return blob.md5


def get_asset(call: Call) -> Json:
    row = call.tables.assets.get(call.params["assetId"])
    return row.data | {"content": row.hidden["content"]}


def update_asset(call: Call) -> Json:
    row = call.tables.assets.get(call.params["assetId"])
    values = dict(call.body)
    content = values.pop("content", None)
    if content is not None:
        values["contentMD5"] = _md5_of(call, content)
        row.hidden["content"] = content
    call.change(row, values)
    return row.data


def create_secret(call: Call) -> Json:
    return call.tables.secrets.add(call.named(), pairs=call.body["data"]).data


def update_secret(call: Call) -> Json:
    row = call.tables.secrets.get(call.params["secretId"])
    values = dict(call.body)
    row.hidden["pairs"] = values.pop("data", row.hidden["pairs"])
    call.change(row, values)
    return row.data


def _by_composite_id(table: Table, given: str, *, version: str = "") -> Row:
    """Find a row by ``id``, ``id:version`` or ``organization/id``, as the service admits them for what it shares."""
    owner, slash, row_id = given.rpartition("/")
    candidates = [row_id, row_id.removesuffix(":@latest") + version, row_id + version]
    row = next((row for row in map(table.find, candidates) if row is not None), None)
    if row is None or (slash and row.data["organizationId"] != owner):
        return table.get("")  # refuses
    return row


def get_plan(call: Call) -> Json:
    return _by_composite_id(call.tables.plans, call.params["planId"], version=":1").data


def get_deployment_environment(call: Call) -> Json:
    return _by_composite_id(call.tables.deployment_environments, call.params["deploymentEnvironmentId"]).data


def _shared(table: str) -> Handler:
    def listed(call: Call) -> Json:
        owners: list[str] = call.query.get("owner") or [CRADL_ID, ORGANIZATION_ID]
        rows: Table = getattr(call.tables, table)
        return call.page([row for row in rows if row.data["organizationId"] in owners], as_it_is)

    return listed


_LOG_FILTERS = ("workflowId", "workflowExecutionId", "transitionId", "transitionExecutionId")


def list_logs(call: Call) -> Json:
    wanted = {name: call.query[name] for name in _LOG_FILTERS if name in call.query}
    return call.page(call.tables.logs.where(**wanted), _without_events, sort_by="startTime")


def _without_events(call: Call, row: Row) -> Json:
    return {name: value for name, value in row.data.items() if name != "events"}


HANDLERS: dict[str, Handler] = {
    "get_app_client": fetching("app_clients", "appClientId"),
    "list_app_clients": listing("app_clients"),
    "list_assets": listing("assets"),
    "delete_asset": removing("assets", "assetId"),
    "list_secrets": listing("secrets"),
    "delete_secret": removing("secrets", "secretId"),
    "get_user": fetching("users", "userId"),
    "list_users": listing("users"),
    "delete_user": removing("users", "userId"),
    "get_role": fetching("roles", "roleId"),
    "list_roles": listing("roles"),
    "get_payment_method": fetching("payment_methods", "paymentMethodId"),
    "list_payment_methods": listing("payment_methods"),
    "delete_payment_method": removing("payment_methods", "paymentMethodId"),
    "get_log": fetching("logs", "logId"),
    "get_organization": get_organization,
    "update_organization": update_organization,
    "create_app_client": create_app_client,
    "update_app_client": update_app_client,
    "delete_app_client": delete_app_client,
    "create_user": create_user,
    "update_user": update_user,
    "create_payment_method": create_payment_method,
    "update_payment_method": update_payment_method,
    "create_asset": create_asset,
    "get_asset": get_asset,
    "update_asset": update_asset,
    "create_secret": create_secret,
    "update_secret": update_secret,
    "get_plan": get_plan,
    "list_plans": _shared("plans"),
    "get_deployment_environment": get_deployment_environment,
    "list_deployment_environments": _shared("deployment_environments"),
    "list_logs": list_logs,
}
