"""Presets: clear, add, edit and delete them, and share them as a file."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.presets import library
from maquette_wire.presets.files import SUFFIX
from maquette_wire.presets.words import CATEGORIES, NAME_CHARACTERS, Preset

from ..chosen_presets import choose
from ..pictures import thumbnail
from ..preset_library import LOOKS, current_library
from ..redrawing import redraw_panels
from .choosing import ChoosingFile

KINDS = tuple(
    (each, LOOKS[each][0], LOOKS[each][1], LOOKS[each][2], number)
    for number, each in enumerate(CATEGORIES)
)
WIDTH = 420


class MAQUETTE_OT_clear_presets(bpy.types.Operator):
    """Choose no presets; what you typed stays"""

    bl_idname = "maquette.clear_presets"
    bl_label = "Clear Presets"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        choose(context.scene.maquette.presets, ())
        return {"FINISHED"}


class _Writing(bpy.types.Operator):
    """What adding and editing share: a dialog with a preset's fields."""

    bl_options = {"UNDO"}

    title: StringProperty(name="Name", maxlen=NAME_CHARACTERS, options={"SKIP_SAVE"})
    category: EnumProperty(name="Kind", items=KINDS, default="style", options={"SKIP_SAVE"})
    words: StringProperty(
        name="Words", description="What it adds to the prompt", options={"SKIP_SAVE"}
    )
    negative: StringProperty(
        name="Avoid",
        description="What it adds to what should not appear (negative prompt)",
        options={"SKIP_SAVE"},
    )
    picture: BoolProperty(
        name="Last Concept as Its Picture",
        description="Show the preset as a small picture of the last concept",
        default=False,
        options={"SKIP_SAVE"},
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        layout.use_property_split = True
        for name in ("title", "category", "words", "negative"):
            layout.prop(self, name)
        if context.scene.maquette.last_result is not None:
            layout.prop(self, "picture")

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.maquette
        try:
            picture = _picture_of(settings.last_result) if self.picture else self.before(context)
            given = Preset(
                name=self.title,
                category=self.category,
                words=self.words,
                negative=self.negative,
                picture=picture,
            )
            kept = self.write(context, given)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        setattr(settings.presets, kept.category, kept.name)
        self.report({"INFO"}, f'The preset "{kept.name}" is kept.')
        redraw_panels()
        return {"FINISHED"}

    def before(self, context: bpy.types.Context) -> bytes:
        """The picture that it has without a new one."""
        raise NotImplementedError

    def write(self, context: bpy.types.Context, given: Preset) -> Preset:
        """Keep the preset; returns it as it is kept. Raises MaquetteError."""
        raise NotImplementedError


class MAQUETTE_OT_add_preset(_Writing):
    """Keep the words of the prompt as a preset of your own, with the last concept as its picture"""

    bl_idname = "maquette.add_preset"
    bl_label = "Add Preset"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        settings = context.scene.maquette
        self.words = settings.prompt.strip()
        self.negative = settings.negative_prompt.strip()
        self.picture = settings.last_result is not None
        return context.window_manager.invoke_props_dialog(self, width=WIDTH)

    def before(self, _context: bpy.types.Context) -> bytes:
        return b""

    def write(self, context: bpy.types.Context, given: Preset) -> Preset:
        kept = library.add(Home.default(), given)
        settings = context.scene.maquette
        # What the prompt said is now said by the preset, which is chosen.
        for name, words in (("prompt", kept.words), ("negative_prompt", kept.negative)):
            if " ".join(getattr(settings, name).split()) == words:
                setattr(settings, name, "")
        return kept


class MAQUETTE_OT_edit_preset(_Writing):
    """Change this preset; one that came with Maquette is replaced by yours until you delete it"""

    bl_idname = "maquette.edit_preset"
    bl_label = "Edit Preset"
    bl_options = {"UNDO", "INTERNAL"}

    of: StringProperty(options={"SKIP_SAVE", "HIDDEN"})
    """The category whose chosen preset is edited."""

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        preset = _chosen(context, self.of)
        if preset is None:
            self.report({"ERROR"}, "Choose the preset that you want to edit.")
            return {"CANCELLED"}
        self.title, self.category = preset.name, preset.category
        self.words, self.negative = preset.words, preset.negative
        return context.window_manager.invoke_props_dialog(self, width=WIDTH)

    def before(self, context: bpy.types.Context) -> bytes:
        preset = _chosen(context, self.of)
        return preset.picture if preset else b""

    def write(self, context: bpy.types.Context, given: Preset) -> Preset:
        preset = _chosen(context, self.of)
        if preset is None:
            raise MaquetteError("unknown-preset", "No preset is chosen.", "Choose one to edit.")
        kept = library.change(Home.default(), preset, given)
        setattr(context.scene.maquette.presets, preset.category, "")
        return kept


class MAQUETTE_OT_delete_preset(bpy.types.Operator):
    """Delete this preset of your own, for all files; it can't be undone"""

    bl_idname = "maquette.delete_preset"
    bl_label = "Delete Preset"
    bl_options = {"INTERNAL"}

    of: StringProperty(options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        preset = _chosen(context, self.of)
        if preset is None or preset not in current_library().own:
            self.report({"ERROR"}, "Only presets of your own can be deleted.")
            return {"CANCELLED"}
        try:
            library.remove(Home.default(), preset)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if _chosen(context, self.of) is None:  # else the one of Maquette is back
            setattr(context.scene.maquette.presets, self.of, "")
        redraw_panels()
        return {"FINISHED"}


class MAQUETTE_OT_export_presets(ChoosingFile, bpy.types.Operator):
    """Write all presets of your own into one file, pictures included, for others"""

    bl_idname = "maquette.export_presets"
    bl_label = "Export Presets"
    bl_options = {"REGISTER"}

    filter_glob: StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if not current_library().own:
            cls.poll_message_set("There are no presets of your own yet: add one first")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = self.filepath or f"presets{SUFFIX}"
        return super().invoke(context, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        path = Path(bpy.path.ensure_ext(bpy.path.abspath(self.filepath), SUFFIX))
        own = current_library().own
        try:
            library.share(own, path)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        noun = "preset is" if len(own) == 1 else "presets are"
        self.report({"INFO"}, f"{len(own)} {noun} in {path}.")
        return {"FINISHED"}


class MAQUETTE_OT_import_presets(ChoosingFile, bpy.types.Operator):
    """Add the presets of a file that somebody exported to your own"""

    bl_idname = "maquette.import_presets"
    bl_label = "Import Presets"
    bl_options = {"REGISTER"}

    filter_glob: StringProperty(default=f"*{SUFFIX}", options={"HIDDEN"})

    def execute(self, _context: bpy.types.Context) -> set[str]:
        try:
            taken, there = library.take_in(Home.default(), self.path)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        names = ", ".join(f'"{preset.name}"' for preset in taken) or "None"
        self.report({"INFO"}, f"{names} added" + (f"; {there} were there." if there else "."))
        redraw_panels()
        return {"FINISHED"}


def _chosen(context: bpy.types.Context, category: str) -> Preset | None:
    if category not in CATEGORIES:
        return None
    return current_library().find(category, getattr(context.scene.maquette.presets, category))


def _picture_of(concept: bpy.types.Image | None) -> bytes:
    if concept is None:
        raise MaquetteError("no-picture", "There is no concept of this scene yet.", "Restyle once.")
    return thumbnail(Path(bpy.path.abspath(concept.filepath, library=concept.library)))


CLASSES = (
    MAQUETTE_OT_clear_presets,
    MAQUETTE_OT_add_preset,
    MAQUETTE_OT_edit_preset,
    MAQUETTE_OT_delete_preset,
    MAQUETTE_OT_export_presets,
    MAQUETTE_OT_import_presets,
)
