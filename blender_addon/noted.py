"""Objects that were noted when a job began, found again when it is done.

In between the user may rename them, or delete one and make another of its name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import bpy

SESSION = uuid.uuid4().hex
"""Of this Blender: an object's `session_uid` means another one in the next."""


def own_objects() -> dict[str, Any]:
    """The objects of this file by name: one that is linked may have the same name."""
    return {thing.name: thing for thing in bpy.data.objects if thing.library is None}


def found_again(names: Sequence[str], uids: Sequence[int], session: str) -> Iterator[Any]:
    """This file's object for each name, None where there is none any more; none twice, whatever
    the user called others meanwhile.

    uids, session: `session_uid` of each, and the Blender in which it was that.
    """
    here = session == SESSION
    by_uid = {thing.session_uid: thing for thing in bpy.data.objects} if here else {}
    known = [by_uid.get(uid) for uid in uids] if here else [None] * len(names)
    taken = {thing.name for thing in known if thing is not None}
    own = own_objects()
    for thing, name in zip(known, names, strict=True):
        # One that was deleted may have been made anew.
        found = thing or (None if name in taken else own.get(name))
        yield None if found is None or found.library is not None else found
