"""The service: discovery, API, contents, and the pages of views."""

from __future__ import annotations

from importlib import resources
from typing import Any

from starlette.responses import HTMLResponse, Response

from asyncclient.testing._bodies import json_body
from asyncclient.testing._contract import Contract, Refusal, segments_of
from asyncclient.testing._emulator import Emulator, Exchange, json_response
from asyncclient.testing._options import options_from
from asyncclient.testing.lfview.answers import Origins
from asyncclient.testing.lfview.call import Call
from asyncclient.testing.lfview.content import ContentService
from asyncclient.testing.lfview.handlers import HANDLERS
from asyncclient.testing.lfview.kinds import PROJECT, VIEWS
from asyncclient.testing.lfview.options import Options
from asyncclient.testing.lfview.state import STORAGE, LfviewState

__all__ = ["BASE_PATH", "LfviewService", "create", "read_contract"]

BASE_PATH = "/api/v1"

_PAGES = ("app", "embed")
_CONTENT_METHODS = {"PUT": "upload_content", "GET": "download_content", "HEAD": "download_content"}


def read_contract() -> Contract:
    """Read the contract that the emulator carries."""
    return Contract.read(resources.files("asyncclient.testing.lfview").joinpath("contract.json").read_text("utf-8"))


class LfviewService:
    """Serves requests from its state.

    Args:
        state: The data.
        contract: What is admitted.
    """

    def __init__(self, state: LfviewState, contract: Contract) -> None:
        self.state = state
        self._contract = contract
        self._content = ContentService(state)

    def credentials(self, base_url: str) -> dict[str, str]:
        """Return the key, and where the discovery service is."""
        return {"api_key": self.state.options.api_key, "discovery_url": base_url}

    def close(self) -> None:
        """Delete contents, unless there is a folder for them."""
        self.state.storage.close()

    def error_body(self, status: int, message: str) -> dict[str, str]:
        """Return the JSON of an error answer."""
        return {"message": message}

    def name_of(self, exchange: Exchange) -> str | None:
        """Return the operation: one of the API, ``upload_content``, ``download_content`` or ``view_page``."""
        segments = segments_of(exchange.raw_path)
        if segments[0] == STORAGE:
            return _CONTENT_METHODS.get(exchange.request.method)
        if segments[0] in _PAGES:
            return "view_page"
        try:
            return self._contract.find(exchange.request.method, segments)[0].id
        except Refusal:
            return None

    async def answer(self, exchange: Exchange) -> Response:
        """Serve one request. Refusals are raised."""
        segments = segments_of(exchange.raw_path)
        if segments[0] == STORAGE and len(segments) == 2:
            return await self._content.answer(exchange, segments[1])
        if segments[0] in _PAGES:
            return self._page(segments)
        return await self._operation(exchange, segments)

    def _page(self, segments: list[str]) -> Response:
        path = f"{PROJECT}/{'/'.join(segments[1:3])}/{VIEWS}/{'/'.join(segments[3:])}"
        self.state.resources.get(path)
        return HTMLResponse(f'<!doctype html><title>View</title><link rel="alternate" href="{path}">')

    async def _operation(self, exchange: Exchange, segments: list[str]) -> Response:
        operation, params = self._contract.find(exchange.request.method, segments)
        headers = exchange.request.headers
        user = None if operation.id == "lookup_endpoints" else self.state.user_of(headers.get("authorization"))
        query = self._contract.query(operation, exchange.request.query_params.multi_items())
        call = Call(
            state=self.state,
            contract=self._contract,
            operation=operation,
            params=params,
            query=query,
            body=None if operation.body is None else await json_body(exchange),
            path="/" + "/".join(segments),
            origins=Origins.of(exchange.origin, self.state.options.storage_host),
            user=user,
            source=headers.get("source"),
        )
        answer = HANDLERS[operation.id](call)
        return Response(status_code=204) if answer is None else json_response(answer, operation.status)


def create(**options: Any) -> Emulator:
    """Make an emulator of LF View, with fresh state or that of its folder.

    Raises:
        ValueError: There is no such option.
    """
    return Emulator(
        LfviewService(LfviewState(options_from(Options, "lfview", options)), read_contract()), base_path=BASE_PATH
    )
