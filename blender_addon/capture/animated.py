"""Values that a user changed without setting a key, which any render of Blender throws away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy


@contextmanager
def kept_animated_values() -> Iterator[None]:
    """Put back animated properties that evaluation at the current frame has set meanwhile."""
    before = list(_animated())
    try:
        yield
    finally:
        lost = [
            (owner, name, value) for owner, name, value in before if _read(owner, name) != value
        ]
        for owner, name, value in lost:
            _write(owner, name, value)
        if lost:
            bpy.context.view_layer.update()


def _animated() -> Iterator[tuple[Any, str, Any]]:
    """(owner, property, value) of everything that has an animation curve.

    A property is an attribute's name, or a custom property's as ``["name"]``.
    """
    for collection in (getattr(bpy.data, name) for name in dir(bpy.data)):
        if not isinstance(collection, bpy.types.bpy_prop_collection):
            continue
        for block in collection:
            datablock: Any
            for datablock in (block, getattr(block, "node_tree", None)):
                for path in sorted(_paths(getattr(datablock, "animation_data", None))):
                    start, name = _split(path)
                    try:
                        owner = datablock.path_resolve(start) if start else datablock
                        yield owner, name, _read(owner, name)
                    except (ValueError, AttributeError, KeyError):
                        continue  # a curve of something that is gone sets nothing


def _paths(animation: bpy.types.AnimData | None) -> set[str]:
    """Paths of the properties that an action, or a strip of the NLA, has a curve for."""
    if animation is None:
        return set()
    users = [animation, *(strip for track in animation.nla_tracks for strip in track.strips)]
    return {curve.data_path for user in users for curve in _curves(user)}


def _curves(user: Any) -> Iterator[bpy.types.FCurve]:
    if user.action is None:
        return
    if not hasattr(user, "action_slot"):  # before Blender 4.4
        yield from user.action.fcurves
    elif user.action_slot is not None:
        for layer in user.action.layers:
            for strip in layer.strips:
                bag = strip.channelbag(user.action_slot)
                yield from bag.fcurves if bag else ()


def _split(path: str) -> tuple[str, str]:
    """A property's owner and the property itself."""
    if path.endswith('"]'):
        start = path.rindex('["')
        return path[:start], path[start:]
    owner, _, name = path.rpartition(".")
    return owner, name


def _read(owner: Any, name: str) -> Any:
    value = owner[name[2:-2]] if name.startswith('["') else getattr(owner, name)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


def _write(owner: Any, name: str, value: Any) -> None:
    if name.startswith('["'):
        owner[name[2:-2]] = value
    else:
        setattr(owner, name, value)
