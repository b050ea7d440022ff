"""Everything that can be read of an open .blend, as one dictionary to compare."""

from __future__ import annotations

from typing import Any

import bpy

ITEMS_MAX = 2000
VOLATILE = {
    "rna_type",
    # Evaluated copies, and pictures of studio lights that are read from disk when first shown.
    "depsgraph",
    "selected_studio_light",
    "bl_rna",
    # For scripts to use as they like.
    "tag",
    # Whether pixels, or values of an attribute, are in memory at the moment.
    "has_data",
    "storage_type",
    # Reading its curve crashes Blender 4.2.
    "uv_sculpt",
    # Redrawing sets these; no capture is involved.
    "is_evaluated",
    "perspective_matrix",
    "view_matrix",
    "window_matrix",
}


def dump() -> dict[str, Any]:
    """Values of every property of every datablock by path; lists of datablocks; the session."""
    found: dict[str, Any] = {}
    seen: set[tuple[str, int]] = set()
    for name in sorted(dir(bpy.data)):
        if name == "screens" and bpy.app.background:
            continue  # Blender 4.2 crashes on reading an editor that was never shown
        collection = getattr(bpy.data, name)
        if isinstance(collection, bpy.types.bpy_prop_collection):
            found[name] = [
                (block.name_full, block.session_uid, block.users) for block in collection
            ]
            for block in collection:
                _walk(f"{name}[{block.name_full!r}]", block, found, seen)
    found["is_dirty"] = bpy.data.is_dirty
    found["preferences.is_dirty"] = bpy.context.preferences.is_dirty
    found["preferences.system.viewport_aa"] = bpy.context.preferences.system.viewport_aa
    context = bpy.context
    found["mode"] = context.mode
    found["active"] = context.view_layer.objects.active and context.view_layer.objects.active.name
    found["selected"] = sorted(thing.name for thing in context.view_layer.objects.selected)
    found["window scenes"] = [
        (window.scene.name, window.view_layer.name, window.screen.name)
        for window in context.window_manager.windows
    ]
    for thing in context.scene.objects:
        found[f"{thing.name} visible"] = (thing.hide_get(), thing.visible_get(), thing.select_get())
        for index, space in enumerate(_viewports()):
            local = space.local_view is not None and thing.local_view_get(space)
            found[f"{thing.name} in viewport {index}"] = local, thing.visible_in_viewport_get(space)
    for name in dir(bpy.app.handlers):
        handlers = getattr(bpy.app.handlers, name)
        if isinstance(handlers, list):
            found[f"handlers {name}"] = [id(handler) for handler in handlers]
    return found


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What changed, appeared or went: path to (before, after)."""
    return {
        path: (before.get(path, "absent"), after.get(path, "absent"))
        for path in sorted(before.keys() | after.keys())
        if before.get(path, "absent") != after.get(path, "absent")
    }


def _viewports() -> list[Any]:
    windows = bpy.context.window_manager.windows
    areas = [area for window in windows for area in window.screen.areas]
    return [area.spaces.active for area in areas if area.type == "VIEW_3D"]


def _walk(path: str, struct: Any, found: dict[str, Any], seen: set[tuple[str, int]]) -> None:
    """Record the properties of an RNA struct, and of the structs it owns, each struct once."""
    key = (struct.bl_rna.identifier, struct.as_pointer())
    if key in seen:
        return
    seen.add(key)
    for definition in struct.bl_rna.properties:
        name = definition.identifier
        if name in VOLATILE:
            continue
        try:
            value = getattr(struct, name)
        except (AttributeError, TypeError, ValueError, RuntimeError):
            continue  # not readable here, such as an enumeration of a disabled add-on
        here = f"{path}.{name}"
        if definition.type == "POINTER":
            _follow(here, value, found, seen)
        elif definition.type == "COLLECTION":
            found[here] = len(value)
            if len(value) <= ITEMS_MAX:
                for index, item in enumerate(value):
                    _follow(f"{here}[{index}]", item, found, seen)
        elif getattr(definition, "is_array", False):
            found[here] = repr(
                [tuple(part) if hasattr(part, "__len__") else part for part in value]
            )
        else:
            found[here] = repr(value)


def _follow(path: str, value: Any, found: dict[str, Any], seen: set[tuple[str, int]]) -> None:
    if value is None:
        found[path] = None
    elif isinstance(value, bpy.types.ID) and not value.is_embedded_data:
        found[path] = value.name_full
    elif isinstance(value, bpy.types.bpy_struct):
        _walk(path, value, found, seen)
