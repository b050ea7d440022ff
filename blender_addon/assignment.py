"""Where a material goes: what is chosen now, and giving it to that later.

Between the two a job runs, so what was chosen is noted, and what has changed meanwhile is left as
it is and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bmesh
import bpy
import numpy as np
from maquette_wire.errors import MaquetteError

from . import layers
from .capture import SOLID
from .commissions import Place
from .noted import SESSION, found_again


def chosen(context: bpy.types.Context, where: str) -> tuple[Place, ...]:
    """What is chosen now: ``where`` is one of ``material_settings.PLACES``.

    Raises MaquetteError("nothing-chosen", "linked-data").
    """
    if where == "NOTHING":
        return ()
    if where == "SELECTION" and context.mode == "EDIT_MESH":
        return _chosen_faces(context)
    active = context.view_layer.objects.active
    things = [active] if where == "SLOT" else list(context.selected_objects)
    able = [thing for thing in things if thing is not None and thing.type in SOLID]
    if things and not able and things[0] is not None:
        raise MaquetteError(
            "nothing-chosen",
            f"{things[0].name!r} can't have a material.",
            'Select objects with a surface, or set "Assign To" to Nothing.',
        )
    places = [_place(thing, slot=_active_slot(thing)) for thing in able]
    for thing, place in zip(able, places, strict=True):
        _check(thing, place)
    return tuple(places)


def assign(material: bpy.types.Material, places: Sequence[Place]) -> list[str]:
    """Give a material to places; returns what there is to say, in sentences."""
    said = []
    names, uids = [each.object for each in places], [each.uid for each in places]
    things = found_again(names, uids, places[0].session if places else "")
    for place, thing in zip(places, things, strict=True):
        if thing is None:
            said.append(f"{place.object!r} isn't in the file any more.")
            continue
        try:
            _check(thing, place)
            _give(thing, place, material)
        except MaquetteError as error:
            said.append(str(error))
            continue
        if any(layers.is_layer(each) and each.show_viewport for each in thing.modifiers):
            said.append(f"{thing.name!r} shows the texture on it: switch that off to see this.")
    return said


def _chosen_faces(context: bpy.types.Context) -> tuple[Place, ...]:
    places = []
    things: Any = context.objects_in_mode_unique_data
    for thing in things:
        faces = bmesh.from_edit_mesh(thing.data).faces
        picked = tuple(number for number, face in enumerate(faces) if face.select and not face.hide)
        if picked:
            places.append(_place(thing, faces=picked, of=len(faces)))
            _check(thing, places[-1])
    if not places:
        raise MaquetteError(
            "nothing-chosen",
            "No face is selected.",
            'Select faces, or set "Assign To" to Active Slot or Nothing.',
        )
    return tuple(places)


def _place(thing: Any, **where: Any) -> Place:
    return Place(object=thing.name, uid=thing.session_uid, session=SESSION, **where)


def _active_slot(thing: Any) -> int | None:
    return thing.active_material_index if len(thing.material_slots) else None


def _check(thing: Any, place: Place) -> None:
    """Raises MaquetteError("linked-data") where a material would change what is of another file."""
    own_slot = (
        place.slot is not None
        and place.slot < len(thing.material_slots)
        and thing.material_slots[place.slot].link == "OBJECT"
    )
    holder = thing if own_slot else thing.data
    if holder is not None and holder.library is not None:
        raise MaquetteError(
            "linked-data",
            f"{thing.name!r} is linked from {holder.library.filepath}.",
            "Make it local (Object > Relations) to give it a material.",
        )


def _give(thing: Any, place: Place, material: bpy.types.Material) -> None:
    """Raises MaquetteError("changed") where what was chosen is something else by now."""
    slots = thing.material_slots
    if place.faces is not None:
        _give_faces(thing, place, material)
    elif place.slot is None and not len(slots):
        thing.data.materials.append(material)
    elif place.slot is not None and place.slot < len(slots):
        slots[place.slot].material = material
    else:
        raise _changed(f"{thing.name!r} has other material slots by now.")


def _give_faces(thing: Any, place: Place, material: bpy.types.Material) -> None:
    mesh = thing.data
    edited = bmesh.from_edit_mesh(mesh) if mesh.is_editmode else None
    count = len(mesh.polygons if edited is None else edited.faces)
    if count != place.of:
        raise _changed(f"{thing.name!r} has other faces by now.")
    number = next(
        (n for n, slot in enumerate(thing.material_slots) if slot.material == material), None
    )
    if number is None:
        if not len(mesh.materials) and len(place.faces or ()) < count:
            mesh.materials.append(None)  # the first slot is that of all faces which have none
        mesh.materials.append(material)
        number = len(mesh.materials) - 1
    if edited is None:
        numbers = np.empty(count, np.int32)
        mesh.polygons.foreach_get("material_index", numbers)
        numbers[list(place.faces or ())] = number
        mesh.polygons.foreach_set("material_index", numbers)
        mesh.update()
        return
    edited.faces.ensure_lookup_table()
    for face in place.faces or ():
        edited.faces[face].material_index = number
    bmesh.update_edit_mesh(mesh, loop_triangles=False, destructive=False)


def _changed(sentence: str) -> MaquetteError:
    return MaquetteError("changed", sentence, "Select where the material goes, and press Assign.")
