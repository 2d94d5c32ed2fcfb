"""``asyncclient sticky-pi api``: the operations of the Sticky Pi API for the command that all services have."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from asyncclient.cli._api import Catalogue, Service
from asyncclient.cli._sticky_pi_run import Where, run, shown_rows

if TYPE_CHECKING:
    from asyncclient.cli._sticky_pi_run import Client

__all__ = ["GROUPS", "catalogue", "service"]

GROUPS: Final = {
    "images": "get_images get_image_series get_images_to_annotate delete_images",
    "annotations": """
        put_uid_annotations get_uid_annotations get_uid_annotations_series get_images_with_uid_annotations_series
    """,
    "tuboids": """
        put_tiled_tuboids get_tiled_tuboid_series delete_tiled_tuboids put_itc_labels get_tiled_tuboid_series_itc_labels
    """,
    "users": "get_users put_users delete_users get_token",
    "projects": """
        get_projects put_projects delete_projects get_project_permissions put_project_permissions get_project_series
        put_project_series delete_project_series put_project_columns delete_project_columns
    """,
}
"""Names of operations; images and bundles go up with commands of their own."""

_KINDS: Final = {"Info": "list[Mapping[str, Any]]", "ClientInfo": "Mapping[str, Any]", "Rows": "list[dict[str, Any]]"}


@functools.cache
def catalogue() -> Catalogue:
    """Return the operations by group."""
    from asyncclient.sticky_pi import AsyncRemoteClient

    return Catalogue(
        {
            group: {name: _described(getattr(AsyncRemoteClient, name)) for name in names.split()}
            for group, names in GROUPS.items()
        }
    )


def _described(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands for an operation, with the names of types spelled out in its signature."""

    @functools.wraps(operation)
    def function(*args: Any, **kwargs: Any) -> Any:
        return operation(*args, **kwargs)

    signature = inspect.signature(operation)
    params = [
        param.replace(annotation="Iterable[str]" if param.name == "tuboid_directories" else _spelled(param.annotation))
        for param in signature.parameters.values()
    ]
    spelled = signature.replace(parameters=params, return_annotation=_spelled(signature.return_annotation))
    function.__signature__ = spelled  # type: ignore[attr-defined]
    return function


def _spelled(annotation: object) -> str:
    first, *rest = str(annotation).split(" | ")
    return " | ".join((_KINDS.get(first, first), *rest))


def service(where: Where) -> Service:
    """Return what the command needs of the API that is meant."""
    return Service(catalogue, functools.partial(run, where), _method)


def _method(client: Client, _group: str, name: str) -> Callable[..., Awaitable[Any]]:
    async def called(**arguments: Any) -> Any:
        return shown_rows(await getattr(client, name)(**arguments))

    return called
