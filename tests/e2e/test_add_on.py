"""The installed extension: Restyle is pressed in every Blender, and by an architect in a window."""

from __future__ import annotations

import io
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from maquette_wire import local, png
from maquette_wire.home import Home
from PIL import Image

from tests.backend.tiny import make_tiny_sd2_depth

from .blenders import run_script
from .conftest import EVERY_WINDOW, InWindow

HOLD_MS = 16.0
"""Processor time of one call of the add-on's timer at most: a frame of a display at 60 Hz."""


def test_restyle_brings_a_concept_into_the_file(
    blender: Path,
    extension: Path,
    home: Path,
    server: local.ServerRecord,
    samples: Path,
    tmp_path: Path,
):
    scene = tmp_path / "house.blend"
    shutil.copy(samples / "gabled_house.blend", scene)
    said = run_script(blender, "press_restyle.py", scene, scene, home=home, extension=extension)
    line = next(line for line in said.splitlines() if line.startswith("USER HAS "))
    user = json.loads(line.removeprefix("USER HAS "))
    assert user["pressed"] == ["FINISHED"], said
    assert user["open"] == 0, said
    assert user["image"] == [128, 96]
    picture = Path(user["file"])
    assert picture.parent == tmp_path / "maquette"
    recipe = png.read_recipe(picture)
    assert (recipe.prompt, recipe.seed, recipe.steps) == ("red brick", 7, 3)
    assert np.asarray(Image.open(picture)).std() > 1
    # What the extension bundles is what it uses.
    for name in ("wire", "zmq"):
        assert str(home) in user[name]


def test_texture_lays_one_on_the_model_that_an_export_has(
    blender: Path,
    extension: Path,
    home: Path,
    server: local.ServerRecord,
    samples: Path,
    tmp_path: Path,
):
    scene, model = tmp_path / "house.blend", tmp_path / "house.glb"
    shutil.copy(samples / "gabled_house.blend", scene)
    words = (scene, scene, model)
    said = run_script(blender, "press_texture.py", *words, home=home, extension=extension)
    line = next(line for line in said.splitlines() if line.startswith("USER HAS "))
    user = json.loads(line.removeprefix("USER HAS "))
    assert user["pressed"] == ["FINISHED"] and user["open"] == 0, said
    assert user["kept"], "the objects' own materials"
    textured = user["textured"]
    assert textured["Main body"] and textured["Main roof"] and not textured["Ground"], user
    (folder,) = (tmp_path / "maquette").iterdir()
    texture = np.asarray(Image.open(folder / "texture.png"))
    assert texture.shape == (1024, 1024, 3) and texture.max(2).min() > 0
    assert png.read_recipe(folder / "texture.png").seed == 7
    data = model.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    (image,) = document["images"]
    view = document["bufferViews"][image["bufferView"]]
    start = 28 + length + view.get("byteOffset", 0)
    exported = Image.open(io.BytesIO(data[start : start + view["byteLength"]])).convert("RGB")
    assert (np.asarray(exported) == texture).all()


@pytest.mark.blender
@pytest.mark.slow
@EVERY_WINDOW
def test_an_architect_restyles_in_a_window_and_goes_on_orbiting(in_window: InWindow):
    visit = in_window("architect.py")
    user = visit.user
    assert user["prompt"] == "red brick church at dusk, wet plaza"
    assert user["orbited"], "the 3D view answers while the server works"
    assert user["states"][0] == "WAITING", "its server had to be started"
    assert user["image"] == user["shown"] == "Concept – Street – seed 12", user
    picture = Path(user["file"])
    assert picture == visit.folder / "maquette" / "concept-street-seed12.png"
    assert png.read_recipe(picture).prompt == user["prompt"]
    assert np.asarray(Image.open(picture)).std() > 1
    assert user["told"] == [] and user["queued"] == 3
    assert user["found by search"] >= 1
    assert max(user["ticks"]) < HOLD_MS, sorted(user["ticks"])[-5:]


