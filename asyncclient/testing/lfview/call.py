"""One checked request on its way to a handler, and what its user may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncclient.testing._contract import Contract, Operation, Refusal
from asyncclient.testing.lfview.answers import Origins, shown
from asyncclient.testing.lfview.state import LfviewState
from asyncclient.testing.lfview.tables import Resource, User

__all__ = ["EDITOR", "OWNER", "SPECTATOR", "Call", "Handler", "Json"]

Json = dict[str, Any]

OWNER, EDITOR, SPECTATOR = "owner", "view.editor", "view.spectator"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with its query checked and its body decoded."""

    state: LfviewState
    contract: Contract
    operation: Operation
    params: dict[str, str]
    query: Json
    body: Any
    path: str
    origins: Origins
    user: User | None
    source: str | None

    @property
    def signed_in(self) -> User:
        """The user; without a key there is none.

        Raises:
            Refusal: 401.
        """
        if self.user is None:
            raise Refusal(401, "unauthorized")
        return self.user

    @property
    def project(self) -> str:
        """``organization/project`` of the path."""
        return f"{self.params['org']}/{self.params['project']}"

    def own(self, path: str) -> Resource:
        """Return a resource of the user's project.

        Raises:
            Refusal: 401 without a key; 403, the project is somebody else's; 404, there is no such resource.
        """
        self.check_owner()
        return self.state.resources.get(path)

    def check_owner(self) -> User:
        """Return the user, who has the project of the path."""
        user = self.signed_in
        if user.project != self.project:
            raise Refusal(403, "forbidden")
        return user

    def view(self) -> tuple[Resource, str]:
        """Return the view of a path of the view service, and what the user is to it: owner or a role.

        Raises:
            Refusal: 401 without a key; 403, the view is not shared with the user; 404, there is no such view.
        """
        row = self.state.find_view("/".join(self.path.split("/")[:7]))
        if row is not None and row.public and self.user is None:
            return row, SPECTATOR
        user = self.signed_in
        if user.project == self.project:
            if row is None:
                raise Refusal(404, "not found")
            return row, OWNER
        roles = [item["roles"][0] for item in row.invitations if item["email"] == user.email] if row else []
        if row is None or not (roles or row.public):
            raise Refusal(403, "forbidden")
        return row, EDITOR if EDITOR in roles else SPECTATOR

    def may_read(self, row: Resource, view: Resource | None) -> bool:
        """Tell whether the user may point to a resource, in a slide of this view if there is one."""
        return self.signed_in.project == row.project or (view is not None and row.path in view.body["contents"])

    def shown(self, row: Resource, shared_by: str | None = None) -> Json:
        """Return the JSON of a resource."""
        return shown(row, self.origins, shared_by)


Handler = Callable[[Call], Json | None]
