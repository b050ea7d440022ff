"""Whether Blender shows a render's colours as they were painted, and the settings that make it so.

A picture's sRGB values become scene linear ones. Blender's view transform turns them into what is
shown and saved: Standard is the exact way back; AgX and Filmic are made for light that is brighter
than a screen, have no exact way back, and would wash a finished picture out.
"""

from __future__ import annotations

from typing import Any

import bpy

AS_PAINTED = {
    "view_transform": "Standard",
    "look": "None",
    "exposure": 0.0,
    "gamma": 1.0,
    "use_curve_mapping": False,
}
"""Settings of the view that leave colours alone."""


def as_painted(scene: bpy.types.Scene) -> bool:
    """Whether the scene's view leaves a picture's colours as they are."""
    view: Any = scene.view_settings
    return all(getattr(view, name) == value for name, value in AS_PAINTED.items())


def show_as_painted(scene: bpy.types.Scene) -> None:
    """Set the scene's view so."""
    for name, value in AS_PAINTED.items():
        setattr(scene.view_settings, name, value)
