"""What a texture is painted from: captures of what viewports show, and renders too.

A texture lies on the meshes that viewports evaluate, where it is seen first. A render may have
others: of more levels, or of modifiers that viewports leave out. Captures are renders, so for the
time of a texture's the scene renders as viewports show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import bpy
from maquette_wire.capture import Capture
from maquette_wire.view import View

from .. import layers
from ..noted import own_objects
from ..notices import listed
from .render import capture_view
from .scope import Scope
from .stage import NAME
from .visibility import rendered, shown, shown_once

TWINS = (
    ("show_viewport", "show_render"),
    ("show_instancer_for_viewport", "show_instancer_for_render"),
    ("levels", "render_levels"),
    ("steps", "render_steps"),
    ("viewport_resolution", "resolution"),
    ("resolution", "render_resolution"),
    ("resolution_u", "render_resolution_u"),
    ("resolution_v", "render_resolution_v"),
)
"""Properties of modifiers, objects, curves and metaballs, for viewports and for renders."""
SIMPLIFIED = (
    ("simplify_subdivision", "simplify_subdivision_render"),
    ("simplify_child_particles", "simplify_child_particles_render"),
)
"""The same of a scene's render settings."""


@contextmanager
def as_in_viewports(context: bpy.types.Context) -> Iterator[Callable[[View], Capture]]:
    """A function that captures Views of what viewports and renders both show, as viewports do.

    It raises MaquetteError as `capture_view` does.
    """
    with Scope() as scope:
        scope.callback(context.view_layer.update)  # when all is put back
        for thing in bpy.data.objects:
            for owner in (thing, *thing.modifiers, thing.data):
                _set_alike(scope, owner, TWINS)
        if context.scene.render.use_simplify:
            _set_alike(scope, context.scene.render, SIMPLIFIED)
        for block in (*bpy.data.objects, *bpy.data.collections):
            if block.hide_viewport:  # also in an instance of a collection
                scope.set(block, hide_render=True)
        things = shown(context.view_layer)
        instead = None
        if len(things) < len(rendered(context.view_layer)):
            instead = bpy.data.collections.new(NAME)
            scope.remove_later(bpy.data.collections, instead)
            for thing in things:
                instead.objects.link(thing)
        yield partial(capture_view, context, instead=instead)


def unlike(context: bpy.types.Context, names: Sequence[str]) -> str:
    """A sentence on those of the objects named that renders show with another mesh than viewports;
    empty where none is."""
    own = own_objects()
    found = {name: _differing(context.scene, own[name]) for name in names}
    said = [f"{name!r} ({listed(why)})" for name, why in found.items() if why]
    if not said:
        return ""
    return (
        f"Renders have another mesh than the viewport of {listed(said)}. The texture is for that "
        "of the viewport; a render with other faces shows the object without it. Set these "
        "modifiers alike for both (the monitor and the camera, Levels Viewport and Render), and "
        "texture again."
    )


def left_out(context: bpy.types.Context) -> str:
    """A sentence on what viewports show and renders don't, or the reverse; empty where there is
    nothing of that kind."""
    in_renders, in_viewports = shown_once(context.view_layer)
    said = [f"{listed(in_renders)} (hidden in the viewport)"] if in_renders else []
    said += [f"{listed(in_viewports)} (hidden in renders)"] if in_viewports else []
    if not said:
        return ""
    return (
        f"Left out: {', '.join(said)}. A texture is of what both show: the eye, the monitor and "
        "the camera in the Outliner say what that is."
    )


def _set_alike(scope: Scope, owner: Any, twins: Sequence[tuple[str, str]]) -> None:
    for viewport, render in twins:
        if hasattr(owner, viewport) and hasattr(owner, render):
            scope.set(owner, **{render: getattr(owner, viewport)})


def _differing(scene: bpy.types.Scene, thing: Any) -> list[str]:
    """What makes another mesh of an object for renders: names of modifiers, or "Simplify"."""
    active = [
        each
        for each in thing.modifiers
        if (each.show_viewport or each.show_render) and not layers.is_layer(each)
    ]
    found = [each.name for each in active if _has_unlike_twins(each) or _asks_where(each)]
    bounds = [getattr(scene.render, name) for name in SIMPLIFIED[0]]
    levels = [each.levels for each in active if each.type in ("SUBSURF", "MULTIRES")]
    simplified = scene.render.use_simplify and max(levels, default=0) > min(bounds)
    return [*found, "Simplify"] if simplified and bounds[0] != bounds[1] else found


def _has_unlike_twins(modifier: Any) -> bool:
    twins = [pair for pair in TWINS if all(hasattr(modifier, name) for name in pair)]
    return any(getattr(modifier, one) != getattr(modifier, other) for one, other in twins)


def _asks_where(modifier: Any) -> bool:
    """Whether a modifier's nodes ask if they are evaluated for a viewport."""
    return modifier.type == "NODES" and _asks_for_viewport(modifier.node_group, set())


def _asks_for_viewport(group: Any, seen: set[Any]) -> bool:
    """Whether a group of geometry nodes asks if it is evaluated for a viewport."""
    if group is None or group in seen:
        return False
    seen.add(group)
    return any(
        node.bl_idname == "GeometryNodeIsViewport"
        or (node.bl_idname == "GeometryNodeGroup" and _asks_for_viewport(node.node_tree, seen))
        for node in group.nodes
    )
