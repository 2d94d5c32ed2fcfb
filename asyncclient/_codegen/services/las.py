"""Lucidtech AI Services: what its description does not say."""

from __future__ import annotations

from typing import Final

from asyncclient._codegen._settings import Convert, FacadeModule, FacadePair, Patch, Positional, Service, Unit

__all__ = ["UNIT"]

_SERVICE: Final = Service(
    name="las",
    title="Lucidtech AI Services",
    answers="typeddict",
    hand_written={
        "create_document": "two requests: the record, then the file",
        "get_document": "two requests: the record, then the file",
        "delete_documents": "delete_all repeats the request",
        "delete_dataset": "delete_documents empties it first",
        "create_model": "field_config or width, height and field_config by position; base_model goes into metadata",
        "create_asset": "content is read and base64-encoded",
        "update_asset": "content is read and base64-encoded",
        "send_heartbeat": "returns nothing; has a context manager that repeats it",
        "create_transition": "warns about in_schema and out_schema",
        "update_transition": "warns about in_schema and out_schema; parameters replaces what was assembled",
    },
    patches=tuple(
        Patch(
            f"/paths/~1{path}/post/x-var-keyword/x-none", "omit", "open keywords given as None are left out here", "add"
        )
        for path in ("appClients", "users")
    ),
    positional=(
        Positional("list_transitions", "transition_type", "examples of release 5.0.0 give it by position"),
        Positional("list_transition_executions", "status", "examples of release 5.0.0 give it by position"),
        Positional("list_workflow_executions", "status", "examples of release 5.0.0 give it by position"),
        Positional("update_secret", "data", "examples of release 5.0.0 give it by position"),
    ),
    converts=tuple(
        Convert(argument, "iso-local", "naive means local time; the service takes no negative offset")
        for argument in ("start_time", "from_start_time", "to_start_time")
    ),
    path_safe={
        "inserted as it is; : stays literal": ":@",
        "every reserved character percent-encoded, also : and / (RFC 3986 unreserved only)": "",
    },
)


_FACADES: Final = (
    FacadeModule(
        "las/_generated",
        "sync/client.py",
        (
            FacadePair(
                "asyncclient.las.client",
                "AsyncClient",
                "Client",
            ),
        ),
    ),
)


UNIT: Final = Unit("las", _SERVICE, _FACADES, contract="requests")
