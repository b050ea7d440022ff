"""What a Blender can't do that the add-on's other code has to know."""

from __future__ import annotations

import bpy

CRASHES = bpy.app.version < (4, 3) and not bpy.app.binary_path
"""The bpy module of 4.2 crashes when its Python ends if any property has functions of its own (an
update, items, a getter), and with it the command line's captures; without a window nobody needs
them."""


def exact(value: float) -> float:
    """The shortest decimal that Blender's single-precision ``value`` stands for.

    A slider at 0.7 holds 0.699999988; the Recipe should say 0.7, as the user did.
    """
    return float(f"{value:.7g}")
