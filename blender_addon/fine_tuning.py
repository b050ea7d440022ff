"""What the panel folds away as fine tuning: how the model refines, and what the picture is held to.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from .quirks import PLAIN

LINES = (
    ("auto", "Model's Own", "Exact lines, where the chosen model takes lines"),
    ("exact", "Exact", "Where the model's own surfaces, windows and doors end, to the pixel"),
    ("none", "None", "The picture is held to the depth alone"),
    ("canny", "Canny", "Edges that are found in the view's colours (needs controlnet-aux)"),
    ("lineart", "Line Art", "A drawing of the view's colours (needs controlnet-aux)"),
    ("mlsd", "Straight", "Straight lines in the view's colours (MLSD; needs controlnet-aux)"),
)
"""By the recipe's own words, "auto" being none: name in the panel, and tooltip."""


class FineTuning:
    """Part of ``scene.maquette``."""

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
