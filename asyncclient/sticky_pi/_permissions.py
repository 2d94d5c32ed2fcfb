"""Who may do what. Roles say what a user may do at all, levels what with one project. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncclient.sticky_pi._refusals import AccessDenied

__all__ = ["ADMINISTER", "READ", "WRITE", "check_role", "is_owner", "role_of", "user_id"]

READ: Final = 1
WRITE: Final = 2
ADMINISTER: Final = 3

_ADMIN: Final = frozenset({"admin"})
_WRITERS: Final = frozenset({"admin", "read_write_user"})
_ROLES: Final[Mapping[str, frozenset[str]]] = {
    "put_users": _ADMIN,
    # The platform's own server lets every user with write access delete users.
    "delete_users": _ADMIN,
    "delete_images": _ADMIN,
    "delete_tiled_tuboids": _ADMIN,
    "put_projects": _WRITERS,
    "delete_projects": _WRITERS,
    "put_project_permissions": _WRITERS,
    "put_project_series": _WRITERS,
    "delete_project_series": _WRITERS,
    "put_project_columns": _WRITERS,
    "delete_project_columns": _WRITERS,
    "get_images_to_annotate": _WRITERS,
    "put_uid_annotations": _WRITERS,
    "put_itc_labels": _WRITERS,
    "_put_new_images": _WRITERS,
    "_put_tiled_tuboids": _WRITERS,
    # There anybody gets targets to upload to; here who may not write gets none.
    "_get_ml_bundle_upload_links": _WRITERS,
}


def role_of(user: Mapping[str, Any]) -> str:
    """Return ``admin``, ``read_write_user`` or ``read_only_user``; who may not write is no administrator."""
    if not user.get("can_write"):
        return "read_only_user"
    return "admin" if user.get("is_admin") else "read_write_user"


def check_role(operation: str, user: Mapping[str, Any]) -> None:
    """Check that a user may call an operation at all.

    Raises:
        AccessDenied: The role does not suffice.
    """
    accepted = _ROLES.get(operation)
    if accepted is not None and role_of(user) not in accepted:
        raise AccessDenied("Unauthorized Access")


def is_owner(user: Mapping[str, Any] | None) -> bool:
    """Tell whether a user has every right on every project: administrators, and the owner of an embedded API."""
    return user is None or bool(user.get("is_admin"))


def user_id(user: Mapping[str, Any] | None) -> int | None:
    """Return the id to store with what a user makes."""
    return None if user is None else user.get("id")
