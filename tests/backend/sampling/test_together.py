"""Views that are painted together: what stays as it is for other jobs, and what is new."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from maquette import runner, samplers
from maquette.catalogue import Catalogue
from maquette.edges import edge_recall
from maquette.families.family import Family, PictureTask
from maquette.families.sd2_depth import Sd2Depth
from maquette.families.settings import read_settings
from maquette.runner import SamplingResult
from maquette.running import JobCancelled
from maquette.sampling import Sampler
from maquette.together import SurfaceAverage
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

from tests.backend.sampling.jobs import (
    OUT_OF_MEMORY,
    STEPS,
    disagreement,
    psnr,
    recipe,
    same,
    small,
)
from tests.backend.sampling.test_trouble import failing
from tests.backend.scenes import frames, massing
from tests.backend.tiny import make_tiny_sd2_depth

STREET = massing(128, 96)
CORNER = massing(96, 128, eye=(4.0, -8.0, 4.0), turn=12.0, name="corner")
VIEWS = [STREET, massing(128, 96, eye=(3.0, -7.0, 3.0), turn=12.0, name="beside"), CORNER]

FRONT = massing(64, 64, ground=False)
REAR = massing(64, 64, [(-4, 4, -30, -20, 0, 7)], turn=180.0, ground=False)
"""Views that share no surface."""


def pictures_of(result: SamplingResult) -> list[NDArray[np.uint8]]:
    return [picture for _, _, picture in result.pictures]


@pytest.mark.parametrize("steps", [1, STEPS])
def test_views_agree_where_they_see_the_same(
    catalogue: Catalogue, sampler: Sampler, steps: int
) -> None:
    job = recipe(steps=steps, strength=1.0)
    apart, together = sampler.run(job, VIEWS), sampler.run(job, VIEWS, together=True)
    assert [p.shape for p in pictures_of(together)] == [(96, 128, 3)] * 2 + [(128, 96, 3)]
    assert "aligning" in together.seconds and together.recipe == apart.recipe
    differences = [disagreement(VIEWS, pictures_of(each)) for each in (apart, together)]
    assert differences[1] < (0.85 if steps == 1 else 0.95) * differences[0]
    assert same(together, sampler.run(job, VIEWS, together=True))
    assert same(apart, sampler.run(job, VIEWS))


@pytest.mark.parametrize("name", ["ddim", "euler-a", "dpm++-2m-sde"])
def test_views_that_share_nothing_are_what_they_are_apart(sampler: Sampler, name: str) -> None:
    ahead, back = FRONT, REAR
    job = recipe(model="inward", sampler=name)
    apart = [sampler.run(job, [each]).pictures[0][2] for each in (ahead, back)]
    together = sampler.run(job, [ahead, back], together=True)
    assert all(map(np.array_equal, apart, pictures_of(together)))


def test_views_are_painted_smaller_than_they_are_and_end_at_exact_edges(sampler: Sampler) -> None:
    """What is a pixel of the painting is four of the picture, and its silhouettes have none."""
    result = sampler.run(recipe(), VIEWS, together=True, painted=32, even=True)
    assert [each.shape[:2] for each in result.encoded_depth] == [(3, 4)] * 2 + [(4, 3)]
    for capture, picture in zip(VIEWS, pictures_of(result), strict=True):
        assert picture.shape == (capture.view.height, capture.view.width, 3)
        report = edge_recall(np.asarray(capture.depth), capture.view, picture, tolerance=1.0)
        assert report.lift is not None and report.lift > 0.3


@pytest.mark.parametrize("size", [1, 2, 4])
def test_device_batches_change_rounding_alone(catalogue: Catalogue, size: int) -> None:
    whole = Sampler("cpu", catalogue=catalogue, batch_size=3).run(recipe(), VIEWS, together=True)
    other = Sampler("cpu", catalogue=catalogue, batch_size=size).run(recipe(), VIEWS, together=True)
    for a, b in zip(pictures_of(whole), pictures_of(other), strict=True):
        assert psnr(a, b) >= 50.0


@pytest.mark.parametrize("name", samplers.NAMES)
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_scheduler_steps_with_the_clean_latents_that_it_is_sent(
    tmp_path: Any, name: str, prediction: str
) -> None:
    """Sent the clean latents of another picture at every step, it ends in those."""
    folder = make_tiny_sd2_depth(tmp_path / "m")
    model = Sd2Depth.load(folder, read_settings(folder), torch.device("cpu"), torch.float32)
    model.scheduler_config["prediction_type"] = prediction
    wanted = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    expected: list[torch.Tensor] = []
    run = model.denoise(
        [PictureTask(torch.zeros(1, 4, 8, 8), np.zeros((8, 8), np.float32), 4, "red")],
        negative_prompt="",
        sampler=name,
        steps=8,
        strength=0.8,
        guidance=3.0,
        on_step=lambda step, steps, clean: expected.append(clean),
        shared=1.0,
    )
    next(run)
    try:
        while True:
            run.send(wanted)
    except StopIteration as end:
        finished = end.value
    assert len(expected) >= 6
    assert (finished - wanted).abs().max() < 0.25  # what noise a schedule leaves
    if name not in ("pndm", "lcm", "tcd"):  # which expect something noisy
        assert all((clean - wanted).abs().max() < 1e-3 for clean in expected)


def test_only_the_first_steps_are_shared(tiny_model: Any) -> None:
    model = Sd2Depth.load(tiny_model, read_settings(tiny_model), torch.device("cpu"), torch.float32)
    task = PictureTask(torch.zeros(1, 4, 8, 8), np.zeros((8, 8), np.float32), 4, "red")
    steps = []
    run = model.denoise(
        [task],
        negative_prompt="",
        sampler="ddim",
        steps=10,
        strength=1.0,
        guidance=1.0,
        on_step=lambda step, *_: steps.append(step),
        shared=0.65,
    )
    clean = next(run)
    for _ in range(6):
        clean = run.send(clean)
    assert steps == [1, 2, 3, 4, 5, 6]
    for _ in range(3):  # steps of its own, in which others may keep step
        assert run.send(clean) is None
        clean = None
    assert steps == list(range(1, 10))
    with pytest.raises(StopIteration):
        run.send(None)
    assert steps == list(range(1, 11))


# --- shared attention -----------------------------------------------------------------------------


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_views_attend_to_the_anchor_at_every_step(sampler: Sampler, guidance: float) -> None:
    """A view that shares no surface with the anchor follows it; the anchor is itself."""
    changes = {"guidance": guidance, "strength": 1.0}
    views = [FRONT, REAR]
    apart = [sampler.run(recipe(**changes), [view]).pictures[0][2] for view in views]
    shared = pictures_of(sampler.run(recipe(**changes), views, together=True))
    assert np.abs(shared[0].astype(int) - apart[0]).max() <= 1  # rounding
    assert not np.array_equal(shared[1], apart[1])
    inward = sampler.run(recipe(model="inward", **changes), views, together=True)
    assert np.array_equal(pictures_of(inward)[1], apart[1])
    assert np.array_equal(sampler.run(recipe(**changes), [REAR]).pictures[0][2], apart[1])


@pytest.mark.parametrize("given", [False, True])
def test_the_anchor_is_painted_first_in_every_step(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    monkeypatch.setattr(SurfaceAverage, "leader", 1)
    painted: list[list[int]] = []

    def paint(job: Any, batches: Any) -> None:
        painted.extend([picture.number for picture in batch] for batch in batches)
        real(job, batches)

    real = runner.paint
    monkeypatch.setattr(runner, "paint", paint)
    pictures = {2: np.full((128, 96, 3), 90, np.uint8)} if given else {}
    sampler.run(recipe(), VIEWS, together=True, given=pictures)
    assert painted == ([[2], [0], [1]] if given else [[1], [0], [2]])


def test_what_shares_no_surface_follows_a_given_picture(sampler: Sampler) -> None:
    reds, blues = (
        np.full((64, 64, 3), color, np.uint8) for color in ((220, 60, 40), (40, 60, 220))
    )
    painted = [
        pictures_of(sampler.run(recipe(), [FRONT, REAR], together=True, given={0: given}))
        for given in (reds, blues)
    ]
    assert np.array_equal(painted[0][0], reds) and np.array_equal(painted[1][0], blues)
    assert not np.array_equal(painted[0][1], painted[1][1])


# --- pictures that are given ----------------------------------------------------------------------


def test_given_pictures_come_back_and_the_others_follow(sampler: Sampler) -> None:
    job = recipe(steps=1)
    given = {0: np.full((96, 128, 3), (220, 60, 40), np.uint8)}
    apart = sampler.run(job, VIEWS, given=given)
    follows = sampler.run(job, VIEWS, together=True, given=given)
    plain = sampler.run(job, VIEWS)
    for result in (apart, follows):
        assert [(view, seed) for view, seed, _ in result.pictures] == [(0, 0), (1, 0), (2, 0)]
        assert np.array_equal(result.pictures[0][2], given[0])
        assert len(result.encoded_depth) == 3
    assert np.array_equal(apart.pictures[1][2], plain.pictures[1][2])
    other = sampler.run(job, VIEWS, together=True, given={0: given[0][..., ::-1].copy()})
    assert not np.array_equal(follows.pictures[1][2], other.pictures[1][2])


def test_a_job_of_given_pictures_needs_no_model(sampler: Sampler) -> None:
    given = {n: np.full((*frames(c)[1].shape, 3), n, np.uint8) for n, c in enumerate(VIEWS)}
    job = recipe(model="nothing", seed=7)
    result = sampler.run(job, VIEWS, together=True, given=given)
    assert result.recipe == job and result.encoded_depth == [] and result.warnings == []
    for number, (view, seed, picture) in enumerate(result.pictures):
        assert (view, seed) == (number, 7) and picture is given[number]


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({"count": 2}, {"together": True}, "bad-recipe"),
        ({"count": 2}, {"given": {0: np.zeros((96, 128, 3), np.uint8)}}, "bad-recipe"),
        ({}, {"given": {3: np.zeros((96, 128, 3), np.uint8)}}, "bad-message"),
        ({}, {"given": {0: np.zeros((64, 64, 3), np.uint8)}}, "bad-capture"),
    ],
    ids=str,
)
def test_what_cannot_be_painted_together_is_said(
    sampler: Sampler, change: dict[str, Any], options: dict[str, Any], code: str
) -> None:
    with pytest.raises(MaquetteError) as caught:
        sampler.run(recipe(**change), VIEWS, **options)
    assert caught.value.code == code and caught.value.hint


# --- what all jobs can rely on --------------------------------------------------------------------


def test_progress_counts_every_step_and_previews_show_every_view(sampler: Sampler) -> None:
    calls: list[tuple[str, int, int, dict[int, np.ndarray]]] = []
    sampler.run(
        recipe(strength=1.0),
        VIEWS,
        together=True,
        given={1: np.zeros((96, 128, 3), np.uint8)},
        previews=True,
        progress=lambda *call: calls.append(call),
    )
    sampled = [call for call in calls if call[0] != "loading"]
    # The given one is the anchor, and so runs along.
    assert [step for _, step, _, _ in sampled] == list(range(1, 3 * STEPS + 1))
    assert {steps for _, _, steps, _ in sampled} == {3 * STEPS}
    assert sum(0 in shown for *_, shown in sampled) == STEPS
    assert {shown[2].shape for *_, shown in sampled if 2 in shown} == {(16, 12, 3)}


def test_views_of_a_single_step_agree_in_their_pixels_alone(sampler: Sampler) -> None:
    """Each is painted once, and has its own pixels wherever no other view sees as well."""
    calls: list[tuple[str, int, int]] = []
    starts: list[int] = []
    unet = sampler._model(sampler.catalogue.present("inward"), lambda *_: None)[0].pipeline.unet
    hook = unet.register_forward_pre_hook(lambda _unet, given: starts.append(int(given[1])))
    job = recipe(model="inward", steps=1, strength=1.0)
    try:
        together = sampler.run(
            job,
            VIEWS,
            together=True,
            progress=lambda stage, step, steps, _shown: calls.append((stage, step, steps)),
        )
    finally:
        hook.remove()
    assert starts == [999] * 3
    assert calls[-3:] == [("decoding", step, 3) for step in (1, 2, 3)]
    for mine, alone in zip(
        pictures_of(together), pictures_of(sampler.run(job, VIEWS)), strict=True
    ):
        own = (mine == alone).all(2)
        assert 0.1 < own.mean() < 1.0


@pytest.mark.parametrize("after", [0, 1, 4, 3 * STEPS])
def test_cancelling_stops_within_a_step(sampler: Sampler, after: int) -> None:
    steps: list[int] = []
    with pytest.raises(JobCancelled):
        sampler.run(
            recipe(strength=1.0),
            VIEWS,
            together=True,
            progress=lambda stage, step, *_: steps.append(step) if stage != "loading" else None,
            cancelled=lambda: len(steps) >= after,
        )
    assert len(steps) == after
    assert sampler.run(recipe(), VIEWS, together=True).pictures


def test_cancelling_is_asked_between_the_views_of_a_step(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    unet = sampler._model(sampler.catalogue.present("tiny"), lambda *_: None)[0].pipeline.unet
    hook = unet.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        with pytest.raises(JobCancelled):
            sampler.run(recipe(), VIEWS, together=True, cancelled=lambda: len(passes) >= 2)
    finally:
        hook.remove()
    assert len(passes) == 2


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_out_of_memory_is_tried_once_more_one_at_a_time(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, batch_size=4)
    views = [small(), small(turn=12.0), massing(64, 48)]
    whole = sampler.run(recipe(), views, together=True)
    sizes = failing(monkeypatch, 1, OUT_OF_MEMORY[kind])
    result = sampler.run(recipe(), views, together=True)
    assert sizes == [2, 1, 1, 1]
    assert any("ran out of memory" in warning for warning in result.warnings)
    for a, b in zip(pictures_of(whole), pictures_of(result), strict=True):
        assert psnr(a, b) >= 40.0


def test_overflow_is_made_again_in_full_precision(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = Sampler("cpu", catalogue=catalogue, dtype=torch.float32)
    wanted = exact.run(recipe(), VIEWS, together=True)
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float16)
    make, made = Family._scheduler, []

    def overflowing(*arguments: Any) -> Any:
        scheduler: Any = make(*arguments)
        made.append(scheduler)
        step = scheduler.step
        if len(made) == 2:  # one view of three, the first time
            scheduler.step = lambda output, *rest, **o: step(output * float("inf"), *rest, **o)
        return scheduler

    monkeypatch.setattr(Family, "_scheduler", overflowing)
    result = sampler.run(recipe(), VIEWS, together=True)
    assert len(made) == 6
    assert any("full precision" in warning for warning in result.warnings)
    for a, b in zip(pictures_of(wanted), pictures_of(result), strict=True):
        assert psnr(a, b) >= 40.0
