"""A texture's job on a device: from the wire's surface to texels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from maquette import sampling
from maquette.running import JobCancelled
from maquette.sampling import Sampler
from maquette.texturing.surface import Surface, to_wire
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError

from tests.backend.sampling.jobs import OUT_OF_MEMORY
from tests.backend.texturing.models import box, camera, surface_of, trace

AWAY = np.array([121_000.0, 487_000.0, 0.0])
RED = (200, 60, 20)


@pytest.fixture
def job() -> tuple[Any, list[Capture], list[np.ndarray]]:
    """A house far from the world's origin, seen from in front, all red."""
    quads = box((-3, -3, 0), (3, 3, 6))
    view = camera((2, -14, 5), (0, 0, 3), 96, 96)
    depth, _, _ = trace(view, quads)
    matrix = np.reshape(view.view_matrix, (4, 4)).copy()
    matrix[:3, 3] -= matrix[:3, :3] @ AWAY
    moved = type(view)(
        view_matrix=tuple(matrix.ravel().tolist()),
        projection_matrix=view.projection_matrix,
        width=96,
        height=96,
    )
    near = surface_of(quads)
    surface = to_wire(Surface(near.corners + AWAY, near.uvs, near.objects), 128)
    picture = np.full((96, 96, 3), RED, np.uint8)
    return surface, [Capture(moved, picture, depth.astype(np.float32))], [picture]


def test_texels_have_the_pictures_colour_wherever_the_model_stands(sampler: Sampler, job: Any):
    calls: list[tuple[str, int, int]] = []
    (texture,), coverage = sampler.bake(*job, progress=lambda s, n, of, _: calls.append((s, n, of)))
    assert texture.shape == (128, 128, 3) and texture.dtype == np.uint8
    assert (np.abs(texture.astype(int) - RED) <= 1).all(), "seen, or filled from beside"
    assert coverage.seen == pytest.approx(1 / 6, abs=0.01), "one of six faces"
    assert coverage.filled == pytest.approx(5 / 6, abs=0.01)
    assert calls and {stage for stage, _, _ in calls} == {"baking"}
    assert calls[-1][1] == calls[-1][2]


def test_a_texture_of_16_bits(sampler: Sampler, job: Any):
    surface, *rest = job
    fine = replace(surface, texture=msgspec.structs.replace(surface.texture, bits=16))
    (texture,), _ = sampler.bake(fine, *rest)
    assert texture.dtype == np.uint16
    assert (np.abs(texture / 257 - RED) <= 0.05).all()


def test_a_bake_can_be_cancelled(sampler: Sampler, job: Any):
    with pytest.raises(JobCancelled):
        sampler.bake(*job, cancelled=lambda: True)


def test_a_texture_that_does_not_fit_names_the_fix(
    sampler: Sampler, job: Any, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OUT_OF_MEMORY["cpu"]()

    monkeypatch.setattr(sampling, "bake", full)
    with pytest.raises(MaquetteError, match="smaller texture") as caught:
        sampler.bake(*job)
    assert caught.value.code == "out-of-memory"
