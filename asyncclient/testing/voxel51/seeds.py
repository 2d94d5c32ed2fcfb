"""What the platform has from the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from asyncclient.testing.voxel51.tables import Analytic

__all__ = ["STATUSES", "public_analytics"]

STATUSES = {
    "platform": {"operational": True, "message": "The platform is operational"},
    "jobs": {"operational": True, "message": "The jobs cluster is operational"},
}


def _video(description: str) -> dict[str, Any]:
    return {"name": "video", "type": "types.Video", "description": description, "required": True}


def _parameter(name: str, description: str, default: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "types.Number",
        "description": description,
        "placeholder": "a number",
        "required": False,
        "default": default,
    }


def _doc(name: str, version: str, description: str, *, gpu: bool) -> dict[str, Any]:
    output = {
        "name": "labels",
        "type": "types.VideoLabels",
        "description": "What was found",
        "filename": "labels.json",
        "post_as_data": False,
        "schema": None,
    }
    return {
        "info": {
            "name": name,
            "version": version,
            "description": description,
            "supports_cpu": True,
            "supports_gpu": gpu,
        },
        "inputs": [_video("The video to look at")],
        "parameters": [_parameter("fps", "Frames to look at in a second", 5)],
        "outputs": [output],
    }


def public_analytics() -> Iterator[Analytic]:
    """Make the analytics that everybody can use."""
    for number, (name, version, description, gpu) in enumerate(
        (
            ("voxel51/vehicle-sense", "0.9", "Detects vehicles", False),
            ("voxel51/vehicle-sense", "0.10", "Detects vehicles", True),
            ("voxel51/scene-sense", "1.0", "Classifies scenes", True),
        )
    ):
        yield Analytic(
            id=f"0b9a7c55-9f4e-4b7b-8f57-aa51c0ffee{number:02d}",
            owner=None,
            name=name,
            version=version,
            doc=_doc(name, version, description, gpu=gpu),
            uploaded=datetime(2019, 12, 1 + number, 10, 20, 30, tzinfo=UTC),
        )
