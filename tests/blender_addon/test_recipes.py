"""The Recipe of a picture goes back into the panel, from an image or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import bpy
import pytest
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import BAYS, STOREYS, Lines, Lora, Recipe, Windows

from blender_addon import results
from blender_addon.recipes import put_back, recipe_of

FULL = Recipe(
    prompt="white plaster villa in snow",
    negative_prompt="people",
    model="sd2-depth",
    seed=77,
    count=1,
    steps=24,
    sampler="dpmpp-2m",
    guidance=6.5,
    geometry=0.35,
    strength=0.85,
    depth_influence=0.6,
    loras=(Lora(name="watercolour", weight=0.8),),
    windows="curtain wall",
    storey=3.85,
    bay=1.2,
    lines="mlsd",
    lines_influence=0.45,
)


def _picture(path: Path, recipe: Recipe) -> Path:
    png.write(path, bytes(4 * 3 * 3), 4, 3, {png.RECIPE_KEY: recipe.to_json()})
    return path


@pytest.mark.parametrize("recipe", [FULL, Recipe(prompt="x"), Recipe(prompt="y", steps=3)])
def test_what_was_put_back_is_what_is_sent(recipe: Recipe):
    settings = bpy.context.scene.maquette
    put_back(FULL, settings)  # whatever was pinned before must not stay
    put_back(recipe, settings)
    assert recipe_of(settings) == recipe
    assert settings.seed_locked


def test_use_recipe_of_a_file(tmp_path: Path):
    path = _picture(tmp_path / "concept.png", FULL)
    assert bpy.ops.maquette.use_recipe_file(filepath=str(path)) == {"FINISHED"}
    assert recipe_of(bpy.context.scene.maquette) == FULL


def test_use_recipe_of_an_image_that_lost_its_property(tmp_path: Path):
    image = bpy.data.images.load(str(_picture(tmp_path / "concept.png", FULL)))
    assert results.RECIPE not in image
    assert bpy.ops.maquette.use_recipe(image=image.name) == {"FINISHED"}
    assert bpy.context.scene.maquette.prompt == FULL.prompt


def test_use_recipe_of_an_image_whose_file_is_gone():
    image = bpy.data.images.new("kept", 4, 4)
    image[results.RECIPE] = FULL.to_json()
    bpy.ops.maquette.use_recipe(image=image.name)
    assert recipe_of(bpy.context.scene.maquette) == FULL


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"GIF89a", "is not a PNG file"),
        (None, "can't be read"),
        (png.encode(bytes(36), 4, 3), "no recipe"),
        (png.encode(bytes(36), 4, 3, {png.RECIPE_KEY: "{}"}), "not a Maquette recipe"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: bytes | None, sentence: str):
    path = tmp_path / "other.png"
    if content is not None:
        path.write_bytes(content)
    bpy.context.scene.maquette.prompt = "as it was"
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.use_recipe_file(filepath=str(path))
    assert bpy.context.scene.maquette.prompt == "as it was"


def test_a_seed_beyond_blenders_numbers_is_kept_as_text(tmp_path: Path):
    large = Recipe(prompt="z", seed=2**32 - 1)
    path = _picture(tmp_path / "big.png", large)
    assert bpy.ops.maquette.use_recipe_file(filepath=str(path)) == {"FINISHED"}
    settings = bpy.context.scene.maquette
    assert settings.long_seed == "4294967295"
    assert recipe_of(settings) == large
    put_back(FULL, settings)
    assert settings.long_seed == ""
    assert recipe_of(settings) == FULL


def test_a_recipe_from_before_windows_were_laid_out_brings_what_is_usual(tmp_path: Path):
    settings = bpy.context.scene.maquette
    put_back(FULL, settings)
    path = tmp_path / "old.png"
    png.write(path, bytes(36), 4, 3, {png.RECIPE_KEY: '{"prompt": "barn", "format": 1}'})
    assert bpy.ops.maquette.use_recipe_file(filepath=str(path)) == {"FINISHED"}
    assert (settings.windows, recipe_of(settings)) == ("auto", Recipe(prompt="barn"))


def test_every_kind_of_lines_can_be_chosen_until_the_model_changes():
    settings = bpy.context.scene.maquette
    settings.prompt = "barn"
    for lines in get_args(Lines):
        settings.lines = lines
        assert recipe_of(settings).lines == lines
    settings.lines = "auto"
    assert recipe_of(settings).lines is None


def test_every_layout_that_a_recipe_knows_can_be_chosen_and_lengths_stay_within_its_limits():
    settings = bpy.context.scene.maquette
    settings.prompt = "barn"
    for windows in get_args(Windows):
        settings.windows = windows
        assert recipe_of(settings).windows == windows
    for name, field, limits in (("storey_height", "storey", STOREYS), ("bay_width", "bay", BAYS)):
        for wanted, there in zip((0.0, 1000.0), limits, strict=True):
            setattr(settings, name, wanted)
            assert getattr(recipe_of(settings), field) == there
        settings.property_unset(name)
        assert getattr(recipe_of(settings), field) == getattr(Recipe(prompt=""), field)
        property_ = settings.bl_rna.properties[name]
        assert (property_.unit, property_.subtype) == ("LENGTH", "DISTANCE")


@pytest.mark.parametrize("text", ["tower", "-1", "4294967296", "1.5"])
def test_a_seed_that_is_none_says_what_to_write(text: str):
    settings = bpy.context.scene.maquette
    settings.prompt, settings.long_seed = "z", text
    with pytest.raises(MaquetteError, match=r"whole number from 0 to 4294967295.*empty the field"):
        recipe_of(settings)


def test_settings_take_keyframes_where_a_value_between_two_means_something():
    settings = bpy.context.scene.maquette
    for name in ("prompt", "seed", "count", "steps", "steady", "windows"):
        with pytest.raises(TypeError, match="not animatable"):
            settings.keyframe_insert(name)
    for name in ("geometry", "strength", "depth_influence", "storey_height", "bay_width"):
        assert settings.keyframe_insert(name)


def test_the_prompt_is_that_of_the_scenes_frame():
    scene = bpy.context.scene
    settings = scene.maquette
    settings.prompt = "red brick"
    scene.frame_set(20)
    assert bpy.ops.maquette.add_prompt() == {"FINISHED"}
    settings.prompts[0].prompt = "snow, overcast"
    scene.frame_set(10)
    bpy.ops.maquette.add_prompt()
    assert settings.prompts[1].prompt == "red brick", "at first what held so far"
    settings.prompts[1].prompt = " "
    found = []
    for frame in (9, 10, 19, 20, 100):
        scene.frame_set(frame)
        found.append(recipe_of(settings).prompt)
    assert found == ["red brick"] * 3 + ["snow, overcast"] * 2
    put_back(FULL, settings)
    assert recipe_of(settings) == FULL and settings.prompts[0].prompt == FULL.prompt
    assert settings.prompt == "red brick"
    settings.prompt_index = 0
    bpy.ops.maquette.remove_prompt()
    scene.frame_set(20)
    assert recipe_of(settings).prompt == "red brick" and len(settings.prompts) == 1


def test_there_may_be_no_picture_at_all():
    with pytest.raises(RuntimeError, match="no picture here"):
        bpy.ops.maquette.use_recipe()
