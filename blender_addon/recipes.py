"""The panel's settings as a Recipe, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maquette_wire.errors import MaquetteError
from maquette_wire.presets.words import composed, recognised
from maquette_wire.recipe import SEED_MAX, Lora, Recipe

from .chosen_presets import choose, chosen_presets
from .preset_library import current_library
from .properties import BLENDER_INT_MAX

if TYPE_CHECKING:
    from .properties import MaquettePrompt, MaquetteSettings


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
    recipe = Recipe(
        prompt=prompt,
        negative_prompt=negative,
        model=settings.model,
        seed=_seed(settings),
        count=settings.count,
        steps=settings.steps if settings.use_steps else None,
        sampler=settings.sampler or None,
        guidance=_exact(settings.guidance) if settings.use_guidance else None,
        geometry=_exact(settings.geometry),
        strength=_exact(settings.strength) if settings.use_strength else None,
        depth_influence=_exact(settings.depth_influence) if settings.use_depth_influence else None,
        loras=tuple(Lora(name=each.name, weight=_exact(each.weight)) for each in settings.loras),
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
    for name in ("steps", "guidance", "strength", "depth_influence"):
        value = getattr(recipe, name)
        setattr(settings, f"use_{name}", value is not None)
        if value is not None:
            setattr(settings, name, value)
    settings.loras.clear()
    for lora in recipe.loras:
        entry = settings.loras.add()
        entry.name, entry.weight = lora.name, lora.weight
    if recipe.size is not None:
        settings.long_side = max(recipe.size)


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


def _exact(value: float) -> float:
    """The shortest decimal that Blender's single-precision ``value`` stands for.

    A slider at 0.7 holds 0.699999988; the Recipe should say 0.7, as the user did.
    """
    return float(f"{value:.7g}")
