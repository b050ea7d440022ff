"""A scene file holds what docs/dataset.md promises, and a damaged one is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from studio.dataset import render_scene, work
from studio.model import Part
from studio.reader import (
    SceneFile,
    SceneFileError,
    read_scene,
    read_scenes,
    scene_path,
    write_scene,
)
from studio.render import Stage

SIZE = 128
SEED = 3


@pytest.fixture(scope="module")
def scene(stage: Stage) -> SceneFile:
    """One rendered scene."""
    return render_scene(stage, SEED, SIZE)


def test_a_scene_has_the_promised_arrays(scene: SceneFile) -> None:
    looks, finishes = scene.massing.shape[0], scene.finishes.shape[0]
    assert scene.massing.shape == (looks, SIZE, SIZE, 3) and scene.massing.dtype == np.uint8
    assert scene.finishes.shape == (finishes, SIZE, SIZE, 3) and scene.finishes.dtype == np.uint8
    assert scene.depth.shape == (SIZE, SIZE) and scene.depth.dtype == np.float32
    assert np.array_equal(np.isinf(scene.depth), scene.parts == 0)
    assert len(scene.meta["looks"]) == looks and len(scene.meta["finishes"]) == finishes
    assert scene.meta["looks"][0] == {"name": "solid", "ground": True}
    json.dumps(scene.meta)


def test_openings_are_holes_in_walls(scene: SceneFile) -> None:
    """They lie on walls alone, and a picture changes at their edges more than within the wall."""
    assert scene.openings.shape == scene.finishes.shape[:3] and scene.openings.dtype == np.uint8
    wall = scene.parts == Part.WALL
    for openings, picture in zip(scene.openings, scene.finishes, strict=True):
        assert 0.02 < (openings[wall] > 127).mean() < 0.98
        assert (openings[~wall] > 127).mean() < 0.01
        steps = np.abs(np.diff(picture.astype(int).sum(-1), axis=1))
        rims = np.abs(np.diff(openings.astype(int), axis=1)) > 127
        within = wall[:, 1:] & wall[:, :-1] & ~rims
        assert steps[rims].mean() > 2.0 * steps[within].mean()


def test_finished_pictures_stay_within_the_massing(scene: SceneFile) -> None:
    """Where the depth map has sky two pixels away from anything, all daylight finishes of a scene
    show sky alone.

    Sky of one light has no vertical edges; a part of a building that stuck out of the massing would
    make one.
    """
    near = np.isfinite(scene.depth)
    for _ in range(3):
        grown = near.copy()
        grown[1:] |= near[:-1]
        grown[:-1] |= near[1:]
        grown[:, 1:] |= near[:, :-1]
        grown[:, :-1] |= near[:, 1:]
        near = grown
    sky = ~near
    assert sky.mean() > 0.15
    for picture, finish in zip(scene.finishes, scene.meta["finishes"], strict=True):
        if finish["attributes"]["style"] != "photo":
            continue
        values = picture.astype(int).sum(-1)
        steps = np.abs(np.diff(values, axis=1))
        inside = sky[:, 1:] & sky[:, :-1]
        assert steps[inside].max() < 60, finish["attributes"]
        outline = (scene.edges & 1).astype(bool)
        ring = outline[:, 1:] & (np.isinf(scene.depth[:, 1:]) ^ np.isinf(scene.depth[:, :-1]))
        assert np.median(steps[ring]) > 20, "the building's outline shows in the picture"


def test_reading_gives_back_what_was_written(scene: SceneFile, tmp_path: Path) -> None:
    path = scene_path(tmp_path, SEED)
    write_scene(path, scene)
    again = read_scene(path)
    for name in (
        "massing",
        "depth",
        "finishes",
        "openings",
        "parts",
        "objects",
        "normals",
        "edges",
    ):
        assert np.array_equal(getattr(again, name), getattr(scene, name)), name
    assert again.meta == scene.meta
    assert [p.name for p, _ in read_scenes(tmp_path, scene.meta["split"])] == [path.name]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_cut_off_file_is_named(scene: SceneFile, tmp_path: Path, keep: float) -> None:
    path = scene_path(tmp_path, SEED)
    write_scene(path, scene)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(SceneFileError, match=path.name):
        read_scene(path)


def test_a_missing_file_and_another_format_are_named(scene: SceneFile, tmp_path: Path) -> None:
    with pytest.raises(SceneFileError, match="does not exist"):
        read_scene(tmp_path / "scene_000009.npz")
    other = SceneFile(**{**vars(scene), "meta": {**scene.meta, "format": 99}})
    write_scene(tmp_path / "scene_000004.npz", other)
    with pytest.raises(SceneFileError, match="format 99"):
        read_scene(tmp_path / "scene_000004.npz")


def test_finished_scenes_are_skipped_and_a_failing_one_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import studio.dataset as dataset
    import studio.render as render

    class NoStage:
        def __init__(self, threads: int) -> None:
            self.closed = False

        def close(self) -> None:
            self.closed = True

    asked = []

    def fail(stage: object, seed: int, resolution: int) -> SceneFile:
        asked.append(seed)
        raise ValueError("no camera sees it")

    monkeypatch.setattr(render, "Stage", NoStage)
    monkeypatch.setattr(dataset, "render_scene", fail)
    scene_path(tmp_path, 1).write_bytes(b"done")
    work(tmp_path, range(3), SIZE)
    assert asked == [0, 2]
    lines = [json.loads(line) for line in (tmp_path / "failed.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [0, 2] and "no camera" in lines[0]["error"]
