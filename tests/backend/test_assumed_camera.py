"""A camera for pictures that have none: what is built stands upright in its eyes."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.assumed_camera import assumed_view, at_scale
from maquette.facades.guide import FacadeGuide
from maquette.images import capture_of
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

from tests.backend.scenes import massing
from tests.backend.texturing.models import box, camera, quad, trace

HOUSE = [*box((0, 0, 0), (12, 8, 9.6)), quad((-60, -60, 0), (120, 0, 0), (0, 120, 0))]
EYES = {"street": (26, -18, 2, 24), "above": (30, -24, 30, 24), "far": (60, -46, 8, 60)}


def stance(view: View) -> tuple[float, float, float]:
    """Focal length over half the width, tilt in degrees downwards, and vertical shift."""
    up = np.array(view.view_matrix).reshape(4, 4)[:3, 2]
    assert abs(up[0]) < 1e-9, "level from left to right"
    projection = np.array(view.projection_matrix).reshape(4, 4)
    return projection[0, 0], float(np.degrees(np.arctan2(up[2], up[1]))), projection[1, 2]


@pytest.mark.parametrize("eye", EYES)
def test_tilt_and_lens_are_those_of_the_render(eye: str) -> None:
    *place, lens = EYES[eye]
    true = camera(place, (6, 4, 4), lens=lens)
    depth = trace(true, HOUSE)[0].astype(np.float32)
    focal, tilt, shift = stance(assumed_view(depth))
    assert focal == pytest.approx(stance(true)[0], rel=0.12)
    assert tilt == pytest.approx(stance(true)[1], abs=1.2)
    assert shift == 0.0


def test_a_shifted_lens_of_a_level_camera_is_found() -> None:
    true = camera((26, -18, 2), (6, 4, 2), shift=(0.0, 0.2))
    lens, tilt, shift = stance(assumed_view(trace(true, HOUSE)[0].astype(np.float32)))
    assert lens == pytest.approx(stance(true)[0], rel=0.12)
    assert shift == pytest.approx(stance(true)[2], abs=0.03)
    assert tilt == 0.0 and abs(shift) > 0.3


@pytest.mark.parametrize("kind", ["sky", "noise", "a wall"])
def test_a_level_camera_is_assumed_where_depth_says_nothing(kind: str) -> None:
    depth = np.full((60, 90), np.inf if kind == "sky" else 8.0, np.float32)
    if kind == "noise":
        depth = np.random.default_rng(0).uniform(2, 90, depth.shape).astype(np.float32)
    lens, tilt, shift = stance(assumed_view(depth))
    assert lens == pytest.approx(2 * 35 / 36)
    assert (tilt, shift) == (0.0, 0.0)


def test_a_render_with_a_depth_map_has_windows_on_its_walls_alone() -> None:
    """Seen straight down, as a camera without a stance would, the ground was the wall."""
    eye = (0.0, -18.0, 9.0)
    true = massing(256, 192, eye=eye, pitch=-9.0)
    depth = np.asarray(true.depth)
    capture = capture_of("street", np.asarray(true.color), depth)
    recipe = Recipe(prompt="", windows="punched")
    found, wanted = (
        FacadeGuide(recipe, [one], False).openings(0, "punched") for one in (capture, true)
    )
    ground = depth > np.asarray(massing(256, 192, [], eye=eye, pitch=-9.0).depth) - 1e-3
    assert found[ground].max() < 0.5 and wanted[ground].max() < 0.5
    assert 0.7 < found.sum() / wanted.sum() < 1.4


def test_depth_without_a_scale_is_seen_at_eye_level() -> None:
    true = trace(camera((26, -18, 1.7), (6, 4, 3)), HOUSE)[0].astype(np.float32)
    relative = true / true.min()
    view = assumed_view(relative)
    assert np.allclose(at_scale(relative, view), true, rtol=0.05)
    assert at_scale(true, assumed_view(true)) is true
