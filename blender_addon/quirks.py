"""What the add-on's other code has to know of Blender's properties."""

from __future__ import annotations

from typing import Any

import bpy

PLAIN: Any = set()
"""Options of a setting without keyframes: "I" is hit easily with the mouse over the panel. What
makes sense between two keys has them: Geometry, Repaint, Depth Hold, Lines Hold, Storey Height, Bay
Width."""

CRASHES = bpy.app.version < (4, 3) and not bpy.app.binary_path
"""The bpy module of 4.2 crashes when its Python ends if any property has functions of its own (an
update, items, a getter), and with it the command line's captures; without a window nobody needs
them."""


def exact(value: float) -> float:
    """The shortest decimal that Blender's single-precision ``value`` stands for.

    A slider at 0.7 holds 0.699999988; the Recipe should say 0.7, as the user did.
    """
    return float(f"{value:.7g}")
