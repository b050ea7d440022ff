"""Materials: make one, give it to what is selected, and those that are in the file."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty
from maquette_wire.errors import MaquetteError
from maquette_wire.material import Material

from .. import assignment, materials, saved_materials
from ..commissions import Commission
from ..delivery import folder_of, put_material_in, target_of
from ..material_settings import MAPPINGS, material_in, pattern_in, put_material_values
from ..recipes import material_recipe, put_material_back, set_seed
from ..session import current
from .beginning import Beginning
from .choosing import ChoosingFile
from .folder import open_folder
from .restyle import with_next_seed
from .server import reach_server


class MAQUETTE_OT_make_material(Beginning, bpy.types.Operator):
    """Make a material from the prompt: a tile that repeats without a seam, at true scale. Go on
    working meanwhile"""

    bl_idname = "maquette.make_material"
    bl_label = "Make Material"
    bl_options = {"REGISTER"}

    def work(self, context: bpy.types.Context) -> None:
        session, settings = current(), context.scene.maquette
        own = settings.material
        recipe = with_next_seed(material_recipe(settings), settings)
        commission = Commission(
            material=material_in(own),
            mapping=own.mapping,
            places=assignment.chosen(context, own.assign_to),
        )
        reach_server()
        folder = folder_of(bpy.data.filepath, session.home)
        session.material(recipe, commission, target_of(context.scene, folder))
        set_seed(settings, recipe.seed)


class MAQUETTE_OT_adjust_material(bpy.types.Operator):
    """Set the sizes of this material's units; pressed again, they are the pattern's own"""

    bl_idname = "maquette.adjust_material"
    bl_label = "Adjust"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        own = context.scene.maquette.material
        own.adjust = not own.adjust
        if own.adjust:
            put_material_values(own, Material(pattern=pattern_in(own)).filled(own.prompt))
        return {"FINISHED"}


class _OfMaterial:
    """An operator about the material that it names."""

    material: StringProperty(
        name="Material", description="Name of a material in this file", options={"SKIP_SAVE"}
    )

    report: Any

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            found = bpy.data.materials.get(self.material)
            if found is None or materials.MATERIAL not in found:
                raise MaquetteError(
                    "no-material",
                    f"There is no material of Maquette's called {self.material!r}.",
                    "Choose one in the list.",
                )
            return self.work(context, found)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}

    def work(self, context: bpy.types.Context, material: Any) -> set[str]:
        """What the operator does. Raises MaquetteError."""
        raise NotImplementedError


class MAQUETTE_OT_assign_material(_OfMaterial, bpy.types.Operator):
    """Give this material to what is chosen in "Assign To": the selected faces in Edit Mode, else
    the active material slot of each selected object"""

    bl_idname = "maquette.assign_material"
    bl_label = "Assign Material"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def work(self, context: bpy.types.Context, material: Any) -> set[str]:
        where = context.scene.maquette.material.assign_to
        places = assignment.chosen(context, "SELECTION" if where == "NOTHING" else where)
        if not places:
            raise MaquetteError(
                "nothing-chosen", "Nothing is selected.", "Select objects or faces."
            )
        for sentence in assignment.assign(material, places):
            self.report({"WARNING"}, sentence)
        return {"FINISHED"}


class MAQUETTE_OT_lay_material(_OfMaterial, bpy.types.Operator):
    """How this material lies on surfaces"""

    bl_idname = "maquette.lay_material"
    bl_label = "Lay Material"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    mapping: EnumProperty(items=MAPPINGS, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        return next(text for name, _title, text in MAPPINGS if name == properties.mapping)

    def work(self, _context: bpy.types.Context, material: Any) -> set[str]:
        materials.lay(material, self.mapping)
        return {"FINISHED"}


class MAQUETTE_OT_use_material(_OfMaterial, bpy.types.Operator):
    """Put everything that made this material back into the panel: Make Material then makes it
    again, and with the seed unlocked another one like it"""

    bl_idname = "maquette.use_material"
    bl_label = "Use Settings"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def work(self, context: bpy.types.Context, material: Any) -> set[str]:
        recipe, made = materials.asked(material)
        put_material_back(recipe, made, materials.mapping_of(material), context.scene.maquette)
        self.report({"INFO"}, f"The settings of seed {recipe.seed} are back in the panel.")
        return {"FINISHED"}


class MAQUETTE_OT_material_folder(_OfMaterial, bpy.types.Operator):
    """Open the folder with this material's maps, the normal map for other programs among them"""

    bl_idname = "maquette.material_folder"
    bl_label = "Open Material Folder"
    bl_options = {"INTERNAL"}

    def work(self, _context: bpy.types.Context, material: Any) -> set[str]:
        return open_folder(self, materials.folder_of(material))


class MAQUETTE_OT_remove_material(_OfMaterial, bpy.types.Operator):
    """Take this material out of the file; material slots with it become empty, and its maps stay in
    their folder"""

    bl_idname = "maquette.remove_material"
    bl_label = "Remove Material"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    def work(self, _context: bpy.types.Context, material: Any) -> set[str]:
        materials.remove(material)
        return {"FINISHED"}


class MAQUETTE_OT_material_of_file(ChoosingFile, bpy.types.Operator):
    """Make the node material of maps that Maquette made before: choose the albedo.png in their
    folder"""

    bl_idname = "maquette.material_of_file"
    bl_label = "Material of a File"
    bl_options = {"REGISTER"}  # the step to undo is its own

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        folder = folder_of(bpy.data.filepath, current().home) / saved_materials.FOLDER
        self.filepath = f"{folder}/"
        return super().invoke(context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        own = context.scene.maquette.material
        try:
            saved = saved_materials.read(self.path)
            places = assignment.chosen(context, own.assign_to)
            _material, said = put_material_in(saved, own.mapping, places)
        except (MaquetteError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for sentence in said:
            self.report({"WARNING"}, sentence)
        return {"FINISHED"}


CLASSES = (
    MAQUETTE_OT_make_material,
    MAQUETTE_OT_adjust_material,
    MAQUETTE_OT_assign_material,
    MAQUETTE_OT_lay_material,
    MAQUETTE_OT_use_material,
    MAQUETTE_OT_material_folder,
    MAQUETTE_OT_remove_material,
    MAQUETTE_OT_material_of_file,
)
