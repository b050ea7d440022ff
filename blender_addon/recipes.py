"""The panel's settings as a Recipe, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.material import PATTERN, Material, pattern_of
from maquette_wire.presets.words import composed, recognised
from maquette_wire.recipe import SEED_MAX, Lora, Recipe

from .chosen_presets import choose, chosen_presets
from .commissions import MappingKind
from .material_settings import AUTOMATIC, put_material_values
from .preset_library import current_library
from .properties import BLENDER_INT_MAX
from .quirks import exact

if TYPE_CHECKING:
    from .properties import MaquettePrompt, MaquetteSettings

_UNSAID = Recipe(prompt="")
"""What of a picture of a building a material's recipe has: as recipes do that say nothing of it."""


def recipe_of(settings: MaquetteSettings) -> Recipe:
    """The Recipe that the settings describe at their scene's frame; what is left to the model is
    None.

    Raises MaquetteError("empty-prompt", "bad-seed", "bad-recipe").
    """
    prompt, negative = said(settings)
    if not prompt:
        raise MaquetteError(
            "empty-prompt",
            "The prompt is empty.",
            'Describe the building in the panel, for instance "red brick library at dusk".',
        )
    return _recipe(settings, prompt, negative)


def material_recipe(settings: MaquetteSettings) -> Recipe:
    """The Recipe that the settings describe for a material: its own prompt, and none of what is
    about pictures of a building (presets, Geometry, how much of it is painted over, windows).

    Raises MaquetteError("empty-prompt", "bad-seed", "bad-recipe").
    """
    prompt = " ".join(settings.material.prompt.split())
    if not prompt:
        raise MaquetteError(
            "empty-prompt",
            "The material's prompt is empty.",
            'Describe the material in the panel, for instance "red brick, weathered".',
        )
    return msgspec.structs.replace(
        _recipe(settings, prompt, ""),
        count=1,
        geometry=_UNSAID.geometry,
        strength=None,
        depth_influence=None,
        windows=_UNSAID.windows,
        storey=_UNSAID.storey,
        bay=_UNSAID.bay,
        lines=None,
        lines_influence=None,
    )


def _recipe(settings: MaquetteSettings, prompt: str, negative: str) -> Recipe:
    recipe = Recipe(
        prompt=prompt,
        negative_prompt=negative,
        model=settings.model,
        seed=_seed(settings),
        count=settings.count,
        steps=settings.steps if settings.use_steps else None,
        sampler=settings.sampler or None,
        guidance=exact(settings.guidance) if settings.use_guidance else None,
        geometry=exact(settings.geometry),
        strength=exact(settings.strength) if settings.use_strength else None,
        depth_influence=exact(settings.depth_influence) if settings.use_depth_influence else None,
        loras=tuple(Lora(name=each.name, weight=exact(each.weight)) for each in settings.loras),
        windows=settings.windows,
        storey=exact(settings.storey_height),
        bay=exact(settings.bay_width),
        lines=None if settings.lines == "auto" else settings.lines,
        lines_influence=exact(settings.lines_influence) if settings.use_lines_influence else None,
    )
    recipe.check()
    return recipe


def prompt_holder(settings: MaquetteSettings) -> MaquetteSettings | MaquettePrompt:
    """Whose prompt holds at the scene's frame: the last entry of the list that begins by then, or
    the settings themselves before the first. An entry that is still empty holds nothing."""
    scene: Any = settings.id_data
    begun = [
        entry
        for entry in settings.prompts
        if entry.frame <= scene.frame_current and entry.prompt.strip()
    ]
    return max(begun, key=lambda entry: entry.frame, default=settings)


def said(settings: MaquetteSettings) -> tuple[str, str]:
    """The prompt and the negative prompt as typed, with the words of the chosen presets."""
    return composed(
        prompt_holder(settings).prompt, settings.negative_prompt, chosen_presets(settings.presets)
    )


def put_back(recipe: Recipe, settings: MaquetteSettings) -> None:
    """Make ``recipe_of(settings)`` give ``recipe`` again, the model's hash and the size apart.

    The seed is locked, so that the next Restyle of the same view makes the same picture. Presets
    whose words end the prompt are chosen again.
    """
    settings.model = recipe.model  # first: its update drops what is pinned
    settings.geometry = recipe.geometry
    prompt_holder(settings).prompt, settings.negative_prompt, presets = recognised(
        recipe.prompt, recipe.negative_prompt, current_library().presets
    )
    choose(settings.presets, presets)
    set_seed(settings, recipe.seed)
    settings.seed_locked = True
    settings.count = recipe.count
    settings.sampler = recipe.sampler or ""
    for name in ("steps", "guidance", "strength", "depth_influence", "lines_influence"):
        value = getattr(recipe, name)
        setattr(settings, f"use_{name}", value is not None)
        if value is not None:
            setattr(settings, name, value)
    settings.loras.clear()
    for lora in recipe.loras:
        entry = settings.loras.add()
        entry.name, entry.weight = lora.name, lora.weight
    settings.windows = recipe.windows
    settings.storey_height, settings.bay_width = recipe.storey, recipe.bay
    settings.lines = recipe.lines or "auto"
    if recipe.size is not None:
        settings.long_side = max(recipe.size)


def put_material_back(
    recipe: Recipe, material: Material, mapping: MappingKind, settings: MaquetteSettings
) -> None:
    """Have the panel describe this material again; the seed is locked, as in :func:`put_back`."""
    own = settings.material
    settings.model = recipe.model
    own.prompt = recipe.prompt
    own.size, own.mapping = material.size, mapping
    own.pixels = min(own.bl_rna.properties["pixels"].enum_items.keys(), key=_far(material.pixels))
    own.pattern = material.pattern or AUTOMATIC
    put_material_values(own, material)
    pattern = PATTERN[material.pattern or pattern_of(recipe.prompt)]
    is_own = (pattern.unit, pattern.joint, pattern.relief)
    own.adjust = (material.unit, material.joint, material.relief) != is_own
    set_seed(settings, recipe.seed)
    settings.seed_locked = True


def set_seed(settings: MaquetteSettings, seed: int) -> None:
    """Show a seed in the panel: as a number, or as text where it is too large for Blender's."""
    fits = seed <= BLENDER_INT_MAX
    settings.long_seed = "" if fits else str(seed)
    if fits:
        settings.seed = seed


def _seed(settings: MaquetteSettings) -> int:
    text = settings.long_seed.strip()
    if not text:
        return settings.seed
    if not (text.isascii() and text.isdecimal() and int(text) <= SEED_MAX):
        raise MaquetteError(
            "bad-seed",
            f"The seed {text!r} is not a whole number from 0 to {SEED_MAX}.",
            "Correct it, or empty the field to have the number field back.",
        )
    return int(text)


def _far(pixels: int) -> Callable[[str], int]:
    return lambda side: abs(int(side) - pixels)
