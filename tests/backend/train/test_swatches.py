"""Swatches: a dataset of materials that the trainer reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from maquette.train.scenes import Dataset
from maquette.train.stuffs import STUFFS
from maquette.train.swatches import scene_of, write_swatches


def test_a_folder_of_swatches_is_a_dataset(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_swatches(tmp_path, range(48, 52), 128, lambda done, count: told.append((done, count)))
    assert told[-1] == (4, 4)
    dataset = Dataset(tmp_path)
    assert dataset.refresh() == ["scene_000048", "scene_000049", "scene_000051"]
    assert dataset.held_out == ["scene_000050"]
    scene = dataset.scene("scene_000051")
    assert scene.depth.shape == (128, 128) and np.isfinite(scene.depth).all()
    for finish in scene.finishes:
        assert finish.picture.shape == (128, 128, 3)
        stuff, color = finish.attributes["stuff"], finish.attributes["color"]
        assert all(stuff in caption for caption in finish.captions)
        assert all(color in caption for caption in finish.captions[:2])
        # Only what a material is by default may go without its colour.
        usual = color == next(iter(STUFFS[stuff].colors))
        assert usual == any(color not in caption for caption in finish.captions)


def test_swatches_that_are_there_are_kept(tmp_path: Path) -> None:
    write_swatches(tmp_path, range(1, 2), 128, lambda done, count: None)
    file = tmp_path / "scene_000001.npz"
    before = file.stat().st_mtime_ns
    write_swatches(tmp_path, range(1, 3), 128, lambda done, count: None)
    assert file.stat().st_mtime_ns == before and (tmp_path / "scene_000002.npz").is_file()


def test_the_same_seed_gives_the_same_swatch_and_another_another() -> None:
    first, again, other = (scene_of(seed, 128) for seed in (5, 5, 5 + len(STUFFS)))
    assert all(np.array_equal(first[0][name], again[0][name]) for name in first[0])
    assert first[1] == again[1]
    assert (
        first[1]["finishes"][0]["attributes"]["stuff"]
        == (other[1]["finishes"][0]["attributes"]["stuff"])
    )
    assert not np.array_equal(first[0]["finishes"], other[0]["finishes"])


def test_every_material_has_its_turn_and_its_colour() -> None:
    """Red is redder than it is blue, white is bright, dark is dark, on average."""
    means: dict[str, list[np.ndarray]] = {}
    stuffs = set()
    for seed in range(3 * len(STUFFS)):
        arrays, meta = scene_of(seed, 128)
        for picture, described in zip(arrays["finishes"], meta["finishes"], strict=True):
            stuffs.add(described["attributes"]["stuff"])
            means.setdefault(described["attributes"]["color"], []).append(picture.mean((0, 1)))
    assert stuffs == set(STUFFS)
    color = {name: np.mean(values, 0) for name, values in means.items()}
    assert color["red"][0] > 1.3 * color["red"][2]
    assert color["white"].mean() > 200 > 100 > color["dark"].mean()
    assert color["green"][1] > color["green"][0]