@pytest.mark.blender
@pytest.mark.slow
@EVERY_WINDOW
def test_an_architect_textures_the_model_in_a_window(in_window: InWindow):
    user = in_window("texturing.py").user
    views, seen, jobs = user["previewed"]
    assert views == 5 and 0.3 < seen < 1.0 and jobs == 0 and not user["preview_left"]
    assert user["pressed"] == ["Texture"] and user["told"] == []
    assert len(user["layers"]) == 1 and user["colours"] > 0.05
    assert user["undone"] == [], "one step to undo"
    assert user["redone"] == user["layers"]
    # Bake Again lays a retouched picture on, in the layer that is there.
    before, after = user["green"]
    assert before == 0.0 and after > 0.03, user["green"]
    assert user["layers in the end"] == 1 and user["told in the end"] == []
    assert user["matched"][0] == 2 and user["matched"][1][:2] == ["view-1.png", "view-2.png"]
    assert user["laid on as it is"]


def _with_tiny_model(home: Home) -> None:
    make_tiny_sd2_depth(home.models / "tiny", settings={"native_size": 256})


@pytest.mark.blender
@pytest.mark.slow
def test_three_jobs_of_two_cameras_outlive_the_server_in_a_window(in_window: InWindow):
    user = in_window("queueing.py", prepare=_with_tiny_model).user
    street, court, again = (
        "Street: red brick church at dusk",
        "Court: white card model, soft light",
        "Street: red brick church at dusk again",
    )
    assert user["moved"] == [street, again, court]
    assert user["left"] == [street, again], "the last one was cancelled"
    assert user["told"] == ["The server ended and is being started again; no job is lost."]
    assert user["told in the end"] == []
    assert user["recent"] == [[court, "CANCELLED"], [street, "DONE"], [again, "DONE"]]
    prompts = {png.read_recipe(Path(path)).prompt for path in user["pictures"]}
    assert prompts == {"red brick church at dusk", "red brick church at dusk again"}


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_has_a_grid_made_in_a_window(in_window: InWindow):
    visit = in_window("gridding.py")
    user = visit.user
    assert (user["jobs"], user["pictures"]) == (12, 12)
    grid = Path(user["grid"])
    assert user["told"][-1] == f"The grid is {grid}."
    assert grid.parent == visit.folder / "maquette"
    with Image.open(grid) as image:
        width, height = image.size
    assert width > 3 * 256 and height > 4 * 192, "four seeds down, three values of Geometry across"
    assert user["windows"] == 1, "no image editor was open"


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_restyles_in_cramped_and_unusual_views(in_window: InWindow):
    user = in_window("cramped.py").user
    for place in ("high resolution", "local view", "no overlap", "no 3D view"):
        pictures, told = user[place]
        assert len(pictures) == 1 and told == [], (place, user[place])
    pictures, (said,) = user["sliver"]
    assert pictures == [] and "make the 3D view" in said, user["sliver"]


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_goes_through_the_gallery_in_a_window(in_window: InWindow):
    user = in_window("gallery.py").user
    assert user["told"] == [] and user["count"] == 26
    assert user["shown"] == ["Concept – Bird – seed 25", "Concept – Street – seed 24"]
    assert user["datablocks"] == 1, "the one that was shown before is gone"
    assert user["starred"] == ["Bird – seed 25"]
    # A picture drawn over another one has the colours that the editor gives it alone.
    close: Any = {"atol": 3.0}
    (left, right), (other_left, other_right) = user["before"], user["other"]
    assert np.allclose(user["wipe"], [left, other_right], **close), user
    assert np.allclose(user["dragged"], [other_left, other_right], **close), user
    assert np.abs(np.subtract(*user["side"])).max() > 20
    assert np.allclose(user["after"], [left, right], **close)
    # The camera is where it was, and the user's own where they moved it.
    assert user["camera"] == "Bird – seed 25"
    assert user["moved"] - user["height"] == pytest.approx(3.0, abs=0.01)
    assert user["trashed"] == "Bird – seed 25" and user["undone"]
    said = "Also in the gallery of BLEND, so not deleted: 1 file."
    assert user["kept"] and user["said"] == [said], user
    # The view's own eye is shut, and the scene's is open.
    assert np.abs(np.subtract(*user["over"])).max() > 20 and user["eye"], user["over"]
