"""What viewports show of a scene, and what renders do: seldom quite the same.

A texture is of what both show. Which that is follows Blender's own marks: the eye and the monitor
hide in viewports, the camera in renders, and an excluded collection is hidden in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

SOLID = ("MESH", "CURVE", "SURFACE", "META", "FONT")
"""Types of objects that have a surface."""
HELPERS = ("WIRE", "BOUNDS")
"""How a viewport displays what is no part of the model, such as the cutter of a Boolean."""


def shown(view_layer: bpy.types.ViewLayer) -> list[Any]:
    """The objects that viewports and renders both show."""
    return [thing for thing in rendered(view_layer) if thing.visible_get(view_layer=view_layer)]


def rendered(view_layer: bpy.types.ViewLayer) -> list[Any]:
    """The objects that renders show."""
    found = {
        thing
        for collection in _used(view_layer.layer_collection)
        for thing in collection.objects
        if not thing.hide_render
    }
    return [thing for thing in view_layer.objects if thing in found]


def shown_once(view_layer: bpy.types.ViewLayer) -> tuple[list[str], list[str]]:
    """Names of the objects with a surface that renders alone show, and of those that viewports
    alone do, helpers left out."""
    drawn, seen = set(rendered(view_layer)), set(shown(view_layer))
    solid: Any = [thing for thing in view_layer.objects if thing.type in SOLID]
    in_renders = [thing.name for thing in solid if thing in drawn - seen]
    in_viewports = [
        thing.name
        for thing in solid
        if thing not in drawn
        and thing.visible_get(view_layer=view_layer)
        and thing.display_type not in HELPERS
    ]
    return in_renders, in_viewports


class Shown:
    """What viewports and renders both show of a depsgraph that was made for a viewport.

    That one has what viewports show, but for the eye of a collection, and shows what an object's
    collections hide in renders.
    """

    def __init__(self, depsgraph: bpy.types.Depsgraph) -> None:
        view_layer: Any = depsgraph.view_layer
        self._shown = set(shown(view_layer))
        self._rendered = set(rendered(view_layer))
        self._within: dict[bpy.types.Collection, set[bpy.types.Object]] = {}

    def has(self, instance: Any) -> bool:
        """Whether an instance of the depsgraph's is among it."""
        original = instance.object.original
        if not instance.is_instance:
            return original in self._shown
        parent = instance.parent.original
        if parent not in self._shown:
            return False
        if instance.particle_system is not None or parent.instance_type == "NONE":
            return True  # of particles and geometry nodes, which show what is hidden itself
        if parent.instance_type != "COLLECTION":
            return original in self._rendered
        whole = parent.instance_collection
        return not original.hide_render and original not in self._hidden_in(whole)

    def _hidden_in(self, whole: bpy.types.Collection) -> set[bpy.types.Object]:
        if whole not in self._within:
            there = {thing for part in _rendered(whole) for thing in part.objects}
            self._within[whole] = set(whole.all_objects) - there
        return self._within[whole]


def _used(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.Collection]:
    """The collections that a render of a view layer shows."""
    if layer.collection.hide_render:
        return
    if not layer.exclude:
        yield layer.collection
    for child in layer.children:  # one of an excluded collection may be there all the same
        yield from _used(child)


def _rendered(collection: bpy.types.Collection) -> Iterator[bpy.types.Collection]:
    """A collection and those within it, as far as an instance of it shows them in renders."""
    if not collection.hide_render:
        yield collection
        for child in collection.children:
            yield from _rendered(child)
