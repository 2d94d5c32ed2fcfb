"""What a slide needs beyond its properties: a plane to draw on, and views of every element."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from asyncclient.lfview._base import Resource, url_of
from asyncclient.lfview.exceptions import Problem, ValidationError
from asyncclient.lfview.scene import CameraStandard, DrawingPlane, Slide

__all__ = ["drawing_plane_from_camera", "extra_slide_validation"]


def drawing_plane_from_camera(camera: CameraStandard) -> DrawingPlane:
    """Return the plane through the camera's target that faces it, as large as what it shows.

    The web application divides by the length of the quaternion, not by its square; so does this. For unit quaternions
    it is the same.

    Raises:
        ValidationError: The camera is not valid, or its zoom is 0.
    """
    camera.validate()
    if camera.zoom == 0:
        raise ValidationError("must not be 0 for a plane as large as the picture", owner="CameraStandard.zoom")
    size = camera.radius / camera.zoom
    i, j, k, r = camera.rotation
    norm = math.sqrt(i * i + j * j + k * k + r * r)
    s = 1.0 / norm if norm else 1.0
    axis_u = [1 - 2 * s * (j * j + k * k), 2 * s * (i * j + k * r), 2 * s * (i * k - j * r)]
    axis_v = [2 * s * (i * j - k * r), 1 - 2 * s * (i * i + k * k), 2 * s * (j * k + i * r)]
    axis_u, axis_v = [size * value for value in axis_u], [size * value for value in axis_v]
    centre = camera.target.tolist()
    origin = [t - (u + v) / 2 for t, u, v in zip(centre, axis_u, axis_v, strict=True)]
    return DrawingPlane(origin=origin, axis_u=axis_u, axis_v=axis_v)


def extra_slide_validation(slide: Slide, element_list: Iterable[Resource | str]) -> None:
    """Check what the web application needs of a slide.

    Every element of the view has to have a view in the plot (hide it with ``visible=False``), and everything that the
    plot points to has to be a URL.

    Args:
        slide: The slide.
        element_list: The elements of its view, as URLs or uploaded objects.

    Raises:
        ValidationError: With every problem found.
        NotUploaded: An element has no URL.
    """
    problems = list(_problems(slide, element_list))
    if problems:
        raise ValidationError(problems, owner="Slide")


def _problems(slide: Slide, element_list: Iterable[Resource | str]) -> Iterator[Problem]:
    if slide.scene is None or not slide.scene.plots:
        yield Problem("scene.plots", "one plot is needed")
        return
    shown = set()
    for index, view in enumerate(slide.scene.plots[0].views or ()):
        path = f"scene.plots[0].views[{index}]"
        if isinstance(view.element, str):
            shown.add(_last(view.element))
        for where, target in _targets(view):
            if target is not None and not isinstance(target, str):
                yield Problem(f"{path}.{where}", "has to be a URL, not an object")
    expected = {_last(url_of(element)) for element in element_list}
    if missing := sorted(expected - shown):
        yield Problem("scene.plots[0].views", f"no view of {', '.join(missing)}; hide elements with visible=False")
    if extra := sorted(shown - expected):
        yield Problem("scene.plots[0].views", f"not in the view of the slide: {', '.join(extra)}")


def _targets(view: object) -> Iterator[tuple[str, object]]:
    yield "element", getattr(view, "element", None)
    for name in ("color", "opacity", "radius", "size"):
        yield f"{name}.data", getattr(getattr(view, name, None), "data", None)
    for index, texture in enumerate(getattr(view, "textures", None) or ()):
        yield f"textures[{index}].data", texture.data


def _last(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
