"""``maquette replay``: a picture made again from its own metadata, through a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from maquette.replays import kept_path
from maquette_wire import container, metadata, png
from maquette_wire.capture import Capture
from maquette_wire.submission import submission
from PIL import Image

from .conftest import Run

QUICK = ("--model", "tiny", "--steps", "2")
SAME = "the same to the last bit"


@pytest.fixture
def render(tmp_path: Path) -> Path:
    """A grey render of a box on the ground, with its depth beside it."""
    depth = np.full((72, 96), np.inf, np.float32)
    depth[40:] = np.linspace(60, 6, 32)[:, None]
    depth[20:60, 30:66] = 20
    np.save(tmp_path / "depth.npy", depth)
    grey = np.full((72, 96, 3), 190, np.uint8)
    grey[20:60, 30:66] = 230
    Image.fromarray(grey).save(tmp_path / "render.png")
    return tmp_path / "render.png"


def _pictures(done: subprocess.CompletedProcess[str]) -> list[Path]:
    assert done.returncode == 0, done.stderr
    return [Path(line) for line in done.stdout.splitlines()]


def _restyled(run: Run, render: Path, *words: object) -> list[Path]:
    depth = ("--depth", render.parent / "depth.npy")
    given = ("--prompt", 'brick, "old" <&>', "--output", render.parent / "out")
    return _pictures(run("restyle", render, *depth, *QUICK, *given, *words))


def _replayed(run: Run, *words: object) -> tuple[Path, str]:
    """The new picture and what was said of it."""
    done = run("replay", *words)
    (path,) = _pictures(done)
    return path, done.stderr.strip().splitlines()[-1]


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_sample_is_made_again_to_the_last_bit_by_every_blender(
    run: Run, blender: Path, extension: Path, samples: Path, tmp_path: Path
):
    """The second seed of the second camera: neither is how the picture alone would be asked for."""
    where = ("--blender", blender, "--extension", extension, "--output", tmp_path / "out")
    words = ("--camera", "Street", "--camera", "Bird", "--long-side", "96", "--count", "2")
    look = (*QUICK, "--prompt", "red brick", "--seed", "8")
    paths = _pictures(run("restyle", samples / "gabled_house.blend", *words, *look, *where))
    picture = next(path for path in paths if path.name == "gabled_house-Bird-red-brick-9.png")
    again, said = _replayed(run, picture, *where)
    assert said == f"maquette: {picture.name}: {SAME}."
    assert again.name == "gabled_house-Bird-red-brick-9-2.png"
    assert np.array_equal(_pixels(picture), _pixels(again))
    assert metadata.read(again) == metadata.read(picture)


def test_a_scene_that_has_changed_is_refused_or_painted_anyway(
    run: Run, one_blender: Path, extension: Path, samples: Path, tmp_path: Path
):
    scene = tmp_path / "model.blend"
    shutil.copy(samples / "gabled_house.blend", scene)
    where = ("--blender", one_blender, "--extension", extension, "--output", tmp_path / "out")
    look = (*QUICK, "--prompt", "brick", "--camera", "Street", "--long-side", "96")
    (picture,) = _pictures(run("restyle", scene, *look, *where))
    shutil.copy(samples / "church.blend", scene)
    done = run("replay", picture, *where)
    assert done.returncode == 1 and not done.stdout
    said = done.stderr.strip().splitlines()[-1]
    assert "model.blend has other content" in said
    assert "the camera 'Street' stands elsewhere" in said and "--anyway" in said
    again, said = _replayed(run, picture, "--anyway", *where)
    assert "differs, PSNR" in said and "model.blend has other content" in said
    assert not np.array_equal(_pixels(picture), _pixels(again))
    moved, said = _replayed(run, picture, "--source", samples / "gabled_house.blend", *where)
    assert said.endswith(f"{SAME}.")
    assert metadata.read(moved).source.file == str(samples / "gabled_house.blend")  # type: ignore


def test_a_picture_with_depth_is_made_again_where_both_are_now(run: Run, render: Path):
    _, second = _restyled(run, render, "--count", "2", "--seed", "5")
    elsewhere = render.parent / "elsewhere"
    elsewhere.mkdir()
    for name in ("render.png", "depth.npy"):
        (render.parent / name).rename(elsewhere / f"{name}")
    (elsewhere / "render.png").rename(elsewhere / "other name.png")
    out = ("--output", render.parent / "again")
    _, said = _replayed(run, second, "--source", elsewhere / "other name.png", *out)
    assert said.endswith(f"{SAME}.")


def test_a_kept_capture_needs_no_source(run: Run, render: Path):
    from maquette.images import read_capture

    (picture,) = _restyled(run, render)
    source = metadata.read(picture).source
    assert source is not None
    capture: Capture = read_capture(render, render.parent / "depth.npy")
    path = kept_path(picture.parent, source.capture)
    path.parent.mkdir()
    container.write(path, *submission(metadata.read(picture).recipe, [capture]))
    for name in ("render.png", "depth.npy"):
        (render.parent / name).unlink()
    _, said = _replayed(run, picture, "--output", render.parent / "again")
    assert said.endswith(f"{SAME}.")


def test_a_prompt_that_was_left_out_makes_the_picture_when_it_is_given(run: Run, render: Path):
    (picture,) = _restyled(run, render, "--negative", "fog", "--leave-out-prompt")
    assert picture.name == "render-0.png"
    assert b"brick" not in picture.read_bytes() and b"fog" not in picture.read_bytes()
    done = run("replay", picture)
    assert done.returncode == 1 and "--prompt" in done.stderr
    words = ("--prompt", 'brick, "old" <&>', "--output", render.parent / "again")
    again, said = _replayed(run, picture, *words, "--negative", "fog")
    assert said.endswith(f"{SAME}.")
    assert b"brick" not in again.read_bytes() and again.name == "render-0.png"
    _, said = _replayed(run, picture, "--prompt", "snow", "--output", render.parent / "again")
    assert "differs" in said and "the prompts given may not be its own" in said


def test_pixels_that_were_changed_since_are_said(run: Run, render: Path):
    (picture,) = _restyled(run, render)
    text, pixels = png.read_text(picture), _pixels(picture).copy()
    pixels[:8] = 0
    png.write(picture, pixels.tobytes(), 96, 72, text)
    _, said = _replayed(run, picture, "--output", render.parent / "again")
    assert "differs, PSNR" in said and "changed since" in said


def test_a_picture_is_shown_with_its_source_and_model(run: Run, render: Path):
    (picture,) = _restyled(run, render)
    done = run("show", "--json", picture)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["recipe"]["prompt"] == 'brick, "old" <&>'
    assert told["model_state"] == "installed"
    assert (told["source"]["state"], told["source"]["depth_state"]) == ("unchanged", "unchanged")
    assert "brick" in run("show", picture).stdout
