"""The massing as a user colours it."""

from __future__ import annotations

import numpy as np
import pytest
from maquette.train.scenes import Scene, read_scene
from maquette.train.tinting import tinted_massing

from tests.backend.train.synthetic import write_scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("data")
    write_scene(folder, 3, 96)
    return read_scene(folder / "scene_000003.npz")


def tinted(scene: Scene, finish: int = 0, count: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [tinted_massing(scene, finish, rng).astype(float) for _ in range(count)]


def test_some_massings_stay_grey(scene: Scene):
    plain = [m for m in tinted(scene) if any(np.array_equal(m, look) for look in scene.massing)]
    assert 4 <= len(plain) <= 36


def test_a_surface_has_the_hue_of_the_finished_picture(scene: Scene):
    lawn = scene.parts == 1
    picture = scene.finishes[0].picture[lawn].mean(0)
    wanted = picture / picture.max()
    looks = {look[lawn].tobytes() for look in scene.massing}
    made = [m[lawn] for m in tinted(scene)]
    means = [m.mean(0) for m in made if m.astype(np.uint8).tobytes() not in looks]
    hues = [mean / mean.max() for mean in means if mean.max() < 250]  # else clipped
    assert hues and np.allclose(hues, wanted, atol=0.03)


def test_the_sky_stays_the_viewports(scene: Scene):
    sky = scene.parts == 0
    assert sky.any()
    looks = {look[sky].tobytes() for look in scene.massing}
    assert all(m[sky].astype(np.uint8).tobytes() in looks for m in tinted(scene))


def test_the_massings_shading_shows(scene: Scene):
    """Faces of one box that are lit differently keep their ratio."""
    wall = scene.parts == 2
    grey = scene.massing[0][wall].astype(float).mean(1)
    assert np.ptp(grey) > 10
    for made in tinted(scene):
        bright = made[wall].max(1)
        for number in np.unique(scene.objects[wall]):
            own = scene.objects[wall] == number
            if np.ptp(grey[own]) > 10 and bright[own].max() < 250:
                assert np.corrcoef(grey[own], bright[own])[0, 1] > 0.95
