"""What to make of which view: prompt, Geometry, model, seed, and the settings folded away."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..abilities import chosen_model, is_guided, takes_lines, takes_steps
from ..properties import MaquetteSettings
from ..recipes import said
from ..session import current
from ..wrapping import broken, room_in, wrapped
from .base import MaquettePanel
from .facades import draw_facades
from .jobs import draw_jobs
from .presets import draw_presets
from .prompts import draw_prompt_in_force


class MAQUETTE_MT_model(bpy.types.Menu):
    """The models that the server can run."""

    bl_label = "Model"

    def draw(self, _context: bpy.types.Context) -> None:
        backend = current().backend
        if backend is None or backend.welcome is None:
            self.layout.label(text="Known after connecting to the server")
            self.layout.operator("maquette.connect", icon="LINKED")
            return
        for model in backend.welcome.models:
            text = f"{model.title}   ({model.licence})"
            setting = self.layout.operator("wm.context_set_string", text=text)
            setting.data_path, setting.value = "scene.maquette.model", model.name


class MAQUETTE_MT_sampler(bpy.types.Menu):
    """The methods of the refinement steps that make a difference to the chosen model."""

    bl_label = "Method"

    def draw(self, context: bpy.types.Context) -> None:
        model = chosen_model(context.scene.maquette.model)
        for name in ("", *(model.samplers if model else ())):
            setting = self.layout.operator("wm.context_set_string", text=name or "Model's Own")
            setting.data_path, setting.value = "scene.maquette.sampler", name


class MAQUETTE_MT_style(bpy.types.Menu):
    """The styles (LoRAs) that fit the chosen model."""

    bl_label = "Add Style"

    def draw(self, context: bpy.types.Context) -> None:
        model = chosen_model(context.scene.maquette.model)
        for name in model.loras if model else ():
            self.layout.operator("maquette.add_style", text=name).name = name


class MAQUETTE_PT_restyle(MaquettePanel, bpy.types.Panel):
    """What to make, of which view, and how it is getting on."""

    bl_label = "Concept Image"

    def draw(self, context: bpy.types.Context) -> None:
        draw_restyle(self.layout, context)


class MAQUETTE_PT_fine(MaquettePanel, bpy.types.Panel):
    """Settings that the model or the Geometry slider decide otherwise."""

    bl_label = "Fine Tuning"
    bl_parent_id = "MAQUETTE_PT_restyle"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        draw_fine(self.layout, context.scene.maquette)


def draw_restyle(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What to make, of which view, and how it is getting on."""
    settings, width = context.scene.maquette, context.region.width
    layout.row().prop(settings, "source", expand=True)
    if settings.source == "CAMERA" and context.scene.camera is None:
        wrapped(layout, "The scene has no camera: add one, or choose Viewport.", width, "ERROR")
    if settings.source == "VIEWPORT" and context.area.type != "VIEW_3D":
        wrapped(layout, "A 3D view's own sidebar restyles what it shows.", width, "INFO")
    draw_prompt(layout, settings, width)
    draw_presets(layout, settings.presets, width)
    draw_geometry(layout, settings)
    draw_facades(layout, settings)
    _draw_choices(layout, settings)
    row = layout.row()
    row.scale_y = 1.6
    row.operator("maquette.restyle", icon="SHADERFX")
    layout.operator("maquette.grid", text="Grid...", icon="MESH_GRID")
    draw_jobs(layout, width)


def draw_fine(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    """Settings that the model or the Geometry slider decide otherwise; of these, what the model
    has a use for, and what is set."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    model = chosen_model(settings.model)
    lines = takes_lines(model)
    column = layout.column()
    _draw_settable(column, settings, "steps", takes_steps(model))
    _draw_settable(column, settings, "guidance", is_guided(model))
    _draw_settable(column, settings, "strength", True)
    _draw_settable(column, settings, "depth_influence", True)
    if lines or settings.lines != "auto":
        column.prop(settings, "lines")
    _draw_settable(column, settings, "lines_influence", lines and settings.lines != "none")
    if settings.sampler or model is None or len(model.samplers) > 1:
        own = f"Model's Own ({model.sampler})" if model else "Model's Own"
        labelled(layout, "Method").menu("MAQUETTE_MT_sampler", text=settings.sampler or own)
    for index, lora in enumerate(settings.loras):
        row = layout.row(align=True)
        row.prop(lora, "weight", text=lora.name)
        row.operator("maquette.remove_style", text="", icon="X").index = index
    if model and model.loras:
        layout.menu("MAQUETTE_MT_style", icon="ADD")


def _draw_settable(
    column: bpy.types.UILayout, settings: MaquetteSettings, name: str, useful: bool
) -> None:
    """A setting beside the box that says whether it is set; only where it is of use, or set."""
    is_set = getattr(settings, f"use_{name}")
    if not (is_set or useful):
        return
    row = column.row(heading=settings.bl_rna.properties[name].name)
    row.prop(settings, f"use_{name}", text="")
    value = row.row()
    value.active = is_set
    value.prop(settings, name, text="")


def draw_prompt(layout: bpy.types.UILayout, settings: MaquetteSettings, width: int) -> None:
    """The prompt and what is to be avoided."""
    column = layout.column(align=True)
    column.label(text="Prompt")
    row = column.row(align=True)
    row.prop(settings, "prompt", text="", placeholder="Red brick library at dusk, wet plaza")
    row.operator("maquette.edit_prompt", text="", icon="TEXT").setting = "prompt"
    draw_prompt_in_force(column, settings, width)
    prompt, _negative = said(settings)
    # All of what is too long for its field, and what the presets make of it.
    if prompt != settings.prompt.strip() or len(broken(prompt, room_in(width))) > 1:
        whole = column.column()
        whole.active = False
        wrapped(whole, prompt, width)
    if settings.negative_prompt or is_guided(chosen_model(settings.model)):
        column.separator(factor=0.5)
        row = column.row(align=True)
        row.prop(settings, "negative_prompt", text="", placeholder="Avoid: people, cars")
        row.operator("maquette.edit_prompt", text="", icon="TEXT").setting = "negative_prompt"


def draw_geometry(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    """The slider between creative and exact."""
    column = layout.column(align=True)
    row = column.row()
    row.label(text="Creative")
    end = row.row()
    end.alignment = "RIGHT"
    end.label(text="Exact")
    column.prop(settings, "geometry", slider=True)


def _draw_choices(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    model = chosen_model(settings.model)
    title = model.title if model else settings.model.capitalize()
    labelled(column, "Model").menu("MAQUETTE_MT_model", text=title)
    if model:
        licence = labelled(column, "Licence")
        licence.active = False
        licence.label(text=model.licence)
    draw_seed(column, settings)
    column.prop(settings, "count")
    column.prop(settings, "long_side")


def draw_seed(column: bpy.types.UILayout, settings: MaquetteSettings) -> None:
    """The seed, and whether it is kept."""
    row = column.row(align=True)
    row.prop(settings, "long_seed" if settings.long_seed else "seed")
    icon = "LOCKED" if settings.seed_locked else "UNLOCKED"
    row.prop(settings, "seed_locked", text="", icon=icon)


def labelled(layout: bpy.types.UILayout, text: str) -> bpy.types.UILayout:
    """A row with a label as the properties' own, for what is none."""
    split = layout.split(factor=0.4)
    label = split.row()
    label.alignment = "RIGHT"
    label.label(text=text)
    return split.row()


CLASSES = (
    MAQUETTE_MT_model,
    MAQUETTE_MT_sampler,
    MAQUETTE_MT_style,
    MAQUETTE_PT_restyle,
    MAQUETTE_PT_fine,
)
