"""Jobs on a tiny random model: what a user relies on whatever the model paints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.families.sd2_depth import Sd2Depth
from maquette.sampling import JobCancelled, Sampler, SamplingResult
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.view import View

from tests.backend.scenes import frames, massing
from tests.backend.tiny import make_tiny_lora, make_tiny_sd2_depth

STEPS = 4


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    home = Home(tmp_path_factory.mktemp("home"))
    model = make_tiny_sd2_depth(home.models / "tiny")
    make_tiny_sd2_depth(home.models / "other", seed=5)
    make_tiny_sd2_depth(
        home.models / "taught",
        settings={
            "title": "Taught",
            "native_size": 64,
            "steps": 3,
            "sampler": "ddim",
            "guidance": 2.0,
            "dropped_depth": 0.0,
            "vocabulary": ["red", "brick", "library", "at", "dusk"],
        },
    )
    make_tiny_lora(home.loras / "style.safetensors", model)
    return Catalogue(home)


@pytest.fixture(scope="module")
def sampler(catalogue: Catalogue) -> Sampler:
    return Sampler("cpu", catalogue=catalogue)


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {"prompt": "red brick library", "model": "tiny", "steps": STEPS}
    return Recipe(**(values | changes))


def small(**changes: Any) -> Capture:
    return massing(64, 64, **changes)


def with_depth(depth: np.ndarray, name: str = "street") -> Capture:
    capture = small()
    color, _ = frames(capture)
    height, width = depth.shape
    view = View(
        view_matrix=capture.view.view_matrix,
        projection_matrix=capture.view.projection_matrix,
        width=width,
        height=height,
        name=name,
    )
    return Capture(view, np.ascontiguousarray(color[:height, :width]), depth.astype(np.float32))


def same(first: SamplingResult, second: SamplingResult) -> bool:
    return all(
        np.array_equal(a[2], b[2]) for a, b in zip(first.pictures, second.pictures, strict=True)
    )


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


# --- pictures -------------------------------------------------------------------------------------


def test_a_job_gives_every_seed_of_every_capture(sampler: Sampler) -> None:
    captures = [small(), massing(100, 70, name="yard")]
    result = sampler.run(recipe(seed=7, count=2), captures)
    assert [(view, seed) for view, seed, _ in result.pictures] == [(0, 7), (0, 8), (1, 7), (1, 8)]
    shapes = [picture.shape for _, _, picture in result.pictures]
    assert shapes == [(64, 64, 3)] * 2 + [(70, 100, 3)] * 2
    assert all(picture.dtype == np.uint8 for _, _, picture in result.pictures)
    assert [depth.shape for depth in result.encoded_depth] == [(8, 8), (9, 13)]
    assert {"loading", "encoding", "sampling", "decoding"} <= set(result.seconds)


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


def test_captures_of_a_job_share_one_depth_range(sampler: Sampler) -> None:
    """A surface has one encoded value in all views of a job, however near the others come."""
    depth = np.full((64, 64), 20.0)
    near, far = depth.copy(), depth.copy()
    near[:, :32], far[:, :32] = 5.0, 80.0
    alone = sampler.run(recipe(), [with_depth(near)]).encoded_depth[0]
    both = sampler.run(recipe(), [with_depth(near), with_depth(far)]).encoded_depth
    assert both[0][4, 6] == both[1][4, 6]  # 20 m in either view
    assert alone[4, 6] != both[0][4, 6]
    assert both[0][4, 1] > both[0][4, 6] > both[1][4, 1]  # near is white


def test_no_guidance_no_negative_prompt(sampler: Sampler) -> None:
    plain = sampler.run(recipe(guidance=1.0), [small()])
    assert same(plain, sampler.run(recipe(guidance=1.0, negative_prompt="people"), [small()]))


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (65, 63), (200, 33)])
def test_any_size_comes_back_as_it_went(sampler: Sampler, size: tuple[int, int]) -> None:
    result = sampler.run(recipe(), [massing(*size)])
    assert result.pictures[0][2].shape == (size[1], size[0], 3)


def test_padding_moves_nothing(sampler: Sampler) -> None:
    """The model gets every pixel where it was: the capture in the upper left corner, unscaled."""
    seen: list[np.ndarray] = []
    model, _ = sampler._model(sampler.catalogue.present("tiny"), lambda *_: None)
    original = model.encode_picture
    model.encode_picture = lambda color: (seen.append(color), original(color))[1]  # type: ignore
    try:
        capture = massing(70, 50)
        sampler.run(recipe(), [capture])
    finally:
        del model.encode_picture
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


# --- bad input ------------------------------------------------------------------------------------


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


def test_a_long_prompt_warns_with_the_words_that_were_cut(sampler: Sampler) -> None:
    prompt = " ".join(f"word{index}" for index in range(40))
    (warning,) = [w for w in sampler.run(recipe(prompt=prompt), [small()]).warnings if "long" in w]
    cut = warning.split('"')[1]
    assert prompt.endswith(cut) and cut.startswith("word")
    assert not [w for w in sampler.run(recipe(), [small()]).warnings if "long" in w]


def test_words_outside_the_vocabulary_are_named(sampler: Sampler) -> None:
    result = sampler.run(
        recipe(model="taught", prompt="red bricks library, Biedermeier"), [small()]
    )
    (warning,) = result.warnings
    assert '"biedermeier"' in warning and "bricks" not in warning


def test_a_models_own_defaults_are_used(sampler: Sampler) -> None:
    used = sampler.run(recipe(model="taught", steps=None), [small()]).recipe
    assert (used.steps, used.sampler, used.guidance) == (3, "ddim", 2.0)


def test_a_one_step_model_takes_any_strength(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = make_tiny_sd2_depth(tmp_path / "quick", settings={"steps": 1})
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    for strength, steps in ((1.0, 1), (0.7, 2), (0.3333, 4)):
        job = recipe(model="quick", steps=None, strength=strength)
        assert sampler.run(job, [small()]).recipe.steps == steps


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


# --- while it runs --------------------------------------------------------------------------------


def test_progress_counts_every_step_of_every_picture(sampler: Sampler) -> None:
    seen: list[tuple[str, int, int]] = []
    sampler.run(
        recipe(count=2, strength=1.0), [small()], progress=lambda *call: seen.append(call[:3])
    )
    sampled = [call for call in seen if call[0] != "loading"]
    assert [step for _, step, _ in sampled] == list(range(1, 2 * STEPS + 1))
    assert {steps for _, _, steps in sampled} == {2 * STEPS}


def test_previews_come_only_when_asked(sampler: Sampler) -> None:
    shown: list[dict[int, np.ndarray]] = []
    for previews in (False, True):
        sampler.run(
            recipe(count=2, strength=1.0),
            [massing(70, 50)],
            progress=lambda *call: shown.append(call[3]),
            previews=previews,
        )
    assert not any(shown[: 2 * STEPS]) and all(shown[-2 * STEPS :])
    assert {number for preview in shown[-2 * STEPS :] for number in preview} == {0, 1}
    (picture,) = shown[-1].values()
    assert picture.dtype == np.uint8 and picture.shape == (7, 9, 3)


@pytest.mark.parametrize("after", [0, 1, 3, 5])
def test_cancelling_stops_within_a_step(sampler: Sampler, after: int) -> None:
    steps: list[int] = []

    def cancelled() -> bool:
        return len(steps) >= after

    with pytest.raises(JobCancelled):
        sampler.run(
            recipe(count=2, strength=1.0),
            [small()],
            progress=lambda stage, step, *_: steps.append(step) if stage != "loading" else None,
            cancelled=cancelled,
        )
    assert len(steps) == after
    assert sampler.run(recipe(), [small()]).pictures


# --- trouble --------------------------------------------------------------------------------------


def failing(
    monkeypatch: pytest.MonkeyPatch, times: int, error: Callable[[], BaseException]
) -> list[int]:
    """Makes the next `times` batches raise in the middle; returns the sizes of all batches."""
    sizes: list[int] = []
    denoise = Sd2Depth.denoise

    def trouble(self: Sd2Depth, tasks: Any, **options: Any) -> torch.Tensor:
        sizes.append(len(tasks))
        if len(sizes) <= times:
            raise error()
        return denoise(self, tasks, **options)

    monkeypatch.setattr(Sd2Depth, "denoise", trouble)
    return sizes


OUT_OF_MEMORY = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "cpu": lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    "numpy": lambda: MemoryError("Unable to allocate 9 GiB"),
}


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_out_of_memory_is_tried_once_more_at_a_lower_cost(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, batch_size=4)
    whole = sampler.run(recipe(count=4), [small()])
    sizes = failing(monkeypatch, 1, OUT_OF_MEMORY[kind])
    result = sampler.run(recipe(count=4), [small()])
    assert sizes == [4, 1, 1, 1, 1]
    assert any("ran out of memory" in warning for warning in result.warnings)
    for (_, _, a), (_, _, b) in zip(whole.pictures, result.pictures, strict=True):
        assert psnr(a, b) >= 40.0
    monkeypatch.undo()
    assert same(whole, sampler.run(recipe(count=4), [small()]))  # at full speed again


def test_out_of_memory_twice_fails_with_a_hint(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue)
    failing(monkeypatch, 2, OUT_OF_MEMORY["cuda"])
    with pytest.raises(MaquetteError, match="smaller size") as caught:
        sampler.run(recipe(), [small()])
    assert caught.value.code == "out-of-memory"
    monkeypatch.undo()
    assert sampler.run(recipe(), [small()]).pictures


def test_another_error_is_not_taken_for_memory(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, 1, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        sampler.run(recipe(), [small()])


def test_overflow_is_made_again_in_full_precision(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Sampler("cpu", catalogue=catalogue, dtype=torch.float32).run(recipe(), [small()])
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float16)
    half = sampler.run(recipe(), [small()])
    decode = Sd2Depth.decode

    def overflowing(self: Sd2Depth, latents: torch.Tensor) -> np.ndarray | None:
        return decode(self, latents if self.pipeline.vae.dtype == torch.float32 else latents * 1e9)

    monkeypatch.setattr(Sd2Depth, "decode", overflowing)
    again = sampler.run(recipe(), [small()])
    assert any("full precision" in warning for warning in again.warnings)
    assert psnr(again.pictures[0][2], exact.pictures[0][2]) >= 40.0
    monkeypatch.undo()
    assert same(half, sampler.run(recipe(), [small()]))


def test_a_model_that_wants_full_precision_gets_it(catalogue: Catalogue, tmp_path: Path) -> None:
    """The same picture on a device that would run others in 16 bits."""
    folder = make_tiny_sd2_depth(tmp_path / "exact", settings={"precision": "full"})
    models = Catalogue(catalogue.home, extra=[folder])
    runs = [
        Sampler("cpu", catalogue=models, dtype=dtype).run(recipe(model="exact"), [small()])
        for dtype in (torch.float32, torch.bfloat16)
    ]
    assert same(*runs)


def test_values_that_are_no_numbers_in_full_precision_fail_clearly(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    broken = make_tiny_sd2_depth(tmp_path / "broken")
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    save_file({name: t * float("nan") for name, t in tensors.items()}, weights, {"format": "pt"})
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[broken]))
    with pytest.raises(MaquetteError, match="not numbers") as caught:
        sampler.run(recipe(model="broken"), [small()])
    assert caught.value.code == "bad-numbers"


def test_changed_weights_are_loaded_again(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = make_tiny_sd2_depth(tmp_path / "mine", seed=1)
    sampler = Sampler("cpu", catalogue=Catalogue(catalogue.home, extra=[folder]))
    first = sampler.run(recipe(model="mine"), [small()])
    make_tiny_sd2_depth(folder, seed=2)
    second = sampler.run(recipe(model="mine"), [small()])
    assert first.recipe.model_hash != second.recipe.model_hash
    assert not same(first, second)
