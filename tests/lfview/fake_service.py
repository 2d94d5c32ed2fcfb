"""The service in a few lines: the rules of the recordings, and answers out of the ordinary where a test wants them."""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.lfview.playback import Answer, Place, Received

PROJECT = "/api/v1/project/org1/proj1"
SPEC = "{upload_base_url}/{base_type}{type_delimiter}{sub_type}"


class FakeService:
    """Discovery, users, resources, upload sessions.

    Args:
        place: Where it answers.
        storage: Where contents lie; another origin. Default: the same.

    Attributes:
        script: Answers in place of the usual ones: ``(method, path pattern, occurrence)`` to what is called with the
            request; a result of None means the usual answer.
        stored: Contents by path.
    """

    def __init__(self, place: Place, storage: Place | None = None) -> None:
        self.base, self.storage = place.base, (storage or place).base
        for each in (place, storage):
            if each is not None:
                each.service = self
        self.place = place
        self.resources: dict[str, dict[str, Any]] = {}
        self.stored: dict[str, bytes] = {}
        self.encodings: dict[str, str] = {}
        self.script: dict[tuple[str, str, int], Callable[[Received], Answer | None]] = {}
        self.requests: list[Received] = []
        self.keys = {"good-key"}
        self.terms: Any = True
        self.slow: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    # --- what tests ask ----------------------------------------------------------------------------------------------

    def load(self, server: dict[str, Any]) -> None:
        """Take over resources and contents of a case."""
        for path, data in server["resources"].items():
            filled = json.loads(json.dumps(data).replace("{{base}}/storage", self.storage + "/storage"))
            self.resources[path] = json.loads(json.dumps(filled).replace("{{base}}", self.base))
        for path, blob in server["blobs"].items():
            self.stored[path] = base64.b64decode(blob["base64"])
            if "content_encoding" in blob:
                self.encodings[path] = blob["content_encoding"]

    def content(self, path: str) -> bytes:
        """Return content as whoever sent it meant it."""
        data = self.stored[path]
        return gzip.decompress(data) if self.encodings.get(path) == "gzip" else data

    def sent(self, *methods: str) -> list[Received]:
        """Return the requests with these methods, writes by default."""
        return [entry for entry in self.requests if entry.method in (methods or ("POST", "PATCH", "PUT", "DELETE"))]

    def calls(self, *methods: str) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.sent(*methods)]

    def on(self, method: str, path: str, occurrence: int, answer: Callable[[Received], Answer | None]) -> None:
        self.script[method, path, occurrence] = answer

    # --- what clients ask --------------------------------------------------------------------------------------------

    def answer(self, request: Received) -> Answer:
        for path, seconds in self.slow.items():
            if request.path.startswith(path):
                time.sleep(seconds)
        with self._lock:
            self.requests.append(request)
            special = self._special(request)
            return special if special is not None else self._usual(request)

    def _special(self, request: Received) -> Answer | None:
        fitting = [rule for rule in self.script if rule[0] == request.method and re.fullmatch(rule[1], request.path)]
        for rule in {rule[:2] for rule in fitting}:
            self._seen[rule] += 1
        for rule in fitting:
            if rule[2] in (0, self._seen[rule[:2]]):
                return self.script[rule](request)
        return None

    def _usual(self, request: Received) -> Answer:
        path, method = request.path, request.method
        if path == "/v1/endpoints/lookup":
            return reply(200, {"upload_api_url_spec": SPEC, "user_api_url": f"{self.base}/api/v1/user"})
        if path.startswith("/storage/"):
            return self._content(request)
        key = request.headers.get("authorization", "").removeprefix("bearer ")
        if key not in self.keys:
            return reply(401, {"message": "unauthorized"})
        if path == "/api/v1/user":
            links = {"default_upload_location": self.base + PROJECT}
            return reply(200, {"accepted_terms": self.terms, "links": links})
        if method == "POST":
            return self._create(path, request.json)
        if method == "PUT" and path.endswith("/thumbnail"):
            place = f"/storage/thumb{path.replace('/', '-')}"
            self.stored[place] = b""
            return reply(200, {"links": {"location": self.storage + place}})
        if path not in self.resources:
            return reply(404, {"message": "not found"})
        if method == "PATCH":
            return self._change(path, request.json)
        if method == "DELETE":
            del self.resources[path]
            return 204, {}, b""
        return reply(200, self.resources[path])

    def _create(self, path: str, body: dict[str, Any]) -> Answer:
        kind = path.rpartition("/")[2]
        if kind == "invites":
            return reply(201, {"ok": True})
        stem = {"views": "view", "slides": "slide", "feedback": "fb"}.get(kind, kind)
        self._counts[stem] += 1
        uid = f"{stem}{self._counts[stem]}"
        links = {"self": f"{self.base}{path}/{uid}"}
        kinds = path.split("/")
        if kinds[-2] == "files":
            links["location"] = f"{self.storage}/storage/{uid}"
            self._open(f"/storage/{uid}", body)
        if kind == "views":
            view = f"/api/v1/view/org1/proj1/{uid}"
            links |= {"slides": f"{self.base}{view}/slides", "invites": f"{self.base}{view}/invites"}
            links["thumbnail"] = f"{links['self']}/thumbnail"
        if kind == "slides":
            links |= {name: f"{links['self']}/{name}" for name in ("feedback", "thumbnail")}
            links["view"] = self.base + path.rpartition("/")[0]
        if kind == "feedback":
            links["slide"] = self.base + path.rpartition("/")[0]
        name = kind if kind in ("views", "slides", "feedback") else "/".join(kinds[-2:])
        data = body | {"uid": uid, "type": name, "author": "user1", "links": links}
        self.resources[f"{path}/{uid}"] = data
        if kind == "views":
            self.resources[f"/api/v1/view/org1/proj1/{uid}"] = data
        return reply(201, data)

    def _change(self, path: str, body: dict[str, Any]) -> Answer:
        self.resources[path].update(body)
        data = self.resources[path]
        if "location" in data["links"]:
            self._open(data["links"]["location"].removeprefix(self.storage), body)
        return reply(200, data)

    def _open(self, place: str, body: dict[str, Any]) -> None:
        self.stored[place] = b""
        if body.get("content_encoding"):
            self.encodings[place] = body["content_encoding"]

    def _content(self, request: Received) -> Answer:
        path = request.path
        if path not in self.stored:
            return reply(404, {"message": "no such session"})
        if request.method == "GET":
            headers = {"Content-Encoding": self.encodings[path]} if path in self.encodings else {}
            return 200, headers, self.stored[path]
        span, _, total = request.headers["content-range"].removeprefix("bytes ").partition("/")
        if span != "*" and int(span.partition("-")[0]) == len(self.stored[path]):
            self.stored[path] += request.body
        held = len(self.stored[path])
        if held == int(total):
            return reply(200, {"size": held})
        return 308, {"Range": f"bytes=0-{held - 1}"} if held else {}, b""


def reply(status: int, data: Any) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(data).encode()
