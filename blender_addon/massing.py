"""The model in a viewport with Rendered shading: what a render would restyle, in solid shading.

A restyle takes seconds, a viewport is drawn many times a second.
"""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from .capture import lighting
from .capture.solid import read_look, read_solid


class Massing:
    """The triangles of a depsgraph, ready to be drawn."""

    def __init__(self, depsgraph: bpy.types.Depsgraph) -> None:
        self._solid = read_solid(depsgraph)
        scene: Any = depsgraph.scene_eval
        self._look = read_look(scene)
        self._positions = self._solid.corners.reshape(-1, 3).astype(np.float32)
        # A flat triangle has one colour, which its first corner stands for.
        normals = self._solid.normals
        flat = (normals == normals[:, :1]).all((1, 2))
        self._lit_by = np.arange(normals.shape[0] * 3).reshape(-1, 3)
        self._lit_by[flat] = self._lit_by[flat, :1]
        self._lit, self._lit_by = np.unique(self._lit_by, return_inverse=True)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw into a 3D viewport that Blender has made ready."""
        framebuffer = gpu.state.active_framebuffer_get()
        framebuffer.clear(color=(*map(float, self._look.sky), 1.0), depth=1.0)
        if not len(self._positions):
            return
        shader = gpu.shader.from_builtin("SMOOTH_COLOR")
        content = {"pos": self._positions, "color": self._colors(context)}
        batch = batch_for_shader(shader, "TRIS", content)
        gpu.state.depth_test_set("LESS_EQUAL")
        gpu.state.depth_mask_set(True)
        shader.bind()
        matrix = context.region_data.perspective_matrix  # type: ignore[union-attr]
        shader.uniform_float("ModelViewProjectionMatrix", matrix)
        batch.draw(shader)
        gpu.state.depth_test_set("NONE")

    def _colors(self, context: bpy.types.Context) -> np.ndarray:
        """Scene linear colours of all corners, lit from where the viewport looks."""
        solid = self._solid
        matrix = np.array(context.region_data.view_matrix, np.float64)  # type: ignore[union-attr]
        normals = solid.normals.reshape(-1, 3)[self._lit] @ matrix[:3, :3].T
        normals *= np.where(normals[:, 2:] < 0, -1.0, 1.0)  # lit on the side that is seen
        colors = solid.colors[self._lit // 3]
        towards_eye = np.tile((0.0, 0.0, 1.0), (len(normals), 1))
        studio, (roughness, metallic) = self._look.studio, colors[:, 3:].T
        lit = lighting.shade(studio, colors[:, :3], roughness, metallic, normals, towards_eye)
        whole = np.column_stack([lit, np.ones(len(lit))]).astype(np.float32)
        return whole[self._lit_by.ravel()]
