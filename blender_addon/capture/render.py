"""What a camera sees, with or without a window: Workbench renders of a copy of the scene.

The copy is linked (objects, materials and world are the scene's own) and has its own render
settings, compositor and markers, so nothing of the user's scene is set and nothing has to be put
back. Workbench draws what a viewport in Solid mode draws, from the evaluated scene with its
modifiers and instances, and writes metric depth along the view axis of the very same
rasterisation. Render visibility decides what is seen, as in any render of a camera.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.view import View
from numpy.typing import NDArray

from . import boxes, exr, slabs
from .animated import kept_animated_values
from .color import srgb_of_linear
from .reach import needed_range
from .scope import Scope, muted_handlers, no_new_render_result
from .shading import LIT_BY_CLIP_RANGE, all_is_opaque
from .stage import linked_stage
from .view import CameraPose, camera_pose, camera_view, check_grid, pose_of

NOTHING = 1e9
"""Workbench writes 1e10 metres where there is nothing."""


def capture(
    context: bpy.types.Context, camera: bpy.types.Object, width: int, height: int
) -> Capture:
    """Colour and depth of a camera in the scene and view layer of ``context``.

    Raises MaquetteError("capture-too-small", "capture-too-large", "not-a-camera",
    "unsupported-camera", "render-busy", "render-failed").
    """
    check_grid(repr(camera.name), width, height)
    depsgraph = context.evaluated_depsgraph_get()
    pose = camera_pose(camera, depsgraph)
    return _capture(context, pose, camera_view(camera, pose, depsgraph, width, height))


def capture_view(
    context: bpy.types.Context, view: View, instead: bpy.types.Collection | None = None
) -> Capture:
    """Colour and depth of a View as the scene is now, whether or not it has a camera there.

    instead: of the scene's own collections. Raises MaquetteError as `capture` does.
    """
    check_grid(repr(view.name), view.width, view.height)
    return _capture(context, pose_of(view), view, instead)


def _capture(
    context: bpy.types.Context,
    pose: CameraPose,
    view: View,
    instead: bpy.types.Collection | None = None,
) -> Capture:
    if bpy.app.is_job_running("RENDER"):
        raise MaquetteError(
            "render-busy", "Blender is rendering.", "Wait for the render to end, or cancel it."
        )
    display: Any = context.scene.display
    opaque = all_is_opaque(display.shading)
    known = None if opaque and LIT_BY_CLIP_RANGE else boxes.rendered(context)
    clip = needed_range(view, known)
    with (
        tempfile.TemporaryDirectory(prefix="maquette-") as folder,
        muted_handlers(),
        kept_animated_values(),
        no_new_render_result(),
        linked_stage(context, pose, view.width, view.height, instead) as stage,
    ):
        camera: Any = stage.camera.data  # pyright: ignore[reportOptionalMemberAccess]
        if opaque:
            camera.clip_start, camera.clip_end = clip
        color, coarse = _color(stage, Path(folder), smooth=display.render_aa != "OFF")
        camera.clip_start, camera.clip_end = clip
        depth = _depth(stage, view, Path(folder), coarse if opaque else None)
    return Capture(view=view, color=color, depth=depth)


def _color(stage: Any, folder: Path, smooth: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Colour [height, width, 3], and the depth of the same drawing, which is coarse far from the
    near clip plane. smooth: edges, in the one picture that is drawn, which leaves depth alone."""
    stage.display.render_aa = "FXAA" if smooth else "OFF"
    passes = _render(stage, folder / "color.exr")
    linear = np.stack([passes[f"Combined.{channel}"] for channel in "RGB"], axis=-1)
    return srgb_of_linear(linear), _metres(passes)


def _depth(
    stage: Any, view: View, folder: Path, coarse: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Depth in metres [height, width], sampled at the centres of the pixels."""
    stage.display.render_aa = "OFF"
    shading = stage.display.shading
    with Scope() as scope:
        # Transparent materials and X-ray are drawn without depth: all counts as solid here.
        # Light and outlines only cost time.
        scope.set(shading, color_type="SINGLE", show_xray=False, light="FLAT")
        scope.set(shading, show_cavity=False, show_shadows=False, show_object_outline=False)
        camera = stage.camera.data
        scope.keep(camera, "clip_start", "clip_end")

        def draw(part: slabs.Range) -> NDArray[np.float32]:
            camera.clip_start, camera.clip_end = part
            return _metres(_render(stage, folder / "depth.exr"))

        clip = camera.clip_start, camera.clip_end
        return slabs.exact(draw, clip, view.kind == "perspective", coarse)


def _metres(passes: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Depth of a render [height, width], +inf where nothing is."""
    depth = passes["Depth.Z"]
    return np.where(depth < NOTHING, depth, np.inf).astype(np.float32)


def _render(stage: Any, path: Path) -> dict[str, NDArray[np.float32]]:
    """Render the stage; its passes by name and channel, without the layer's name.

    Raises MaquetteError("render-failed").
    """
    stage.render.filepath = str(path)
    try:
        bpy.ops.render.render(write_still=True, scene=stage.name)
        channels = exr.read_channels(path)
    except (RuntimeError, OSError, ValueError) as error:
        reason = str(error).strip().rstrip(".")
        raise MaquetteError(
            "render-failed",
            f"Blender could not render what the camera sees: {reason}.",
            "Check that the scene renders with Workbench, and that the disk has room.",
        ) from error
    # A layer's name may hold a dot; a pass and its channel don't.
    return {".".join(name.split(".")[-2:]): values for name, values in channels.items()}
