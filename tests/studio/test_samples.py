"""The sample models open, are small, and each of their cameras sees the building."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
NAMES = ("gabled_house", "church", "office_slab", "street_tower", "courtyard")

# In a process of its own: opening a file would replace the scene of the other tests.
INSPECT = """
import json, math, sys
import bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
scene.render.resolution_x, scene.render.resolution_y = 128, 96
graph = bpy.context.evaluated_depsgraph_get()
cameras = {}
for thing in scene.objects:
    if thing.type != "CAMERA":
        continue
    data, hits, names = thing.data, 0, set()
    frame = data.view_frame(scene=scene)
    right, up = frame[0] - frame[3], frame[0] - frame[1]
    matrix = thing.matrix_world
    for i in range(24):
        for j in range(18):
            point = frame[2] + right * ((i + 0.5) / 24) + up * ((j + 0.5) / 18)
            if data.type == "ORTHO":
                start, way = matrix @ point, matrix.to_3x3() @ point.__class__((0, 0, -1))
            else:
                start, way = matrix.translation, matrix.to_3x3() @ point
            hit = scene.ray_cast(graph, start, way.normalized())
            if hit[0] and hit[4].name != "Ground":
                hits += 1
                names.add(hit[4].name)
    cameras[thing.name] = {
        "type": data.type, "shift": data.shift_y, "hits": hits / 432, "kinds": len(names),
        "tilt": math.degrees(math.asin(max(-1, min(1, -matrix.col[2].z)))),
    }
modifiers = sorted({m.type for o in bpy.data.objects for m in o.modifiers})
print("RESULT" + json.dumps({
    "cameras": cameras, "active": scene.camera.name, "modifiers": modifiers,
    "instances": sum(1 for i in graph.object_instances if i.is_instance),
    "reach": max(math.hypot(*o.location[:2]) + max(o.dimensions[:2]) for o in scene.objects),
}))
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_four_framed_cameras(name: str) -> None:
    path = SAMPLES / f"{name}.blend"
    assert path.stat().st_size < 500_000
    done = subprocess.run(
        [sys.executable, "-c", INSPECT, str(path)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.split("RESULT")[1])
    cameras = found["cameras"]
    assert set(cameras) == {"Street", "Bird", "Elevation", "Two-point"}
    assert found["active"] == "Street"
    assert cameras["Elevation"]["type"] == "ORTHO"
    assert all(each["type"] == "PERSP" for key, each in cameras.items() if key != "Elevation")
    assert cameras["Two-point"]["tilt"] == pytest.approx(0.0, abs=0.01)
    assert abs(cameras["Two-point"]["shift"]) > 0.05
    assert cameras["Bird"]["tilt"] < -15
    for key, each in cameras.items():
        assert 0.12 < each["hits"] < 0.98, f"{key} sees a building and something around it"
        assert each["kinds"] >= 2, key
    if name == "courtyard":
        assert {"ARRAY", "BEVEL", "BOOLEAN", "SOLIDIFY"} <= set(found["modifiers"])
        assert found["instances"] > 50
