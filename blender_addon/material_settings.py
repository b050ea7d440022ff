"""What the panel says of the next material, as ``scene.maquette.material``.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty
from maquette_wire.material import PATTERN, SIZES, Material, PatternName, pattern_of

from .quirks import PLAIN, exact

AUTOMATIC = "AUTOMATIC"
PATTERN_ITEMS = (
    (AUTOMATIC, "Automatic", "What the prompt names, or what its material is usually laid in"),
    *((name, pattern.title, pattern.description) for name, pattern in PATTERN.items()),
)
MAPPINGS = (
    (
        "FACES",
        "Along Faces",
        "Along each face: level and at true scale on walls at any angle, and up slopes. For "
        "buildings, whose faces are flat",
    ),
    (
        "BOX",
        "From Six Sides",
        "From six sides, with soft borders between them, at true scale where a face looks straight "
        "at one (box projection). For round shapes and ground",
    ),
)
PLACES = (
    (
        "SELECTION",
        "Selection",
        "In Edit Mode the selected faces, else the active material slot of each selected object",
    ),
    ("SLOT", "Active Slot", "The active material slot of the active object"),
    ("NOTHING", "Nothing", "It is only made, and is then in the list below and an asset"),
)
SMALLEST = 0.001
"""Metres, of a unit's side."""


def _length(name: str, description: str, default: float, low: float, high: float) -> Any:
    return FloatProperty(
        name=name,
        description=description,
        default=default,
        min=low,
        max=high,
        subtype="DISTANCE",
        precision=3,
        options=PLAIN,
    )


class MaquetteMaterial(bpy.types.PropertyGroup):
    """A material that is to be made. The unit's sizes count where ``adjust`` is on; else they are
    the pattern's own."""

    prompt: StringProperty(
        name="Prompt",
        description="What the surface is made of, its colour, its age: no building and no light",
        default="",
        options={"TEXTEDIT_UPDATE"},
    )
    size: _length("Size", "Width and height of the tile, which repeats without a seam", 2.4, *SIZES)
    pattern: EnumProperty(
        name="Pattern",
        description="How its units are laid",
        items=PATTERN_ITEMS,
        default=AUTOMATIC,
        options=PLAIN,
    )
    pixels: EnumProperty(
        name="Map Size",
        description="Width and height of its maps in pixels",
        items=tuple((str(side), f"{side} px", "") for side in (512, 1024, 2048, 4096)),
        default="1024",
        options=PLAIN,
    )
    adjust: BoolProperty(
        name="Adjust",
        description="Set the sizes of its units instead of the pattern's own",
        default=False,
        options=PLAIN,
    )
    unit_width: _length(
        "Unit Width", "Width of a brick, board or tile, its joint included", 0.22, SMALLEST, 50.0
    )
    unit_height: _length(
        "Unit Height", "Height of a brick, board or tile, its joint included", 0.075, SMALLEST, 50.0
    )
    joint: _length("Joint", "Width of the joints", 0.01, 0.0, 10.0)
    relief: _length("Relief", "From the bottom of the joints to the top of the units", 0.006, 0, 1)
    mapping: EnumProperty(
        name="Lay",
        description="How it lies on a surface; it can be changed later",
        items=MAPPINGS,
        default="FACES",
        options=PLAIN,
    )
    assign_to: EnumProperty(
        name="Assign To",
        description="Where it goes once it is made",
        items=PLACES,
        default="SELECTION",
        options=PLAIN,
    )


def pattern_in(settings: MaquetteMaterial) -> PatternName:
    """The pattern that the settings mean."""
    return pattern_of(settings.prompt) if settings.pattern == AUTOMATIC else settings.pattern


def material_in(settings: MaquetteMaterial) -> Material:
    """The Material that the settings describe; what isn't set is None.

    Raises MaquetteError("bad-material").
    """
    own = settings.adjust
    unit = exact(settings.unit_width), exact(settings.unit_height)
    material = Material(
        size=exact(settings.size),
        pixels=int(settings.pixels),
        pattern=None if settings.pattern == AUTOMATIC else settings.pattern,
        unit=unit if own else None,
        joint=exact(settings.joint) if own else None,
        relief=exact(settings.relief) if own else None,
    )
    material.filled(settings.prompt)
    return material


def put_material_values(settings: MaquetteMaterial, material: Material) -> None:
    """Show the sizes of a material that has everything decided."""
    assert material.unit is not None
    settings.unit_width, settings.unit_height = material.unit
    settings.joint, settings.relief = material.joint, material.relief
