"""The presets that a scene has chosen, by name, so that a file may name some that aren't here.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false, reportArgumentType=false

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty
from maquette_wire.presets.words import CATEGORIES, Category, Preset

from . import preset_library
from .quirks import CRASHES


class MaquettePresets(bpy.types.PropertyGroup):
    """For each category the name of the chosen preset, empty for none; and the same once more as
    ``pick_<category>``, to be chosen from pictures, which stores nothing of its own."""


def _name(category: Category) -> Any:
    title, description, _icon = preset_library.LOOKS[category]
    return StringProperty(name=title, description=description, default="", options=set())


def _pick(category: Category) -> Any:
    title, description, _icon = preset_library.LOOKS[category]

    def items(_chosen: MaquettePresets, _context: bpy.types.Context) -> list[preset_library.Item]:
        return preset_library.items(category)

    def get(chosen: MaquettePresets) -> int:
        preset = preset_library.current_library().find(category, getattr(chosen, category))
        known = preset_library.items(category)
        return next((item[4] for item in known if preset and item[0] == preset.name), 0)

    def put(chosen: MaquettePresets, number: int) -> None:
        setattr(chosen, category, preset_library.items(category)[number][0] if number else "")

    said = f"{description}: choose a picture"
    return EnumProperty(name=title, description=said, items=items, get=get, set=put, options=set())


for _category in CATEGORIES:
    MaquettePresets.__annotations__[_category] = _name(_category)
    if not CRASHES:
        MaquettePresets.__annotations__[f"pick_{_category}"] = _pick(_category)


def chosen_presets(chosen: MaquettePresets) -> tuple[Preset, ...]:
    """The chosen presets that there are here, in the order of categories."""
    known = preset_library.current_library()
    found = (known.find(category, getattr(chosen, category)) for category in CATEGORIES)
    return tuple(preset for preset in found if preset is not None)


def missing_presets(chosen: MaquettePresets) -> list[str]:
    """Names of chosen presets that there are none of here."""
    known = preset_library.current_library()
    return [
        name
        for category in CATEGORIES
        if (name := getattr(chosen, category)) and known.find(category, name) is None
    ]


def choose(chosen: MaquettePresets, presets: tuple[Preset, ...]) -> None:
    """Choose these presets and no others."""
    for category in CATEGORIES:
        names = [preset.name for preset in presets if preset.category == category]
        setattr(chosen, category, names[0] if names else "")
