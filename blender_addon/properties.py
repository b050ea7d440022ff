"""What belongs to a scene: the panel's settings, saved in the .blend.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from . import preset_library
from .chosen_presets import MaquettePresets
from .facade_settings import FacadeSettings
from .fine_tuning import FineTuning
from .gallery_settings import MaquetteGalleryView, MaquettePicture
from .material_settings import MaquetteMaterial
from .quirks import CRASHES, PLAIN
from .texture_settings import TextureSettings
from .view_looks import OverlayLook

BLENDER_INT_MAX = 2**31 - 1
"""Blender's integers have 32 bits with a sign; a seed of the wire goes to twice that, and such a
one is kept as text."""


def _geometry_moved(settings: "MaquetteSettings", _context: bpy.types.Context) -> None:
    # The slider decides strength and influences: values pinned by an earlier Recipe would leave it
    # without effect.
    settings.use_strength = False
    settings.use_depth_influence = False
    settings.use_lines_influence = False


def _model_changed(settings: "MaquetteSettings", context: bpy.types.Context) -> None:
    # Steps that suit one model spoil another one's pictures.
    settings.use_steps = False
    settings.use_guidance = False
    settings.sampler = ""
    settings.lines = "auto"
    settings.loras.clear()
    _geometry_moved(settings, context)


UPDATE_GEOMETRY = None if CRASHES else _geometry_moved
UPDATE_MODEL = None if CRASHES else _model_changed


class MaquetteLora(bpy.types.PropertyGroup):
    """One style added to the model."""

    # `name` is inherited from PropertyGroup.
    weight: FloatProperty(
        name="Weight",
        description="How strongly this style shows (weight of the LoRA)",
        default=1.0,
        soft_min=0.0,
        soft_max=1.5,
        options=PLAIN,
    )


class MaquettePrompt(bpy.types.PropertyGroup):
    """A prompt from one frame of an animation on."""

    frame: IntProperty(
        name="From Frame",
        description="The first frame that this prompt is for; it holds until the next one's",
        default=1,
        options=PLAIN,
    )
    prompt: StringProperty(
        name="Prompt",
        description="What the building and its surroundings should look like from this frame on",
        default="",
        options={"TEXTEDIT_UPDATE"},
    )


class MaquetteSettings(
    FacadeSettings, FineTuning, TextureSettings, OverlayLook, bpy.types.PropertyGroup
):
    """Everything the panel shows, as ``scene.maquette``."""

    prompt: StringProperty(
        name="Prompt",
        description="What the building and its surroundings should look like: "
        "materials, light, weather, drawing style",
        default="",
        options={"TEXTEDIT_UPDATE"},
    )
    negative_prompt: StringProperty(
        name="Avoid",
        description="What should not appear in the picture (negative prompt)",
        default="",
        options=PLAIN,
    )
    presets: PointerProperty(
        name="Presets",
        description="Named words that are added to the prompt, one of each kind",
        type=MaquettePresets,
    )
    model: StringProperty(
        name="Model",
        description="The image model that paints the concept",
        default="pocket",
        update=UPDATE_MODEL,
        options=PLAIN,
    )
    geometry: FloatProperty(
        name="Geometry",
        description="How closely the picture keeps to the massing model: on the left the model "
        "is a suggestion, on the right every edge stays where it is "
        "(sets denoising strength and depth influence together)",
        default=0.7,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        precision=2,
        update=UPDATE_GEOMETRY,
    )
    seed: IntProperty(
        name="Seed",
        description="Number of the variation: the same seed with the same settings and the same "
        "view makes the same picture again",
        default=0,
        min=0,
        max=BLENDER_INT_MAX,
        options=PLAIN,
    )
    long_seed: StringProperty(
        name="Seed",
        description="The seed of a recipe from elsewhere that is too large for Blender's number "
        "fields; empty it to go back to the number field",
        default="",
        options=PLAIN,
    )
    seed_locked: BoolProperty(
        name="Keep Seed",
        description="Use the same seed for every picture; otherwise each Restyle takes a new one",
        default=False,
        options=PLAIN,
    )
    count: IntProperty(
        name="Variations",
        description="How many pictures to make of this view, each with the next seed",
        default=1,
        min=1,
        max=64,
        soft_max=8,
        options=PLAIN,
    )
    long_side: IntProperty(
        name="Long Side",
        description="Width or height of the picture, whichever is longer; "
        "the other follows the view's proportions",
        default=512,
        min=64,
        max=8192,
        soft_max=2048,
        step=64,
        subtype="PIXEL",
        options=PLAIN,
    )
    source: EnumProperty(
        name="View",
        description="What the picture is made of",
        items=(
            ("CAMERA", "Camera", "What the scene's active camera sees"),
            ("VIEWPORT", "Viewport", "What this 3D view shows, without overlays"),
        ),
        default="CAMERA",
        options=PLAIN,
    )
    material: PointerProperty(
        name="Material",
        description="What the next material is to be",
        type=MaquetteMaterial,
    )
    live_side: IntProperty(
        name="Live Size",
        description="Width or height of Live's pictures, whichever is longer: small ones follow "
        "faster",
        default=256,
        min=64,
        max=2048,
        soft_max=1024,
        step=64,
        subtype="PIXEL",
        options=PLAIN,
    )
    loras: CollectionProperty(type=MaquetteLora)
    prompts: CollectionProperty(
        type=MaquettePrompt,
        name="Prompts by Frame",
        description="Prompts that hold from a frame of the animation on, each until the next one; "
        "before the first the main prompt holds",
    )
    prompt_index: IntProperty(
        name="Chosen Prompt",
        description="Place of the prompt that is chosen in the list",
        default=0,
        options=PLAIN,
    )
    steady: BoolProperty(
        name="Steady",
        description="Frames take over the colours of the frame before where both see the same "
        "surface, so that an animation doesn't flicker (the previous picture is reprojected "
        "through its depth)",
        default=False,
        options=PLAIN,
    )
    pictures: CollectionProperty(
        name="Gallery",
        description="The pictures that were made of this scene, in the order of their making",
        type=MaquettePicture,
    )
    pictures_base: StringProperty(
        name="Gallery's Place",
        description="The folder that the gallery's relative paths begin at: that of the .blend "
        "when it was saved",
        options=PLAIN,
    )
    last_result: PointerProperty(
        name="Concept",
        description="The picture that is chosen in the gallery; a new one takes its place",
        type=bpy.types.Image,
    )


CLASSES = (
    MaquettePresets,
    MaquetteLora,
    MaquettePrompt,
    MaquettePicture,
    MaquetteGalleryView,
    MaquetteMaterial,
    MaquetteSettings,
)


def settings_of(scene: bpy.types.Scene) -> MaquetteSettings:
    """The panel's settings of a scene, for the type checker's sake."""
    return scene.maquette  # pyright: ignore[reportAttributeAccessIssue]


def register() -> None:
    preset_library.register()
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.maquette = PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        name="Maquette", type=MaquetteSettings
    )
    bpy.types.WindowManager.maquette_gallery = PointerProperty(  # pyright: ignore[reportAttributeAccessIssue]
        name="Maquette Gallery", type=MaquetteGalleryView
    )


def unregister() -> None:
    del bpy.types.WindowManager.maquette_gallery  # pyright: ignore[reportAttributeAccessIssue]
    del bpy.types.Scene.maquette  # pyright: ignore[reportAttributeAccessIssue]
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    preset_library.unregister()
