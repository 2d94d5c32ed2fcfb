"""How elements are shown: colour, opacity, size, wireframe, textures, slices."""

from asyncclient.lfview._generated.models.options import (
    OptionsBlockModel,
    OptionsColor,
    OptionsLines,
    OptionsOpacity,
    OptionsPoints,
    OptionsSize,
    OptionsStaticOpacity,
    OptionsSurface,
    OptionsSurfaceColor,
    OptionsTexture,
    OptionsTubes,
    OptionsVolumeSlices,
    OptionsWireframe,
)

__all__ = [
    "OptionsBlockModel",
    "OptionsColor",
    "OptionsLines",
    "OptionsOpacity",
    "OptionsPoints",
    "OptionsSize",
    "OptionsStaticOpacity",
    "OptionsSurface",
    "OptionsSurfaceColor",
    "OptionsTexture",
    "OptionsTubes",
    "OptionsVolumeSlices",
    "OptionsWireframe",
]
