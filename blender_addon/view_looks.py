"""How a 3D view shows pictures over the model: its own way, or as the scene says.

Blender has no properties of a single 3D view, so those of all are the window manager's, by the
view's address. A .blend doesn't keep that one's: what is saved lies in the screens, by the place of
the view in them.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

import json
from collections.abc import Iterator
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty

from .quirks import PLAIN

SAVED = "maquette_views"
"""Custom property of a screen."""


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
    """That of one 3D view; its ``name``, inherited from PropertyGroup, is the view's address."""


def look_of(space: bpy.types.Space | None, scene: bpy.types.Scene) -> OverlayLook:
    """What is decided for a 3D view: its own look where it has one, else the scene's."""
    own = own_look(space) if space is not None else None
    return own or scene.maquette  # pyright: ignore[reportAttributeAccessIssue]


def own_look(space: bpy.types.Space) -> MaquetteViewLook | None:
    """The look that a 3D view has of its own."""
    return _looks().get(str(space.as_pointer()))


def give_own(space: bpy.types.Space, scene: bpy.types.Scene) -> None:
    """Give a 3D view a look of its own, the scene's at first."""
    _add(space, {name: getattr(scene.maquette, name) for name in NAMES})  # pyright: ignore[reportAttributeAccessIssue]


def take_own(space: bpy.types.Space) -> None:
    """Have a 3D view follow the scene again."""
    place = _looks().find(str(space.as_pointer()))
    if place >= 0:
        _looks().remove(place)


def put_away() -> None:
    """Write the looks into the screens: a file is saved, or another one opened."""
    for screen in bpy.data.screens:
        looks = {
            place: {name: getattr(own, name) for name in NAMES}
            for place, space in _spaces(screen)
            if (own := own_look(space)) is not None
        }
        if looks:
            screen[SAVED] = json.dumps(looks)
        elif SAVED in screen:
            del screen[SAVED]


def bring_back() -> None:
    """Take the looks of a file that was opened out of its screens."""
    _looks().clear()
    for screen in bpy.data.screens:
        try:
            saved = json.loads(screen.get(SAVED, "{}"))
        except (TypeError, ValueError):
            continue  # another has written there, and the views follow the scene
        for place, space in _spaces(screen):
            if isinstance(saved, dict) and isinstance(saved.get(place), dict):
                _add(space, saved[place])


def _add(space: bpy.types.Space, values: dict[str, Any]) -> None:
    look = _looks().add()
    look.name = str(space.as_pointer())
    for name in NAMES:
        if isinstance(values.get(name), bool | float | int):
            setattr(look, name, values[name])


def _looks() -> Any:
    return bpy.context.window_manager.maquette_looks  # pyright: ignore[reportAttributeAccessIssue]


def _spaces(screen: bpy.types.Screen) -> Iterator[tuple[str, bpy.types.Space]]:
    """The 3D views of a screen, also those behind another editor, with their places in it."""
    for number, area in enumerate(screen.areas):
        for place, space in enumerate(area.spaces):
            if isinstance(space, bpy.types.SpaceView3D):
                yield f"{number}.{place}", space


def register() -> None:
    bpy.utils.register_class(MaquetteViewLook)
    bpy.types.WindowManager.maquette_looks = CollectionProperty(  # pyright: ignore[reportAttributeAccessIssue]
        type=MaquetteViewLook
    )


def unregister() -> None:
    del bpy.types.WindowManager.maquette_looks  # pyright: ignore[reportAttributeAccessIssue]
    bpy.utils.unregister_class(MaquetteViewLook)
