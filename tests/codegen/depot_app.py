"""The made-up service of ``docs/examples/sixth_service``, as an ASGI application."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

__all__ = ["Depot"]

KEY = "depot-key"


@dataclass
class Depot:
    """Its samples, their files, and the requests it was sent: method, path with query, body."""

    samples: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/samples", self.answer, methods=["GET", "POST"]),
                Route("/v1/samples/{id}", self.answer, methods=["GET", "PATCH", "DELETE"]),
                Route("/v1/samples/{id}/content", self.answer, methods=["GET", "PUT"]),
            ]
        )

    async def answer(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((request.method, str(request.url).partition("/v1")[2], body))
        if request.headers.get("x-api-key") != KEY:
            return _refused(401, "no-key", "The key is wrong.")
        known = request.path_params.get("id")
        if known is not None and known not in self.samples:
            return _refused(404, "no-sample", f"There is no sample {known}.")
        kind = "content" if request.url.path.endswith("/content") else "sample" if known else "samples"
        method = getattr(self, f"{request.method.lower()}_{kind}")
        answer: Response = method(known, request, body)
        return answer

    def get_samples(self, _: None, request: Request, __: bytes) -> Response:
        query = request.query_params
        found = [each for each in self.samples.values() if query.get("kind") in (None, each["kind"])]
        start = int(query.get("pageToken", "0"))
        end = start + int(query.get("pageSize", "50"))
        more = {"nextPageToken": str(end)} if end < len(found) else {}
        return JSONResponse({"samples": found[start:end], **more})

    def post_samples(self, _: None, __: Request, body: bytes) -> Response:
        given = json.loads(body)
        if any(each["name"] == given["name"] for each in self.samples.values()):
            return _refused(409, "name-taken", f"There is a sample called {given['name']}.")
        sample_id = f"s{len(self.samples) + 1}"
        self.samples[sample_id] = {"sampleId": sample_id, **given}
        return JSONResponse(self.samples[sample_id], 201)

    def get_sample(self, known: str, *_: Any) -> Response:
        return JSONResponse(self.samples[known])

    def patch_sample(self, known: str, _: Request, body: bytes) -> Response:
        self.samples[known] |= json.loads(body)
        return JSONResponse(self.samples[known])

    def delete_sample(self, known: str, *_: Any) -> Response:
        del self.samples[known]
        self.files.pop(known, None)
        return Response(status_code=204)

    def put_content(self, known: str, request: Request, body: bytes) -> Response:
        if request.headers["content-type"] != "application/octet-stream":
            return _refused(415, "no-bytes", "Content is bytes.")
        self.files[known] = body
        self.samples[known]["contentSize"] = len(body)
        return JSONResponse(self.samples[known])

    def get_content(self, known: str, *_: Any) -> Response:
        if known not in self.files:
            return _refused(404, "no-content", "It has no content yet.")
        return Response(self.files[known], media_type="application/octet-stream")


def _refused(status: int, problem: str, text: str) -> Response:
    return JSONResponse({"problem": problem, "text": text}, status)
