"""What the platform's own client gets wrong, with what is required instead, as recorded beside the cases."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, lfview
from asyncclient.lfview import exceptions
from tests.lfview.cases import IMPROVEMENTS, World
from tests.lfview.fake_service import FakeService
from tests.lfview.playback import Answer, Place, Received

CAUSES = {"http_error": exceptions.HTTPError}


class Improvement:
    """One of them: its steps, and what they have to come to."""

    def __init__(self, entry: dict[str, Any], place: Place, storage: Place) -> None:
        self.entry = entry
        apart = any("headers_absent" in check for check in entry["assert"])
        self.service = FakeService(place, storage if apart else None)
        if "server" in entry:
            self.service.load(entry["server"])
        for rule in entry.get("script", ()):
            when = rule["when"]
            self.service.on(when["method"], when["path"], when["occurrence"], self.respond(rule["respond"]))
        self.world = World(entry)
        self.outcomes: list[Any] = []
        self.writes: list[list[str]] = []

    def respond(self, rule: dict[str, Any]) -> Any:
        def answer(request: Received) -> Answer:
            kept = rule.get("stores_bytes", 0)
            self.service.stored[request.path] += request.body[:kept]
            return rule["status"], rule.get("headers", {}), rule.get("body", "").encode()

        return answer

    def arguments(self, step: dict[str, Any]) -> dict[str, Any]:
        values = {name: self.world.value(value) for name, value in step["args"].items()}
        return {
            name: value.replace("{{base}}", self.service.base) if isinstance(value, str) else value
            for name, value in values.items()
        }

    def note(self, step: dict[str, Any], outcome: Any) -> None:
        if "save_as" in step:
            self.world.objects[step["save_as"]] = outcome
        self.outcomes.append(outcome)
        self.writes.append([request.method for request in self.service.sent()])

    def check(self) -> None:
        for rule in self.entry["assert"]:
            (kind,) = [
                key for key in ("outcome", "stored", "requests", "count", "json", "headers_absent") if key in rule
            ]
            getattr(self, f"check_{kind}")(rule)

    def check_outcome(self, rule: dict[str, Any]) -> None:
        outcome = self.outcomes[rule["outcome"]]
        if rule["is"] == "raises":
            assert isinstance(outcome, CAUSES[rule["cause"]])
            assert rule["contains"] in str(outcome)
        else:
            assert not isinstance(outcome, Exception), outcome

    def check_stored(self, rule: dict[str, Any]) -> None:
        held = self.service.content(rule["stored"])
        assert (len(held), hashlib.sha256(held).hexdigest()) == (rule["length"], rule["sha256"])

    def check_requests(self, rule: dict[str, Any]) -> None:
        before = self.writes[rule["requests"] - 1] if rule["requests"] else []
        assert Counter(self.writes[rule["requests"]]) - Counter(before) == Counter(rule["methods"])

    def check_count(self, rule: dict[str, Any]) -> None:
        count = rule["count"]
        assert self.service.calls(count["method"]).count(f"{count['method']} {count['path']}") == count["is"]

    def check_json(self, rule: dict[str, Any]) -> None:
        wanted = rule["json"]
        (body,) = [request.json for request in self.service.sent(wanted["method"]) if request.path == wanted["path"]]
        for name, value in wanted.get("contains", {}).items():
            assert body[name] == value
        for name, length in wanted.get("length_of", {}).items():
            assert len(body[name]) == length

    def check_headers_absent(self, rule: dict[str, Any]) -> None:
        wanted = rule["headers_absent"]
        found = [r for r in self.service.sent(wanted["method"]) if r.path.startswith(wanted["path_prefix"])]
        assert found
        assert not [request for request in found for name in wanted["names"] if name.lower() in request.headers]


@pytest.mark.anyio
@pytest.mark.parametrize("entry", IMPROVEMENTS, ids=lambda entry: entry["id"])
async def test_async(entry: dict[str, Any], place: Place, second_place: Place) -> None:
    improvement = Improvement(entry, place, second_place)
    async with (
        AsyncHub() as hub,
        lfview.AsyncSession("good-key", discovery_url=place.base, hub=hub) as session,
    ):
        for step in entry["steps"]:
            try:
                outcome = await getattr(session, step["method"])(**improvement.arguments(step))
            except Exception as error:
                outcome = error
            improvement.note(step, outcome)
    improvement.check()


@pytest.mark.parametrize("entry", IMPROVEMENTS, ids=lambda entry: entry["id"])
def test_sync(entry: dict[str, Any], place: Place, second_place: Place) -> None:
    improvement = Improvement(entry, place, second_place)
    with Hub() as hub, lfview.Session("good-key", discovery_url=place.base, hub=hub) as session:
        for step in entry["steps"]:
            try:
                outcome = getattr(session, step["method"])(**improvement.arguments(step))
            except Exception as error:
                outcome = error
            improvement.note(step, outcome)
    improvement.check()


def test_no_improvement_is_lost() -> None:
    assert len(IMPROVEMENTS) == 9
