"""The gallery: pages of small pictures, and what can be done with the chosen one."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

from functools import cache

import bpy

from .. import results, thumbnails
from ..gallery import compare, entries
from ..gallery_settings import MaquetteGalleryView, MaquettePicture, gallery_view
from ..notices import counted
from ..session import current, wake
from ..wrapping import wrapped
from .base import ROW, TAB, MaquettePanel

CELL, COLUMNS, ROWS = 84, 6, 4
"""Pixels at a scale of 1 that a small picture has across; columns at most; rows of a page."""
NOTHING = 0.05
"""Rows: a pixel."""
MARGIN = 46
"""Pixels at a scale of 1 beside the pictures: the tabs and borders of a sidebar."""


class MAQUETTE_PT_gallery(MaquettePanel, bpy.types.Panel):
    """Every picture of this scene."""

    bl_label = "Gallery"

    def draw(self, context: bpy.types.Context) -> None:
        draw_gallery(self.layout, context)


class MAQUETTE_PT_image_gallery(bpy.types.Panel):
    """Every picture of this scene, beside the large one."""

    bl_label = "Gallery"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    def draw(self, context: bpy.types.Context) -> None:
        image = getattr(context, "edit_image", None)
        if image is not None and results.KEY in image:
            row = self.layout.row(align=True)
            row.operator("maquette.step_picture", text="Newer", icon="TRIA_LEFT").by = -1
            row.operator("maquette.step_picture", text="Older", icon="TRIA_RIGHT").by = 1
        draw_gallery(self.layout, context)


class MAQUETTE_MT_gallery(bpy.types.Menu):
    """What is done with the gallery as a whole."""

    bl_label = "Gallery"

    def draw(self, _context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("maquette.find_pictures", icon="VIEWZOOM")
        layout.operator("maquette.bring_pictures", icon="DUPLICATE")
        layout.operator("maquette.open_folder", icon="FILE_FOLDER")
        layout.operator("maquette.contact_sheet", icon="IMGDISPLAY")
        layout.operator("maquette.show_grid", icon="MESH_GRID")
        layout.operator("maquette.use_recipe_file", text="Recipe of a File...", icon="FILEBROWSER")
        layout.separator()
        layout.operator("maquette.delete_unstarred", icon="TRASH")
        layout.operator("maquette.empty_trash", icon="X")


def draw_gallery(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The gallery of the scene, in a sidebar."""
    scene, view = context.scene, gallery_view(context.window_manager)
    if current().gallery.look():
        wake()
    if not len(scene.maquette.pictures):
        width = context.region.width
        wrapped(layout, "Every picture of this scene is kept here, with what made it.", width)
        layout.operator("maquette.find_pictures", icon="VIEWZOOM")
        layout.operator("maquette.use_recipe_file", text="Recipe of a File...", icon="FILEBROWSER")
        return
    row = layout.row(align=True)
    row.prop(view, "search", text="", icon="VIEWZOOM", placeholder="Search")
    row.prop(view, "shown", text="", expand=True, icon_only=True)
    row.menu("MAQUETTE_MT_gallery", text="", icon="DOWNARROW_HLT")
    places = entries.shown(scene, view)
    if places:
        _draw_page(layout, context, places)
    else:
        wrapped(layout, _nothing(view), context.region.width)
    if view.shown == "TRASH" and places:
        layout.operator("maquette.empty_trash", text="Empty Trash", icon="TRASH")
    entry = entries.chosen(scene, view)
    if entry is not None:
        _draw_chosen(layout, context, entry)
    _draw_notes(layout, context)


def _nothing(view: MaquetteGalleryView) -> str:
    if view.search.strip():
        return "No picture has these words in its prompt, camera, name or seed."
    return {
        "STARRED": "No picture has a star.",
        "TRASH": "The trash is empty.",
        "ALL": "All pictures are in the trash.",
    }[view.shown]


