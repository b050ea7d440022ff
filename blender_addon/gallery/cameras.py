"""The camera that a picture was seen from, in the scene again."""

from __future__ import annotations

import bpy
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View

from ..capture.view import camera_pose, camera_view, pose_of

NEAR = 1e-5
"""How far entries of two matrices may be apart for one camera: what single precision leaves."""


def cameras(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """A scene's cameras, by name."""
    found = [thing for thing in scene.objects if thing.type == "CAMERA"]
    return sorted(found, key=lambda camera: camera.name)


def camera_for(context: bpy.types.Context, view: View, name: str) -> tuple[bpy.types.Object, bool]:
    """A camera that sees what a picture does, and whether it is a new one.

    One of the scene's is taken where it sees exactly that now; no camera is ever moved.
    """
    scene = context.scene
    assert scene is not None
    depsgraph = context.evaluated_depsgraph_get()
    for camera in cameras(scene):
        try:
            now = camera_view(
                camera, camera_pose(camera, depsgraph), depsgraph, view.width, view.height
            )
        except MaquetteError:
            continue  # a panoramic one
        if _alike(now, view):
            return camera, False
    pose = pose_of(view)
    data = bpy.data.cameras.new(name)
    for setting, value in pose.lens.items():
        setattr(data, setting, value)
    camera = bpy.data.objects.new(name, data)
    camera.matrix_world = pose.matrix
    scene.collection.objects.link(camera)
    return camera, True


def set_proportions(render: bpy.types.RenderSettings, view: View) -> None:
    """Have renders show what the picture does to its edges; their width stays."""
    across = render.resolution_x * render.pixel_aspect_x
    render.resolution_y = round(across * view.height / view.width / render.pixel_aspect_y)


def same_proportions(render: bpy.types.RenderSettings, view: View) -> bool:
    """Whether a render of this size has a picture's proportions, to a pixel of the picture."""
    down = view.width * (render.resolution_y * render.pixel_aspect_y)
    # A picture's sides are multiples of a cell, so half of one is nothing that was chosen.
    return abs(down / (render.resolution_x * render.pixel_aspect_x) - view.height) <= 4


def _alike(first: View, second: View) -> bool:
    return first.kind == second.kind and all(
        np.allclose(getattr(first, name), getattr(second, name), rtol=NEAR, atol=NEAR)
        for name in ("view_matrix", "projection_matrix")
    )
