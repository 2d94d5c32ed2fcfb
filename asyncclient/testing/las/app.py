"""The service: token endpoint, API, file server."""

from __future__ import annotations

import math
from importlib import resources
from typing import Any

from starlette.responses import Response

from asyncclient.testing._bodies import json_body, media_type
from asyncclient.testing._contract import Contract, Refusal, segments_of
from asyncclient.testing._emulator import Emulator, Exchange, json_response
from asyncclient.testing._options import options_from
from asyncclient.testing.las import files
from asyncclient.testing.las.handlers import HANDLERS, Call
from asyncclient.testing.las.options import Options
from asyncclient.testing.las.seeds import CLIENT_ID
from asyncclient.testing.las.state import LasState
from asyncclient.testing.las.tokens import authenticate

__all__ = ["BASE_PATH", "LasService", "create", "read_contract"]

BASE_PATH = "/v1"

# The official client asks at /token, the published procedure and the browser client at /oauth2/token.
_TOKEN_PATHS = (["token"], ["oauth2", "token"])
_FILE_METHODS = {"PUT": "put_file", "GET": "get_file"}
_FORM = "application/x-www-form-urlencoded"


def read_contract(*, legacy: bool = False) -> Contract:
    """Read the contract that the emulator carries."""
    text = resources.files("asyncclient.testing.las").joinpath("contract.json").read_text("utf-8")
    return Contract.read(text, legacy=legacy)


class LasService:
    """Serves requests from its state.

    Args:
        state: The data.
        contract: What is admitted.
    """

    def __init__(self, state: LasState, contract: Contract) -> None:
        self.state = state
        self._contract = contract

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return the four values that ``las.Credentials`` takes.

        ``auth_endpoint`` has a scheme only where that is not https: the official client puts https before it by itself.
        """
        return {
            "client_id": self.state.options.client_id,
            "client_secret": self.state.options.client_secret,
            "auth_endpoint": base_url.removeprefix("https://"),
            "api_endpoint": base_url + BASE_PATH,
        }

    def close(self) -> None:
        """Delete uploaded files."""
        self.state.blobs.close()

    def error_body(self, status: int, message: str) -> dict[str, str]:
        """Return the JSON of an error answer; the token endpoint alone has its own form."""
        return {"message": message}

    def name_of(self, exchange: Exchange) -> str | None:
        """Return the operation a request addresses: one of the API, ``token``, ``put_file`` or ``get_file``."""
        segments = segments_of(exchange.raw_path)
        if segments in _TOKEN_PATHS:
            return "token"
        if segments[0] == files.FOLDER:
            return _FILE_METHODS.get(exchange.request.method)
        try:
            return self._contract.find(exchange.request.method, _without_base(segments))[0].id
        except Refusal:
            return None

    async def answer(self, exchange: Exchange) -> Response:
        """Serve one request. Refusals are raised."""
        segments = segments_of(exchange.raw_path)
        if segments in _TOKEN_PATHS:
            return self._token(exchange)
        if segments[0] == files.FOLDER:
            return await self._file(exchange, segments)
        return await self._operation(exchange, segments)

    async def _operation(self, exchange: Exchange, segments: list[str]) -> Response:
        operation, params = self._contract.find(exchange.request.method, _without_base(segments))
        caller = self._caller(exchange)
        query = self._contract.query(operation, exchange.request.query_params.multi_items())
        body = {} if operation.body is None else await json_body(exchange)
        if operation.body is not None:
            self._contract.body(operation, body)
        call = Call(self.state, operation, params, query, body, caller, exchange.origin)
        answer = HANDLERS[operation.id](call)
        return Response(status_code=operation.status) if answer is None else json_response(answer, operation.status)

    def _caller(self, exchange: Exchange) -> str:
        header = exchange.request.headers.get("authorization")
        client_id = self.state.tokens.owner(header, expired_status=self.state.options.expired_status)
        owner = next((row for row in self.state.tables.app_clients if row.data["clientId"] == client_id), None)
        return CLIENT_ID if owner is None else str(owner.data["appClientId"])

    def _token(self, exchange: Exchange) -> Response:
        request = exchange.request
        if request.method != "POST":
            raise Refusal(405, "Method Not Allowed", {"allow": "POST"})
        problem = _token_problem(request.query_params.get("grant_type"), media_type(exchange))
        if problem is not None:
            return json_response({"error": problem}, 400)
        try:
            client_id = authenticate(self.state.clients, request.headers.get("authorization"))
        except Refusal as refusal:
            return json_response({"error": refusal.message}, refusal.status, refusal.headers)
        lifetime_s = self.state.options.token_lifetime_s
        token = self.state.tokens.issue(client_id, lifetime_s)
        answer = {"access_token": token, "expires_in": math.floor(lifetime_s), "token_type": "Bearer"}
        return json_response(answer, headers={"cache-control": "no-store"})

    async def _file(self, exchange: Exchange, segments: list[str]) -> Response:
        self._caller(exchange)
        if len(segments) != 3 or segments[1] != "documents":
            raise Refusal(404, "Not Found")
        row = self.state.tables.documents.get(segments[2])
        if exchange.request.method == "PUT":
            return await files.put_file(self.state, row, exchange)
        if exchange.request.method == "GET":
            return files.get_file(self.state, row, exchange)
        raise Refusal(405, "Method Not Allowed", {"allow": "GET, PUT"})


def _without_base(segments: list[str]) -> list[str]:
    if segments[:1] != [BASE_PATH.strip("/")]:
        raise Refusal(404, "Not Found")
    return segments[1:]


def _token_problem(grant: str | None, media_type: str) -> str | None:
    if media_type != _FORM or grant is None:
        return "invalid_request"
    return None if grant == "client_credentials" else "unsupported_grant_type"


def create(**options: Any) -> Emulator:
    """Make an emulator of las with fresh state.

    Raises:
        ValueError: There is no such option.
    """
    state = LasState(options_from(Options, "las", options))
    contract = read_contract(legacy=state.options.legacy_fields)
    return Emulator(LasService(state, contract), base_path=BASE_PATH)
