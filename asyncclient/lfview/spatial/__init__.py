"""Elements, their data, textures and mappings, and how they are shown."""

from asyncclient.lfview._generated.models.data import DataBasic, DataCategory, TextureProjection
from asyncclient.lfview._generated.models.elements import (
    ElementLineSet,
    ElementPointSet,
    ElementSurface,
    ElementSurfaceGrid,
    ElementVolumeGrid,
)
from asyncclient.lfview._generated.models.mappings import MappingCategory, MappingContinuous, MappingDiscrete
from asyncclient.lfview.spatial import options
from asyncclient.lfview.spatial.options import (
    OptionsBlockModel,
    OptionsLines,
    OptionsPoints,
    OptionsSurface,
    OptionsTubes,
    OptionsVolumeSlices,
)

__all__ = [
    "DataBasic",
    "DataCategory",
    "ElementLineSet",
    "ElementPointSet",
    "ElementSurface",
    "ElementSurfaceGrid",
    "ElementVolumeGrid",
    "MappingCategory",
    "MappingContinuous",
    "MappingDiscrete",
    "OptionsBlockModel",
    "OptionsLines",
    "OptionsPoints",
    "OptionsSurface",
    "OptionsTubes",
    "OptionsVolumeSlices",
    "TextureProjection",
    "options",
]
