"""What a material's job is for: the material that was asked, and where it goes. No bpy here."""

from __future__ import annotations

from typing import Literal

import msgspec
from maquette_wire.material import Material

MappingKind = Literal["FACES", "BOX"]
"""How maps lie on a surface: along each face, or from six sides with soft borders."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a material goes on one object.

    Attributes:
        object: its name.
        uid: its `session_uid`, by which `session` still knows it under another name.
        session: of which Blender that is.
        slot: number of the material slot; None for a new one, which goes to the faces alone.
        faces: numbers of the faces; None where the slot is all that is given.
        of: how many faces the mesh had, as another number means other faces.
    """

    object: str
    uid: int = 0
    session: str = ""
    slot: int | None = None
    faces: tuple[int, ...] | None = None
    of: int = 0


class Commission(msgspec.Struct, frozen=True, kw_only=True):
    """A material that was asked for, and where it goes once it is there."""

    material: Material
    mapping: MappingKind = "FACES"
    places: tuple[Place, ...] = ()
