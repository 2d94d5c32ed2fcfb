"""A server that sees every secret that goes over the wire, and repeats all of it when it refuses.

It stands before an emulator, or before any other ASGI application, and plays what gateways and stores do at their worst:
an answer that quotes the headers, the query and the body of the request.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from asyncclient.testing._uvicorn import HttpServer, listen

Message = MutableMapping[str, Any]

SECRET_HEADERS = ("authorization", "x-api-key", "cookie", "proxy-authorization", "x-scitran-auth", "x-marked")
SECRET_NAME = re.compile(r"sig|token|ticket|secret|passw|private|api_?key|upload_id|credential", re.IGNORECASE)
# An id of an upload in parts opens nothing by itself; the journal needs it.
OPEN_NAMES = {"X-Amz-SignedHeaders", "x-amz-signedheaders", "uploadId"}


class Tap:
    """An ASGI application before another one.

    Attributes:
        app: The one behind it.
        echo: Status to answer with, and everything that was sent; None to let requests through.
        after: How many requests are let through before that.
        cut: Break answers off after so many bytes of their body, ``cuts`` of them: downloads go on where they broke off.
        hold: Not answered before this is set.
        secrets: What went over the wire and must not be seen elsewhere.
        seen: Requests.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.echo: int | None = None
        self.after = 0
        self.cut: int | None = None
        self.cuts = 0
        self.hold: threading.Event | None = None
        self.secrets: set[str] = set()
        self.seen: list[str] = []
        self.url = ""

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.seen.append(f"{scope['method']} {scope['path']}")
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self._note_headers(headers)
        for segment in re.findall(r"/(?:signed|storage)/([^/?]+)", scope["path"]):
            if headers["host"].startswith("localhost"):  # a store: its address opens it
                self._note(segment)
        self._note_pairs(parse_qsl(scope["query_string"].decode("latin-1")))
        matched = self.after <= 0
        self.after -= 1
        if self.echo is not None and matched:
            await self._repeat(scope, headers, receive, send)
            return
        if self.hold is not None and matched:
            await receive()
            await asyncio.to_thread(self.hold.wait, 30)
        cut = self.cut if matched and self.cuts > 0 else None
        self.cuts -= cut is not None
        await self.app(scope, receive, self._noting(send, cut))

    async def _repeat(self, scope: Message, headers: dict[str, str], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        query = scope["query_string"].decode("latin-1")
        said = f"refused: {scope['method']} {scope['path']}?{query} {headers} {body[:4000].decode('latin-1')}"
        answer = {"message": said, "error": said, "detail": said, "code": said[:300], "sent": {"headers": headers}}
        text = json.dumps(answer).encode()
        repeated = [(b"x-request-id", headers.get("authorization", query or "none").encode("latin-1"))]
        repeated += [(b"www-authenticate", b"Bearer realm=" + json.dumps(query).encode())]
        start = {"type": "http.response.start", "status": self.echo}
        framing = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        await send({**start, "headers": [*framing, *repeated]})
        await send({"type": "http.response.body", "body": text})

    def _noting(self, send: Any, cut: int | None) -> Any:
        state: dict[str, Any] = {"json": False, "body": b"", "left": cut}

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
                }
                state["json"] = "json" in headers.get("content-type", "")
                for name in ("location", "set-cookie"):
                    self._note_text(headers.get(name, ""))
            elif state["json"]:
                state["body"] += message.get("body", b"")
                if not message.get("more_body"):
                    self._note_json(state["body"])
            if cut is not None and message["type"] == "http.response.body":
                body = message.get("body", b"")
                if len(body) > state["left"]:
                    await send({**message, "body": body[: state["left"]], "more_body": True})
                    raise ConnectionResetError("cut by the test")
                state["left"] -= len(body)
            await send(message)

        return noting

    def _note_headers(self, headers: dict[str, str]) -> None:
        for name in SECRET_HEADERS:
            value = headers.get(name, "")
            scheme, _, rest = value.partition(" ")
            self._note(rest or scheme)
            self._note((rest or scheme).rpartition(":")[2])
            if scheme.lower() == "basic":
                self._note(base64.b64decode(rest).decode("latin-1").partition(":")[2])

    def _note_pairs(self, pairs: list[tuple[str, str]]) -> None:
        for name, value in pairs:
            if SECRET_NAME.search(name) and name not in OPEN_NAMES:
                self._note(value)

    def _note_text(self, text: str) -> None:
        for query in re.findall(r"\?([^\s\"]+)", text):
            self._note_pairs(parse_qsl(query))

    def _note_json(self, body: bytes) -> None:
        try:
            value = json.loads(body)
        except ValueError:
            return
        self._note_value(value, "")

    def _note_value(self, value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self._note_value(item, key)
        elif isinstance(value, list):
            for item in value:
                self._note_value(item, name)
        elif isinstance(value, str):
            self._note_text(value)
            if re.search(r"token$|ticket$|password|secret|private_key|^key$", name) and " " not in value:
                self._note(value)

    def _note(self, value: str) -> None:
        if len(value) >= 12:
            self.secrets.add(value)


@contextmanager
def tapped(app: Any, *, lifespan: bool = False) -> Iterator[Tap]:
    """Serve an application behind a tap, on a port of this machine; ``lifespan`` if it opens and closes something."""
    tap = Tap(app)
    listener = listen("127.0.0.1", 0)
    tap.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready = threading.Event()
    server = HttpServer(tap, listener, ready.set)
    server.config.lifespan = "on" if lifespan else "off"
    thread = threading.Thread(target=server.run_until_stopped, name="tap")
    thread.start()
    assert ready.wait(20)
    try:
        yield tap
    finally:
        if tap.hold is not None:
            tap.hold.set()
        server.stop()
        thread.join(20)
        assert not thread.is_alive()
