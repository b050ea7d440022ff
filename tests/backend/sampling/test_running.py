"""Progress, previews and cancelling while a job runs."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.running import JobCancelled
from maquette.sampling import Sampler

from tests.backend.sampling.jobs import STEPS, recipe, small
from tests.backend.scenes import massing


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
