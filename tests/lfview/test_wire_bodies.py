"""Every JSON body and every downloaded graph of the recorded cases, from the models alone: no session, no HTTP."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from asyncclient.lfview import utils
from asyncclient.lfview._graph import forget, mark_fetched, mark_sent, resolve
from asyncclient.lfview.exceptions import NotAResource, NotUploaded, ValidationError
from asyncclient.lfview.files import Array, Image, Thumbnail
from asyncclient.lfview.manifests import View
from asyncclient.lfview.scene import Feedback, Slide
from asyncclient.lfview.spatial import DataBasic, DataCategory
from tests.lfview.cases import BASE, CASES, World, array_of, case, class_of

PROJECT = f"{BASE}/api/v1/project/org1/proj1"


class Replay:
    """Plays a case the way a session would, against the recorded exchanges of each step."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry, self.world = entry, World(entry)
        self.unused: list[dict[str, Any]] = []

    def run(self) -> None:
        for index, step in enumerate(self.entry["steps"]):
            self.unused = [e for e in self.entry["exchanges"] if e["step"] == index and "json" in e["request"]]
            outcome = self.entry["outcomes"][index]
            play = getattr(self, f"play_{step['op']}")
            if "raises" in (outcome or {}):
                with pytest.raises((ValidationError, NotAResource, NotUploaded, Refused)):
                    play(step)
            else:
                play(step)
                left = [e for e in self.unused if not e["request"]["path"].endswith("/invites")]
                assert not left, "recorded, but not sent"

    def play_set(self, step: dict[str, Any]) -> None:
        setattr(self.world.get(step["on"]), step["prop"], self.world.value(step["value"]))

    def play_set_array(self, step: dict[str, Any]) -> None:
        self.world.get(step["on"]).array = array_of(step["array"])

    def play_append(self, step: dict[str, Any]) -> None:
        getattr(self.world.get(step["on"]), step["prop"]).append(self.world.value(step["value"]))

    def play_touch(self, step: dict[str, Any]) -> None:
        utils.touch(self.world.get(step["on"]))

    def play_call(self, step: dict[str, Any]) -> None:
        arguments = {key: self.world.value(value) for key, value in step["args"].items()}
        getattr(self, step["method"])(**arguments)

    def upload(self, resource: Any, thumbnail: Any = None, **_: Any) -> None:
        if isinstance(resource, (Slide, Feedback)):
            raise NotAResource("has a method of its own")
        if not hasattr(resource, "BASE_TYPE"):
            raise NotAResource("no resource")
        for node in [*utils.compute_children(resource), resource]:
            if not utils.is_uploaded(node):
                self.send(node)
        if thumbnail is not None:
            self.match("PUT", resource.links["thumbnail"], Thumbnail(thumbnail).to_json())

    def send(self, node: Any, url: str | None = None) -> None:
        if isinstance(node, (DataBasic, DataCategory)):
            utils.sanitize_data_colormaps(node)
        if isinstance(node, View):
            node.contents = utils.compute_children(node)
        node.validate()
        body = utils.construct_upload_dict(node)
        if isinstance(node, Array):
            raw = bytes(node.raw())
            packed = gzip.compress(raw, 9, mtime=0)
            if len(packed) < len(raw):
                body |= {"content_encoding": "gzip", "content_length": len(packed)}
        collection = url or "/".join(filter(None, (PROJECT, node.BASE_TYPE, node.SUB_TYPE)))
        method, target = ("POST", collection) if node.url is None else ("PATCH", node.url)
        answer = self.match(method, target, body)
        if isinstance(node, (Array, Image)):
            content = bytes(node.raw()) if isinstance(node, Array) else node.image.read()
            self.check_content(urlsplit(answer["links"]["location"]).path, content)
        mark_sent(node, answer["links"])

    def check_content(self, path: str, content: bytes) -> None:
        streams = [e["stream"] for e in self.entry["exchanges"] if e["request"]["path"] == path and "stream" in e]
        digests = [(stream.get("decoded_length", stream["length"]), digest(stream)) for stream in streams]
        assert (len(content), hashlib.sha256(content).hexdigest()) in digests

    def upload_slide(self, slide: Any, view: Any = None, autofill_plane: bool = True, thumbnail: Any = None) -> None:
        if slide.__class__ is not Slide or view is None:
            raise Refused
        found: Any = next((o for o in self.world.objects.values() if isinstance(o, View) and o.url == view), None)
        if found is None:
            raise Refused
        if autofill_plane and slide.annotation_plane is None:
            slide.annotation_plane = utils.drawing_plane_from_camera(slide.scene.camera)  # type: ignore[union-attr]  # has one
        slide.validate()
        utils.extra_slide_validation(slide, found.elements)
        self.send(slide, found.links["slides"])
        if thumbnail is not None:
            self.match("PUT", (slide.links or {})["thumbnail"], Thumbnail(thumbnail).to_json())

    def upload_feedback(self, feedback: Any, slide: Any = None) -> None:
        if isinstance(feedback, str):
            feedback = Feedback(comment=feedback)
        if not isinstance(feedback, Feedback) or slide is None:
            raise Refused
        objects = [o for o in self.world.objects.values() if isinstance(o, Slide)]
        found: Any = next(o for o in objects if slide in (o, o.url))
        self.send(feedback, found.links["feedback"])

    def invite_to_view(self, role: str, **_: Any) -> None:
        if role not in ("view.editor", "view.spectator"):
            raise Refused

    def delete(self, resource: Any) -> None:
        url = utils.url_of(resource)
        if url.endswith("/none"):
            raise Refused
        if not isinstance(resource, str):
            forget(resource)

    def match(self, method: str, url: str, body: dict[str, Any]) -> dict[str, Any]:
        path = urlsplit(url).path
        for exchange in self.unused:
            request = exchange["request"]
            if "content_encoding" in body and "content_length" in request["json"]:
                body["content_length"] = request["json"]["content_length"]  # depends on the build of zlib
            if request["method"] == method and request["path"] == path and same_json(request["json"], body):
                self.unused.remove(exchange)
                if exchange["response"]["status"] >= 400:
                    raise Refused
                found: dict[str, Any] = exchange["response"]["json"]
                return found
        recorded = [e["request"]["json"] for e in self.unused if e["request"]["path"] == path]
        raise AssertionError(f"{method} {path} {body} was not recorded; there are {recorded}")


