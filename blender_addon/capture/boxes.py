"""Boxes around all that a picture can show: what is evaluated anyway, looked at without drawing.

Where boxes don't tell it (something is drawn beyond its own box, or there is too much to look at),
they are None, and the first drawing has to find out how far the scene reaches.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any

import bpy
import numpy as np

from .reach import Boxes

MOST = 2000
"""Instances that are looked at: more take as long as a drawing."""
SHOWN = ("MESH", "CURVE", "SURFACE", "FONT")
UNSEEN = ("EMPTY", "LIGHT", "CAMERA", "ARMATURE", "LATTICE", "SPEAKER", "LIGHT_PROBE")
"""What has no surface that a drawing without overlays shows."""
RENDERED_ALIKE = ("ARRAY", "BEVEL", "BOOLEAN", "MIRROR", "SOLIDIFY")
"""Modifiers that make the same of a mesh for a render as for a viewport, if what they take of
others (``TAKEN``) is the same."""
TAKEN = ("object", "collection", "start_cap", "end_cap", "curve")

CORNERS = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0))
"""Blender's order of a box's corners: which end of each axis."""


def shown(layer: bpy.types.ViewLayer, space: Any) -> Boxes | None:
    """Boxes of all that a 3D viewport of this view layer, which is up to date, can show."""
    # What other modes sculpt and paint is on its way; local collections show what the scene hides.
    active: Any = layer.objects.active
    mode = active.mode if active else "OBJECT"
    calm = mode == "OBJECT" or (mode == "EDIT" and active.type == "MESH")
    if not calm or space.use_local_collections:
        return None
    return _boxes(layer.depsgraph, SHOWN)


def rendered(context: bpy.types.Context) -> Boxes | None:
    """Boxes of all that a render can show; None too where that may not be what is evaluated."""
    layer: Any = context.view_layer
    if context.mode != "OBJECT" or len(layer.objects) > MOST:
        return None
    collections = set()
    for thing in layer.objects:
        if thing.hide_render:
            continue
        is_seen = thing.type not in UNSEEN or thing.instance_type != "NONE"
        if is_seen and not (thing.visible_get(view_layer=layer) and _is_alike(thing)):
            return None
        if thing.instance_type == "COLLECTION":
            collections.add(thing.instance_collection)
    if not all(map(_holds_alike, collections - {None})):
        return None
    return _boxes(context.evaluated_depsgraph_get(), ("MESH",))


def _is_alike(thing: Any) -> bool:
    """Whether a render shows of an object that is visible what is evaluated of it."""
    return thing.instance_type in ("NONE", "COLLECTION") and all(
        each.type in RENDERED_ALIKE
        and each.show_render == each.show_viewport
        and not any(_is_made(getattr(each, name, None)) for name in TAKEN)
        for each in thing.modifiers
    )


def _is_made(taken: Any) -> bool:
    """Whether modifiers have a part in what a modifier takes of another object."""
    return isinstance(taken, bpy.types.Collection) or bool(taken and taken.modifiers)


def _holds_alike(collection: bpy.types.Collection) -> bool:
    """The same of what an instance of a collection shows."""
    things: Any = [each for each in collection.all_objects if not each.hide_render]
    parts: Any = (collection, *collection.children_recursive, *things)
    return not any(part.hide_viewport and not part.hide_render for part in parts) and all(
        thing.instance_type == "NONE" and _is_alike(thing) for thing in things
    )


def _boxes(depsgraph: Any, kinds: Collection[str]) -> Boxes | None:
    ends, matrices = [], []
    for instance in islice(depsgraph.object_instances, MOST + 1):
        thing = instance.object
        if thing.type in UNSEEN:
            continue
        if len(ends) == MOST or thing.type not in kinds or thing.particle_systems:
            return None
        box, matrix = thing.bound_box, instance.matrix_world
        ends.append((*box[0], *box[6]))
        matrices.append((*matrix[0], *matrix[1], *matrix[2]))
    if not ends:
        return None
    world = np.array(matrices).reshape(-1, 3, 4)
    local = np.array(ends).reshape(-1, 2, 3)[:, CORNERS, (0, 1, 2)]
    return local @ world[..., :3].transpose(0, 2, 1) + world[:, None, :, 3]
