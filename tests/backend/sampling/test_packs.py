"""How many pictures a device makes at once: the fastest, once it was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from maquette import painting
from maquette.catalogue import Catalogue
from maquette.packs import Packs, at_once
from maquette.running import Job
from maquette.sampling import Sampler
from maquette_wire.home import Home

from tests.backend.sampling.jobs import psnr, recipe, small


@pytest.mark.parametrize(
    "each, most, tried, best",
    [
        ({1: 8.0, 2: 5.0, 4: 3.0, 8: 2.9, 16: 2.8}, 16, [1, 2, 4, 8, 16], 16),
        ({1: 8.0, 2: 5.0, 4: 3.0, 8: 2.95, 16: 1.0}, 16, [1, 2, 4, 8], 4),  # as fast, and smaller
        ({1: 8.0, 2: 9.0}, 16, [1, 2], 1),  # a processor
        ({1: 8.0, 2: 5.0, 4: 3.0}, 4, [1, 2, 4], 4),  # no more fit
        ({1: 8.0, 2: 5.0, 4: None}, 16, [1, 2, 4], 2),  # memory didn't suffice
        ({1: None}, 16, [1], 1),
    ],
)
def test_more_are_tried_until_they_are_no_faster(
    tmp_path: Any, each: dict[int, float | None], most: int, tried: list[int], best: int
) -> None:
    packs = Packs(Home(tmp_path))
    packs.note("model", 1, 99.0, most)  # the first of a process loads kernels
    for size in tried:
        assert packs.at_once("model", most) == size
        packs.note("model", size, each[size], most)
    for size in (1, best, 2 * best):
        assert Packs(Home(tmp_path)).at_once("model", most) == best
        packs.note("model", size, 0.001, most)  # it is settled


def test_what_was_measured_for_more_memory_is_no_harm() -> None:
    assert at_once({1: 8.0, 2: 5.0, 4: 3.0, 8: 2.0, 16: 1.0}, 4) == 4


def test_jobs_try_and_then_all_are_packed_alike(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock by which four at once are the fastest."""
    plain = Sampler("cpu", catalogue=catalogue).run(recipe(count=9), [small()])
    sizes: list[int] = []
    monkeypatch.setattr(painting, "_try_paint", _timed(sizes, {1: 1.0, 2: 0.7, 4: 0.5, 8: 0.6}))
    sampler = Sampler("cpu", catalogue=catalogue, measure=True)
    tried, packs = [], []
    for _ in range(4):
        result = sampler.run(recipe(count=9), [small()])
        tried.append(sizes[:])
        packs.append(result.pack)
        sizes.clear()
    assert tried == [[1] * 9, [2, 2, 2, 2, 1], [4, 4, 1], [8, 1]]
    assert packs == [2, 4, 8, 4]
    again = Sampler("cpu", catalogue=catalogue, measure=True)
    result = again.run(recipe(count=9), [small()])
    assert sizes == [4, 4, 1]
    for (_, _, a), (_, _, b) in zip(plain.pictures, result.pictures, strict=True):
        assert psnr(a, b) >= 50.0
    (measured,) = json.loads(catalogue.home.packs.read_text()).values()
    assert set(measured) == {"1", "2", "4", "8"}


def _timed(sizes: list[int], each: dict[int, float]) -> Callable[..., bool]:
    """`painting._try_paint` that takes so many seconds a picture."""
    paint = painting._try_paint

    def timed(job: Job, group: Any) -> bool:
        before = job.watch.seconds.get("sampling", 0.0)
        made = paint(job, group)
        sizes.append(len(group[0]))
        job.watch.seconds["sampling"] = before + each[len(group[0])] * len(group[0])
        return made

    return timed
