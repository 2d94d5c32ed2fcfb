"""The order of mappings that the web viewer needs: a colour mapping first."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar

from asyncclient.lfview._colours import random_colour
from asyncclient.lfview.spatial import DataBasic, DataCategory, MappingCategory, MappingContinuous, MappingDiscrete

__all__ = ["is_color_mapping", "sanitize_data_colormaps"]

Mapping: TypeAlias = "MappingContinuous | MappingDiscrete | MappingCategory | str"
_Data = TypeVar("_Data", bound=DataBasic | DataCategory)


def is_color_mapping(mapping: Mapping) -> bool:
    """Tell whether a mapping gives colours; of a URL it is taken for granted."""
    if isinstance(mapping, (str, MappingContinuous)):
        return True
    return any(isinstance(value, tuple) for value in (mapping.values or [])[:1])


def sanitize_data_colormaps(data: _Data) -> _Data:
    """Put a colour mapping in front of the mappings of data; what is right already is left alone.

    If there is none among the mappings, ``categories`` serve; if these are labels too, a new mapping is made, with
    random colours of the palette in the place of the values. It is a resource of its own and has to be uploaded.

    Returns:
        The same data.
    """
    mappings: list[Any] = list(data.mappings or ())
    categories = data.categories if isinstance(data, DataCategory) else None
    if (mappings and is_color_mapping(mappings[0])) or not (mappings or categories):
        return data
    front = next((entry for entry in mappings if _moves(entry)), None)
    if front is not None:
        data.mappings = [front, *(entry for entry in mappings if entry is not front)]
    elif categories is not None and is_color_mapping(categories):
        data.mappings = [categories, *mappings]
    elif made := _coloured(mappings[0] if mappings else categories):
        data.mappings = [*made, *mappings]
    return data


def _moves(mapping: Mapping) -> bool:
    return not isinstance(mapping, MappingContinuous) and is_color_mapping(mapping)


def _coloured(mapping: Mapping | None) -> list[Any]:
    """Copy a mapping, with random colours; empty where there are no values to stand for."""
    if not isinstance(mapping, (MappingDiscrete, MappingCategory)) or not mapping.values:
        return []
    taken = {name: getattr(mapping, name) for name in type(mapping).model_fields if name != "uid"}
    kind: Any = type(mapping)
    return [kind(**taken | {"values": [random_colour() for _ in mapping.values]})]
