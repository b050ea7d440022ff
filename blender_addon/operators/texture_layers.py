"""Textures that are on the model: their layers, one of a file, and whether a 3D view shows them."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from maquette_wire.errors import MaquetteError

from .. import layers, textures
from ..delivery import folder_of, put_texture_on
from ..session import current
from .choosing import ChoosingFile
from .folder import open_folder
from .texture import in_object_mode


class OfLayer:
    """An operator about the texture whose layer it names."""

    layer: StringProperty(options={"SKIP_SAVE"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        self.work(bpy.data.materials[self.layer])
        return {"FINISHED"}

    def work(self, layer: Any) -> None:
        """What the operator does with the layer's material."""
        raise NotImplementedError


class MAQUETTE_OT_show_texture(OfLayer, bpy.types.Operator):
    """Switch this texture on or off, in viewports and renders"""

    bl_idname = "maquette.show_texture"
    bl_label = "Show Texture"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    shown: BoolProperty(options={"SKIP_SAVE"})

    def work(self, layer: Any) -> None:
        layers.show(layer, self.shown)


class MAQUETTE_OT_light_texture(OfLayer, bpy.types.Operator):
    """Have the scene's light fall on this texture, or show it as it was painted: at dusk or at
    night it has a light of its own. An exported glTF has it the same way (KHR_materials_unlit)"""

    bl_idname = "maquette.light_texture"
    bl_label = "Light Texture"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    lit: BoolProperty(options={"SKIP_SAVE"})

    def work(self, layer: Any) -> None:
        layers.light(layer, self.lit)


class MAQUETTE_OT_remove_texture(OfLayer, bpy.types.Operator):
    """Take this texture off the model; its files stay in their folder"""

    bl_idname = "maquette.remove_texture"
    bl_label = "Remove Texture"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def work(self, layer: Any) -> None:
        layers.remove(layer)


class MAQUETTE_OT_texture_folder(OfLayer, bpy.types.Operator):
    """Open the folder with this texture and the pictures of its views"""

    bl_idname = "maquette.texture_folder"
    bl_label = "Open Texture Folder"
    bl_options = {"INTERNAL"}

    def execute(self, _context: bpy.types.Context) -> set[str]:
        return open_folder(self, layers.folder_of(bpy.data.materials[self.layer]))


class MAQUETTE_OT_texture_of_file(ChoosingFile, bpy.types.Operator):
    """Lay a texture that Maquette made of this model on it again"""

    bl_idname = "maquette.texture_of_file"
    bl_label = "Texture of a File"
    bl_options = {"REGISTER"}  # the step to undo is its own

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        folder = folder_of(bpy.data.filepath, current().home)
        self.filepath = f"{folder}/"
        return super().invoke(context, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        try:
            said = put_texture_on(textures.saved_at(self.path))
        except (MaquetteError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if said:
            self.report({"WARNING"}, said)
        return {"FINISHED"}


class MAQUETTE_OT_show_textures(bpy.types.Operator):
    """Have Solid mode show textures in this 3D view"""

    bl_idname = "maquette.show_textures_in_view"
    bl_label = "Show Textures in This View"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        shading: Any = context.space_data.shading
        shading.color_type = "TEXTURE"
        return {"FINISHED"}


CLASSES = (
    MAQUETTE_OT_show_texture,
    MAQUETTE_OT_light_texture,
    MAQUETTE_OT_remove_texture,
    MAQUETTE_OT_texture_folder,
    MAQUETTE_OT_texture_of_file,
    MAQUETTE_OT_show_textures,
)
