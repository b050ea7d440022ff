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
from maquette_wire.recipe import BAYS, STOREYS, Recipe

from . import preset_library
from .chosen_presets import MaquettePresets
from .gallery_settings import MaquetteGalleryView, MaquettePicture
from .material_settings import MaquetteMaterial
from .quirks import CRASHES, PLAIN
from .texture_settings import TextureSettings
from .view_looks import OverlayLook

BLENDER_INT_MAX = 2**31 - 1
"""Blender's integers have 32 bits with a sign; a seed of the wire goes to twice that, and such a
one is kept as text."""


USUAL = Recipe(prompt="")
"""What a recipe has of which nothing is said."""
WINDOWS = (
    (
        "auto",
        "As Prompted",
        'As the prompt says ("ribbon windows"); where it says nothing, as the seed decides',
    ),
    (
        "free",
        "Model's Choice",
        "Nothing is laid out: the model paints windows and doors as it likes",
    ),
    ("punched", "Punched", "Single windows with much wall around them, one to a bay"),
    ("tall", "Tall", "Upright windows from the floor to near the ceiling, one to a bay"),
    ("ribbon", "Ribbon", "A band of windows along each storey, without piers"),
    ("grid", "Grid", "Large openings from slab to slab and pier to pier: a frame of the structure"),
    ("curtain wall", "Curtain Wall", "Glass all over, divided by the edges of the slabs"),
)
"""By the recipe's own words: name in the panel, and tooltip."""
LINES = (
    ("auto", "Model's Own", "Exact lines, where the chosen model takes lines"),
    ("exact", "Exact", "Where the model's own surfaces, windows and doors end, to the pixel"),
    ("none", "None", "The picture is held to the depth alone"),
    ("canny", "Canny", "Edges that are found in the view's colours (needs controlnet-aux)"),
    ("lineart", "Line Art", "A drawing of the view's colours (needs controlnet-aux)"),
    ("mlsd", "Straight", "Straight lines in the view's colours (MLSD; needs controlnet-aux)"),
)
"""By the recipe's own words, "auto" being none: name in the panel, and tooltip."""


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


class MaquetteSettings(TextureSettings, OverlayLook, bpy.types.PropertyGroup):
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
    windows: EnumProperty(
        name="Windows",
        description="How windows and doors are laid out on the walls: regularly, in whole bays and "
        "storeys (shown to the model as steps in the depth)",
        items=WINDOWS,
        default=USUAL.windows,
        options=PLAIN,
    )
    storey_height: FloatProperty(
        name="Storey Height",
        description="From floor to floor; the walls of a building share one height near this, of "
        "which whole storeys fit",
        default=USUAL.storey,
        min=STOREYS[0],
        max=STOREYS[1],
        soft_min=2.4,
        soft_max=6.0,
        step=10,
        precision=2,
        subtype="DISTANCE",
    )
    bay_width: FloatProperty(
        name="Bay Width",
        description="From the middle of one window to the middle of the next; a wall is divided "
        "into whole bays of about that width",
        default=USUAL.bay,
        min=BAYS[0],
        max=BAYS[1],
        soft_min=1.0,
        soft_max=9.0,
        step=10,
        precision=2,
        subtype="DISTANCE",
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
    use_steps: BoolProperty(
        name="Set Steps", description="Instead of the model's own number", options=PLAIN
    )
    steps: IntProperty(
        name="Steps",
        description="How many refinement steps the model takes: more is slower, and finer up to a "
        "point (denoising steps of a full schedule)",
        default=20,
        min=1,
        max=1000,
        soft_max=60,
        options=PLAIN,
    )
    use_guidance: BoolProperty(
        name="Set Prompt Weight", description="Instead of the model's own value", options=PLAIN
    )
    guidance: FloatProperty(
        name="Prompt Weight",
        description="How literally the prompt is taken (classifier-free guidance scale)",
        default=5.0,
        min=0.0,
        max=100.0,
        soft_min=1.0,
        soft_max=15.0,
        options=PLAIN,
    )
    use_strength: BoolProperty(
        name="Set Repaint", description="Instead of what Geometry gives", options=PLAIN
    )
    strength: FloatProperty(
        name="Repaint",
        description="How much of the model's own colours is painted over (img2img denoising "
        "strength); moving Geometry takes this over again",
        default=0.9,
        min=0.01,
        max=1.0,
        subtype="FACTOR",
    )
    use_depth_influence: BoolProperty(
        name="Set Depth Hold", description="Instead of what Geometry gives", options=PLAIN
    )
    depth_influence: FloatProperty(
        name="Depth Hold",
        description="How strongly the model's depth shapes the picture (weight of the depth "
        "condition); moving Geometry takes this over again",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    lines: EnumProperty(
        name="Lines",
        description="Lines that the picture is held to, beside the depth (ControlNet for canny, "
        "line art or MLSD)",
        items=LINES,
        default="auto",
        options=PLAIN,
    )
    use_lines_influence: BoolProperty(
        name="Set Lines Hold", description="Instead of what Geometry gives", options=PLAIN
    )
    lines_influence: FloatProperty(
        name="Lines Hold",
        description="How strongly the lines shape the picture (weight of the lines' ControlNet); "
        "moving Geometry takes this over again",
        default=0.6,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    sampler: StringProperty(
        name="Method",
        description="Method of the refinement steps (sampler, scheduler); empty is the model's own",
        default="",
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
