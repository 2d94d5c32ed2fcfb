"""Names for what goes into calls and comes out of them."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union  # noqa: UP035  # the platform's module re-exports them

__all__ = ["AnnotType", "Any", "Dict", "InfoType", "List", "MetadataType", "Tuple", "Union"]

InfoType = list[dict[str, str]]
"""What is asked for: dicts of text."""
MetadataType = list[dict[str, Union[float, int, str]]]  # noqa: UP007
"""Rows: dicts of numbers and text."""
AnnotType = list[dict[str, Union[list[Any], dict[str, Any]]]]  # noqa: UP007
"""Annotations: dicts of lists and dicts."""