class Refused(Exception):
    """What a session or the service refuses, not a model."""


def digest(stream: dict[str, Any]) -> str:
    found: str = stream.get("decoded_sha256", stream["sha256"])
    return found


def same_json(expected: Any, actual: Any) -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys()
            and all(same_json(expected[key], actual[key]) for key in expected)
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(same_json, expected, actual))
    if isinstance(expected, float) and not isinstance(actual, bool):
        return bool(actual == pytest.approx(expected, rel=1e-12, abs=1e-15))
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)


UPLOADS = [
    entry["id"]
    for entry in CASES
    if "resources" in entry and any(e["request"].get("json") is not None for e in entry["exchanges"])
]


@pytest.mark.parametrize("name", UPLOADS)
def test_bodies_are_those_of_the_recording(name: str) -> None:
    Replay(case(name)).run()


def download(exchanges: list[dict[str, Any]], url: str, *, recursive: bool = True, copy: bool = False) -> Any:
    """Read the answers of one step, as a session would."""
    answers = {BASE + e["request"]["path"]: e["response"] for e in exchanges if e["response"]["status"] == 200}
    found = {
        answer_url: utils.read_resource(answer_url, answer["json"])
        for answer_url, answer in answers.items()
        if "json" in answer
    }
    for answer_url, resource in found.items():
        location = answers[answer_url]["json"]["links"].get("location")
        if location is None:
            continue
        content = base64.b64decode(answers[location]["body_base64"])
        if isinstance(resource, Array):
            packed = answers[location]["headers"].get("Content-Encoding") == "gzip"
            resource.fill(gzip.decompress(content) if packed else content)
        elif isinstance(resource, Image):
            resource.image = io.BytesIO(content)
    for resource in found.values() if recursive else ():
        resolve(resource, found)
    if not copy:
        mark_fetched((resource, answers[answer_url]["json"]["links"]) for answer_url, resource in found.items())
    return found[url]


def check_graph(root: Any, result: dict[str, Any]) -> None:
    seen: dict[str, Any] = {}

    def same(actual: Any, expected: Any) -> None:
        if isinstance(expected, dict) and "$obj" in expected:
            same_object(actual, expected["$obj"])
        elif isinstance(expected, list) and any(isinstance(item, dict) for item in expected):
            assert len(actual) == len(expected)
            for item, wanted in zip(actual, expected, strict=True):
                same(item, wanted)
        elif isinstance(expected, dict):
            assert same_json(expected, actual.to_json())
        else:
            assert same_json(expected, actual.tolist() if isinstance(actual, np.ndarray) else actual)

    def same_object(actual: Any, key: str) -> None:
        if key in seen:
            assert actual is seen[key]
            return
        seen[key] = actual
        expected = result["objects"][key]
        assert type(actual) is class_of(expected["class"])
        assert actual.url == expected["url"]
        set_names = {name for name in type(actual).model_fields if getattr(actual, name) is not None}
        assert set_names == expected["props"].keys()
        for name, value in expected["props"].items():
            same(getattr(actual, name), value)
        if "array" in expected:
            np.testing.assert_array_equal(actual.array, array_of(expected["array"]))
        if "image_sha256" in expected:
            assert hashlib.sha256(actual.image.read()).hexdigest() == expected["image_sha256"]

    same_object(root, result["root"])


@pytest.mark.parametrize("name", ["download-view-recursive", "download-view-flat", "download-app-fallback"])
def test_downloads_give_the_recorded_graph(name: str) -> None:
    entry = case(name)
    for index, (step, outcome) in enumerate(zip(entry["steps"], entry["outcomes"], strict=True)):
        exchanges = [e for e in entry["exchanges"] if e["step"] == index]
        url = step["args"]["url"]
        if utils.match_url_app(url):
            url = utils.convert_url_app_to_project(url)
            if exchanges[0]["response"]["status"] == 403:
                url = utils.convert_url_project_to_view(url)
        root = download(exchanges, url, recursive=step["args"].get("recursive", True))
        # Reading and resolving is no change.
        assert all(utils.is_uploaded(node) for node in [root, *utils.compute_children(root)])
        check_graph(root, outcome["result"])


def test_copies_are_new() -> None:
    entry = case("download-copy-upload")
    exchanges = [e for e in entry["exchanges"] if e["step"] == 0]
    root = download(exchanges, entry["steps"][0]["args"]["url"], copy=True)
    check_graph(root, entry["outcomes"][0]["result"])
    assert not any(utils.is_uploaded(node) for node in [root, *utils.compute_children(root)])
    replay = Replay(entry)
    replay.unused = [e for e in entry["exchanges"] if e["step"] == 1 and "json" in e["request"]]
    replay.upload(root)
    assert not replay.unused
