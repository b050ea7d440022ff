"""What is kept of a scene's pictures, and what the gallery shows of them at the moment.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty


class MaquettePicture(bpy.types.PropertyGroup):
    """One picture of a scene's gallery: what finds it again; its Recipe and View are in its file.

    Its ``name``, inherited from PropertyGroup, is a key that no other picture has. Files are
    relative to ``MaquetteSettings.pictures_base`` where they begin with ``//``.
    """

    title: StringProperty(name="Name", description="What you call this picture")
    path: StringProperty(description="The picture's file")
    depth: StringProperty(description="The file with the depth that the model saw")
    capture: StringProperty(description="The file with the colour and depth it was made of")
    job: StringProperty(description="The job that made it; its variations have the same")
    camera: StringProperty(description="The camera or viewport that it was seen from")
    prompt: StringProperty(description="Its prompt, to be searched")
    seed: StringProperty(description="Its seed; larger than Blender's numbers can be")
    made: StringProperty(description="When it was made: year, month, day and time of this place")
    width: IntProperty(description="Pixels across")
    height: IntProperty(description="Pixels down")
    starred: BoolProperty(description="Kept whatever else goes")
    trashed: BoolProperty(description="Deleted by the user; its file is there until the trash is")


class MaquetteGalleryView(bpy.types.PropertyGroup):
    """What the gallery shows at the moment, as ``window_manager.maquette_gallery``: no undo."""

    search: StringProperty(
        name="Search",
        description="Show pictures whose prompt, camera, name or seed has these words",
        options={"TEXTEDIT_UPDATE"},
    )
    shown: EnumProperty(
        name="Show",
        description="Which pictures the gallery shows",
        items=(
            ("ALL", "All", "All pictures of this scene", "IMAGE_DATA", 0),
            ("STARRED", "Starred", "Pictures with a star", "SOLO_ON", 1),
            ("TRASH", "Trash", "Deleted pictures, until the trash is emptied", "TRASH", 2),
        ),
        default="ALL",
    )
    page: IntProperty(description="Which page of the gallery, from 0")
    chosen: StringProperty(description="Key of the picture that the gallery's buttons are for")
    marked: StringProperty(description="Key of the picture that the chosen one is compared with")
    wipe: FloatProperty(
        name="Wipe",
        description="Where the line between two compared pictures is",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )


def gallery_view(window_manager: bpy.types.WindowManager) -> MaquetteGalleryView:
    """What the gallery shows, for the type checker's sake."""
    return window_manager.maquette_gallery  # pyright: ignore[reportAttributeAccessIssue]
