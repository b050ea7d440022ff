"""What the Geometry slider does, from creative to exact."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.geometry import SD2_DEPTH, SDXL_CONTROL, GeometryCurve, blend_depth, control


def test_towards_exact_strength_falls_and_depth_rises() -> None:
    for curve in (SD2_DEPTH, SDXL_CONTROL):
        values = [curve.at(geometry) for geometry in np.linspace(0.0, 1.0, 21)]
        strengths, *influences = zip(*values, strict=True)
        assert list(strengths) == sorted(strengths, reverse=True)
        assert all(list(each) == sorted(each) for each in influences)
        assert curve.at(0.0).strength == 1.0
        assert curve.at(1.0).depth_influence == 1.0


def test_a_controlnet_that_counts_less_ends_earlier() -> None:
    assert control(1.0) == (1.0, 1.0) and control(0.7) == (0.7, 1.0)
    assert control(0.5) == (0.5, 0.75) and control(0.2) == (0.2, 0.5)


@pytest.mark.parametrize(
    "values",
    [
        ((0.0,), (1.0,), (1.0,)),
        ((0.2, 1.0), (1.0, 1.0), (1.0, 1.0)),
        ((0.0, 1.0), (1.0,), (1.0, 1.0)),
        ((0.0, 1.0), (0.0, 1.0), (1.0, 1.0)),
        ((0.0, 1.0), (1.0, 1.0), (1.0, 1.5)),
        ((0.0, 0.9, 0.5, 1.0), (1.0,) * 4, (1.0,) * 4),
        ((0.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0,)),
        ((0.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.5)),
    ],
)
def test_curves_that_make_no_sense_are_refused(values: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValueError):
        GeometryCurve(*values)


def test_depth_influence_takes_relief_away_and_keeps_the_order() -> None:
    depth = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    assert np.array_equal(blend_depth(depth, 1.0, 0.0), depth)
    half = blend_depth(depth, 0.5, -1.0)
    assert np.allclose(np.diff(half.ravel()), 0.5 * np.diff(depth.ravel()))
    assert np.allclose(blend_depth(depth, 0.0, -0.3), -0.3)
    assert np.allclose(blend_depth(depth, 0.0, None), depth.mean(), atol=1e-6)
    assert half.dtype == np.float32
