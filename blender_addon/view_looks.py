"""How a 3D view shows pictures over the model: its own way, or as the scene says.

Blender has no properties of a 3D view for add-ons, but of its shading, of which each view has its
own: it comes and goes with the view, is copied where a view is split, and is saved with the screen.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, PointerProperty

from .quirks import PLAIN


class OverlayLook:
    """What is decided of the pictures over a 3D view, of one view or for all of a scene."""

    overlay_shown: BoolProperty(
        name="Show in 3D View",
        description="Draw concepts, and what is painted of them so far, over the 3D view: in the "
        "camera frame, or over a view for as long as it is the one they were made of",
        default=True,
        options=PLAIN,
    )
    overlay_opacity: FloatProperty(
        name="Opacity",
        description="How much of the model the picture over the 3D view covers",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=PLAIN,
    )
    use_wipe: BoolProperty(
        name="Wipe",
        description="Show the model on the left of a line, and the picture on the right of it; "
        "drag the line in the 3D view",
        default=False,
        options=PLAIN,
    )
    wipe: FloatProperty(
        name="Wipe",
        description="Where the line is between the model on the left and the picture on the right",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=PLAIN,
    )


NAMES = tuple(OverlayLook.__annotations__)


class MaquetteViewLook(OverlayLook, bpy.types.PropertyGroup):
    """That of one 3D view, where it ``is_own``."""

    is_own: BoolProperty(options=PLAIN)


def look_of(space: bpy.types.Space | None, scene: bpy.types.Scene) -> OverlayLook:
    """What is decided for a 3D view: its own look where it has one, else the scene's."""
    own = own_look(space) if space is not None else None
    return own or scene.maquette  # pyright: ignore[reportAttributeAccessIssue]


def own_look(space: bpy.types.Space) -> MaquetteViewLook | None:
    """The look that a 3D view has of its own."""
    look = _look(space)
    return look if look.is_own else None


def give_own(space: bpy.types.Space, scene: bpy.types.Scene) -> None:
    """Give a 3D view a look of its own, the scene's at first."""
    look = _look(space)
    for name in NAMES:
        setattr(look, name, getattr(scene.maquette, name))  # pyright: ignore[reportAttributeAccessIssue]
    look.is_own = True


def take_own(space: bpy.types.Space) -> None:
    """Have a 3D view follow the scene again."""
    look = _look(space)
    for name in (*NAMES, "is_own"):
        look.property_unset(name)


def _look(space: Any) -> Any:
    return space.shading.maquette_look


def register() -> None:
    bpy.utils.register_class(MaquetteViewLook)
    bpy.types.View3DShading.maquette_look = PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=MaquetteViewLook
    )


def unregister() -> None:
    del bpy.types.View3DShading.maquette_look  # pyright: ignore[reportAttributeAccessIssue]
    bpy.utils.unregister_class(MaquetteViewLook)
