"""The recorded cases, and the objects they describe."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from asyncclient import lfview

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent.parent / "wire" / "lfview.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = DOCUMENT["cases"]
IMPROVEMENTS: list[dict[str, Any]] = DOCUMENT["improvements"]
BASE = "http://127.0.0.1:1"


def case(name: str) -> dict[str, Any]:
    """Return a case with the root URL in its place."""
    found = next(entry for entry in [*CASES, *IMPROVEMENTS] if entry["id"] == name)
    filled: dict[str, Any] = json.loads(json.dumps(found).replace("{{base}}", BASE))
    return filled


def class_of(name: str) -> type[Any]:
    """Find ``spatial.options.OptionsColor`` below ``asyncclient.lfview``."""
    found: Any = lfview
    for part in name.split("."):
        found = getattr(found, part)
    cls: type[Any] = found
    return cls


def array_of(spec: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Make the numpy array a case describes."""
    if "generator" in spec:
        return np.frombuffer(_generated(spec["generator"]), spec["dtype"]).reshape(spec["shape"])
    return np.array(_floats(spec["values"]), dtype=spec["dtype"])


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, str) else value


def _generated(spec: dict[str, Any]) -> bytes:
    assert spec["kind"] == "sha256-counter"
    blocks, counter = b"", 0
    while len(blocks) < spec["length"]:
        blocks += hashlib.sha256(spec["seed"].encode() + counter.to_bytes(4, "big")).digest()
        counter += 1
    mask = spec.get("and_mask", 255)
    return bytes.fromhex(spec.get("prefix_hex", "")) + bytes(byte & mask for byte in blocks[: spec["length"]])


class World:
    """The objects of one case, made when they are first named."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self._specs = entry.get("resources", {})
        self._files = entry.get("files", {})
        self.objects: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self.objects:
            self.objects[name] = self.build(self._specs[name])
        return self.objects[name]

    def build(self, spec: dict[str, Any]) -> Any:
        values = self.value(spec.get("props", {}))
        if "array" in spec:
            values["array"] = array_of(spec["array"])
        if "file" in spec:
            values["image"] = self.file(spec["file"])
        return class_of(spec["class"])(**values)

    def file(self, name: str) -> io.BytesIO:
        return io.BytesIO(base64.b64decode(self._files[name]["base64"]))

    def value(self, value: Any) -> Any:
        """Resolve the references in a value of a case."""
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return self.get(value["$ref"])
        if "$url" in value:
            return self.get(value["$url"]).url
        if "$file" in value:
            return self.file(value["$file"])
        if "$new" in value:
            return self.build(value["$new"])
        return {key: self.value(item) for key, item in value.items()}
