"""What the panel says of the next texture.

No ``from __future__ import annotations`` here: Blender reads the annotations themselves.
"""
# pyright: reportInvalidTypeForm=false

from bpy.props import BoolProperty, EnumProperty, IntProperty

from .quirks import PLAIN


class TextureSettings:
    """Part of ``scene.maquette``."""

    texture_views: IntProperty(
        name="Views",
        description="From how many sides a texture is painted: more cover more of the model, "
        "and take longer",
        default=6,
        min=1,
        max=32,
        soft_max=12,
        options=PLAIN,
    )
    texture_side: IntProperty(
        name="View Size",
        description="Width and height that each view is painted at. A model paints a whole "
        "building best near the size it was trained at: 256 for the pocket model, 512 or more for "
        "large ones. Edges and windows are as fine as the texture at any size",
        default=256,
        min=64,
        max=4096,
        soft_max=1024,
        step=64,
        subtype="PIXEL",
        options=PLAIN,
    )
    texture_size: EnumProperty(
        name="Texture Size",
        description="Width and height of a texture in pixels",
        items=tuple((str(side), f"{side} px", "") for side in (1024, 2048, 4096, 8192)),
        default="2048",
        options=PLAIN,
    )
    texture_even: BoolProperty(
        name="Even Light",
        description="Take light and shade that were painted out of the texture, so that the "
        "scene's own light isn't doubled: every surface has one colour and its detail, and no side "
        "is darker than another (albedo). Off: as painted, for a texture that is shown without "
        "light",
        default=True,
        options=PLAIN,
    )
    texture_each: BoolProperty(
        name="One for Each",
        description="A picture of this size for each object, rather than one that all share "
        "(UDIM tiles)",
        default=False,
        options=PLAIN,
    )
    texture_own_uvs: BoolProperty(
        name="Keep UV Maps",
        description="Lay the texture out as the objects' own UV maps say, where these are fit for "
        "it: no faces on each other, and evenly large. Otherwise it has a UV map of its own",
        default=True,
        options=PLAIN,
    )
    texture_from_concept: BoolProperty(
        name="Match Concept",
        description="Lay the chosen concept on what its view sees, and paint the other sides after "
        "it",
        default=False,
        options=PLAIN,
    )
