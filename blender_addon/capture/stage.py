"""A scene of our own for the renders of a capture, with the user's objects in it.

It has render settings, markers and a compositor of its own, so nothing of the user's scene is set
and nothing has to be put back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import bpy

from .scope import Scope
from .view import CameraPose
from .windowed import windowed

NAME = "Maquette capture"
COPIES_COUNT = bpy.app.version >= (4, 3)
"""Blender 4.2's copy of a scene counts its objects as used once too often, for good."""

SIMPLIFY = (
    "use_simplify", "simplify_subdivision_render", "simplify_child_particles_render",
    "simplify_volumes", "simplify_gpencil", "fps", "fps_base", "use_high_quality_normals",
)  # fmt: skip
"""Render settings that decide what the evaluated objects are."""


@contextlib.contextmanager
def linked_stage(
    context: bpy.types.Context,
    pose: CameraPose,
    width: int,
    height: int,
    instead: bpy.types.Collection | None = None,
) -> Iterator[bpy.types.Scene]:
    """A linked copy of the scene with one camera in ``pose``, set up for Workbench.

    instead: what it has in place of the scene's own collections.
    """
    with Scope() as scope:
        data = bpy.data.cameras.new(NAME)
        scope.remove_later(bpy.data.cameras, data)
        for name, value in pose.lens.items():
            setattr(data, name, value)
        camera = bpy.data.objects.new(NAME, data)
        scope.remove_later(bpy.data.objects, camera)
        camera.matrix_world = pose.matrix
        copied = COPIES_COUNT and instead is None
        stage: Any = _copied(context.scene) if copied else _rebuilt(context, instead)
        scope.callback(_remove, stage)
        stage.camera = camera
        for layer in stage.view_layers:
            layer.use = layer.name == context.view_layer.name
            layer.use_pass_z = layer.use
            layer.use_pass_combined = layer.use
        _set_up_render(stage.render, width, height)
        stage.display.shading.use_dof = False
        yield stage


def _remove(stage: bpy.types.Scene) -> None:
    """Remove a scene from wherever this is called: Blender 4.3 crashes where there are windows and
    none is in the context, as in a timer after a file was opened."""
    with windowed():
        bpy.data.scenes.remove(stage)


def _set_up_render(render: bpy.types.RenderSettings, width: int, height: int) -> None:
    render.engine = "BLENDER_WORKBENCH"
    render.resolution_x, render.resolution_y = width, height
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    for name in (
        "use_border", "use_compositing", "use_sequencer", "use_freestyle", "use_multiview",
        "use_motion_blur", "use_persistent_data", "use_stamp", "use_single_layer",
        "film_transparent",
    ):  # fmt: skip
        setattr(render, name, False)
    render.use_file_extension = True
    render.use_overwrite = True
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_depth = "32"
    settings.exr_codec = "NONE"
    settings.use_preview = False
    if hasattr(settings, "use_exr_interleave"):  # Blender 5.0: all passes in one part
        settings.use_exr_interleave = True


def _copied(scene: bpy.types.Scene) -> bpy.types.Scene:
    stage: Any = scene.copy()
    stage.name = NAME
    stage.animation_data_clear()
    # A marker may bind a camera, which a render would switch to.
    stage.timeline_markers.clear()
    return stage


def _rebuilt(context: bpy.types.Context, instead: bpy.types.Collection | None) -> bpy.types.Scene:
    """What a copy would hold that matters here; a rigid body world isn't carried over."""
    scene: Any = context.scene
    stage: Any = bpy.data.scenes.new(NAME)
    layer = stage.view_layers[0]
    layer.name = context.view_layer.name
    if instead is not None:
        stage.collection.children.link(instead)
    else:
        for child in scene.collection.children:
            stage.collection.children.link(child)
        for thing in scene.collection.objects:
            stage.collection.objects.link(thing)
        _exclude_alike(context.view_layer.layer_collection, layer.layer_collection)
    stage.world = scene.world
    stage.frame_current, stage.frame_subframe = scene.frame_current, scene.frame_subframe
    _assign(scene.render, stage.render, SIMPLIFY)
    # The kind of light decides which studio lights there are to choose from.
    for name in ("light", "background_type"):
        _assign(scene.display.shading, stage.display.shading, (name,))
    for source, target in (
        (scene.display, stage.display),
        (scene.display.shading, stage.display.shading),
    ):
        # Wireframes, which no render shows, have no valid choice here.
        names = [item.identifier for item in source.bl_rna.properties]
        _assign(source, target, [name for name in names if name != "wireframe_color_type"])
    return stage


def _exclude_alike(source: bpy.types.LayerCollection, target: bpy.types.LayerCollection) -> None:
    for child in source.children:
        twin = target.children[child.name]
        twin.exclude = child.exclude
        twin.holdout, twin.indirect_only = child.holdout, child.indirect_only
        _exclude_alike(child, twin)


def _assign(source: Any, target: Any, names: Iterable[str]) -> None:
    """Copy plain values; an enumeration without a valid choice at the moment has none to copy."""
    properties = source.bl_rna.properties
    for name in names:
        value = getattr(source, name)
        if not properties[name].is_readonly and properties[name].type != "POINTER" and value != "":
            setattr(target, name, value)
