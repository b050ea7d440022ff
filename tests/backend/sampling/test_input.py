"""What a user gets for input that a model can't use, or not well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.families.openings import completed
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import read_settings
from maquette.sampling import Sampler
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora

from tests.backend.sampling.jobs import psnr, recipe, small, with_depth
from tests.backend.scenes import frames
from tests.backend.tiny import make_tiny_sd2_depth


def test_an_empty_view_is_painted_with_a_warning(sampler: Sampler) -> None:
    result = sampler.run(recipe(), [with_depth(np.full((64, 64), np.inf), "sky")])
    assert any("nothing in front of the camera in view 'sky'" in w for w in result.warnings)
    assert result.encoded_depth[0].max() == 0
    assert np.isfinite(result.pictures[0][2]).all()


def test_a_flat_wall_is_painted_with_a_warning(sampler: Sampler) -> None:
    result = sampler.run(recipe(), [with_depth(np.full((64, 64), 3.0), "wall")])
    assert any("flat surface fills view 'wall'" in warning for warning in result.warnings)


@pytest.mark.parametrize("value", [np.nan, -2.0, 0.0, -np.inf])
def test_impossible_depth_is_named(sampler: Sampler, value: float) -> None:
    depth = frames(small())[1].copy()
    depth[5, 6] = value
    with pytest.raises(MaquetteError, match=r"street.*row 5, column 6") as caught:
        sampler.run(recipe(), [with_depth(depth)])
    assert caught.value.code == "bad-depth"


def test_a_long_prompt_warns_where_it_was_cut_and_stays_short(sampler: Sampler) -> None:
    prompt = " ".join(f"word{index}" for index in range(40))
    (warning,) = [w for w in sampler.run(recipe(prompt=prompt), [small()]).warnings if "long" in w]
    cut = warning.split('"')[1]
    assert prompt.index(cut) > 0 and cut.startswith("word") and len(warning) < 200
    assert not [w for w in sampler.run(recipe(), [small()]).warnings if "long" in w]


def test_words_outside_the_vocabulary_are_named(sampler: Sampler) -> None:
    result = sampler.run(
        recipe(model="taught", prompt="red bricks library, Biedermeier"), [small()]
    )
    (warning,) = result.warnings
    assert '"biedermeier"' in warning and "bricks" not in warning


@pytest.mark.parametrize(
    "prompt", ["Bibliothek aus Backstein", "赤レンガの図書館", "!!! 2026", "🏛"]
)
def test_a_prompt_without_a_known_word_is_said_so_once(sampler: Sampler, prompt: str) -> None:
    result = sampler.run(recipe(model="taught", prompt=prompt), [small()])
    (warning,) = result.warnings
    assert "no word of the prompt" in warning and "in English" in warning
    open_vocabulary = sampler.run(recipe(prompt=prompt), [small()])
    assert "trained" not in " ".join(open_vocabulary.warnings)


def test_many_unknown_words_are_counted(sampler: Sampler) -> None:
    prompt = "red " + " ".join("abcdefghijklmnopqrstuvwxy")
    (warning,) = [
        warning
        for warning in sampler.run(recipe(model="taught", prompt=prompt), [small()]).warnings
        if "not trained" in warning
    ]
    assert '"l" and 13 more' in warning


def test_a_models_own_defaults_are_used(sampler: Sampler) -> None:
    used = sampler.run(recipe(model="taught", steps=None), [small()]).recipe
    assert (used.steps, used.sampler, used.guidance) == (3, "ddim", 2.0)


def test_a_one_step_model_takes_any_strength(catalogue: Catalogue, tmp_path: Path) -> None:
    """One step, from further along: the less it repaints, the more of the capture is left."""
    folder = make_tiny_sd2_depth(tmp_path / "quick", settings={"steps": 1, "native_size": 64})
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    original = small()
    model = Sd2Depth.load(folder, read_settings(folder), torch.device("cpu"), torch.float32)
    kept = model.autoencoder.decode(model.autoencoder.encode(np.asarray(original.color)))
    assert kept is not None
    likeness = []
    for strength in (1.0, 0.7, 0.3333, 0.01):
        result = sampler.run(recipe(model="quick", steps=None, strength=strength), [original])
        assert result.recipe.steps == 1 and result.warnings == []
        likeness.append(psnr(result.pictures[0][2], kept))
    assert likeness == sorted(likeness) and likeness[-1] > likeness[0] + 1


def test_seeds_read_what_a_prompt_leaves_open(catalogue: Catalogue, tmp_path: Path) -> None:
    opening = {"settled_by": ["dusk"], "choices": ["at dusk", "by day", "in fog"]}
    settings: dict[str, object] = {"openings": [opening]}
    folder = make_tiny_sd2_depth(tmp_path / "open", settings=settings)
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    left_open = sampler.run(recipe(model="open", prompt="library", seed=3), [small()])
    said = completed("library", 3, read_settings(folder).openings)
    named = sampler.run(recipe(model="tiny", prompt=said, seed=3), [small()])
    assert np.array_equal(left_open.pictures[0][2], named.pictures[0][2])
    assert left_open.recipe.prompt == "library"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"model": "nothing"}, "unknown-model", "tiny"),
        ({"model": "sd2-depth"}, "model-not-here", "maquette models fetch sd2-depth"),
        ({"sampler": "magic"}, "unknown-sampler", "euler-a"),
        ({"loras": (Lora(name="none"),)}, "unknown-lora", "style"),
        ({"strength": 0.0}, "bad-recipe", "no step"),
        ({"strength": 0.1, "steps": 5}, "bad-recipe", "no step"),
        ({"geometry": 1.5}, "bad-recipe", "geometry"),
    ],
    ids=str,
)
def test_bad_recipes_get_a_sentence_with_the_way_out(
    sampler: Sampler, change: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(MaquetteError, match=said) as caught:
        sampler.run(recipe(**change), [small()])
    assert caught.value.code == code
    assert sampler.run(recipe(), [small()]).pictures  # and the next job runs


def test_a_recipe_of_other_weights_is_told(sampler: Sampler) -> None:
    result = sampler.run(recipe(model_hash="0" * 64), [small()])
    assert any("other weights" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"steps": 3}, "3 steps give a worse picture"),
        ({"steps": 3, "strength": 0.5}, "a strength of 0.5 gives a poor one; give 0.6 at least"),
        ({"strength": 0.5}, "repaint more of a picture, and a strength of 0.5"),
    ],
    ids=str,
)
def test_what_a_model_was_not_trained_for_is_said(
    catalogue: Catalogue, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    curve = {"geometry": [0.0, 1.0], "strength": [1.0, 1.0], "depth_influence": [0.3, 1.0]}
    settings = {"steps": 1, "native_size": 64, "geometry": curve, "least_strength": 0.6}
    folder = make_tiny_sd2_depth(tmp_path / "quick", settings=settings)
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    warnings = sampler.run(
        recipe(**{"model": "quick", "steps": None, **change}), [small()]
    ).warnings
    assert len(warnings) == bool(said) and said in " ".join(warnings)
    # Stable Diffusion 2 depth takes any.
    assert "trained" not in " ".join(sampler.run(recipe(**change), [small()]).warnings)


def test_windows_that_a_model_does_not_see_are_said(catalogue: Catalogue, tmp_path: Path) -> None:
    sees = make_tiny_sd2_depth(tmp_path / "sees", settings={"depth": {"recess": 0.25}})
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[sees]))

    def said(**changes: Any) -> str:
        return " ".join(sampler.run(recipe(**changes), [small()]).warnings)

    assert "'tiny' doesn't see the openings of walls" in said(windows="ribbon")
    for quiet in ({}, {"windows": "free"}, {"windows": "ribbon", "model": "sees"}):
        assert "openings" not in said(**quiet)
