"""What is there before the first request: an organization, plans, roles, pre-trained models, a workflow with its logs.

The ids follow the published patterns; apart from the organization ``cradl`` and its model ``invoice``, which the service's
documents name, they are made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncclient.testing.las.tables import now

if TYPE_CHECKING:
    from asyncclient.testing.las.options import Options
    from asyncclient.testing.las.state import Tables

__all__ = ["CLIENT_ID", "CRADL_ID", "ORGANIZATION_ID", "plant"]

ORGANIZATION_ID = "las:organization:emulator"
CRADL_ID = "las:organization:cradl"
CLIENT_ID = "las:app-client:emulator"
_HEX = "0123456789abcdef0123456789abcdef"

# Defaults published in 2024, and where that list is silent those of 2021.
_ALLOWED = {
    "numberOfAppClientsAllowed": 3,
    "numberOfAssetsAllowed": 50,
    "numberOfDatasetsAllowed": 15,
    "numberOfModelsAllowed": 10,
    "numberOfSecretsAllowed": 5,
    "numberOfTransitionsAllowed": 10,
    "numberOfUsersAllowed": 5,
    "numberOfWorkflowsAllowed": 5,
    "monthlyNumberOfDataBundlesAllowed": 50,
    "monthlyNumberOfDocumentsAllowed": 100_000,
    "monthlyNumberOfFieldPredictionsAllowed": 10_000,
    "monthlyNumberOfPagePredictionsAllowed": 10_000,
    "monthlyNumberOfPredictionsAllowed": 500,
    "monthlyNumberOfTrainingsAllowed": 5,
    "monthlyNumberOfTransformationsAllowed": 50,
    "monthlyNumberOfTransitionExecutionsAllowed": 5000,
    "monthlyNumberOfWorkflowExecutionsAllowed": 500,
}
_USED = {
    "monthlyNumberOfActiveModelsUsed": 0,
    "monthlyNumberOfFieldPredictionsUsed": 0,
    "monthlyNumberOfGpuHoursUsed": 0,
    "monthlyNumberOfPagePredictionsUsed": 0,
}


def plant(tables: Tables, options: Options) -> None:
    """Fill empty tables."""
    created = {"createdBy": None, "createdTime": now(), "updatedBy": None, "updatedTime": None}
    _organization(tables, created)
    _catalogue(tables)
    _roles(tables, created)
    _models(tables, created)
    tables.app_clients.add(
        {
            "appClientId": CLIENT_ID,
            "clientId": options.client_id,
            "hasSecret": True,
            "callbackUrls": None,
            "logoutUrls": None,
            "loginUrls": None,
            "defaultLoginUrl": None,
            "roleIds": ["las:role:admin"],
            "name": "Emulator",
            "description": "The client the emulator was started with",
            **created,
        }
    )
    _logs(tables)


def _organization(tables: Tables, created: dict[str, Any]) -> None:
    tables.organizations.add(
        {
            "organizationId": ORGANIZATION_ID,
            "name": "Emulated organization",
            "description": None,
            "documentRetentionInDays": 1825,
            "paymentMethodId": None,
            "planId": f"{CRADL_ID}/las:plan:free:@latest",
            "monthlyUsageSummary": {},
            "createdTime": created["createdTime"],
            "updatedBy": None,
            "updatedTime": None,
            **_ALLOWED,
            **_USED,
        }
    )


def _catalogue(tables: Tables) -> None:
    for name, price in (("free", 0), ("pro", 99)):
        tables.plans.add(
            {
                "planId": f"las:plan:{name}:1",
                "organizationId": CRADL_ID,
                "name": name.title(),
                "description": None,
                "available": True,
                "currency": "EUR",
                "latest": 1,
                "license": {"price": price},
            }
        )
    for name, units in (("shared", 1), ("dedicated", 4)):
        tables.deployment_environments.add(
            {
                "deploymentEnvironmentId": f"las:deployment-environment:{name}",
                "organizationId": CRADL_ID,
                "name": name.title(),
                "description": None,
                "modelDeploymentUnits": units,
                "status": "available",
            }
        )


def _roles(tables: Tables, created: dict[str, Any]) -> None:
    for name, actions in (("admin", ["*"]), ("labeler", ["read", "write"]), ("viewer", ["read"])):
        permissions = [{"action": action, "effect": "allow", "resourceId": "las:*"} for action in actions]
        tables.roles.add(
            {
                "roleId": f"las:role:{name}",
                "name": name.title(),
                "description": None,
                "permissions": permissions,
                **created,
            }
        )


def _models(tables: Tables, created: dict[str, Any]) -> None:
    wanted = {
        "invoice": {"total_amount": "amount", "due_date": "date", "invoice_id": "string", "currency": "string"},
        "receipt": {"total_amount": "amount", "purchase_date": "date", "merchant": "string"},
    }
    for name, labels in wanted.items():
        tables.models.add(
            {
                "modelId": f"las:model:{name}",
                "organizationId": CRADL_ID,
                "name": name.title(),
                "description": f"Pre-trained on {name}s",
                "fieldConfig": {label: {"type": kind} for label, kind in labels.items()},
                "preprocessConfig": {"autoRotate": False, "imageQuality": "LOW", "maxPages": 3},
                "metadata": None,
                "status": "active",
                "trainingId": f"las:model-training:{name}",
                "numberOfDataBundles": 0,
                "numberOfRunningTrainings": 0,
                **created,
            }
        )


def _logs(tables: Tables) -> None:
    """Leave what a workflow that was deleted long ago leaves behind: its logs."""
    for index, text in enumerate(("INFO preprocessing", "ERROR image not found")):
        tables.logs.add(
            {
                "logId": f"las:log:{index:032x}",
                "startTime": now(),
                "workflowId": f"las:workflow:{_HEX}",
                "workflowExecutionId": f"las:workflow-execution:{index:032x}",
                "transitionId": f"las:transition:{_HEX}",
                "transitionExecutionId": f"las:transition-execution:{index:032x}",
                "events": [{"timestamp": now(), "message": text}],
            }
        )
