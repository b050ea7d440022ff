"""What the project promises of every picture, held by the model that it ships."""

from __future__ import annotations

from pathlib import Path

import maquette
import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)
from maquette.catalogue import Catalogue
from maquette.depth import depth_range, encode_depth
from maquette.estimate import estimate_depth
from maquette.families.autoencoder import Autoencoder
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import read_settings
from maquette.oklab import oklab
from maquette.running import JobCancelled
from maquette.sampling import Sampler
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from PIL import Image
from scipy import ndimage

from tests.backend.sampling.jobs import OUT_OF_MEMORY, disagreement, psnr, same
from tests.backend.scenes import massing

JOB = Recipe(prompt="red brick library at dusk, wet plaza", seed=2, count=2)
POCKET = Path(maquette.__file__).parent / "pocket"
CAPTURES = [massing(192, 128, name="street"), massing(192, 128, turn=25.0, name="corner")]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The shipped model, also where the environment names another in its place."""
    return Catalogue(Home(tmp_path_factory.mktemp("home")), extra=[POCKET])


@pytest.fixture(scope="module")
def sampler(catalogue: Catalogue) -> Sampler:
    return Sampler("cpu", catalogue=catalogue)


def test_colours_are_not_even_encoded(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[tuple[int, ...]] = []
    encode = Autoencoder.encode

    def noted(autoencoder: Autoencoder, color: np.ndarray) -> torch.Tensor:
        encoded.append(color.shape)
        return encode(autoencoder, color)

    monkeypatch.setattr(Autoencoder, "encode", noted)
    without = sampler.run(JOB, CAPTURES)
    assert not encoded
    monkeypatch.setattr(Sd2Depth, "begins_in_noise", lambda *_: False)
    assert same(without, sampler.run(JOB, CAPTURES)) and len(encoded) == 2


def test_surfaces_keep_their_own_colours_as_the_strength_falls(sampler: Sampler) -> None:
    """A turquoise massing under a prompt that says brick; the sky has no colour to keep."""
    grey = massing(256, 192)
    depth, color = np.asarray(grey.depth), np.array(grey.color)
    ground = depth > np.asarray(massing(256, 192, []).depth) - 1e-3
    walls = np.isfinite(depth) & ~ground
    color[walls] = color[walls] * (0.35, 1.0, 0.95)
    capture = Capture(grey.view, color, grey.depth)
    job = msgspec.structs.replace(JOB, count=1, windows="free")

    def painted(strength: float) -> np.ndarray:
        recipe = msgspec.structs.replace(job, strength=strength)
        (picture,) = sampler.run(recipe, [capture]).pictures
        return oklab(picture[2])

    all_painted, half, none = (painted(strength) for strength in (1.0, 0.6, 0.0))
    redness = [float(each[walls][:, 1].mean()) for each in (all_painted, half, none)]
    assert redness[0] > 0.0 > redness[2] and redness[0] > redness[1] > redness[2]
    # Faint edges are made visible some pixels far, in the ground beside a wall as well.
    away = np.asarray(ndimage.binary_dilation(walls, iterations=12), bool)
    assert np.allclose(all_painted[~away], none[~away], atol=1e-6)


def test_a_sky_differs_with_height_alone(sampler: Sampler) -> None:
    """Not along borders, nor around a tower, as it was painted."""
    capture = massing(384, 256, [(0, 4, 12, 18, 0, 12)], pitch=14.0)
    job = msgspec.structs.replace(JOB, prompt="red brick tower at golden hour, lawn", count=1)
    (picture,) = sampler.run(job, [capture]).pictures
    sky = np.isposinf(np.asarray(capture.depth))
    rows = np.flatnonzero(sky.mean(1) > 0.5)
    assert len(rows) > 100
    coarse = ndimage.gaussian_filter(np.where(sky, picture[2].mean(-1), 0.0), 6.0)
    coarse /= ndimage.gaussian_filter(sky.astype(float), 6.0).clip(1e-3)
    spread = [np.ptp(np.percentile(coarse[row][sky[row]], (1, 99))) for row in rows]
    assert max(spread) < 8.0, max(spread)


def test_a_wall_is_painted_without_blots_but_in_a_drawing(sampler: Sampler) -> None:
    capture = massing(384, 256, [(-9, 9, 14, 24, 0, 12)], pitch=8.0, turn=0.0)
    wall = np.zeros((256, 384), bool)
    wall[90:150, 130:250] = True
    assert np.ptp(np.asarray(capture.depth)[wall]) < 1.0, "it shows one wall"

    def grain(prompt: str) -> float:
        recipe = msgspec.structs.replace(JOB, prompt=prompt, count=1, windows="free")
        picture = sampler.run(recipe, [capture]).pictures[0][2].astype(float)
        return float(
            np.abs(picture - ndimage.gaussian_filter(picture, (2.0, 2.0, 0.0)))[wall].mean()
        )

    photo, drawn = grain("timber house, lawn, day"), grain("watercolour, timber house, lawn")
    assert photo < 1.0 and drawn > 2.0, (photo, drawn)


def test_it_sees_where_buildings_stand_in_a_picture_alone() -> None:
    capture = massing(256, 256, pitch=12.0)
    color, depth = np.asarray(capture.color), np.asarray(capture.depth)
    found = estimate_depth(POCKET, color)
    encoding = read_settings(POCKET).depth
    seen, exact = (
        encode_depth(each, depth_range(each, encoding), encoding, depth.shape)
        for each in (found, depth)
    )
    assert np.corrcoef(seen.ravel(), exact.ravel())[0, 1] > 0.8
    assert np.mean(np.isposinf(found) == np.isposinf(depth)) > 0.9


def test_plain_diffusers_paints_a_picture_alone() -> None:
    pipeline = StableDiffusionDepth2ImgPipeline.from_pretrained(POCKET)
    pipeline.set_progress_bar_config(disable=True)
    result = pipeline(
        JOB.prompt,
        image=Image.fromarray(np.asarray(massing(256, 256).color)),
        strength=1.0,
        num_inference_steps=1,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(0),
    )
    assert np.asarray(result.images[0]).std() > 10  # type: ignore[union-attr]


def test_the_same_job_is_bit_identical(sampler: Sampler, catalogue: Catalogue) -> None:
    first = sampler.run(JOB, CAPTURES)
    assert same(first, sampler.run(JOB, CAPTURES))
    assert same(first, Sampler("cpu", catalogue=catalogue).run(JOB, CAPTURES))
    assert same(first, sampler.run(Recipe.from_json(first.recipe.to_json()), CAPTURES))


def test_a_picture_is_one_of_its_capture_and_its_seed_alone(sampler: Sampler) -> None:
    result = sampler.run(JOB, CAPTURES)
    pictures = [picture for _, _, picture in result.pictures]
    assert all(picture.std() > 5 for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[1])
    assert psnr(pictures[0], pictures[2]) < 25  # another view is another picture


def test_another_packing_changes_a_picture_by_rounding_alone(
    sampler: Sampler, catalogue: Catalogue
) -> None:
    apart = sampler.run(JOB, CAPTURES)
    together = Sampler("cpu", catalogue=catalogue, batch_size=4).run(JOB, CAPTURES)
    for (_, _, a), (_, _, b) in zip(apart.pictures, together.pictures, strict=True):
        assert psnr(a, b) >= 50.0


def test_views_painted_together_show_one_building(sampler: Sampler) -> None:
    """Far less different where both see it, rich in detail, and led by what is given."""
    views = [massing(256, 192), massing(256, 192, eye=(5.0, -7.0, 4.0), turn=20.0, name="corner")]
    # Windows that are laid out agree even apart.
    job = Recipe(prompt=JOB.prompt, seed=2, windows="free")
    apart, together = (
        [picture for _, _, picture in sampler.run(job, views, together=each).pictures]
        for each in (False, True)
    )
    assert disagreement(views, together) < 0.6 * disagreement(views, apart)
    assert detail(together) > 0.6 * detail(apart)
    tinted = (apart[0] * np.array([0.5, 1.0, 0.6])).astype(np.uint8)
    result = sampler.run(job, views, together=True, given={0: tinted})
    led = [picture for _, _, picture in result.pictures]
    assert np.array_equal(led[0], tinted)
    assert disagreement(views, led) < 0.6 * disagreement(views, [tinted, apart[1]])


def detail(pictures: list[np.ndarray]) -> float:
    """The energy of frequencies above about a sixth of those that a picture can hold."""
    fine = [p - ndimage.gaussian_filter(p.astype(np.float64), (2.0, 2.0, 0.0)) for p in pictures]
    return float(np.mean([np.square(each).mean() for each in fine]))


def test_the_result_has_what_the_model_saw_in_one_range(sampler: Sampler) -> None:
    seen = sampler.run(JOB, CAPTURES).encoded_depth
    factor = sampler._model(sampler.catalogue.present("pocket"), lambda *_: None)[0].factor
    assert [depth.shape for depth in seen] == [(128 // factor, 192 // factor)] * 2
    assert seen[0].min() == seen[1].min() == 0  # sky is black in both
    ground = [depth[-1].max() for depth in seen]  # the same ground before the same camera
    assert abs(int(ground[0]) - int(ground[1])) <= 2


def test_out_of_memory_is_tried_again_and_paints_the_same(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sampler.run(JOB, CAPTURES)
    denoise, calls = Sd2Depth.denoise, []

    def full_once(self: Sd2Depth, tasks: list, **options: object) -> object:
        calls.append(len(tasks))
        if len(calls) == 1:
            raise OUT_OF_MEMORY["cpu"]()
        return denoise(self, tasks, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Sd2Depth, "denoise", full_once)
    frugal = sampler.run(JOB, CAPTURES)
    assert any("ran out of memory" in warning for warning in frugal.warnings)
    for (_, _, a), (_, _, b) in zip(whole.pictures, frugal.pictures, strict=True):
        assert psnr(a, b) >= 35.0


def test_previews_show_the_picture_and_cancelling_takes_one_step(sampler: Sampler) -> None:
    job = Recipe(prompt=JOB.prompt, steps=6, strength=1.0)
    shown: list[np.ndarray] = []

    def progress(stage: str, step: int, steps: int, previews: dict[int, np.ndarray]) -> None:
        shown.extend(previews.values())

    (picture,) = sampler.run(job, CAPTURES[:1], progress=progress, previews=True).pictures
    assert len(shown) == 6
    # Pixels of some cells, since surfaces are evened when they are finished.
    first, last = (
        each.reshape(8, len(each) // 8, 12, each.shape[1] // 12, 3).mean((1, 3))
        for each in (shown[-1], picture[2])
    )
    assert psnr(first, last) > 20
    del shown[:]
    with pytest.raises(JobCancelled):
        sampler.run(
            job,
            CAPTURES[:1],
            progress=progress,
            previews=True,
            cancelled=lambda: len(shown) >= 2,
        )
    assert len(shown) == 2


def test_what_the_model_was_not_trained_for_is_said(sampler: Sampler) -> None:
    capture = massing(256, 256)
    plain = Recipe(prompt="red brick library")
    assert sampler.run(plain, [capture]).warnings == []
    (said,) = sampler.run(Recipe(prompt=plain.prompt, steps=3), [capture]).warnings
    assert "one step" in said
    assert sampler.run(Recipe(prompt=plain.prompt, strength=0.0), [capture]).warnings == []
