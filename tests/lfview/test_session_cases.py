"""Every recorded call of the platform's own client, through the sessions, awaited and blocking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from asyncclient import AsyncHub, Hub, lfview
from asyncclient.errors import ArgumentError
from asyncclient.lfview import exceptions, utils
from tests.lfview.cases import CASES, World, array_of
from tests.lfview.playback import Place, Playback
from tests.lfview.test_wire_bodies import check_graph

CAUSES: dict[str, type[Exception]] = {
    "invalid_api_key": exceptions.InvalidAPIKey,
    "slide_given_to_upload": exceptions.NotAResource,
    "feedback_given_to_upload": exceptions.NotAResource,
    "not_a_resource": exceptions.NotAResource,
    "validation": exceptions.ValidationError,
    "http_error": exceptions.HTTPError,
    "view_required": ArgumentError,
    "slide_required": ArgumentError,
    "not_a_slide": exceptions.NotAResource,
    "not_feedback": exceptions.NotAResource,
    "bad_view_url": exceptions.BadURL,
    "bad_role": ArgumentError,
    "not_uploaded": exceptions.NotUploaded,
}
# Steps whose requests are not made, as what is wrong is found before any; see docs/howto/lfview.md.
REFUSED_EARLIER = {("slide-errors", 4)}


class Script:
    """One case: what is called, and what has to come of it; calls are made by whoever runs it."""

    def __init__(self, entry: dict[str, Any], place: Place) -> None:
        self.playback = Playback(entry, place.base)
        place.service = self.playback
        self.entry, self.base = self.playback.entry, place.base
        self.world = World(self.entry)
        self.session: Any = None

    def prepare(self, step: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """Do what needs no session; returns the method to call and its arguments, if there is one."""
        if step["op"] == "set":
            setattr(self.world.get(step["on"]), step["prop"], self.world.value(step["value"]))
        elif step["op"] == "set_array":
            self.world.get(step["on"]).array = array_of(step["array"])
        elif step["op"] == "touch":
            utils.touch(self.world.get(step["on"]))
        elif step["op"] == "call":
            return step["method"], {name: self.world.value(value) for name, value in step["args"].items()}
        else:
            assert step["op"] == "session"
        return None

    def check(self, index: int, value: Any, error: Exception | None) -> None:
        outcome = self.entry["outcomes"][index]
        if (self.entry["id"], index) in REFUSED_EARLIER:
            self.playback.used |= {e["n"] for e in self.entry["exchanges"] if e["step"] == index}
        self.playback.end_step()
        assert not self.playback.errors
        if "raises" in outcome:
            assert isinstance(error, CAUSES[outcome["raises"]["cause"]])
            assert isinstance(error, ValueError)
            assert outcome["raises"].get("contains", "") in str(error)
            return
        if error is not None:
            raise error
        if step_name := self.entry["steps"][index].get("save_as"):
            self.world.objects[step_name] = value
        self.check_value(outcome, value)

    def check_value(self, outcome: dict[str, Any], value: Any) -> None:
        for name, expected in outcome.get("attrs", {}).items():
            assert getattr(self.session, name) == expected, name
        if "headers" in outcome:
            assert self.session.headers == outcome["headers"]
        if "result" in outcome:
            check_graph(value, outcome["result"])
        elif isinstance(outcome.get("returns"), dict):
            assert value.status_code == outcome["returns"]["http_status"]
        elif "returns" in outcome:
            assert value == outcome["returns"]


def session_arguments(step: dict[str, Any], base: str, hub: Any) -> dict[str, Any]:
    return {**step["args"], "discovery_url": base, "hub": hub}


def caught(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return call(), None
    except Exception as error:
        return None, error


@pytest.mark.anyio
@pytest.mark.parametrize("entry", CASES, ids=lambda entry: entry["id"])
async def test_async(entry: dict[str, Any], place: Place) -> None:
    script = Script(entry, place)
    async with AsyncHub() as hub:
        script.session = lfview.AsyncSession("good-key", discovery_url=place.base, hub=hub)
        for index, step in enumerate(script.entry["steps"]):
            value, error = None, None
            call = script.prepare(step)
            try:
                if step["op"] == "session":
                    cls = getattr(lfview, f"Async{step['class']}")
                    script.session = cls(**session_arguments(step, place.base, hub))
                    assert not script.playback.used or index, "a constructor sends nothing"
                    await script.session.connect()
                elif call is not None:
                    value = await getattr(script.session, call[0])(**call[1])
            except Exception as found:
                error = found
            script.check(index, value, error)


@pytest.mark.parametrize("entry", CASES, ids=lambda entry: entry["id"])
def test_sync(entry: dict[str, Any], place: Place) -> None:
    script = Script(entry, place)
    with Hub() as hub:
        if not entry.get("explicit_session"):
            script.session = lfview.Session("good-key", discovery_url=place.base, hub=hub)
            assert not script.playback.preamble, "the constructor finds the service"
        for index, step in enumerate(script.entry["steps"]):
            value, error = None, None
            call = script.prepare(step)
            try:
                if step["op"] == "session":
                    cls = getattr(lfview, step["class"])
                    script.session = cls(**session_arguments(step, place.base, hub))
                elif call is not None:
                    value = getattr(script.session, call[0])(**call[1])
            except Exception as found:
                error = found
            script.check(index, value, error)


def test_no_case_is_lost() -> None:
    assert len(CASES) == 26
