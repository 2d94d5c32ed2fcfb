"""Slides: a scene with camera, lights and plots, annotations on it, and feedback."""

from asyncclient.lfview._generated.models.scene import (
    BlockModel,
    CameraStandard,
    Light,
    Lines,
    Plot,
    PointSet,
    Ruler,
    Scene,
    Slice,
    SliceGroup,
    Surface,
    SurfaceGrid,
    Tubes,
    VolumeSlices,
)
from asyncclient.lfview._generated.models.slides import AnnotationInk, AnnotationText, DrawingPlane, Feedback, Slide

__all__ = [
    "AnnotationInk",
    "AnnotationText",
    "BlockModel",
    "CameraStandard",
    "DrawingPlane",
    "Feedback",
    "Light",
    "Lines",
    "Plot",
    "PointSet",
    "Ruler",
    "Scene",
    "Slice",
    "SliceGroup",
    "Slide",
    "Surface",
    "SurfaceGrid",
    "Tubes",
    "VolumeSlices",
]
