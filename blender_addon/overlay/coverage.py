"""What planned views see of the model, drawn on it: before anything is painted.

A patch for each point that the plan was found by, in the colour of what is known of it, and a
pyramid for each view. Nothing of it is in the scene.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from maquette_wire.view import View
from numpy.typing import NDArray

from ..capture.planning import Plan, Sampled
from ..redrawing import redraw_areas
from .drawing import Color

PATCH = 0.7
"""Side of a patch, of that of the square it stands for."""
LIFT = 2e-3
"""How far patches stand off the surface, in sizes of it: not in it, and not beside it."""
REACH = 0.06
"""Length of a view's pyramid, in sizes of the surface."""
SEEN, MISSED, HIDDEN = (0.2, 0.45, 0.9, 0.7), (1.0, 0.45, 0.05, 0.95), (0.12, 0.12, 0.12, 0.6)
LINES = (0.02, 0.02, 0.02, 1.0)


@dataclass
class Preview:
    """Views that were planned, and what they see.

    Attributes:
        scene: the session's number of its scene.
        asked: what it was planned for; another wish makes it out of date.
        views: all of them, those that were given first.
        plan: what was found.
    """

    scene: int
    asked: object
    views: list[View]
    plan: Plan
    _batches: list[tuple[gpu.types.GPUBatch, Color]] = field(default_factory=list)

    @property
    def gains(self) -> list[float]:
        """The share of the surface that each planned view is the first to see."""
        return np.diff(self.plan.seen).tolist()

    def batches(self) -> list[tuple[gpu.types.GPUBatch, Color]]:
        """To be called while something is drawn."""
        if not self._batches:
            shader = gpu.shader.from_builtin("UNIFORM_COLOR")
            sampled = self.plan.sampled
            lost = ~sampled.seen & ~sampled.reachable
            for which, color in (
                (lost, HIDDEN),
                (sampled.seen, SEEN),
                (sampled.reachable & ~sampled.seen, MISSED),
            ):
                corners: Any = patches(sampled, which, LIFT * self.plan.size).reshape(-1, 3)
                if len(corners):
                    batch = batch_for_shader(shader, "TRIS", {"pos": corners})
                    self._batches.append((batch, color))
            lines: Any = np.concatenate([pyramid(v, REACH * self.plan.size) for v in self.views])
            self._batches.append((batch_for_shader(shader, "LINES", {"pos": lines}), LINES))
        return self._batches


shown: Preview | None = None
_handler: Any = None


def show(preview: Preview) -> None:
    """Draw this over the 3D views from now on."""
    global shown
    shown = preview
    redraw_areas("VIEW_3D")


def hide() -> None:
    """Draw none any more."""
    global shown
    if shown is not None:
        shown = None
        redraw_areas("VIEW_3D")


def shown_in(scene: bpy.types.Scene) -> Preview | None:
    """What is shown in a scene."""
    return shown if shown is not None and shown.scene == scene.session_uid else None


def patches(sampled: Sampled, which: NDArray[np.bool_], lift: float) -> NDArray[np.float32]:
    """Squares at some points, as triangles [n, 3, 3], metres in the world."""
    normals = sampled.normals[which]
    # Any direction across will do that is never along the normal.
    axis = np.eye(3)[np.abs(normals).argmin(1)]
    across = np.cross(normals, axis)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    up = np.cross(normals, across)
    half = PATCH * sampled.area**0.5 / 2
    middle = sampled.points[which] + lift * normals
    corners = [
        middle + half * (x * across + y * up) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    quads = np.stack(corners, 1)
    return quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 3).astype(np.float32)


def pyramid(view: View, reach: float) -> NDArray[np.float32]:
    """The edges of what a view frames up to a distance, as ends of lines [n, 3] in the world."""
    to_world = np.linalg.inv(np.reshape(view.view_matrix, (4, 4)))
    clip = np.reshape(view.projection_matrix, (4, 4))
    edge = np.array((-1.0, 1.0)) * (clip[3, 3] - reach * clip[3, 2])
    x, y = ((edge + reach * clip[a, 2] - clip[a, 3]) / clip[a, a] for a in (0, 1))
    far = np.array([(x[a], y[b], -reach) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))])
    near = far * (0, 0, 0) if view.kind == "perspective" else far * (1, 1, 0)
    ends = np.concatenate([np.stack([far, np.roll(far, 1, 0)], 1), np.stack([near, far], 1)])
    return (ends.reshape(-1, 3) @ to_world[:3, :3].T + to_world[:3, 3]).astype(np.float32)


def draw() -> None:
    """Draw over the region that Blender is drawing."""
    preview = shown_in(bpy.context.scene)
    if preview is None:
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.blend_set("ALPHA")
    for batch, color in preview.batches():
        shader.uniform_float("color", color)
        batch.draw(shader)
    gpu.state.blend_set("NONE")
    gpu.state.depth_test_set("NONE")


def register() -> None:
    global _handler
    if not bpy.app.background:
        _handler = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_VIEW")


def unregister() -> None:
    global _handler
    hide()
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
        _handler = None
