"""The menu View > Maquette of the 3D view: what it holds is also found by F3 search, which looks
through menus and nothing else."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

from __future__ import annotations

import bpy

from .base import TAB

PARTS = (
    (
        ("restyle", "SHADERFX"),
        ("grid", "MESH_GRID"),
        ("live", "PLAY"),
        ("keep_live", "FILE_TICK"),
        ("wipe_view", "SPLIT_VERTICAL"),
        ("own_look", "PINNED"),
        ("cancel", "X"),
    ),
    (
        ("edit_prompt", "TEXT"),
        ("add_preset", "ADD"),
        ("use_recipe_file", "FILEBROWSER"),
    ),
    (
        ("show_result", "IMAGE_DATA"),
        ("use_recipe", "LOOP_BACK"),
        ("use_camera", "CAMERA_DATA"),
        ("restyle_again", "FILE_REFRESH"),
        ("find_pictures", "VIEWZOOM"),
        ("contact_sheet", "IMGDISPLAY"),
        ("show_grid", "MESH_GRID"),
        ("open_folder", "FILE_FOLDER"),
    ),
    (
        ("texture", "MOD_UVPROJECT"),
        ("project", "IMAGE_REFERENCE"),
        ("texture_of_file", "FILEBROWSER"),
    ),
    (
        ("make_material", "MATERIAL"),
        ("material_of_file", "FILEBROWSER"),
    ),
)
"""Operators with their icons; a line between the parts."""


class MAQUETTE_MT_view(bpy.types.Menu):
    """Restyle what the 3D view shows"""

    bl_label = TAB

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        for place, part in enumerate(PARTS):
            if place:
                layout.separator()
            for name, icon in part:
                layout.operator(f"maquette.{name}", icon=icon)  # pyright: ignore[reportArgumentType]


def draw_entry(menu: bpy.types.Menu, _context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu("MAQUETTE_MT_view", icon="SHADERFX")


CLASSES = (MAQUETTE_MT_view,)
