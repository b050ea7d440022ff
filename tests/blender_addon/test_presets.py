"""Presets of a scene: what they add to the Recipe, the user's own, and what isn't here."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import png
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.presets import library
from maquette_wire.presets.words import CATEGORIES, Preset
from maquette_wire.recipe import Recipe

from blender_addon import pictures, preset_library
from blender_addon.chosen_presets import chosen_presets, missing_presets
from blender_addon.quirks import CRASHES
from blender_addon.recipes import put_back, recipe_of

picks = pytest.mark.skipif(CRASHES, reason="no functions of properties in the bpy module of 4.2")


def _settings():  # type: ignore[no-untyped-def]
    return bpy.context.scene.maquette


def _names() -> list[str]:
    return [preset.name for preset in chosen_presets(_settings().presets)]


@pytest.fixture
def concept(tmp_path: Path) -> bpy.types.Image:
    """A last concept of 200 x 100 pixels, red on the left and blue on the right."""
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100, 0] = pixels[:, 100:, 2] = 255
    path = tmp_path / "concept.png"
    png.write(path, pixels.data, 200, 100)
    _settings().last_result = bpy.data.images.load(str(path))
    return _settings().last_result


def test_the_recipe_has_the_words_of_what_is_chosen():
    settings = _settings()
    settings.prompt, settings.negative_prompt = "church", "cars"
    settings.presets.material, settings.presets.style = "Stone", "Pencil"
    recipe = recipe_of(settings)
    assert recipe.prompt == "church, natural stone, hand-drawn pencil sketch"
    assert recipe.negative_prompt == "cars, photograph"
    assert settings.prompt == "church"
    settings.prompt = ""
    assert recipe_of(settings).prompt == "natural stone, hand-drawn pencil sketch"
    bpy.ops.maquette.clear_presets()
    with pytest.raises(MaquetteError, match="prompt is empty"):
        recipe_of(settings)


def test_a_recipe_that_is_put_back_chooses_its_presets_again():
    settings = _settings()
    settings.prompt, settings.presets.light, settings.presets.season = "church", "Dusk", "Winter"
    recipe = recipe_of(settings)
    put_back(Recipe(prompt="villa, by a lake"), settings)
    assert (settings.prompt, _names()) == ("villa, by a lake", [])
    put_back(recipe, settings)
    assert (settings.prompt, _names()) == ("church", ["Winter", "Dusk"])
    assert recipe_of(settings).prompt == recipe.prompt


@picks
def test_a_picture_is_picked_for_a_name_and_stores_nothing_else():
    chosen = _settings().presets
    assert chosen.pick_material == preset_library.NO_PRESET
    chosen.pick_material = "Timber"
    assert chosen.material == "Timber"
    chosen.material = "Stone"
    assert chosen.pick_material == "Stone"
    chosen.pick_material = preset_library.NO_PRESET
    assert chosen.material == ""
    chosen.material = "Lehm aus Köln"
    assert chosen.pick_material == preset_library.NO_PRESET
    assert "pick_material" not in chosen.keys()  # noqa: SIM118


@picks
def test_every_kind_has_pictures_to_pick_from():
    for category in CATEGORIES:
        items = preset_library.items(category)
        assert [item[4] for item in items] == list(range(len(items)))
        assert len(items) > 4
        assert items[1][2].startswith('Adds "')
    for preset in preset_library.current_library().presets:
        path = preset_library.picture_of(preset)
        assert path is not None and path.read_bytes() == preset.picture


def test_a_preset_that_is_not_here_is_named_and_ignored(tmp_path: Path):
    settings = _settings()
    settings.prompt, settings.presets.material = "church", "Lehm aus Köln"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "house.blend"))
    settings = _settings()
    assert missing_presets(settings.presets) == ["Lehm aus Köln"]
    assert recipe_of(settings).prompt == "church"
    library.add(
        Home.default(), Preset(name="Lehm aus Köln", category="material", words="rammed earth")
    )
    assert missing_presets(settings.presets) == []
    assert recipe_of(settings).prompt == "church, rammed earth"


def test_the_prompt_becomes_a_preset_with_the_concept_as_its_picture(
    home: Home, concept: bpy.types.Image
):
    settings = _settings()
    settings.prompt = "rammed earth, old oaks"
    bpy.ops.maquette.add_preset(
        title="Œkologisch", category="material", words=settings.prompt, picture=True
    )
    (kept,) = library.read(home).own
    assert (kept.name, kept.words) == ("Œkologisch", "rammed earth, old oaks")
    assert (settings.prompt, settings.presets.material) == ("", "Œkologisch")
    assert recipe_of(settings).prompt == "rammed earth, old oaks"
    path = home.root / "thumbnail.png"
    path.write_bytes(kept.picture)
    pixels = pictures.read_pixels(path)
    assert pixels.shape == (100, 100, 3)
    assert (pixels[:, 10] == (255, 0, 0)).all() and (pixels[:, 90] == (0, 0, 255)).all()
    shown = preset_library.picture_of(kept)
    assert shown is not None and shown.read_bytes() == kept.picture
    with pytest.raises(RuntimeError, match="already"):
        bpy.ops.maquette.add_preset(title="œkologisch", category="material", words="x")
    with pytest.raises(RuntimeError, match="has no words"):
        bpy.ops.maquette.add_preset(title="Empty", words=" , ")


def test_a_large_concept_is_made_small(tmp_path: Path):
    pixels = np.full((700, 1000, 3), 90, np.uint8)
    png.write(tmp_path / "large.png", pixels.data, 1000, 700)
    (tmp_path / "small.png").write_bytes(pictures.thumbnail(tmp_path / "large.png"))
    small = pictures.read_pixels(tmp_path / "small.png")
    assert small.shape == (144, 144, 3) and (small == 90).all()


def test_a_preset_is_edited_and_deleted(home: Home):
    settings = _settings()
    settings.presets.light = "Dusk"
    words = {"category": "light", "negative": ""}
    bpy.ops.maquette.edit_preset(of="light", title="Our dusk", words="pink sky", **words)
    assert [preset.name for preset in library.read(home).own] == ["Our dusk"]
    assert settings.presets.light == "Our dusk"
    assert library.read(home).named("Our dusk").picture  # as before
    bpy.ops.maquette.edit_preset(of="light", title="Our dusk", words="red sky", **words)
    assert recipe_of(settings).prompt == "red sky"
    bpy.ops.maquette.delete_preset(of="light")
    assert (library.read(home).own, settings.presets.light) == ((), "")
    settings.presets.light = "Night"
    with pytest.raises(RuntimeError, match="your own"):
        bpy.ops.maquette.delete_preset(of="light")


def test_presets_are_exported_and_imported(home: Home, tmp_path: Path):
    assert not bpy.ops.maquette.export_presets.poll()
    bpy.ops.maquette.add_preset(title="Kalk", category="material", words="lime")
    bpy.ops.maquette.export_presets(filepath=str(tmp_path / "ours"))
    home.presets.unlink()
    bpy.ops.maquette.import_presets(filepath=str(tmp_path / "ours.maquette-presets"))
    assert library.read(home).named("Kalk").words == "lime"
    (tmp_path / "bad.maquette-presets").write_text("hello")
    with pytest.raises(RuntimeError, match="no file of presets"):
        bpy.ops.maquette.import_presets(filepath=str(tmp_path / "bad.maquette-presets"))


def test_a_damaged_file_is_said_until_another_is_written(home: Home):
    home.make()
    home.presets.write_text("{")
    for _ in range(2):
        assert "presets-damaged.json" in preset_library.current_library().warnings[0]
    bpy.ops.maquette.add_preset(title="Kalk", category="material", words="lime")
    assert preset_library.current_library().warnings == ()


def test_a_preset_without_a_readable_picture_is_shown_by_its_name(home: Home):
    library.add(home, Preset(name="Bare", category="light", words="moonlight"))
    library.add(
        home,
        Preset(name="Broken", category="light", words="x", picture=b"\x89PNG\r\n\x1a\nno more"),
    )
    names = {item[1]: item[3] for item in preset_library.items("light")}
    assert names["Bare"] == "LIGHT_SUN" and "Broken" in names


def test_undo_brings_the_choice_back():
    bpy.context.scene.maquette.presets.light = "Dusk"
    bpy.ops.ed.undo_push(message="Choose")
    bpy.ops.maquette.clear_presets()
    bpy.ops.ed.undo_push(message="Clear")
    bpy.ops.ed.undo()
    assert bpy.context.scene.maquette.presets.light == "Dusk"
