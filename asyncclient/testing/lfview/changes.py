"""Making and changing resources: the checks, and what goes with it."""

from __future__ import annotations

from dataclasses import replace

from asyncclient.testing._contract import Refusal
from asyncclient.testing.lfview import rules
from asyncclient.testing.lfview.call import Call, Json
from asyncclient.testing.lfview.kinds import FILES, SCHEMAS, canonical, map_pointers
from asyncclient.testing.lfview.tables import Resource, now

__all__ = ["change", "create"]


def _checked(call: Call, kind: str, old: Json, view: Resource | None = None) -> Json:
    """Return what the body makes of the properties there were.

    Raises:
        Refusal: 400, the schema does not admit it; 422, a pointer leads nowhere or values contradict one another.
    """
    if not isinstance(call.body, dict) or "uid" in call.body:
        raise Refusal(400, "body: must be an object without 'uid'")
    known = _pointers(old)

    def follow(pointer: str, where: str) -> str:
        if pointer in known:
            return pointer
        path = canonical(pointer, call.project)
        row = call.state.resources.find(path)
        if path in known or (row is not None and call.may_read(row, view)):
            return path
        if call.state.options.check_pointers:
            raise Refusal(422, f"{where}: there is no such resource")
        return pointer

    merged = {**old, **call.body}
    if kind in FILES and "content_encoding" not in call.body and not call.state.options.sticky_encoding:
        merged.pop("content_encoding", None)
    call.contract.body(replace(call.operation, body={"$ref": SCHEMAS[kind]}), merged)
    body: Json = map_pointers(merged, follow)
    problem = rules.problem(kind, body, call.state.resources.find, view) if call.state.options.check_rules else None
    if problem is not None:
        raise Refusal(422, problem)
    return body


def _pointers(body: Json) -> set[str]:
    found: set[str] = set()

    def collect(pointer: str, _: str) -> str:
        found.add(pointer)
        return pointer

    map_pointers(body, collect)
    return found


def create(call: Call, kind: str, collection: str, view: Resource | None = None) -> Resource:
    """Make a resource from the body of a request.

    Args:
        call: The request.
        kind: Type of the resource.
        collection: Path it is posted to.
        view: The view of a slide.
    """
    author = call.signed_in.id
    body = _checked(call, kind, {}, view)
    path = f"{collection}/{call.state.resources.new_uid(kind)}"
    row = call.state.resources.save(Resource(path, kind, body, author, now(), now(), call.source))
    if kind in FILES:
        call.state.open_session(row.uid, row.path, row.body)
    return row


def change(call: Call, row: Resource, view: Resource | None = None) -> Resource:
    """Change a resource by the body of a request; the content of a file is then to be sent anew."""
    row.body = _checked(call, row.kind, row.body, view)
    row.modified = now()
    call.state.resources.save(row)
    if row.kind in FILES:
        call.state.open_session(row.uid, row.path, row.body)
    return row
