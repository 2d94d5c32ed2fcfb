"""Everything the emulator of las remembers."""

from __future__ import annotations

from collections.abc import Iterator

from asyncclient.testing._blobs import BlobStore
from asyncclient.testing._state import EmulatorState
from asyncclient.testing.las import seeds
from asyncclient.testing.las.options import Options
from asyncclient.testing.las.tables import Row, Table
from asyncclient.testing.las.tokens import Tokens

__all__ = ["LasState", "Tables"]


class Tables:
    """The tables of one organization."""

    def __init__(self) -> None:
        self.app_clients = Table("appClientId", "las:app-client:")
        self.assets = Table("assetId", "las:asset:")
        self.data_bundles = Table("dataBundleId", "las:model-data-bundle:")
        self.datasets = Table("datasetId", "las:dataset:")
        self.deployment_environments = Table("deploymentEnvironmentId", "las:deployment-environment:")
        self.documents = Table("documentId", "las:document:")
        self.logs = Table("logId", "las:log:")
        self.models = Table("modelId", "las:model:")
        self.organizations = Table("organizationId", "las:organization:")
        self.payment_methods = Table("paymentMethodId", "las:payment-method:")
        self.plans = Table("planId", "las:plan:")
        self.predictions = Table("predictionId", "las:prediction:")
        self.roles = Table("roleId", "las:role:")
        self.secrets = Table("secretId", "las:secret:")
        self.trainings = Table("trainingId", "las:model-training:")
        self.transformations = Table("transformationId", "las:dataset-transformation:")
        self.transition_executions = Table("executionId", "las:transition-execution:")
        self.transitions = Table("transitionId", "las:transition:")
        self.users = Table("userId", "las:user:")
        self.workflow_executions = Table("executionId", "las:workflow-execution:")
        self.workflows = Table("workflowId", "las:workflow:")

    def __iter__(self) -> Iterator[Table]:
        return iter(vars(self).values())


class LasState(EmulatorState):
    """State of the emulator of las. May be used from any thread.

    Attributes:
        options: May be changed at any time, except ``legacy_fields`` and ``keep_requests``.
        tables: The data, for tests that want to look behind the API.
        tokens: Access tokens.
        blobs: Uploaded files.
    """

    def __init__(self, options: Options) -> None:
        super().__init__(keep_requests=options.keep_requests)
        self.options = options
        self.blobs = BlobStore(keep=options.keep_files)
        self._start_over()

    def _start_over(self) -> None:
        self.tokens = Tokens()
        self.tables = Tables()
        self.clients = {self.options.client_id: self.options.client_secret}
        seeds.plant(self.tables, self.options)

    def reset(self) -> None:
        """Start over: no requests, faults, tokens or files, and the data of the start."""
        super().reset()
        self.blobs.close()
        self._start_over()

    def revoke_tokens(self) -> None:
        """Let every token that was issued so far be refused from now on."""
        self.tokens.revoke_all()

    def settle(self) -> None:
        """Let all asynchronous jobs be done now: predictions, trainings, bundles, transformations, executions."""
        for table in self.tables:
            for row in table:
                row.settle()

    @property
    def organization(self) -> Row:
        """The caller's organization, the one that ``me`` stands for."""
        return self.tables.organizations.get(seeds.ORGANIZATION_ID)
