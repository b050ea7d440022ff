"""`maquette evaluate`: its measures on pictures whose quality is known, and the whole command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from maquette import cli
from maquette.edges import depth_edges, edge_recall
from maquette.evaluate import judge as judging
from maquette.evaluate.cases import PROMPTS, Shown, capture_of, renders_of, spread, view_of
from maquette.evaluate.measures import (
    diversity,
    kernel_distance,
    openings_followed,
    plane_edges,
)
from maquette.train.scenes import WALL, Dataset
from maquette_wire import container
from maquette_wire.capture import frames_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Submit
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.scenes import massing
from tests.backend.train.synthetic import LIGHTS, WALLS, write_dataset, write_scene

SIZE = 128


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = write_dataset(tmp_path_factory.mktemp("data"), 31, size=SIZE)
    write_scene(folder, 41, SIZE, "type")
    found = Dataset(folder)
    found.refresh()
    return found


def test_a_scenes_view_is_the_camera_it_was_cast_with(dataset: Dataset):
    """The ground lies flat at height 0 when depth is unprojected with the View."""
    scene = dataset.scene(dataset.names[0])
    view = capture_of(scene).view
    rows, columns = np.nonzero(scene.parts == 1)
    ndc = np.stack([2 * (columns + 0.5) / SIZE - 1, 1 - 2 * (rows + 0.5) / SIZE])
    projection = np.reshape(view.projection_matrix, (4, 4))
    depth = scene.depth[rows, columns].astype(np.float64)
    across = depth * (ndc[0] + projection[0, 2]) / projection[0, 0]
    up = depth * (ndc[1] + projection[1, 2]) / projection[1, 1]
    points = np.stack([across, up, -depth, np.ones_like(depth)])
    world = np.linalg.inv(np.reshape(view.view_matrix, (4, 4))) @ points
    assert np.abs(world[2]).max() < 1e-3 * depth.max()


def test_an_elevations_view_has_its_scale_and_shift():
    camera = {
        "kind": "orthographic", "lens_mm": None, "sensor_mm": None, "shift_x": 0.1, "shift_y": 0.0,
        "ortho_scale": 20.0, "matrix_world": np.eye(4).tolist(),
    }  # fmt: skip
    view = view_of(camera, 200, 100, "elevation")
    projection = np.reshape(view.projection_matrix, (4, 4))
    # The shift of a tenth of 20 m moves the middle of the picture to x = 2 m.
    assert projection @ (2.0, 0.0, -5.0, 1.0) == pytest.approx((0.0, 0.0, -1.0, 1.0), abs=2e-2)
    assert (projection @ (12.0, 5.0, -5.0, 1.0))[:2] == pytest.approx((1.0, 1.0))


def test_finished_renders_keep_edges_that_other_scenes_lack(dataset: Dataset):
    scenes = [dataset.scene(name) for name in dataset.names[:4]]
    for index, scene in enumerate(scenes):
        other = scenes[index - 1]
        picture = scene.finishes[0].picture
        own = edge_recall(scene.depth, capture_of(scene).view, picture)
        wrong = edge_recall(other.depth, capture_of(other).view, picture)
        assert own.silhouettes is not None and wrong.silhouettes is not None
        assert own.silhouettes > 0.8 > wrong.silhouettes
    assert depth_edges(scenes[0].depth, capture_of(scenes[0]).view)[0].any()


def test_edges_within_planes_are_told_from_the_massings_own(dataset: Dataset):
    scene = dataset.scene(dataset.names[1])
    blank = np.zeros((SIZE, SIZE, 3), np.uint8)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    windows = plane_edges(scene.finishes[0].picture, scene.edges, scene.parts)
    invented = plane_edges(noise, scene.edges, scene.parts)
    assert plane_edges(blank, scene.edges, scene.parts) == 0.0
    assert windows is not None and windows > 0.0
    assert invented is not None and invented > 0.0
    assert plane_edges(blank, scene.edges, np.zeros_like(scene.parts)) is None


def test_openings_are_followed_where_the_picture_has_them():
    holes = np.zeros((64, 64))
    holes[10:20, 10:20] = holes[10:20, 30:40] = holes[40:50, 10:20] = 1.0
    picture = np.where(holes[..., None] > 0.5, (250, 220, 150), (120, 60, 50)).astype(np.uint8)
    assert openings_followed(picture, holes) == 1.0
    assert openings_followed(np.roll(picture, 9, 1), holes) == pytest.approx(0.5, abs=0.35)
    assert openings_followed(np.full_like(picture, 90), holes) == 0.0
    assert openings_followed(picture, np.zeros_like(holes)) is None


def test_a_kernel_distance_grows_with_the_difference_of_two_sets():
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 200, 16))
    assert abs(kernel_distance(left, right)) < 0.1
    assert kernel_distance(left, right + 1.0) > kernel_distance(left, right + 0.5) > 0.2
    with pytest.raises(ValueError, match="two pictures"):
        kernel_distance(left[:1], right)


def test_diversity_is_nothing_for_equal_pictures():
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert diversity([grey, grey]) == 0.0
    assert diversity([grey, grey + 10, grey]) == pytest.approx(20 / 3)


def test_a_spread_is_even():
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread([1, 2], 5) == [1, 2]


@pytest.fixture(scope="module")
def judge(dataset: Dataset) -> judging.Judge:
    def shown(names: list[str]) -> list[Shown]:
        return [one for name in names for one in renders_of(dataset.scene(name))]

    return judging.train_judge(shown(dataset.names), shown(dataset.held_out), 160)


def test_the_judge_knows_renders_that_it_never_saw(judge: judging.Judge):
    assert judge.accuracy["light"] > 0.9 and judge.accuracy["ground"] > 0.9
    assert judge.accuracy["wall"] > 0.6


def test_the_judge_does_not_take_one_thing_for_another(judge: judging.Judge, dataset: Dataset):
    shown = [one for name in dataset.held_out for one in renders_of(dataset.scene(name))]
    swapped = {"day": "dusk", "dusk": "day"}
    assert set(swapped) == set(LIGHTS) and len(WALLS) == 3
    lies = [replace(one, attributes={"light": swapped[one.attributes["light"]]}) for one in shown]
    assert judge.right(lies)["light"] < 0.1
    unknown = replace(shown[0], attributes={"light": None, "wall": "marble"})
    assert judge.right([unknown]) == {}


def test_walls_and_ground_are_judged_where_they_are_in_sight(
    judge: judging.Judge, dataset: Dataset
):
    """The part of the picture that is the wall decides: what lies elsewhere is no wall."""
    (shown, *_) = (
        one
        for name in dataset.names
        for one in renders_of(dataset.scene(name))
        if one.attributes["wall"] == "red brick" and (one.parts == WALL).mean() > 0.15
    )
    assert judge.taken_for([shown])["wall"] == ["red brick"]
    bare = replace(shown, parts=np.zeros_like(shown.parts))
    assert judge.taken_for([bare])["wall"] == judge.taken_for([bare])["ground"] == [None]
    assert judge.taken_for([bare])["light"] == [shown.attributes["light"]]


def test_a_judge_is_the_same_after_a_restart(judge: judging.Judge, tmp_path: Path):
    path = tmp_path / "judge.safetensors"
    judging.save_judge(judge, path)
    again = judging.load_judge(path)
    picture = [np.full((32, 32, 3), 90, np.uint8)]
    assert np.array_equal(again.features(picture), judge.features(picture))
    assert again.accuracy == judge.accuracy
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(MaquetteError, match="can't be used") as caught:
        judging.load_judge(path)
    assert "Delete it" in caught.value.hint


def test_the_command_measures_the_pocket_model(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    options = ["--data", str(dataset.folder), "--out", str(tmp_path / "out"), "--scenes", "2"]
    own = [massing(96, 96, name="street"), massing(96, 96, turn=25.0, name="corner")]
    headers, buffers = frames_of(own)
    submit = Submit(
        job="0" * 32, recipe=Recipe(prompt=""), views=tuple(c.view for c in own), frames=headers
    )
    container.write(tmp_path / "own.maquette", submit, buffers)
    options += ["--captures", str(tmp_path / "own.maquette")]
    assert cli.main(["evaluate", "pocket", *options, "--device", "cpu", "--judge-steps", "5"]) == 0
    record = json.loads((tmp_path / "out" / "figures.json").read_text("utf-8"))
    figures = {row["name"]: row for row in record["figures"]}
    silhouettes = figures["silhouettes within 2 px"]
    assert silhouettes["renders"] > silhouettes["model"] > silhouettes["wrong"] >= 0.0
    assert 0.0 <= figures["light as asked"]["model"] <= 1.0
    assert figures["seconds a picture"]["model"] > 0.0
    assert 15.0 < figures["renders through the autoencoder, dB"]["model"] < 60.0
    lights = [each for each in record["taken_for"] if each["attribute"] == "light"]
    assert [sum(each["seen"].values()) for each in lights] == [2] * len(PROMPTS)
    assert record["recipe"]["model_hash"] and record["prompts"] == [p.text for p in PROMPTS]
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        assert sheet.width // (len(PROMPTS) + 2) == (sheet.height - 40) // 2
    edges = figures["silhouettes within 2 px on captures"]
    assert edges["model"] > edges["wrong"] and edges["renders"] is None
    sheets = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert sheets == {"sheet.png", "captures.png", "geometry.png", "strength.png"}
    printed = capsys.readouterr().out
    assert "FINISHED RENDERS" in printed and str(tmp_path / "out") in printed


def test_a_judge_that_cannot_be_saved_is_one_sentence(judge: judging.Judge, tmp_path: Path):
    with pytest.raises(MaquetteError, match="could not be written"):
        judging.save_judge(judge, tmp_path / "gone" / "judge.safetensors")


@pytest.mark.parametrize(("content", "said"), [(None, "no file"), (b"no capture", "own.maquette")])
def test_captures_that_cannot_be_read_are_named(
    dataset: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    said: str,
):
    path = tmp_path / "own.maquette"
    if content is not None:
        path.write_bytes(content)
    options = ["--data", str(dataset.folder), "--out", str(tmp_path / "out")]
    assert cli.main(["evaluate", "pocket", *options, "--captures", str(path)]) == 1
    assert said in capsys.readouterr().err


def test_too_few_held_out_scenes_are_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = write_dataset(tmp_path / "data", 3)
    options = ["--data", str(folder), "--out", str(tmp_path / "out")]
    assert cli.main(["evaluate", "pocket", *options]) == 1
    assert "1 scenes held out" in capsys.readouterr().err


def test_a_model_that_is_not_there_is_named_before_anything_is_painted(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    options = ["--data", str(dataset.folder), "--out", str(tmp_path / "out")]
    assert cli.main(["evaluate", "nowhere", *options]) == 1
    assert "There is no model 'nowhere'" in capsys.readouterr().err
