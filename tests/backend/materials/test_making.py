"""A material's job: what a user gets, and what goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from maquette.catalogue import Catalogue
from maquette.running import JobCancelled
from maquette.sampling import Sampler
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS, Material
from maquette_wire.recipe import Lora, Recipe

from tests.backend.sampling.jobs import OUT_OF_MEMORY
from tests.backend.sampling.test_trouble import failing

RECIPE = Recipe(prompt="red brick", model="tiny", steps=3, strength=1.0)
TILE = Material(size=1.2, pixels=256)


def test_a_tile_has_all_its_maps_and_says_what_it_is(sampler: Sampler) -> None:
    said: list[tuple[str, int, int]] = []
    shown: list[Any] = []

    def progress(stage: str, step: int, steps: int, previews: dict[int, Any]) -> None:
        said.append((stage, step, steps))
        shown.extend(previews.values())

    made = sampler.material(RECIPE, TILE, progress=progress, previews=True)
    assert made.material == TILE.filled("red brick") and made.material.pattern == "running-bond"
    assert made.recipe.model_hash and made.recipe.size is None and made.recipe.sampler
    assert set(made.maps) == set(MAPS)
    for name, (dtype, rest) in MAPS.items():
        assert made.maps[name].shape == (256, 256, *rest)
        assert made.maps[name].dtype == {"u1": np.uint8, "f4": np.float32}[dtype]
    stages = [stage for stage, _, _ in said]
    assert stages.count("sampling") + stages.count("decoding") >= 3 and stages[-1] == "baking"
    assert shown and shown[0].shape == (32, 32, 3)
    assert said[-1][1] < said[-1][2]
    # The height keeps the pattern: joints lie lower than bricks.
    height = made.maps["height"]
    assert abs(float(height.mean())) < 1e-6 and 0.004 < np.ptp(height) < 0.012
    again = sampler.material(RECIPE, TILE)
    assert all(np.array_equal(made.maps[name], again.maps[name]) for name in MAPS)
    assert set(made.seconds) >= {"sampling", "decoding", "baking"}


def test_a_large_tile_is_painted_smaller_and_said_to_be(sampler: Sampler) -> None:
    recipe = Recipe(prompt="red brick", model="narrow", steps=2, strength=1.0)
    made = sampler.material(recipe, Material(size=1.2, pixels=512))
    assert made.maps["albedo"].shape == (512, 512, 3) and made.maps["height"].shape == (512, 512)
    (warning,) = [each for each in made.warnings if "enlarged" in each]
    assert "128 pixels" in warning and "512" in warning
    assert not any("enlarged" in each for each in sampler.material(RECIPE, TILE).warnings)


def test_a_plain_surface_is_no_complaint(sampler: Sampler) -> None:
    made = sampler.material(RECIPE, Material(size=1.0, pixels=256, pattern="plain", relief=0.0))
    assert not any("flat surface" in warning for warning in made.warnings)
    assert (made.maps["occlusion"] == 255).all() and np.ptp(made.maps["height"]) == 0.0


def test_the_models_own_lora_paints_surfaces(sampler: Sampler) -> None:
    recipe = Recipe(prompt="red brick", model="painter", steps=2, strength=1.0)
    made = sampler.material(recipe, TILE)
    assert made.recipe.loras == (Lora(name="surfaces"),)
    again = sampler.material(made.recipe, TILE)
    assert again.recipe == made.recipe
    assert np.array_equal(made.maps["albedo"], again.maps["albedo"])
    weaker = Recipe(**{**_fields(recipe), "loras": (Lora(name="surfaces", weight=0.0),)})
    without = sampler.material(weaker, TILE)
    assert without.recipe.loras == (Lora(name="surfaces", weight=0.0),)
    assert not np.array_equal(made.maps["albedo"], without.maps["albedo"])


def test_nothing_of_a_scene_is_added_to_the_prompt(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def added(*_: Any) -> str:
        raise AssertionError("a surface has no surroundings")

    monkeypatch.setattr("maquette.families.family.completed", added)
    assert sampler.material(RECIPE, TILE).maps


def _fields(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in recipe.__struct_fields__}


@pytest.mark.parametrize("stage", ["sampling", "baking"])
def test_it_is_cancelled_within_a_step(sampler: Sampler, stage: str) -> None:
    heard: list[str] = []
    with pytest.raises(JobCancelled):
        sampler.material(
            RECIPE, TILE, progress=lambda *said: heard.append(said[0]),
            cancelled=lambda: stage in heard,
        )  # fmt: skip
    assert heard.count(stage) == 1


def test_too_little_memory_is_tried_once_more_and_then_said(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue)
    failing(monkeypatch, 1, OUT_OF_MEMORY["cuda"])
    made = sampler.material(RECIPE, TILE)
    assert any("ran out of memory" in warning for warning in made.warnings)
    failing(monkeypatch, 2, OUT_OF_MEMORY["cuda"])
    with pytest.raises(MaquetteError) as caught:
        sampler.material(RECIPE, TILE)
    assert caught.value.code == "out-of-memory"
    monkeypatch.undo()

    def no_memory(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("maquette.materials.maps.occlusion_map", no_memory)
    with pytest.raises(MaquetteError, match="maps of 256 pixels"):
        sampler.material(RECIPE, TILE)


def test_what_cannot_be_laid_is_refused_before_a_model_is_loaded(catalogue: Catalogue) -> None:
    sampler = Sampler("cpu", catalogue=catalogue)
    with pytest.raises(MaquetteError) as caught:
        sampler.material(RECIPE, Material(size=-1.0))
    assert caught.value.code == "bad-material" and sampler._loaded is None
