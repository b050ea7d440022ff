"""What a panel draws with exists in this Blender: nothing draws where there is no window."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

import blender_addon
from blender_addon.panels.jobs import ICONS

SOURCES = sorted(Path(blender_addon.__file__).parent.rglob("*.py"))


def test_every_icon_is_one_of_this_blenders():
    known = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())
    used = set(ICONS.values())
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'icon="([A-Z_0-9]+)"', text))
        used |= set(re.findall(r'width, "([A-Z_0-9]+)"\)', text))
    assert len(used) > 10
    assert used <= known


def test_every_operator_in_a_panel_is_registered():
    named = set()
    for path in SOURCES:
        named |= set(re.findall(r'operator\(\s*"maquette\.(\w+)"', path.read_text("utf-8")))
    assert len(named) > 8
    for name in named:
        assert getattr(bpy.ops.maquette, name).get_rna_type().description


def test_the_layout_functions_take_what_the_panel_gives():
    functions = bpy.types.UILayout.bl_rna.functions
    assert "placeholder" in functions["prop"].parameters
    assert "heading" in functions["row"].parameters
    assert {"factor", "text"} <= set(functions["progress"].parameters.keys())
