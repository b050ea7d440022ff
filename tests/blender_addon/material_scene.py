"""Boxes that materials are made for, as the tests of materials have them."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_addon import materials
from blender_addon.session import Session
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn


@pytest.fixture
def walls(settings: Any, tmp_path: Path) -> Any:
    """A saved file with two boxes that share a mesh, and a third one that has two materials."""
    one = scenes.box((0, 0, 0), (1, 1, 1), "Wall")
    other = bpy.data.objects.new("Other", one.data)
    other.location = (5, 0, 0)
    bpy.context.scene.collection.objects.link(other)
    third = scenes.box((9, 0, 0), (1, 1, 1), "House")
    for name in ("Plaster", "Glass"):
        third.data.materials.append(bpy.data.materials.new(name))
    own = settings.material
    own.prompt, own.size, own.pixels = "red brick", 2.4, "512"
    settings.seed, settings.seed_locked = 5, True
    bpy.ops.object.select_all(action="DESELECT")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    return bpy.context.scene


def select(*names: str) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    for name in names:
        bpy.data.objects[name].select_set(True)
        bpy.context.view_layer.objects.active = bpy.data.objects[name]


def press(session: Session) -> Any:
    """Press Make Material and wait; the newest material."""
    assert bpy.ops.maquette.make_material() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    return materials.materials()[0]


def slots(name: str) -> list[str]:
    return [
        slot.material.name if slot.material else ""
        for slot in bpy.data.objects[name].material_slots
    ]
