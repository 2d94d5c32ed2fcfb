"""The ASGI application of the server: its routes, its limits, what it does when it starts and stops."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from asyncclient._codec import decode_json
from asyncclient._transfers.hops import DISK, run_hop
from asyncclient.errors import ConfigurationError, DecodeError
from asyncclient.sticky_pi._api import AsyncRemoteAPI
from asyncclient.sticky_pi._permissions import check_role
from asyncclient.sticky_pi._refusals import AlreadyStored, BadInput
from asyncclient.sticky_pi._server_auth import Gate
from asyncclient.sticky_pi._server_bodies import answer, limited, read_form, read_json, refusal_answer, uploads
from asyncclient.sticky_pi._server_conf import ServerConf
from asyncclient.sticky_pi._server_files import FileRoutes
from asyncclient.sticky_pi._storage_served import FILES, AsyncServedStorage, base_url

__all__ = ["create_app", "create_app_from_environment"]

_MAX_UPLOAD: Final = 100 * 1000 * 1000
_MAX_JSON: Final = 32 * 1024 * 1024
_MIN_PASSWORD: Final = 10
_HUNG_UP: Final = 499  # as nginx logs it
_PUBLIC_SECRETS: Final = ("endjlwenmfkwe",)  # the default of the embedded API, which everybody knows

_PLAIN: Final = (
    "get_users", "put_users", "delete_users",
    "get_projects", "put_projects", "delete_projects",
    "get_project_permissions", "put_project_permissions",
    "get_project_series", "put_project_series", "delete_project_series",
    "put_project_columns", "delete_project_columns",
    "delete_images", "delete_tiled_tuboids",
    "put_uid_annotations", "put_itc_labels", "_get_itc_labels", "_get_ml_bundle_upload_links",
)  # fmt: skip
_WITH_WHAT: Final = (
    "get_images", "get_image_series", "get_images_to_annotate",
    "get_uid_annotations", "get_uid_annotations_series",
    "get_tiled_tuboid_series", "_get_ml_bundle_file_list",
)  # fmt: skip
_TUBOID_FILES: Final = ("metadata", "tuboid", "context")

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(conf: Mapping[str, Any]) -> Starlette:
    """Return the server as an ASGI application.

    Database and storage are opened at the start, or with the first request if the ASGI server has no lifespan.

    Args:
        conf: A ``ServerConf``, a ``RemoteAPIConf``, a ``LocalAPIConf`` or another dict of those variables.

    Raises:
        ConfigurationError: A variable is missing or unusable; tokens would be signed with a key that is public.
    """
    _check(conf)
    api = _ServerAPI(conf)
    service = _Service(api, conf)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with api:
            yield

    app = Starlette(
        routes=service.routes(),
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error, 405: _wrong_method, Exception: _failure},
    )
    app.router.redirect_slashes = False
    app.state.api = api
    return app


def create_app_from_environment() -> Starlette:
    """Return the server, with its configuration from the environment: for servers with several workers."""
    return create_app(ServerConf())


def _check(conf: Mapping[str, Any]) -> None:
    secret = conf.get("SECRET_API_KEY")
    if not secret or secret in _PUBLIC_SECRETS:
        raise ConfigurationError("SECRET_API_KEY must be set, to a text that nobody else knows")
    for name, password in _administrators(conf):
        if len(str(password or "")) <= _MIN_PASSWORD:
            raise ConfigurationError(f"the password of {name} must be longer than {_MIN_PASSWORD} characters")


def _administrators(conf: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pairs = (("API_ADMIN_NAME", "API_ADMIN_PASSWORD"), ("UID_USER", "UID_PASSWORD"))
    return [(conf[name], conf.get(password)) for name, password in pairs if conf.get(name)]


class _ServerAPI(AsyncRemoteAPI):
    """The API, with the administrators that the configuration names."""

    async def _start(self) -> None:
        await super()._start()
        self._open = True  # what follows is an ordinary use
        try:
            for name, password in _administrators(self._configuration):
                with contextlib.suppress(AlreadyStored):  # since the last start, or by another worker just now
                    if await self._user(username=name) is None:
                        await self.put_users([{"username": name, "password": str(password), "is_admin": True}])
        except BaseException:
            await self.aclose()
            raise


class _Service:
    """The routes."""

    def __init__(self, api: AsyncRemoteAPI, conf: Mapping[str, Any]) -> None:
        self._api = api
        self._gate = Gate(api)
        self._most_upload = int(conf.get("MAX_UPLOAD_BYTES") or _MAX_UPLOAD)
        self._most_json = int(conf.get("MAX_JSON_BYTES") or _MAX_JSON)

    def routes(self) -> list[Route]:
        """Return all routes."""
        found = [_route("/get_token", self._endpoint("get_token", self._token))]
        found += [_route(f"/{name}", self._endpoint(name, self._call)) for name in _PLAIN]
        found += [_route(f"/{name}/{{what}}", self._endpoint(name, self._call)) for name in _WITH_WHAT]
        found.append(_route("/_put_new_images", self._endpoint("_put_new_images", self._images)))
        found.append(_route("/_put_tiled_tuboids", self._endpoint("_put_tiled_tuboids", self._tuboids)))
        storage = self._api._storage
        if isinstance(storage, AsyncServedStorage):
            files = FileRoutes(storage, self._most_upload)
            found.append(Route(f"{FILES}/{{key:path}}", _guarded(files.read), methods=["GET"]))
            found.append(_route(FILES, _guarded(files.write)))
        return found

    def _endpoint(self, name: str, act: Callable[[str, Request, dict[str, Any]], Awaitable[Any]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            # Who calls and whether they may comes before the body.
            address = request.client.host if request.client is not None else ""
            user = await self._gate.recognise(request.headers.get("authorization"), address)
            check_role(name, user)
            base_url.set(f"{request.url.scheme}://{request.url.netloc}")
            return answer(await act(name, request, user))

        return _guarded(endpoint)

    async def _token(self, _name: str, _request: Request, user: dict[str, Any]) -> Any:
        return await self._api.get_token(user)

    async def _call(self, name: str, request: Request, user: dict[str, Any]) -> Any:
        info = await read_json(limited(request, self._most_json))
        return await getattr(self._api, name)(info, **request.path_params, client_info=user)

    async def _images(self, _name: str, request: Request, user: dict[str, Any]) -> Any:
        async with read_form(limited(request, self._most_upload)) as form:
            files = [(file, _text(form.get(f"{name}.md5"))) for name, file in uploads(form)]
            return await self._api._put_new_images(files, user)

    async def _tuboids(self, _name: str, request: Request, user: dict[str, Any]) -> Any:
        async with read_form(limited(request, self._most_upload)) as form:
            files = dict(uploads(form))
            if missing := [name for name in (*_TUBOID_FILES, "tuboid_id", "series_info") if name not in files]:
                raise BadInput(f"the form lacks the files {', '.join(missing)}")
            entry: dict[str, Any] = {name: files[name] for name in _TUBOID_FILES}
            for name in ("tuboid_id", "series_info"):
                entry[name] = _json(await run_hop(files[name].read, self._most_json, crew=DISK), name)
            # A list of lists: so the platform's server answers, and its clients expect it.
            return [await self._api._put_tiled_tuboids([entry], user)]


def _route(path: str, endpoint: Endpoint) -> Route:
    return Route(path, endpoint, methods=["POST"])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _json(data: bytes, name: str) -> Any:
    try:
        return decode_json(data)
    except DecodeError as error:
        raise BadInput(f"{name} is not JSON: {error}") from error


def _guarded(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=_HUNG_UP)  # nobody reads it; raised, it would fill the log with tracebacks
        except Exception as error:  # noqa: BLE001  # the last place where a failure can become an answer
            return refusal_answer(error)

    return guarded


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer({"error": {"type": "HTTPException", "message": error.detail}}, error.status_code, error.headers)


async def _wrong_method(request: Request, error: Exception) -> Response:
    allowed = {"Allow": "OPTIONS, POST"}
    return answer({"error": {"type": "MethodNotAllowed", "message": "use POST"}}, 405, allowed)


async def _failure(request: Request, error: Exception) -> Response:
    return refusal_answer(error)
