"""Pictures that a processor's threads paint at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.families.autoencoder import Autoencoder
from maquette.families.loop import Denoising
from maquette.families.sd2_depth import Sd2Depth
from maquette.running import JobCancelled
from maquette.sampling import Sampler

from tests.backend.sampling.jobs import OUT_OF_MEMORY, STEPS, recipe, same, small
from tests.backend.sampling.test_trouble import failing
from tests.backend.scenes import massing

VIEWS = [small(), massing(96, 64), small(eye=(30.0, -50.0, 20.0))]
APART = recipe(threads=1, count=2, strength=1.0)


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    assert torch.get_num_threads() == 3, "as it was"
    assert not [each for each in threading.enumerate() if each.name.startswith("worker")]
    torch.set_num_threads(before)


@pytest.fixture
def painters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which thread painted, with how many of PyTorch's. No two begin alike."""
    seen: list[tuple[str, int]] = []
    everyone = threading.Barrier(3, timeout=20)
    denoise = Sd2Depth.denoise

    def watched(self: Sd2Depth, tasks: Any, **options: Any) -> Denoising:
        if threading.current_thread() is not threading.main_thread():
            everyone.wait()  # goes on when three are painted at once
        seen.append((threading.current_thread().name, torch.get_num_threads()))
        return denoise(self, tasks, **options)

    monkeypatch.setattr(Sd2Depth, "denoise", watched)
    return seen


def test_each_is_the_picture_that_it_is_alone(
    sampler: Sampler, painters: list[tuple[str, int]]
) -> None:
    together = sampler.run(APART, VIEWS)
    assert len({name for name, _ in painters}) == 3 and {each for _, each in painters} == {1}
    assert together.recipe.threads == 1 and together.pack == 3
    painters.clear()
    for number, view in enumerate(VIEWS):
        for seed in (0, 1):
            alone = sampler.run(recipe(threads=1, seed=seed, strength=1.0), [view])
            assert np.array_equal(alone.pictures[0][2], together.pictures[2 * number + seed][2])
    assert {each for _, each in painters} == {1}, "alone it is painted likewise"


@pytest.mark.parametrize("asked, used", [(None, 3), (2, 2), (9, 3)])
def test_a_picture_has_as_many_threads_as_are_asked_for_and_there(
    sampler: Sampler, painters: list[tuple[str, int]], asked: int | None, used: int
) -> None:
    result = sampler.run(recipe(threads=asked), VIEWS)
    assert painters == [("MainThread", used)] * 3 and result.pack == 1
    assert result.recipe.threads == (None if asked is None else used)


def test_no_more_at_once_than_memory_holds(
    catalogue: Catalogue, painters: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Autoencoder, "decoding_bytes", lambda *_: 10**15)
    result = Sampler("cpu", catalogue=catalogue).run(APART, VIEWS)
    assert painters == [("MainThread", 1)] * 6 and result.pack == 1


def test_what_was_kept_of_another_number_of_threads_is_not_used(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is rounded otherwise."""
    seen: list[tuple[str, int]] = []
    for of, name in ((Sd2Depth, "_encode"), (Autoencoder, "encode_unit")):
        encode = getattr(of, name)

        def watched(self: Any, given: Any, name: str = name, encode: Any = encode) -> Any:
            seen.append((name, torch.get_num_threads()))
            return encode(self, given)

        monkeypatch.setattr(of, name, watched)
    sampler = Sampler("cpu", catalogue=catalogue)
    for threads in (None, 1, None, 1):
        sampler.run(recipe(threads=threads, guidance=1.0), [small()])
        if threads is None:
            seen = [each for each in seen if each[1] != 3]
    assert sorted(seen) == [("_encode", 1), ("encode_unit", 1)]


def test_progress_never_goes_back(sampler: Sampler) -> None:
    told: list[tuple[int, int]] = []
    at_once = threading.Lock()

    def progress(stage: str, step: int, steps: int, _: Any) -> None:
        assert at_once.acquire(blocking=False), "one at a time"
        if stage != "loading":
            told.append((step, steps))
        at_once.release()

    sampler.run(APART, VIEWS, progress=progress)
    assert told == [(step, 6 * STEPS) for step in range(1, 6 * STEPS + 1)]


@pytest.mark.parametrize("after", [0, 2, 9])
def test_cancelling_stops_all_of_them(sampler: Sampler, after: int) -> None:
    steps: list[int] = []
    with pytest.raises(JobCancelled):
        sampler.run(
            APART,
            VIEWS,
            progress=lambda stage, step, *_: steps.append(step) if stage != "loading" else None,
            cancelled=lambda: len(steps) >= after,
        )
    assert after <= len(steps) <= after + 2, "each is stopped within a step"


def test_where_memory_runs_out_the_rest_is_painted_one_by_one(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sampler.run(APART, VIEWS)
    sizes = failing(monkeypatch, 2, OUT_OF_MEMORY["cpu"])
    result = sampler.run(APART, VIEWS)
    assert len(sizes) == 8 and result.warnings == whole.warnings
    assert same(whole, result)


def test_an_error_is_the_jobs(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, 1, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        sampler.run(APART, VIEWS)


def test_what_overflows_is_made_again_when_nothing_else_is_painted(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler("cpu", catalogue=catalogue, dtype=torch.float16)
    half = sampler.run(APART, VIEWS)
    decode = Autoencoder.decode

    def overflowing(self: Autoencoder, latents: torch.Tensor) -> np.ndarray | None:
        if self.vae.dtype == torch.float32:
            assert threading.current_thread() is threading.main_thread()
        elif latents.shape[-1] == 12:  # of the wide view
            return decode(self, latents * 1e9)
        return decode(self, latents)

    monkeypatch.setattr(Autoencoder, "decode", overflowing)
    again = sampler.run(APART, VIEWS)
    assert [warning for warning in again.warnings if "full precision" in warning]
    for number in (0, 1, 4, 5):
        assert np.array_equal(again.pictures[number][2], half.pictures[number][2])


def test_a_graphics_card_knows_of_none(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sampler, "_is_processor", False)
    assert sampler.run(recipe(threads=1), [small()]).recipe.threads is None
