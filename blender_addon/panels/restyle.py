"""What to make of which view: prompt, Geometry, model, seed, and the settings folded away."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy

from ..properties import MaquetteSettings
from ..session import current
from ..wrapping import broken, room_in, wrapped
from .base import MaquettePanel, chosen_model
from .jobs import draw_jobs
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
    """The methods of the refinement steps that the server knows."""

    bl_label = "Sampler"

    def draw(self, _context: bpy.types.Context) -> None:
        backend = current().backend
        names = backend.welcome.samplers if backend and backend.welcome else ()
        for name in ("", *names):
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
        layout, settings = self.layout, context.scene.maquette
        width = context.region.width
        layout.row().prop(settings, "source", expand=True)
        if settings.source == "CAMERA" and context.scene.camera is None:
            wrapped(layout, "The scene has no camera: add one, or choose Viewport.", width, "ERROR")
        column = layout.column(align=True)
        column.label(text="Prompt")
        column.prop(settings, "prompt", text="", placeholder="Red brick library at dusk, wet plaza")
        _draw_whole_prompt(column, settings.prompt, width)
        draw_prompt_in_force(column, settings, width)
        column.separator(factor=0.5)
        column.prop(settings, "negative_prompt", text="", placeholder="Avoid: people, cars")
        _draw_geometry(layout, settings)
        _draw_choices(layout, settings)
        row = layout.row()
        row.scale_y = 1.6
        row.operator("maquette.restyle", icon="SHADERFX")
        draw_jobs(layout, width)


class MAQUETTE_PT_fine(MaquettePanel, bpy.types.Panel):
    """Settings that the model or the Geometry slider decide otherwise."""

    bl_label = "Fine Tuning"
    bl_parent_id = "MAQUETTE_PT_restyle"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.maquette
        layout.use_property_split = True
        layout.use_property_decorate = False
        model = chosen_model(settings.model)
        column = layout.column()
        for name in ("steps", "guidance", "strength", "depth_influence"):
            row = column.row(heading=settings.bl_rna.properties[name].name)
            row.prop(settings, f"use_{name}", text="")
            value = row.row()
            value.active = getattr(settings, f"use_{name}")
            value.prop(settings, name, text="")
        split = layout.split(factor=0.4)
        label = split.row()
        label.alignment = "RIGHT"
        label.label(text="Sampler")
        own = f"Model's Own ({model.sampler})" if model else "Model's Own"
        split.menu("MAQUETTE_MT_sampler", text=settings.sampler or own)
        for index, lora in enumerate(settings.loras):
            row = layout.row(align=True)
            row.prop(lora, "weight", text=lora.name)
            row.operator("maquette.remove_style", text="", icon="X").index = index
        if model and model.loras:
            layout.menu("MAQUETTE_MT_style", icon="ADD")


def _draw_whole_prompt(layout: bpy.types.UILayout, prompt: str, width: int) -> None:
    """All of a prompt that is too long for its field."""
    if len(broken(prompt, room_in(width))) > 1:
        column = layout.column()
        column.active = False
        wrapped(column, prompt, width)


def _draw_geometry(layout: bpy.types.UILayout, settings: MaquetteSettings) -> None:
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
    split = column.split(factor=0.4)
    label = split.row()
    label.alignment = "RIGHT"
    label.label(text="Model")
    split.menu("MAQUETTE_MT_model", text=model.title if model else settings.model.capitalize())
    row = column.row(align=True)
    row.prop(settings, "long_seed" if settings.long_seed else "seed")
    icon = "LOCKED" if settings.seed_locked else "UNLOCKED"
    row.prop(settings, "seed_locked", text="", icon=icon)
    column.prop(settings, "count")
    column.prop(settings, "long_side")


CLASSES = (
    MAQUETTE_MT_model,
    MAQUETTE_MT_sampler,
    MAQUETTE_MT_style,
    MAQUETTE_PT_restyle,
    MAQUETTE_PT_fine,
)
