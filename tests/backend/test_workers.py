"""A bake is the same however many threads share it, and ends with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from maquette.texturing import bake as baking
from maquette.texturing import fill
from maquette.texturing.bake import Baked, Chunk, PaintedView, Stage, bake
from maquette.texturing.surface import Surface
from maquette.workers import Workers

from tests.backend.texturing.models import box, camera, painted, surface_of

EYES = ((30, -30, 20), (-25, -35, 30), (5, 60, 12), (-40, 10, 5))
Scene = tuple[Surface, list[PaintedView]]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two towers, of which no view sees all, in many small chunks."""
    monkeypatch.setattr(baking, "_CHUNK", 1500)
    monkeypatch.setattr(fill, "_CHUNK", 1500)
    quads = [*box((-5, 0, 0), (5, 8, 20)), *box((-9, 25, 0), (9, 34, 31))]
    surface = surface_of(quads, [0] * 6 + [1] * 6)
    views = [
        painted(
            camera(eye, (0, 15, 12), 256, 256),
            quads,
            lambda p, n: 0.5 + 0.4 * np.sin(p[:, [0, 1, 0]] / 9),
        )
        for eye in EYES
    ]
    return surface, views


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seen_by(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that looked at chunks. Every other chunk takes longer."""
    names: list[str] = []
    colors = Stage.colors

    def watched(stage: Stage, chunk: Chunk):
        names.append(threading.current_thread().name)
        if len(names) % 2:
            time.sleep(0.01)
        return colors(stage, chunk)

    monkeypatch.setattr(Stage, "colors", watched)
    return names


def baked_with(count: int, scene: Scene) -> Baked:
    torch.set_num_threads(count)
    made = bake(*scene, 256)
    assert torch.get_num_threads() == count, "as it was"
    return made


@pytest.mark.usefixtures("threads")
def test_any_number_of_threads_makes_the_same_bytes(scene: Scene, seen_by: list[str]):
    alone = baked_with(1, scene)
    assert set(seen_by) == {threading.current_thread().name} and len(seen_by) > 8
    assert 0.2 < alone.seen.mean() < alone.covered.mean(), "some is filled"
    for count in (2, 5):
        seen_by.clear()
        made = baked_with(count, scene)
        assert len(set(seen_by)) > 1 and all(name.startswith("worker") for name in seen_by)
        for name in ("picture", "seen", "covered"):
            assert getattr(made, name).tobytes() == getattr(alone, name).tobytes()
        assert made.share_seen == alone.share_seen


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("count", [1, 2])
def test_a_bake_ends_where_its_caller_stops_it(scene: Scene, seen_by: list[str], count: int):
    told: list[tuple[int, int]] = []

    def progress(done: int, texels: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append((done, texels))
        if len(told) == 3:
            raise KeyboardInterrupt

    torch.set_num_threads(count)
    with pytest.raises(KeyboardInterrupt):
        bake(*scene, 256, progress=progress)
    begun = len(seen_by)
    assert torch.get_num_threads() == count, "as it was"
    assert not [each.name for each in threading.enumerate() if each.name.startswith("worker")]
    assert 0 < told[0][0] < told[1][0] < told[2][0] < told[2][1], "it was in the middle"
    bake(*scene, 256)
    assert begun < len(seen_by) - begun, "what was begun is no whole bake"


@pytest.mark.usefixtures("threads")
def test_a_failure_in_a_thread_is_the_bakes():
    def work(number: int) -> int:
        if number == 7:
            raise MemoryError("of the seventh")
        return number * number

    torch.set_num_threads(3)
    found = []
    with pytest.raises(MemoryError, match="seventh"), Workers.hired() as workers:
        found.extend(workers.each(work, range(5)))
        for each in workers.each(work, range(100)):
            found.append(each)
    assert found == [0, 1, 4, 9, 16, 0, 1, 4, 9, 16, 25, 36] and torch.get_num_threads() == 3
