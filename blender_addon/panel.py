"""The sidebar tab "Maquette" of the 3D view, and a concept's Recipe in the image editor."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

from __future__ import annotations

import bpy
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import ModelInfo

from . import layers, results, thumbnails
from .backend import Status
from .jobs import Job, State
from .properties import MaquetteSettings
from .session import Session, current
from .wrapping import broken, room_in, wrapped

TAB = "Maquette"
ROW, BESIDE = 20, 90
"""Pixels at a scale of 1: a row of a panel, and what a picture leaves of the region's width."""
ICONS = {"INFO": "INFO", "WARNING": "ERROR", "ERROR": "CANCEL"}


def chosen_model(name: str) -> ModelInfo | None:
    """What the server said about a model; None before there was a connection."""
    backend = current().backend
    models = backend.welcome.models if backend and backend.welcome else ()
    return next((model for model in models if model.name == name), None)


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


class MaquettePanel:
    """What the panels of the tab have in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


class MAQUETTE_PT_restyle(MaquettePanel, bpy.types.Panel):
    """What to make, of which view, and how it is getting on."""

    bl_label = "Concept Image"

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings, session = self.layout, context.scene.maquette, current()
        width = context.region.width
        layout.row().prop(settings, "source", expand=True)
        if settings.source == "CAMERA" and context.scene.camera is None:
            wrapped(layout, "The scene has no camera: add one, or choose Viewport.", width, "ERROR")
        column = layout.column(align=True)
        column.label(text="Prompt")
        column.prop(settings, "prompt", text="", placeholder="Red brick library at dusk, wet plaza")
        _draw_whole_prompt(column, settings.prompt, width)
        column.separator(factor=0.5)
        column.prop(settings, "negative_prompt", text="", placeholder="Avoid: people, cars")
        _draw_geometry(layout, settings)
        _draw_choices(layout, settings)
        row = layout.row()
        row.scale_y = 1.6
        row.operator("maquette.restyle", icon="SHADERFX")
        for job in session.jobs.values():
            _draw_job(layout, job, width)
        _draw_notices(layout, session, width)
        _draw_server(layout, session, width)


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


class MAQUETTE_PT_result(MaquettePanel, bpy.types.Panel):
    """The newest picture of this scene."""

    bl_label = "Last Concept"

    def draw(self, context: bpy.types.Context) -> None:
        layout, image = self.layout, context.scene.maquette.last_result
        if image is None:
            wrapped(
                layout,
                "The picture appears here, and in an image editor if one is open.",
                context.region.width,
            )
            layout.operator("maquette.use_recipe_file", icon="FILE_FOLDER")
            return
        layout.template_icon(
            icon_value=thumbnails.of_image(image), scale=_picture_scale(context.region.width)
        )
        _draw_name(layout, image, context.region.width)
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        grid.operator("maquette.show_result", text="Show", icon="IMAGE_DATA")
        use = grid.operator("maquette.use_recipe", icon="LOOP_BACK")
        use.image = image.name
        shown = grid.operator("maquette.show_result", text="Depth", icon="MOD_OFFSET")
        shown.depth = True
        grid.operator("maquette.open_folder", icon="FILE_FOLDER")
        layout.operator("maquette.use_recipe_file", text="Recipe of a File...", icon="FILEBROWSER")


class MAQUETTE_PT_texture(MaquettePanel, bpy.types.Panel):
    """A texture for the model, and the textures that lie on it."""

    bl_label = "Texture on the Model"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, settings = self.layout, context.scene.maquette
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "texture_views")
        column.prop(settings, "texture_side")
        column.prop(settings, "texture_size")
        if settings.last_result is not None:
            column.prop(settings, "texture_from_concept")
        row = layout.row()
        row.scale_y = 1.6
        selected = [thing for thing in context.selected_objects if thing.type == "MESH"]
        what = "Texture Selected" if selected else "Texture All"
        row.operator("maquette.texture", text=what, icon="MOD_UVPROJECT")
        if settings.last_result is not None:
            layout.operator("maquette.project", icon="IMAGE_REFERENCE")
        there = layers.layers()
        for material in there:
            _draw_layer(layout, material)
        shading = context.space_data.shading
        if there and shading.type == "SOLID" and shading.color_type != "TEXTURE":
            layout.operator("maquette.show_textures_in_view", icon="SHADING_TEXTURE")
        layout.operator("maquette.texture_of_file", text="Texture of a File...", icon="FILEBROWSER")


class MAQUETTE_PT_image(bpy.types.Panel):
    """The Recipe of the picture in the image editor."""

    bl_label = "Recipe"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = TAB

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        image = getattr(context, "edit_image", None)
        return image is not None and results.RECIPE in image

    def draw(self, context: bpy.types.Context) -> None:
        layout, width = self.layout, context.region.width
        try:
            recipe = results.recipe_of_image(context.edit_image)
        except MaquetteError as error:  # made by a later version, or edited
            wrapped(layout, str(error), width, "ERROR")
            return
        wrapped(layout, recipe.prompt, width)
        if recipe.negative_prompt:
            wrapped(layout, f"Avoid: {recipe.negative_prompt}", width)
        column = layout.column(align=True)
        for name, value in (
            ("Model", recipe.model),
            ("Seed", recipe.seed),
            ("Geometry", f"{recipe.geometry:.2f}"),
            ("Steps", recipe.steps),
            ("Sampler", recipe.sampler),
        ):
            if value is not None:
                split = column.split(factor=0.4)
                split.label(text=name)
                split.label(text=str(value))
        layout.operator("maquette.use_recipe", icon="LOOP_BACK")


def _draw_layer(layout: bpy.types.UILayout, material: bpy.types.Material) -> None:
    row = layout.row(align=True)
    shown = layers.is_shown(material)
    icon = "HIDE_OFF" if shown else "HIDE_ON"
    switch = row.operator("maquette.show_texture", text="", icon=icon, emboss=False)
    switch.layer, switch.shown = material.name, not shown
    row.label(text=material.name)
    for name, icon in (
        ("bake_again", "FILE_REFRESH"),
        ("texture_folder", "FILE_FOLDER"),
        ("remove_texture", "X"),
    ):
        row.operator(f"maquette.{name}", text="", icon=icon).layer = material.name


def _draw_whole_prompt(layout: bpy.types.UILayout, prompt: str, width: int) -> None:
    """All of a prompt that is too long for its field."""
    if len(broken(prompt, room_in(width))) > 1:
        column = layout.column()
        column.active = False
        wrapped(column, prompt, width)


def _draw_name(layout: bpy.types.UILayout, image: bpy.types.Image, width: int) -> None:
    """A concept's name; with arrows where others were made together with it."""
    if len(results.variations(image)) == 1:
        wrapped(layout, image.name, width)
        return
    row = layout.row(align=True)
    row.operator("maquette.step_result", text="", icon="TRIA_LEFT").by = -1
    name = row.row()
    name.alignment = "CENTER"
    name.label(text=image.name)
    row.operator("maquette.step_result", text="", icon="TRIA_RIGHT").by = 1


