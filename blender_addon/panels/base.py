"""What the panels share: where they are, and a picture's size."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..engine import ENGINE

TAB = "Maquette"
ROW, BESIDE = 20, 90
"""Pixels at a scale of 1: a row of a panel, and what a picture leaves of the region's width."""


class MaquettePanel:
    """What the panels of the tab have in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


class RenderPanel:
    """What the panels among the settings of the render have in common."""

    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"
    bl_context = "render"
    bl_options = {"DEFAULT_CLOSED"}


class EnginePanel(RenderPanel):
    """Those that are there while Maquette is the render engine."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.engine == ENGINE


def picture_scale(width: int) -> float:
    """Side of a picture in a region of ``width`` pixels, in rows of the panel."""
    scale = bpy.context.preferences.system.ui_scale
    return max(4.0, (width / scale - BESIDE) / ROW)
