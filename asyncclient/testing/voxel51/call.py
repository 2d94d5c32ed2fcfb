"""One checked request on its way to a handler, and who it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from asyncclient.testing._blobs import Blob
from asyncclient.testing._contract import Operation, Refusal
from asyncclient.testing.voxel51.forms import Part
from asyncclient.testing.voxel51.state import Voxel51State
from asyncclient.testing.voxel51.tables import Analytic, Application, Data, Job, Link

__all__ = ["FOLDER", "KEY_HEADER", "USER_HEADER", "Call", "Caller", "Handler", "Json", "authenticate"]

Json = dict[str, Any]

KEY_HEADER = "x-voxel51-application"
USER_HEADER = "x-voxel51-application-user"
FOLDER = "signed"  # first segment of signed URLs


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from.

    Attributes:
        owner: As whom there are data and jobs; None for an application without an active user.
        application: The application; None for a user of the platform.
    """

    owner: str | None
    application: Application | None


def authenticate(state: Voxel51State, headers: Mapping[str, str]) -> Caller:
    """Tell who a request is from.

    Raises:
        Refusal: 401, there is no key, or nobody has it; 404, the application has no such user.
    """
    key = headers.get(KEY_HEADER)
    if key is not None:
        application = state.applications.get(key)
        if application is None:
            raise Refusal(401, "Invalid application token")
        username = headers.get(USER_HEADER)
        if username is None:
            return Caller(None, application)
        if username not in application.users:
            raise Refusal(404, "User not found")
        return Caller(application.owner_of(username), application)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    name = state.users.get(token) if scheme.lower() == "bearer" else None
    if name is None:
        raise Refusal(401, "Invalid token")
    return Caller(f"user:{name}", None)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its query and body checked.

    Attributes:
        params: Path parameters.
        query: Query parameters, or for queries what they ask for.
        body: Members of the body; those of a form are texts.
        file: The file of a form.
        headers: Of the request.
        origin: Scheme, host and port as the client named them.
    """

    state: Voxel51State
    operation: Operation
    params: dict[str, str]
    query: Json
    body: Json
    caller: Caller
    headers: Mapping[str, str]
    origin: str
    file: Part | None = None

    @property
    def row_id(self) -> str:
        """The one path parameter."""
        (value,) = self.params.values()
        return value

    @property
    def owner(self) -> str:
        """As whom the caller has data and jobs.

        Raises:
            Refusal: 400, it is an application without an active user.
        """
        if self.caller.owner is None:
            raise Refusal(400, f"{USER_HEADER}: is required")
        return self.caller.owner

    @property
    def application(self) -> Application:
        """The application.

        Raises:
            Refusal: 403, a user of the platform asks.
        """
        if self.caller.application is None:
            raise Refusal(403, "An application token is required")
        return self.caller.application

    def check_user(self) -> None:
        """Refuse an application without an active user."""
        _ = self.owner

    def check_application(self) -> None:
        """Refuse users of the platform."""
        _ = self.application

    @property
    def analytics_owner(self) -> str:
        """As whom the caller uploads analytics."""
        if self.caller.owner is None or self.operation.path[0] == "apps":
            return self.application.owner
        return self.caller.owner

    def analytics(self) -> list[Analytic]:
        """Return the analytics the caller can see."""
        visible = {None, self.caller.owner}
        if self.caller.application is not None:
            visible.add(self.caller.application.owner)
        return [row for row in self.state.analytics if row.owner in visible]

    def analytic(self, analytic_id: str) -> Analytic:
        """Return an analytic the caller can see.

        Raises:
            Refusal: 404, there is none.
        """
        row = self.state.analytics.get(analytic_id)
        if row not in self.analytics():
            raise self.state.analytics.missing()
        return row

    def data(self, data_id: str) -> Data:
        """Return data of the caller."""
        return self.state.find_data(self.owner, data_id)

    def job(self, job_id: str) -> Job:
        """Return a job of the caller."""
        return self.state.find_job(self.owner, job_id)

    def signed_url(self, blob: Callable[[], Blob], media_type: str) -> str:
        """Make a URL under which a file can be fetched for a while, without a key."""
        expires = self.state.clock.now() + timedelta(seconds=self.state.options.url_seconds)
        token = self.state.link(Link(blob, media_type, expires))
        return f"{_moved(self.origin, self.state.options.storage_host)}/{FOLDER}/{token}"


def _moved(origin: str, host: str | None) -> str:
    if host is None:
        return origin
    parts = urlsplit(origin)
    return f"{parts.scheme}://{host}" + ("" if parts.port is None else f":{parts.port}")


Handler = Callable[[Call], Json | Response | None]