def _picture_scale(width: int) -> float:
    """Side of a picture in a region of ``width`` pixels, in rows of the panel."""
    scale = bpy.context.preferences.system.ui_scale
    return max(4.0, (width / scale - BESIDE) / ROW)


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


def _draw_job(layout: bpy.types.UILayout, job: Job, width: int) -> None:
    box = layout.box()
    if job.state is State.UNSAVED:
        wrapped(box, f"{job.title}: {job.error}", width, "ERROR")
        row = box.row(align=True)
        row.operator("maquette.save_again", icon="FILE_TICK").job = job.name
        row.operator("maquette.discard", icon="TRASH").job = job.name
        return
    if not job.state.open:
        wrapped(box, f"{job.title}: {job.error}", width, "CANCEL")
        box.operator("maquette.dismiss", icon="X")
        return
    icon = thumbnails.of_job(job.name)
    if icon:
        box.template_icon(icon_value=icon, scale=_picture_scale(width))
    box.label(text=job.title)  # beside the progress there is no room for it
    row = box.row(align=True)
    row.progress(factor=job.fraction, text=job.describe())
    if job.state not in (State.CANCELLING, State.SAVING):
        row.operator("maquette.cancel", text="", icon="X").job = job.name


def _draw_notices(layout: bpy.types.UILayout, session: Session, width: int) -> None:
    # A failed job says itself what went wrong.
    said = {str(job.error) for job in session.jobs.values() if job.error}
    notices = [notice for notice in session.notices if notice.text not in said]
    if not notices:
        return
    box = layout.box()
    for notice in notices:
        wrapped(box, notice.text, width, ICONS[notice.level])
    box.operator("maquette.dismiss", icon="X")


def _draw_server(layout: bpy.types.UILayout, session: Session, width: int) -> None:
    backend = session.backend
    error = backend.error if backend else None
    if session.left_behind:
        box = layout.box()
        count = session.left_behind
        noun = "picture was" if count == 1 else "pictures were"
        wrapped(box, f"{count} {noun} still being made when Blender closed.", width, "RECOVER_LAST")
        box.operator("maquette.connect", text="Fetch", icon="IMPORT")
    if backend is None or session.status is Status.IDLE:
        layout.label(text="The server starts when needed", icon="UNLINKED")
    elif session.status is Status.READY and backend.welcome is not None:
        devices = ", ".join(backend.welcome.devices)
        place = f" – {backend.server.removeprefix('tcp://')}" if backend.server else ""
        layout.label(text=f"Ready ({devices}){place}", icon="LINKED")
    elif session.status is Status.STARTING:
        layout.label(text="Starting the server...", icon="SORTTIME")
    elif session.status is Status.CONNECTING:
        layout.label(text="Connecting...", icon="SORTTIME")
    else:
        _draw_trouble(layout, str(error or "The server is gone."), session, width)


def _draw_trouble(layout: bpy.types.UILayout, text: str, session: Session, width: int) -> None:
    box = layout.box()
    if all(notice.text != text for notice in session.notices):  # those are shown above
        wrapped(box, text, width, "ERROR")
    row = box.row(align=True)
    row.operator("maquette.connect", text="Try Again", icon="FILE_REFRESH")
    settings = row.operator("preferences.addon_show", text="Preferences", icon="PREFERENCES")
    settings.module = __package__ or ""


CLASSES = (
    MAQUETTE_MT_model,
    MAQUETTE_MT_sampler,
    MAQUETTE_MT_style,
    MAQUETTE_PT_restyle,
    MAQUETTE_PT_fine,
    MAQUETTE_PT_result,
    MAQUETTE_PT_texture,
    MAQUETTE_PT_image,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
