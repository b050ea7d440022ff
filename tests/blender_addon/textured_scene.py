"""A house to be textured, as the tests of textures have it."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest

from blender_addon import layers
from blender_addon.session import Session
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn

RED = (200, 60, 20)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> Any:
    """A file with a house of two objects that share a mesh, one with a modifier, on ground."""
    scenes.box((0, 0, -0.05), (400, 400, 0.1), "Ground")
    one = scenes.box((0, 0, 5), (10, 10, 10), "House")
    one.data.uv_layers.new(name="Own")
    one.data.materials.append(bpy.data.materials.new("Own paint"))
    other = bpy.data.objects.new("Annex", one.data)
    other.location = (20, 0, 0)
    other.modifiers.new("Bevel", "BEVEL")
    bpy.context.scene.collection.objects.link(other)
    settings.texture_views, settings.texture_side, settings.texture_size = 3, 64, "1024"
    settings.long_side = 64
    settings.seed, settings.seed_locked = 5, True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    return bpy.context.scene


def textured(session: Session) -> Any:
    """Press Texture and wait; the layer."""
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    return layers.layers()[-1]


def evaluated(name: str) -> Any:
    bpy.context.view_layer.update()
    thing = bpy.data.objects[name]
    return thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data


def looks(name: str) -> tuple[set[str], set[str]]:
    """UV maps and the materials in use, of an object as it is evaluated."""
    mesh = evaluated(name)
    slots = [material.name if material else "" for material in mesh.materials] or [""]
    used = {slots[face.material_index] for face in mesh.polygons}
    return {layer.name for layer in mesh.uv_layers}, used
