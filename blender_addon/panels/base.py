"""What the panels share: where they are, what the chosen model can do, a picture's size."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.messages import ModelInfo

from ..engine import ENGINE
from ..session import current

TAB = "Maquette"
ROW, BESIDE = 20, 90
"""Pixels at a scale of 1: a row of a panel, and what a picture leaves of the region's width."""


def chosen_model(name: str) -> ModelInfo | None:
    """What the server said about a model; None before there was a connection."""
    backend = current().backend
    models = backend.welcome.models if backend and backend.welcome else ()
    return next((model for model in models if model.name == name), None)


def is_guided(model: ModelInfo | None) -> bool:
    """Whether a model can weigh the prompt, and avoid things; a distilled one can't. True of one
    that nothing is known of yet."""
    return model is None or model.guidance > 1.0


def takes_steps(model: ModelInfo | None) -> bool:
    """Whether a model paints better in more steps than its own number; one that was made for a
    single step doesn't. True of one that nothing is known of yet."""
    return model is None or model.steps > 1


def sees_openings(model: ModelInfo | None) -> bool:
    """Whether windows and doors can be laid out for a model. True of one that nothing is known of
    yet."""
    return model is None or model.facades


def takes_lines(model: ModelInfo | None) -> bool:
    """Whether pictures of a model can be held to lines."""
    return model is not None and model.lines


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
