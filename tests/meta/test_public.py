from __future__ import annotations

import ast
import importlib
import inspect
import types
from typing import Any, TypeVar

import pytest

from tests.meta.package import SERVICES, generated, modules, tree

PUBLIC = [
    "asyncclient",
    "asyncclient.digests",
    "asyncclient.errors",
    "asyncclient.hub",
    "asyncclient.progress",
    "asyncclient.telemetry",
    "asyncclient.types",
    "asyncclient.testing",
    *(f"asyncclient.{name}" for name in SERVICES if f"asyncclient.{name}" in modules()),
]

API = {
    "asyncclient": """
        UNSET AsyncClientError AsyncDigests AsyncHub BlockingCallWarning Digests Hub HubStatistics Limits PoolTransport
        Progress RetryPolicy Timeouts Unset infer_part_size md5 md5_many multipart_etag
        __version__ errors flywheel las lfview sticky_pi telemetry testing voxel51
    """,
    "asyncclient.digests": "AsyncDigests infer_part_size md5 md5_many multipart_etag",
    "asyncclient.hub": "AsyncHub",
    "asyncclient.progress": "rich_progress tqdm_progress",
    "asyncclient.telemetry": """
        Attempt AttemptFinished AttemptStarted BodyFinished Call CallFinished CallStarted CredentialsRefused Event
        HubOpened HubShut LogLevel Observer OpenTelemetry Paused RetryBudgetSpent RetryScheduled Transfer TransferFinished
        TransferPhase TransferRestarted TransferResumed TransferRetry TransferStarted log_to_stderr observe
    """,
    "asyncclient.types": "UNSET HubStatistics Limits Progress RetryPolicy Timeouts Unset",
    "asyncclient.errors": """
        APIError ArgumentError ArgumentTypeError AsyncClientError BadRequest ConfigurationError Conflict ConnectError
        ConnectTimeout DeadlineExceeded DecodeError EmptyRequestError Forbidden HubClosed IntegrityError
        LocalProtocolError NotFound ProxyError ReadError ReadTimeout RedirectRefused RemoteChanged RemoteProtocolError
        ResponseTooLarge ResumeError ServerError SessionExpired SourceChanged StallTimeout TLSError TooManyRedirects
        TooManyRequests TransferError TransportError Unauthorized UnknownHost WriteError WriteTimeout WrongLoop
    """,
    "asyncclient.lfview": """
        AsyncSession AsyncUnauthenticatedSession AsyncUploadSession Session UnauthenticatedSession UploadSession
        exceptions files manifests scene spatial utils
    """,
    "asyncclient.sticky_pi": """
        AsyncLocalClient AsyncRemoteClient ImageParser LocalClient RemoteAPIException RemoteClient
        client configuration exceptions image_parser specifications storage types utils
    """,
    "asyncclient.voxel51": """
        API APIError ActiveUser AnalyticImageType AnalyticNotFound AnalyticType AnalyticsQuery ApplicationAPI
        ApplicationAPIError ApplicationToken ApplicationTokenError AsyncAPI AsyncApplicationAPI BaseQuery DataQuery
        InvalidArguments JobComputeMode JobExecutionError JobFailureType JobRequest JobState JobTimeout JobsQuery
        RemoteDataPath RemoteDataPathError Token TokenError activate_application_token activate_token
        deactivate_application_token deactivate_token escape_search get_active_application_token_path
        get_active_token_path load_application_token load_token
    """,
    "asyncclient.flywheel": """
        ApiException AsyncClient Client FeatureRefused FileSpec Finder GearContext InvalidKey LoginNeeded NotADevice
        ViewBuilder ViewFailed async_drone_client create_drone_client models
    """,
    "asyncclient.las": """
        APIError AsyncClient BadRequest Client ClientException Credentials EmptyRequestError FileFormatException
        InvalidCredentialsException LimitExceededException MissingCredentials NotFound RawBytes
        TooManyRequestsException guess_credentials parse_content read_from_environ read_from_file
        read_token_from_cache transition_handler write_token_to_cache
    """,
}


@pytest.mark.parametrize("name", sorted(API))
def test_the_public_names(name: str) -> None:
    """A name added or taken away is a decision; make it here too."""
    assert sorted(importlib.import_module(name).__all__) == sorted(API[name].split())


@pytest.mark.parametrize("name", [name for name in modules() if not name.endswith("__main__")])
def test_all_lists_what_there_is(name: str) -> None:
    listed = _listed(tree(name))
    if listed is None:
        assert not [
            node.name
            for node in tree(name).body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_"
        ] or generated(name)
        return
    assert len(listed) == len(set(listed))
    module = importlib.import_module(name)
    assert not [entry for entry in listed if not hasattr(module, entry)]


def _listed(module: ast.Module) -> list[str] | None:
    for node in module.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            found: list[str] = ast.literal_eval(node.value)
            return found
    return None


@pytest.mark.parametrize("name", PUBLIC)
def test_public_modules_define_nothing_else_in_public(name: str) -> None:
    module = importlib.import_module(name)
    own = {
        entry
        for entry, value in vars(module).items()
        if not entry.startswith("_") and getattr(value, "__module__", None) == name and not isinstance(value, TypeVar)
    }
    assert own <= set(module.__all__)


def _has_doc(value: Any) -> bool:
    return bool(inspect.getdoc(value))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    missing = []
    for entry in module.__all__:
        value = getattr(module, entry)
        if isinstance(value, types.ModuleType) or inspect.isclass(value) or inspect.isroutine(value):
            missing += [entry] * (not value.__doc__)
        if inspect.isclass(value):
            missing += [
                f"{entry}.{method}"
                for method, function in inspect.getmembers(value)
                if not method.startswith("_")
                and (inspect.isroutine(function) or isinstance(function, property))
                and str(getattr(function, "__module__", "asyncclient")).startswith("asyncclient")
                and not _has_doc(function)
            ]
    assert not missing
