"""What decides a picture, and that nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.retouching.outlines import Outlines
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.view import View

from tests.backend.sampling.jobs import STEPS, psnr, recipe, same, small, with_depth
from tests.backend.scenes import frames, massing


def test_a_job_gives_every_seed_of_every_capture(sampler: Sampler) -> None:
    captures = [small(), massing(100, 70, name="yard")]
    result = sampler.run(recipe(seed=7, count=2), captures)
    assert [(view, seed) for view, seed, _ in result.pictures] == [(0, 7), (0, 8), (1, 7), (1, 8)]
    shapes = [picture.shape for _, _, picture in result.pictures]
    assert shapes == [(64, 64, 3)] * 2 + [(70, 100, 3)] * 2
    assert all(picture.dtype == np.uint8 for _, _, picture in result.pictures)
    assert [depth.shape for depth in result.encoded_depth] == [(8, 8), (9, 13)]
    assert {"loading", "encoding", "sampling", "decoding"} <= set(result.seconds)


def test_a_margin_is_painted_and_cut_off_again(sampler: Sampler) -> None:
    captures = [small(), massing(100, 70, name="yard")]
    previews: list[tuple[int, ...]] = []

    def progress(_stage: str, _step: int, _steps: int, shown: dict[int, Any]) -> None:
        previews.extend(picture.shape for picture in shown.values())

    plain = sampler.run(recipe(), captures)
    framed = sampler.run(recipe(model="framed"), captures, progress=progress, previews=True)
    assert [p.shape for _, _, p in framed.pictures] == [(64, 64, 3), (70, 100, 3)]
    assert set(previews) == {(8, 8, 3), (9, 13, 3)}
    # The model sees its depth at whole cells, where it was.
    for one, other in zip(framed.encoded_depth, plain.encoded_depth, strict=True):
        assert (one == other).all()
    assert not same(framed, plain)


def test_outlines_are_put_where_the_capture_has_them(sampler: Sampler) -> None:
    capture = small()
    plain = sampler.run(recipe(depth_influence=1.0), [capture]).pictures[0][2]
    sharp = sampler.run(recipe(depth_influence=1.0, model="outlined"), [capture]).pictures[0][2]
    outlines = Outlines.of(np.asarray(capture.depth), capture.view, 4)
    assert (sharp == outlines.parted(outlines.sharpened(plain))).all()
    assert (sharp != plain).any()


def test_outlines_hold_no_more_than_depth_does(sampler: Sampler) -> None:
    plain = sampler.run(recipe(depth_influence=0.0), [small()])
    assert same(plain, sampler.run(recipe(depth_influence=0.0, model="outlined"), [small()]))


def test_outlines_follow_a_picture_of_another_size(sampler: Sampler) -> None:
    result = sampler.run(recipe(model="outlined", size=(96, 96)), [small()])
    assert result.pictures[0][2].shape == (96, 96, 3)


def test_the_same_job_is_bit_identical_also_in_a_new_sampler(
    sampler: Sampler, catalogue: Catalogue
) -> None:
    job = recipe(count=2, seed=3)
    first = sampler.run(job, [small()])
    assert same(first, sampler.run(job, [small()]))
    assert same(first, Sampler("cpu", catalogue=catalogue).run(job, [small()]))


def test_the_recipe_that_comes_back_makes_the_same_picture(sampler: Sampler) -> None:
    first = sampler.run(recipe(steps=None, geometry=0.3), [small()])
    filled = first.recipe
    assert None not in (filled.steps, filled.sampler, filled.guidance, filled.model_hash)
    assert None not in (filled.strength, filled.depth_influence)
    again = sampler.run(Recipe.from_json(filled.to_json()), [small()])
    assert same(first, again) and again.recipe == filled


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_another_packing_changes_a_picture_by_rounding_alone(
    catalogue: Catalogue, dtype: torch.dtype
) -> None:
    job = recipe(count=3, steps=8)
    captures = [small(), small(turn=20.0, name="corner")]
    runs = [
        Sampler("cpu", catalogue=catalogue, dtype=dtype, batch_size=size).run(job, captures)
        for size in (1, 4)
    ]
    for other in runs[1:]:
        for (_, _, a), (_, _, b) in zip(runs[0].pictures, other.pictures, strict=True):
            assert psnr(a, b) >= 50.0


def test_a_picture_does_not_depend_on_its_neighbours_in_the_job(sampler: Sampler) -> None:
    """Three seeds at once are the three seeds one by one."""
    together = sampler.run(recipe(count=3, seed=10), [small()])
    for index in range(3):
        alone = sampler.run(recipe(seed=10 + index), [small()])
        assert np.array_equal(together.pictures[index][2], alone.pictures[0][2])


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"prompt": "snow"},
        {"negative_prompt": "people"},
        {"guidance": 2.0},
        {"strength": 0.5},
        {"depth_influence": 0.2},
        {"sampler": "euler"},
        {"steps": STEPS + 3},
        {"model": "other"},
        {"loras": (Lora(name="style"),)},
        {"loras": (Lora(name="style", weight=0.3),)},
    ],
    ids=str,
)
def test_everything_in_a_recipe_matters(sampler: Sampler, change: dict[str, Any]) -> None:
    plain = sampler.run(recipe(), [small()])
    assert not same(plain, sampler.run(recipe(**change), [small()]))


def test_nothing_of_a_job_stays_behind(sampler: Sampler) -> None:
    plain = sampler.run(recipe(), [small()])
    sampler.run(recipe(loras=(Lora(name="style"),), prompt="snow", sampler="euler-a"), [small()])
    assert same(plain, sampler.run(recipe(), [small()]))


def test_depth_decides_the_picture(sampler: Sampler) -> None:
    capture = small()
    color, depth = frames(capture)
    mirrored = Capture(capture.view, color, np.ascontiguousarray(depth[:, ::-1]))
    assert not same(sampler.run(recipe(), [capture]), sampler.run(recipe(), [mirrored]))


def test_a_picture_is_the_same_whatever_else_is_in_the_job(sampler: Sampler) -> None:
    """Also beside a capture that is much nearer: each has a depth range of its own."""
    depth = np.full((64, 64), 20.0)
    near, far = depth.copy(), depth.copy()
    near[:, :32], far[:, :32] = 5.0, 80.0
    captures = [with_depth(near), with_depth(far)]
    both = sampler.run(recipe(), captures)
    for number, capture in enumerate(captures):
        alone = sampler.run(recipe(), [capture])
        assert np.array_equal(alone.encoded_depth[0], both.encoded_depth[number])
        assert np.array_equal(alone.pictures[0][2], both.pictures[number][2])
    assert both.encoded_depth[0][4, 1] > both.encoded_depth[0][4, 6]  # near is white


def test_no_guidance_no_negative_prompt(sampler: Sampler) -> None:
    plain = sampler.run(recipe(guidance=1.0), [small()])
    assert same(plain, sampler.run(recipe(guidance=1.0, negative_prompt="people"), [small()]))


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (65, 63), (200, 33)])
def test_any_size_comes_back_as_it_went(sampler: Sampler, size: tuple[int, int]) -> None:
    result = sampler.run(recipe(), [massing(*size)])
    assert result.pictures[0][2].shape == (size[1], size[0], 3)


def test_padding_moves_nothing(sampler: Sampler) -> None:
    """The model gets every pixel where it was: the capture in the upper left corner, unscaled."""
    seen: list[np.ndarray] = []
    model, _ = sampler._model(sampler.catalogue.present("tiny"), lambda *_: None)
    autoencoder = model.autoencoder
    encode = autoencoder.encode
    autoencoder.encode = lambda color: (seen.append(color), encode(color))[1]  # type: ignore
    try:
        capture = massing(70, 50)
        sampler.run(recipe(), [capture])
    finally:
        del autoencoder.encode
    (color,) = seen
    assert color.shape[0] % model.multiple == 0 and color.shape[1] % model.multiple == 0
    assert np.array_equal(color[:50, :70], frames(capture)[0])
    assert np.array_equal(color[:50, 75], frames(capture)[0][:, -1])


def test_a_wanted_size_is_resampled(sampler: Sampler) -> None:
    result = sampler.run(recipe(size=(64, 48)), [massing(128, 96), massing(64, 48)])
    assert [picture.shape for _, _, picture in result.pictures] == [(48, 64, 3)] * 2


def test_a_wanted_size_of_other_proportions_is_refused(sampler: Sampler) -> None:
    with pytest.raises(MaquetteError, match=r"64 x 64 has other proportions.*street.*64 x 48"):
        sampler.run(recipe(size=(64, 64)), [massing(128, 96)])


@pytest.mark.parametrize(
    ("size", "code"), [((1, 1), "capture-too-small"), ((10_000, 10_000), "capture-too-large")]
)
def test_extreme_sizes_are_refused_before_anything_is_made(
    sampler: Sampler, size: tuple[int, int], code: str
) -> None:
    view = small().view
    width, height = size
    huge = View(
        view_matrix=view.view_matrix,
        projection_matrix=view.projection_matrix,
        width=width,
        height=height,
    )
    color = np.broadcast_to(np.uint8(90), (height, width, 3))
    depth = np.broadcast_to(np.float32(9), (height, width))
    capture = Capture.__new__(Capture)  # no memory for a real one
    for name, value in (("view", huge), ("color", color), ("depth", depth)):
        object.__setattr__(capture, name, value)
    with pytest.raises(MaquetteError) as caught:
        sampler.run(recipe(), [capture])
    assert caught.value.code == code
