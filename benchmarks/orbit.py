"""In Blender: a copy of a scene, or of a model, with a camera that goes round it frame by frame.

    python benchmarks/orbit.py SCENE COPY.blend --frames 29                  (a Python with bpy)

The camera is called "Orbit" and sees what stands in the scene from four heights in turn. A model is
taken to stand upright, Z up.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

LENS = 35.0
RISES = tuple(map(math.radians, (4.0, 12.0, 22.0, 35.0)))
FITS = 0.85
"""The camera's distance from the middle, in diameters of what stands there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("scene", type=Path)
    parser.add_argument("copy", type=Path, metavar="COPY.blend")
    parser.add_argument("--frames", type=int, default=24)
    given = parser.parse_args()
    if given.scene.suffix == ".blend":
        bpy.ops.wm.open_mainfile(filepath=str(given.scene.resolve()))
    else:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.wm.obj_import(filepath=str(given.scene.resolve()), forward_axis="Y", up_axis="Z")
    scene = bpy.context.scene
    assert scene is not None
    meshes = [each for each in scene.objects if each.type == "MESH" and not each.hide_render]
    standing = [each for each in meshes if each.dimensions.z > 0.5]
    corners = np.array([each.matrix_world @ Vector(c) for each in standing for c in each.bound_box])
    low, high = corners.min(0), corners.max(0)
    middle, size = Vector(((low + high) / 2).tolist()), float(np.linalg.norm(high - low))
    lens = bpy.data.cameras.new("Orbit")
    lens.lens, lens.clip_start, lens.clip_end = LENS, size / 1000, 10 * size
    camera = bpy.data.objects.new("Orbit", lens)
    scene.collection.objects.link(camera)
    for frame in range(given.frames):
        turn, rise = math.tau * frame / given.frames, RISES[frame % len(RISES)]
        across = math.cos(rise)
        way = Vector((math.cos(turn) * across, math.sin(turn) * across, math.sin(rise)))
        camera.location = middle + FITS * size * way
        camera.rotation_euler = way.to_track_quat("Z", "Y").to_euler()
        for path in ("location", "rotation_euler"):
            camera.keyframe_insert(path, frame=frame)
    scene.frame_start, scene.frame_end = 0, given.frames - 1
    bpy.ops.wm.save_as_mainfile(filepath=str(given.copy.resolve()), copy=True)


if __name__ == "__main__":
    main()
