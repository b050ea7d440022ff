"""What a server's limits mean for a job: checked by the client before it sends, and by the
server before it reads a frame."""

from __future__ import annotations

import math
import re

from .errors import MaquetteError
from .material import Material
from .messages import Limits, Submit, Texture
from .recipe import Recipe
from .view import View

JOB = re.compile(r"[0-9a-f]{32}")
TILES = range(1001, 2001)
"""UDIM numbers: ten in a row."""
FIRST_TILE = TILES[0]


def check_submit(submit: Submit, limits: Limits) -> None:
    """Check everything about a job but its pixels.

    Raises MaquetteError with code ``bad-message`` (which no client of ours sends), ``bad-recipe``,
    ``bad-capture``, ``prompt-too-long``, ``too-many-captures``, ``too-many-pictures``,
    ``bad-material``, ``capture-too-small`` or ``capture-too-large``.
    """
    if JOB.fullmatch(submit.job) is None:
        raise MaquetteError("bad-message", "A job's name is not 32 hex digits.")
    submit.recipe.check()
    for name in ("prompt", "negative_prompt"):
        length = len(getattr(submit.recipe, name))
        if length > limits.prompt_characters:
            raise MaquetteError(
                "prompt-too-long",
                f"The {name.replace('_', ' ')} has {length} characters.",
                f"Use {limits.prompt_characters} at most.",
            )
    if submit.material is not None:
        _check_material(submit, submit.material, limits)
        return
    views = len(submit.views)
    if not views:
        raise MaquetteError("bad-message", "The job has no capture.", "Capture a view first.")
    if views > limits.captures:
        raise MaquetteError(
            "too-many-captures",
            f"The job has {views} captures, the server takes {limits.captures}.",
            "Split it into several jobs.",
        )
    if views * submit.recipe.count > limits.pictures:
        raise MaquetteError(
            "too-many-pictures",
            f"The job asks for {views * submit.recipe.count} pictures, "
            f"the server makes {limits.pictures} in one.",
            "Lower the count, or split it into several jobs.",
        )
    if submit.recipe.size is not None:
        check_size("The result's size", *submit.recipe.size, limits)
    for index, view in enumerate(submit.views):
        check_view(view, index, limits)
    if submit.together or submit.texture is not None:
        _check_together(submit.recipe)
    if submit.texture is not None:
        _check_texture(submit.texture, limits)
    _check_frames(submit)


def abilities(submit: Submit) -> dict[str, str]:
    """What a job asks of a server beyond the first version of the protocol, as its `understands`
    names it, each with what that is for a user."""
    needed = {}
    if submit.material is not None:
        needed["material"] = "make materials"
    texture = submit.texture
    if texture is not None and (texture.tiles != (FIRST_TILE,) or texture.bits != 8):
        needed["tiles"] = "make a texture of several pictures, or of 16 bits"
    if texture is not None and (texture.painted is not None or texture.even):
        needed["finer"] = "enlarge the views of a texture, or take the painted light out of it"
    return needed


def check_view(view: View, index: int, limits: Limits) -> None:
    """Check a view's pixel size and matrices. Raises MaquetteError."""
    label = f"Capture {view.name!r}" if view.name else f"Capture {index + 1}"
    check_size(label, view.width, view.height, limits)
    if not all(map(math.isfinite, (*view.view_matrix, *view.projection_matrix))):
        raise MaquetteError(
            "bad-capture",
            f"{label} has a matrix with NaN or infinity in it.",
            "Check the camera's transform and clipping distances.",
        )


def check_size(what: str, width: int, height: int, limits: Limits) -> None:
    """Check a picture's width and height in pixels. Raises MaquetteError."""
    if min(width, height) < limits.side_min:
        raise MaquetteError(
            "capture-too-small",
            f"{what} is {width} x {height} pixels.",
            f"Use at least {limits.side_min} pixels a side.",
        )
    if max(width, height) > limits.side_max or width * height > limits.pixels:
        raise MaquetteError(
            "capture-too-large",
            f"{what} is {width} x {height} pixels.",
            f"Use at most {limits.side_max} pixels a side "
            f"and {limits.pixels / 1e6:.1f} megapixels.",
        )


def _check_material(submit: Submit, material: Material, limits: Limits) -> None:
    if submit.views or submit.frames or submit.texture is not None or submit.together:
        raise MaquetteError("bad-message", "A material's job has no views and no frames.")
    if submit.recipe.count > 1:
        raise MaquetteError(
            "bad-recipe",
            f"One material has one seed, and the recipe's count is {submit.recipe.count}.",
            "Make a job for each seed.",
        )
    if submit.recipe.size is not None:
        raise MaquetteError(
            "bad-recipe",
            "A material's maps have the size that the material says.",
            "Leave the recipe's size out.",
        )
    side = material.filled(submit.recipe.prompt).pixels
    check_size("A map of the material", side, side, limits)


def _check_together(recipe: Recipe) -> None:
    if recipe.count > 1:
        raise MaquetteError(
            "bad-recipe",
            f"Views that are painted together have one picture each, and the recipe's count is "
            f"{recipe.count}.",
            "Make a job for each seed.",
        )
    if recipe.size is not None:
        raise MaquetteError(
            "bad-recipe",
            "Views that are painted together are painted at their own size.",
            "Leave the recipe's size out.",
        )


def _check_texture(texture: Texture, limits: Limits) -> None:
    side, count = texture.size, len(texture.tiles)
    if not limits.side_min <= side <= limits.side_max or count * side * side > limits.texels:
        what = f"The texture is {side}" if count == 1 else f"There are {count} textures, {side}"
        raise MaquetteError(
            "texture-size",
            f"{what} pixels a side.",
            f"Use {limits.side_min} to {limits.side_max}, and {limits.texels / 1e6:.1f} megapixels "
            "together at most: a smaller size, or fewer objects at a time.",
        )
    if list(texture.tiles) != sorted(set(texture.tiles) & set(TILES)) or not count:
        raise MaquetteError(
            "bad-message",
            "The tiles of a texture are not rising UDIM numbers.",
        )
    if not texture.objects or min(texture.objects) < 1:
        raise MaquetteError(
            "no-faces", "There is no face to texture.", "Select a mesh that has faces."
        )
    if not all(map(math.isfinite, texture.origin)):
        raise MaquetteError("bad-message", "The origin of a surface is not a number.")
    painted = texture.painted
    if painted is not None and not limits.side_min <= painted <= limits.side_max:
        raise MaquetteError(
            "texture-size",
            f"The views of a texture are to be painted at {painted} pixels.",
            f"Use {limits.side_min} to {limits.side_max}.",
        )


def _check_frames(submit: Submit) -> None:
    expected: dict[tuple[str, int], tuple[int, ...]] = {
        (name, index): (view.height, view.width, *channels)
        for index, view in enumerate(submit.views)
        for name, channels in (("color", (3,)), ("depth", ()))
    }
    given = {(header.name, header.index): header.shape for header in submit.frames}
    if submit.texture is not None:
        count = sum(submit.texture.objects)
        expected |= {("corners", 0): (count, 3, 3), ("uvs", 0): (count, 3, 2)}
    if submit.together or submit.texture is not None:
        for name, index in given:
            if name == "picture" and index < len(submit.views):
                expected[name, index] = expected["color", index]
    if given != expected or len(submit.frames) != len(expected):
        raise MaquetteError(
            "bad-message",
            "The frames of a submit are not the colour and depth of its views"
            + (" and its surface." if submit.texture is not None else "."),
        )
