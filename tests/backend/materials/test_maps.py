"""Maps of reliefs whose slopes and horizons are known."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.materials import maps
from maquette.materials.patterns import JOINT, lay
from maquette_wire.material import PATTERNS, Material
from numpy.typing import NDArray

SIDE = 128
PITCH = 0.01


def noise(side: int = SIDE, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


def wave(axis: int) -> NDArray[np.float32]:
    """Three waves of 2 cm along an axis of the image."""
    phase = 2.0 * np.pi * 3.0 * (np.arange(SIDE) + 0.5) / SIDE
    row = (0.02 * np.sin(phase)).astype(np.float32)
    return np.ascontiguousarray(np.broadcast_to(row if axis else row[:, None], (SIDE, SIDE)))


@pytest.mark.parametrize("axis", [0, 1])
def test_normals_have_the_slopes_of_the_surface(axis: int) -> None:
    normal = maps.normal_map(wave(axis), PITCH).astype(float) / 127.5 - 1.0
    x, y, z = np.moveaxis(normal, -1, 0)
    slope = 0.02 * 6.0 * np.pi / (SIDE * PITCH)
    expected = slope * np.cos(2.0 * np.pi * 3.0 * (np.arange(SIDE) + 0.5) / SIDE)
    # Rising to the right leans to the left; rows count downwards, green upwards.
    leaning = -x / z if axis else y / z
    flat = y / z if axis else x / z
    lines = leaning if axis else leaning.T
    assert np.abs(lines - expected).max() < 0.02
    assert np.abs(flat).max() < 0.01
    assert np.abs(np.hypot(np.hypot(x, y), z) - 1.0).max() < 0.01


def test_a_flat_surface_is_all_sky_and_points_at_the_viewer() -> None:
    flat = np.full((SIDE, SIDE), -0.003, np.float32)
    assert (maps.normal_map(flat, PITCH) == (128, 128, 255)).all()
    assert (maps.occlusion_map(flat, 0.01, PITCH) == 255).all()


def test_a_wall_hides_as_much_of_the_sky_as_it_should() -> None:
    # A step of 8 cm, straight and long; what lies before it at distance x has
    # 1/2 + 1/2 / sqrt(1 + (h/x)²) of the sky's light left.
    side, height = 256, 0.08
    steps = np.zeros((side, side), np.float32)
    steps[:, side // 2 :] = height
    seen = maps.occlusion_map(steps, height, PITCH) / 255.0
    for pixels in (2, 5, 10, 20):
        # The wall stands half-way between two pixels' centres.
        far = (pixels - 0.5) * PITCH
        expected = 0.5 + 0.5 / np.sqrt(1.0 + (height / far) ** 2)
        assert seen[:, side // 2 - pixels] == pytest.approx(expected, abs=0.05)
    # Out of reach, and on top of it, there is only sky.
    assert (seen[:, 90] == 1.0).all() and (seen[:, side // 2 + 2 : -2] == 1.0).all()


@pytest.mark.parametrize("shift", [(0, 37), (64, 5)])
def test_maps_wrap(shift: tuple[int, int]) -> None:
    material = Material(size=1.2, pixels=SIDE, pattern="cobbles").filled("")
    relief = lay(material, SIDE)
    pitch = material.size / SIDE
    assert material.relief is not None

    def made(moved: tuple[int, int]) -> list[NDArray[np.float64]]:
        picture = np.roll(noise(), moved, (0, 1))
        height = np.roll(relief.height, moved, (0, 1))
        units = np.roll(relief.units, moved, (0, 1))
        detail = maps.fine_detail(picture, units, pitch)
        bumpy = maps.height_map(height, detail, material.relief or 0.0, pitch)
        return [
            bumpy.astype(float) * 1e4,
            maps.normal_map(bumpy, pitch).astype(float),
            maps.roughness_map("glazed", detail, units).astype(float),
            maps.occlusion_map(bumpy, material.relief or 0.0, pitch).astype(float),
        ]

    for still, moved in zip(made((0, 0)), made(shift), strict=True):
        assert np.abs(np.roll(still, shift, (0, 1)) - moved).max() <= 1.0
        assert still.std() > 0.1


def test_enlarging_wraps() -> None:
    picture = noise(48)
    larger = maps.enlarged(picture, 144)
    moved = maps.enlarged(np.roll(picture, (7, 20), (0, 1)), 144)
    assert larger.shape == (144, 144, 3)
    assert np.array_equal(np.roll(larger, (21, 60), (0, 1)), moved)
    assert abs(larger.mean() - picture.mean()) < 1.0
    assert maps.enlarged(picture, 48) is picture


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_picture_never_overrules_the_relief(pattern: str) -> None:
    material = Material(size=1.2, pixels=256, pattern=pattern).filled("")  # type: ignore[arg-type]
    relief = lay(material, 256)
    pitch = material.size / 256
    # The worst picture: joints glare and bricks are black, with noise on them.
    picture = noise(256) // 4
    picture[relief.units == JOINT] += 190
    detail = maps.fine_detail(picture, relief.units, pitch)
    assert np.abs(detail).max() <= 1.0
    height = maps.height_map(relief.height, detail, material.relief or 0.0, pitch)
    assert abs(height.mean()) < 1e-6
    change = height - relief.height
    most = min(0.2 * (material.relief or 0.0), 0.002, 0.5 * pitch)
    assert np.abs(change - change.mean()).max() <= 2.001 * most
    joint = relief.units == JOINT
    if joint.any():
        deepest = relief.height < relief.height.min() + 0.1 * (material.relief or 0.0)
        assert height[deepest].max() < np.median(height[~joint])
        # Light mortar is no higher mortar.
        assert abs(float(detail[joint].mean())) < 0.2


@pytest.mark.parametrize(
    ("prompt", "low", "high"),
    [
        ("red brick", 0.75, 0.9),
        ("glazed brick", 0.1, 0.3),
        ("standing seam zinc", 0.35, 0.5),
        ("polished marble", 0.1, 0.3),
    ],
)
def test_words_say_how_rough_it_is(prompt: str, low: float, high: float) -> None:
    units = np.zeros((SIDE, SIDE), np.int32)
    units[:20] = JOINT
    rough = maps.roughness_map(prompt, np.zeros((SIDE, SIDE), np.float32), units) / 255.0
    assert low < rough[30:].mean() < high
    assert rough[:20].mean() > 0.85
