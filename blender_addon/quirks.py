"""What a Blender can't do that the add-on's other code has to know."""

from __future__ import annotations

import bpy

CRASHES = bpy.app.version < (4, 3) and not bpy.app.binary_path
"""The bpy module of 4.2 crashes when its Python ends if any property has functions of its own (an
update, items, a getter), and with it the command line's captures; without a window nobody needs
them."""
