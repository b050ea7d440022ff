"""Models that see openings are shown those that the recipe lays out, and other models are not."""

from __future__ import annotations

import numpy as np
from maquette.facades.guide import FacadeGuide
from maquette.sampling import Sampler
from maquette_wire.recipe import Recipe

from tests.backend.sampling.jobs import recipe, same
from tests.backend.scenes import massing

STREET = massing(128, 96)


def seeing(**changes: object) -> Recipe:
    return recipe(model="seeing", prompt="library, windows", **changes)


def test_a_model_sees_openings_set_back(sampler: Sampler) -> None:
    free = sampler.run(seeing(windows="free"), [STREET])
    grid = sampler.run(seeing(windows="grid"), [STREET])
    openings = FacadeGuide(grid.recipe, [STREET], False).openings(0, "grid")
    cells = openings.reshape(12, 8, 16, 8).mean((1, 3))
    before, after = (each.encoded_depth[0].astype(float) for each in (free, grid))
    assert (cells > 0.4).any()
    assert np.abs((before - after) - cells * 0.25 * 127.5)[cells > 0.0].max() < 2.0
    assert np.array_equal(before[cells == 0.0], after[cells == 0.0])
    assert not same(free, grid)


def test_what_is_left_to_the_model_is_as_without_openings(sampler: Sampler) -> None:
    free = sampler.run(seeing(windows="free"), [STREET])
    blind = sampler.run(recipe(prompt="library, windows", windows="free"), [STREET])
    assert same(free, blind)


def test_a_model_that_sees_none_is_shown_none(sampler: Sampler) -> None:
    one = sampler.run(recipe(prompt="library, ribbon windows"), [STREET])
    other = sampler.run(recipe(prompt="library, ribbon windows", windows="ribbon"), [STREET])
    assert same(one, other) and other.warnings


def test_storeys_and_bays_change_the_picture(sampler: Sampler) -> None:
    plain = sampler.run(seeing(windows="grid"), [STREET])
    for change in ({"storey": 5.0}, {"bay": 1.5}):
        assert not same(plain, sampler.run(seeing(windows="grid", **change), [STREET]))


def test_each_seed_has_the_windows_that_it_chose(sampler: Sampler) -> None:
    """A prompt without windows leaves their layout to the seed, as it does its words."""
    both = sampler.run(recipe(model="seeing", prompt="library", seed=3, count=4), [STREET])
    model = sampler._model(sampler.catalogue.present("seeing"), lambda *_: None)[0]
    kinds = []
    for offset, (_, seed, picture) in enumerate(both.pictures):
        prompt = model.completed("library", 3 + offset)
        kinds.append(prompt.rsplit(", ", 1)[1])
        alone = sampler.run(recipe(model="seeing", prompt=prompt, seed=seed), [STREET])
        assert np.array_equal(alone.pictures[0][2], picture)
    assert len(set(kinds)) > 1


def test_windows_that_are_asked_for_are_named_to_the_model(sampler: Sampler) -> None:
    asked = sampler.run(recipe(model="seeing", prompt="library", windows="tall"), [STREET])
    named = sampler.run(recipe(model="seeing", prompt="library, tall windows"), [STREET])
    assert same(asked, named)
    assert asked.recipe.prompt == "library" and asked.recipe.windows == "tall"


def test_a_capture_does_not_depend_on_the_others_of_its_job(sampler: Sampler) -> None:
    other = massing(128, 96, eye=(4.0, -2.0, 3.0), turn=2.0, name="other")
    alone = sampler.run(seeing(windows="grid"), [STREET])
    beside = sampler.run(seeing(windows="grid"), [other, STREET])
    assert np.array_equal(alone.pictures[0][2], beside.pictures[1][2])
