"""Nothing that the add-on does crashes Blender while a thread, of any add-on, runs Python."""

from __future__ import annotations

from contextlib import nullcontext

import bpy

from blender_addon.capture.windowed import windowed
from tests.blender_addon.conftest import run

SCRIPT = """
import os, sys, threading, time
import bpy
import blender_addon
from blender_addon import delivery
from blender_addon.capture import pieces_of, uv_maps

def busy():
    while True:
        made = [{"number": number, "text": str(number)} for number in range(50)]

sys.setswitchinterval(1e-5)
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(size=4)
for _ in range(2):
    threading.Thread(target=busy, daemon=True).start()
bpy.context.view_layer.update()
cube = list(pieces_of(bpy.context.evaluated_depsgraph_get(), set()))
end = time.monotonic() + 5.0
while time.monotonic() < end:
    for _ in range(100):
        uv_maps.of(bpy.context, cube, own=False, each=False)
    delivery.push_undo("Texture")
sys.stdout.write("all well")
sys.stdout.flush()
os._exit(0)
"""


def test_nothing_is_overridden_where_there_is_a_window():
    assert bpy.context.window is not None
    assert isinstance(windowed(), nullcontext)


def test_a_texture_is_prepared_and_delivered_beside_a_busy_thread():
    # In a process of its own, which a crash ends.
    said = run(SCRIPT)
    assert "all well" in said, said
