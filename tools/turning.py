"""In Blender: a textured model that turns once under a sun and a sky, as PNG frames.

    python tools/turning.py MODEL.glb FOLDER --frames 24 --size 400 300        (a Python with bpy)

The camera goes round the model at one distance, and the sun with it, so that every side is seen in
the same light. The model is matt: what it reflects was painted.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

LENS = 60.0
RISE = math.radians(16.0)
START = math.radians(20.0)
MARGIN = 1.06
SAMPLES = 10
SUN, SUN_SIZE = 3.0, math.radians(2.5)
SUN_COLOR = (1.0, 0.94, 0.84)
SUN_WAY = (-0.95, 0.75)
"""The sun, left of the camera and above it, in lengths of the way to the camera."""
SKY = (0.42, 0.52, 0.66), (0.80, 0.84, 0.88)
"""Linear, overhead and at the horizon."""
GROUND = (0.5, 0.49, 0.47)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", type=Path, metavar="MODEL.glb")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", type=int, nargs=2, default=(400, 300), help="pixels")
    given = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(given.model.resolve()))
    scene: Any = bpy.context.scene
    corners = _matt_corners(scene)
    camera, sun = _stage(scene, corners, given.size)
    turns = START + 2 * math.pi * np.arange(given.frames) / given.frames
    middle = (corners.min(0) + corners.max(0)) / 2
    poses = [_axes(turn) for turn in turns]
    far = max(_distance(corners - middle, axes, given.size) for axes in poses)
    for number, axes in enumerate(poses):
        camera.matrix_world = _placed(axes, middle + far * axes[:, 2])
        across, up = SUN_WAY
        light = axes[:, 2] + across * axes[:, 0] + up * axes[:, 1]
        sun.rotation_euler = Vector(light.tolist()).to_track_quat("Z", "Y").to_euler()
        scene.render.filepath = str(given.folder.resolve() / f"{number:03}.png")
        bpy.ops.render.render(write_still=True)


def _matt_corners(scene: Any) -> NDArray[np.float64]:
    """Make the materials matt; the vertices [n, 3] of all objects, in the world."""
    corners = []
    for thing in scene.objects:
        if thing.type != "MESH":
            continue
        flat = np.empty(3 * len(thing.data.vertices), np.float32)
        thing.data.vertices.foreach_get("co", flat)
        world = np.array(thing.matrix_world)
        corners.append(flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
        for material in thing.data.materials:
            _matt(material)
    return np.concatenate(corners)


def _matt(material: Any) -> None:
    surface = material.node_tree.nodes["Principled BSDF"].inputs
    surface["Roughness"].default_value = 1.0
    surface["Specular IOR Level"].default_value = 0.0


def _stage(scene: Any, corners: NDArray[np.float64], size: tuple[int, int]) -> tuple[Any, Any]:
    """Sky, sun, ground and camera; returns camera and sun."""
    low, high = corners.min(0), corners.max(0)
    length = float(np.linalg.norm(high - low))
    scene.world = _sky()
    light: Any = bpy.data.lights.new("Sun", "SUN")
    light.energy, light.angle, light.color = SUN, SUN_SIZE, SUN_COLOR
    sun = bpy.data.objects.new("Sun", light)
    middle = (low + high) / 2
    bpy.ops.mesh.primitive_circle_add(
        radius=400 * length,
        fill_type="NGON",
        location=(middle[0], middle[1], low[2] - 1e-4 * length),
    )
    ground: Any = bpy.data.materials.new("Ground")
    ground.use_nodes = True
    ground.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*GROUND, 1.0)
    _matt(ground)
    bpy.context.object.data.materials.append(ground)  # type: ignore[union-attr]
    lens: Any = bpy.data.cameras.new("Camera")
    lens.lens, lens.clip_end = LENS, 1000 * length
    camera = bpy.data.objects.new("Camera", lens)
    for thing in (sun, camera):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.use_persistent_data = True
    scene.cycles.samples, scene.cycles.max_bounces = SAMPLES, 3
    scene.cycles.use_denoising = True
    scene.view_settings.view_transform = "Standard"
    return camera, sun


def _sky() -> Any:
    """A world that is brighter towards the horizon."""
    world: Any = bpy.data.worlds.new("Sky")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place = nodes.new("ShaderNodeTexCoord")
    height = nodes.new("ShaderNodeSeparateXYZ")
    ramp = nodes.new("ShaderNodeValToRGB")
    overhead, horizon = ((*color, 1.0) for color in SKY)
    first, last = ramp.color_ramp.elements
    first.position, first.color = 0.0, horizon
    last.position, last.color = 0.5, overhead
    links.new(place.outputs["Generated"], height.inputs[0])
    links.new(height.outputs["Z"], ramp.inputs[0])
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    return world


def _axes(turn: float) -> NDArray[np.float64]:
    """Camera axes as columns: right, up and back."""
    back = np.array(
        [math.cos(turn) * math.cos(RISE), math.sin(turn) * math.cos(RISE), math.sin(RISE)]
    )
    right = np.array([-math.sin(turn), math.cos(turn), 0.0])
    return np.stack([right, np.cross(back, right), back], 1)


def _distance(
    corners: NDArray[np.float64], axes: NDArray[np.float64], size: tuple[int, int]
) -> float:
    """How far from their middle corners [n, 3] are in a picture of that (width, height)."""
    x, y, z = (corners @ axes).T
    reach = np.maximum(np.abs(x) * max(size) / size[0], np.abs(y) * max(size) / size[1])
    return float((reach * 2 * LENS / 36.0 * MARGIN + z).max())


def _placed(axes: NDArray[np.float64], eye: NDArray[np.float64]) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = axes, eye
    return Matrix(matrix.tolist())


if __name__ == "__main__":
    main()
