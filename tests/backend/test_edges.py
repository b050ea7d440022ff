"""A picture that keeps the massing's edges scores high, and one that doesn't scores low."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import maquette
import numpy as np
import pytest
from maquette.edges import depth_edges, edge_recall, is_exact
from maquette.estimate import estimate_depth

from tests.backend.scenes import frames, massing

VIEWS: dict[str, dict[str, Any]] = {
    "street": {},
    "large": {"width": 512, "height": 384},
    "bird": {"eye": (0, -20, 25), "pitch": -30},
    "elevation": {"kind": "orthographic", "lens": 0.8},
}
POCKET = Path(maquette.__file__).with_name("pocket")
OTHER = ((-12, -2, 15, 22, 0, 5), (5, 12, 10, 26, 0, 9))


def scene(view: str, **changes: Any) -> Any:
    return massing(**{"width": 256, "height": 192, **VIEWS[view], **changes})


@pytest.mark.parametrize("view", VIEWS)
def test_the_plain_render_has_all_edges_of_its_own_depth(view: str) -> None:
    capture = scene(view)
    color, depth = frames(capture)
    report = edge_recall(depth, capture.view, color)
    assert report.recall is not None and report.recall > 0.98
    assert report.silhouettes is not None and report.silhouettes > 0.98
    assert report.creases is not None and report.creases > 0.9
    assert report.chance < 0.25
    assert report.edge_pixels > 500


@pytest.mark.parametrize("view", VIEWS)
def test_wrong_pictures_score_near_chance(view: str) -> None:
    capture = scene(view)
    color, depth = frames(capture)
    other, _ = frames(scene(view, boxes=OTHER))
    noise = np.random.default_rng(0).integers(0, 256, color.shape, dtype=np.uint8)
    for wrong in (noise, np.full_like(color, 99), other, np.roll(color, 17, axis=1)):
        report = edge_recall(depth, capture.view, wrong)
        assert report.lift is not None and report.lift < 0.5
    texture = edge_recall(depth, capture.view, noise)
    assert texture.recall == pytest.approx(texture.chance, abs=0.1)


@pytest.mark.parametrize("kind", ["perspective", "orthographic"])
def test_a_model_s_depth_is_exact_and_what_was_guessed_of_a_picture_is_not(kind):
    capture = massing(192, 144, kind=kind)
    color, depth = frames(capture)
    assert is_exact(depth, capture.view)
    levels = depth.copy()
    far = float(depth[np.isfinite(depth)].max())
    levels[np.isfinite(depth)] = np.round(depth[np.isfinite(depth)] / far * 65535) / 65535 * far
    assert is_exact(levels, capture.view), "as a depth map of 16 bits has it"
    guessed = estimate_depth(POCKET, color)
    assert not is_exact(guessed, capture.view)


def test_a_shift_beyond_the_tolerance_costs_more_than_one_within() -> None:
    capture = scene("street")
    color, depth = frames(capture)
    scores = [
        edge_recall(depth, capture.view, np.roll(color, shift, axis=1)).recall or 0.0
        for shift in (0, 1, 4, 8)
    ]
    assert scores[1] == pytest.approx(scores[0], abs=0.03)
    assert scores[2] < 0.7 * scores[0]


def test_contrast_and_colour_do_not_matter_much() -> None:
    """Half the contrast, inverted, and edges that are a change of hue alone."""
    capture = scene("street")
    color, depth = frames(capture)
    pale = (color // 2 + 60).astype(np.uint8)
    red = color.copy()
    red[..., 1:] = 255 - color[..., 1:]
    for picture in (pale, 255 - color, red):
        recall = edge_recall(depth, capture.view, picture).recall
        assert recall is not None and recall > 0.95


def test_neither_the_ground_at_a_grazing_angle_nor_the_horizon_is_an_edge() -> None:
    capture = massing(256, 192, boxes=())
    silhouettes, creases = depth_edges(frames(capture)[1], capture.view)
    assert not silhouettes.any() and not creases.any()


def test_without_edges_there_is_no_share() -> None:
    capture = scene("street")
    color, depth = frames(capture)
    report = edge_recall(np.full_like(depth, np.inf), capture.view, color)
    assert report.recall is None and report.lift is None and report.edge_pixels == 0


def test_a_picture_of_another_size_is_refused() -> None:
    capture = scene("street")
    color, depth = frames(capture)
    with pytest.raises(ValueError, match="picture"):
        edge_recall(depth, capture.view, color[:-1])
