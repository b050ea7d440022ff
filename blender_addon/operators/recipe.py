"""Putting the Recipe of a picture back into the panel, and its less common settings."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from pathlib import Path

import bpy
from bpy.props import IntProperty, StringProperty
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe

from .. import results
from ..gallery import entries
from ..recipes import put_back
from .choosing import ChoosingFile


class MAQUETTE_OT_use_recipe(bpy.types.Operator):
    """Put the prompt, seed and all other settings that made this picture back into the panel"""

    bl_idname = "maquette.use_recipe"
    bl_label = "Use Recipe"
    bl_options = {"REGISTER", "UNDO"}

    image: StringProperty(
        name="Image",
        description="Which image; empty: the one in this image editor, or else the last concept",
        options={"SKIP_SAVE"},
    )
    picture: StringProperty(
        name="Picture",
        description="Key of a picture of the gallery, instead of an image",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        entry = entries.get(context.scene, self.picture) if self.picture else None
        if entry is not None:
            return _apply(self, context, lambda: entries.saved_of(context.scene, entry).recipe)
        image = bpy.data.images.get(self.image) if self.image else _image_of(context)
        if image is None:
            self.report({"ERROR"}, "There is no picture here to take the recipe of.")
            return {"CANCELLED"}
        return _apply(self, context, lambda: results.recipe_of_image(image))


class MAQUETTE_OT_use_recipe_file(ChoosingFile, bpy.types.Operator):
    """Choose a PNG that Maquette made, and put its settings back into the panel"""

    bl_idname = "maquette.use_recipe_file"
    bl_label = "Use Recipe of a File"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = self.path
        return _apply(self, context, lambda: _read(path))


class MAQUETTE_OT_add_style(bpy.types.Operator):
    """Add a style (LoRA) to the model"""

    bl_idname = "maquette.add_style"
    bl_label = "Add Style"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.maquette.loras.add().name = self.name
        return {"FINISHED"}


class MAQUETTE_OT_remove_style(bpy.types.Operator):
    """Take this style away again"""

    bl_idname = "maquette.remove_style"
    bl_label = "Remove Style"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    index: IntProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.maquette.loras.remove(self.index)
        return {"FINISHED"}


def _apply(operator, context, read) -> set[str]:  # type: ignore[no-untyped-def]
    try:
        recipe: Recipe = read()
        put_back(recipe, context.scene.maquette)
    except MaquetteError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    operator.report({"INFO"}, f"The settings of seed {recipe.seed} are back in the panel.")
    return {"FINISHED"}


def _read(path: Path) -> Recipe:
    try:
        return png.read_recipe(path)
    except OSError as error:
        raise MaquetteError(
            "bad-picture", f"{path} can't be read: {error.strerror}.", "Choose another file."
        ) from error


def _image_of(context: bpy.types.Context) -> bpy.types.Image | None:
    shown = getattr(context, "edit_image", None)
    return shown or context.scene.maquette.last_result


CLASSES = (
    MAQUETTE_OT_use_recipe,
    MAQUETTE_OT_use_recipe_file,
    MAQUETTE_OT_add_style,
    MAQUETTE_OT_remove_style,
)
