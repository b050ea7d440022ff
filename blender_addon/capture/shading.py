"""What of Blender's Solid shading decides what depth is."""

from __future__ import annotations

from typing import Any

import bpy

LIT_BY_CLIP_RANGE = bpy.app.version < (4, 5)
"""Highlights are a little elsewhere with other clip planes, so colour needs the view's own."""


def all_is_opaque(shading: Any) -> bool:
    """Whether every surface is drawn into the depth buffer, those of glass too.

    shading: a viewport's, or that of a scene's Workbench renders.
    """
    if shading.type != "SOLID" or shading.show_xray:
        return False
    data: Any = bpy.data
    if shading.color_type == "MATERIAL":
        return all(each.diffuse_color[3] == 1 for each in data.materials)
    if shading.color_type == "OBJECT":
        return all(each.color[3] == 1 for each in data.objects)
    return True