def _draw_page(layout: bpy.types.UILayout, context: bpy.types.Context, places: list[int]) -> None:
    scene, view = context.scene, gallery_view(context.window_manager)
    scale = context.preferences.system.ui_scale
    room = context.region.width / scale - MARGIN
    columns = max(1, min(COLUMNS, int(room / CELL)))
    on_page = columns * ROWS
    pages = -(-len(places) // on_page)
    page = min(view.page, pages - 1)
    chosen = entries.chosen(scene, view)
    grid = layout.grid_flow(
        row_major=True, columns=columns, even_columns=True, even_rows=True, align=True
    )
    for place in places[page * on_page : (page + 1) * on_page]:
        entry = scene.maquette.pictures[place]
        _draw_cell(grid.column(align=True), scene, view, entry, entry == chosen, room / columns)
    if pages > 1:
        row = layout.row(align=True)
        _draw_turn(row, "TRIA_LEFT", page - 1, page > 0)
        middle = row.row()
        middle.alignment = "CENTER"
        middle.label(text=f"{page + 1} of {pages}")
        _draw_turn(row, "TRIA_RIGHT", page + 1, page < pages - 1)


def _draw_turn(row: bpy.types.UILayout, icon: str, page: int, there: bool) -> None:
    part = row.row(align=True)
    part.enabled = there
    part.operator("maquette.gallery_page", text="", icon=icon).page = page


def _draw_cell(
    cell: bpy.types.UILayout,
    scene: bpy.types.Scene,
    view: MaquetteGalleryView,
    entry: MaquettePicture,
    chosen: bool,
    width: float,
) -> None:
    """A small picture with its buttons, ``width`` pixels at a scale of 1 across."""
    side = max(2.0, (width - 6) / ROW)
    path = entries.resolved(entries.base_of(scene), entry.path)
    icon = _broken_icon() if path in current().gallery.missing else thumbnails.of_file(path)
    # A button as large as the picture that takes up next to no room, and the picture over it, as
    # Blender has no button with a large picture.
    behind = cell.column()
    behind.ui_units_y = NOTHING
    button = behind.column()
    button.scale_y = side
    click = button.operator("maquette.choose_picture", text="", depress=chosen)
    click.picture = entry.name
    cell.template_icon(icon_value=icon, scale=side)
    row = cell.row(align=True)
    star = "SOLO_ON" if entry.starred else "SOLO_OFF"
    row.operator("maquette.star_picture", text="", icon=star).picture = entry.name
    choose = row.operator(
        "maquette.choose_picture",
        text=entry.title.replace(" – seed ", " "),  # for more there is no room
        icon="ARROW_LEFTRIGHT" if entry.name == view.marked else "NONE",
        depress=chosen,
    )
    choose.picture = entry.name


@cache
def _broken_icon() -> int:
    """The number of Blender's own icon for a file that is missing."""
    icons = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"]
    return icons.enum_items["LIBRARY_DATA_BROKEN"].value  # pyright: ignore[reportAttributeAccessIssue]


def _draw_chosen(
    layout: bpy.types.UILayout, context: bpy.types.Context, entry: MaquettePicture
) -> None:
    scene, width = context.scene, context.region.width
    box = layout.box()
    row = box.row(align=True)
    row.prop(entry, "title", text="")
    star = "SOLO_ON" if entry.starred else "SOLO_OFF"
    row.operator("maquette.star_picture", text="", icon=star).picture = entry.name
    row.operator("maquette.open_folder", text="", icon="FILE_FOLDER").picture = entry.name
    bin_icon = "LOOP_BACK" if entry.trashed else "TRASH"
    row.operator("maquette.delete_picture", text="", icon=bin_icon).picture = entry.name
    path = entries.resolved(entries.base_of(scene), entry.path)
    if path in current().gallery.missing:
        wrapped(box, f"Its file is missing: {path}", width, "ERROR")
        find = box.operator("maquette.find_picture", icon="FILEBROWSER")
        find.picture = entry.name
        return
    if entry.prompt:
        wrapped(box, entry.prompt, width)
    facts = box.column(align=True)
    facts.active = False
    facts.scale_y = 0.8
    facts.label(text=f"{entry.camera or 'Viewport'} – seed {entry.seed}")
    facts.label(text=f"{entry.width} × {entry.height} px – {entry.made}")
    buttons = box.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    buttons.operator("maquette.show_result", text="Show", icon="IMAGE_DATA").picture = entry.name
    depth = buttons.operator("maquette.show_result", text="Depth", icon="MOD_OFFSET")
    depth.picture, depth.depth = entry.name, True
    for name, text, icon in (
        ("use_recipe", "Use Recipe", "LOOP_BACK"),
        ("use_camera", "Use Camera", "CAMERA_DATA"),
        ("restyle_again", "Restyle Again", "SHADERFX"),
        ("project", "Project", "MOD_UVPROJECT"),
    ):
        buttons.operator(f"maquette.{name}", text=text, icon=icon).picture = entry.name
    box.operator("maquette.texture_from", icon="TEXTURE").picture = entry.name
    box.menu("MAQUETTE_MT_send_recipe", icon="OUTLINER_OB_CAMERA")
    _draw_compare(box, context, entry)


def _draw_compare(
    layout: bpy.types.UILayout, context: bpy.types.Context, entry: MaquettePicture
) -> None:
    other = entries.compared(context.scene, gallery_view(context.window_manager), entry)
    said = layout.row()
    said.active = False
    said.label(text=f"Compare with {other.title}" if other else "Ctrl-click a picture to compare")
    row = layout.row(align=True)
    row.operator("maquette.compare", text="Wipe", icon="ARROW_LEFTRIGHT").how = "WIPE"
    row.operator("maquette.compare", text="Side by Side", icon="IMGDISPLAY").how = "SIDE"
    if compare.keys():
        row = layout.row(align=True)
        row.prop(gallery_view(context.window_manager), "wipe", slider=True)
        row.operator("maquette.end_compare", text="", icon="X")


def _draw_notes(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """How many there are, how much they take, and what the user may want to do about it."""
    scene, width, keeper = context.scene, context.region.width, current().gallery
    count, trashed = entries.total(scene)
    row = layout.row()
    row.active = False
    size = f"{keeper.megabytes:.0f} MB" + (f" of {keeper.limit}" if keeper.limit else "")
    trash = f", {trashed} in trash" if trashed else ""
    row.label(text=f"{counted(count, 'picture')}{trash} – {size}")
    if keeper.shared_megabytes:
        row = layout.row()
        row.active = False
        row.label(text=f"Shared with other .blend files: {keeper.shared_megabytes:.0f} MB")
    if scene.library is not None:
        wrapped(layout, "Linked from another file: open that one to change it.", width, "LINKED")
    if keeper.nearly_full():
        wrapped(
            layout,
            "Nearly full: the oldest go next, first what they were made of, then pictures without "
            "a star. The preferences have the limit.",
            width,
            "ERROR",
        )
    if keeper.elsewhere and bpy.data.filepath and scene.library is None:
        lie = counted(len(keeper.elsewhere), "picture")
        wrapped(layout, f"In another folder: {lie}.", width, "INFO")
        layout.operator("maquette.bring_pictures", icon="DUPLICATE")


CLASSES = (MAQUETTE_MT_gallery, MAQUETTE_PT_gallery, MAQUETTE_PT_image_gallery)
