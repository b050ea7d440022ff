"""What is needed to make a picture again, and how the new one is held against the old."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from maquette import replays
from maquette.blender import Blender
from maquette.extension import Extension
from maquette.outputs import SOFTWARE
from maquette.sources import Sourced, Sources
from maquette_wire import container, png
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.metadata import Metadata
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source, digest
from maquette_wire.submission import submission
from PIL import Image

from tests.shared.conftest import make_capture

RECIPE = Recipe(prompt="brick", model_hash="ab")
CAPTURE = make_capture()
NAMED = Capture(msgspec.structs.replace(CAPTURE.view, name="A"), CAPTURE.color, CAPTURE.depth)
SOURCE = Source(file="/m/house.blend", sha256="1", capture=digest(NAMED), view="A")


def _keep(folder: Path, *captures: Capture, name: str = SOURCE.capture) -> Path:
    path = replays.kept_path(folder, name)
    path.parent.mkdir(exist_ok=True)
    container.write(path, *submission(RECIPE, captures))
    return path


def _now(**fields: object) -> Sourced:
    """What the source gives now: a View and a Source with other fields than then."""
    view = {name: value for name, value in fields.items() if hasattr(NAMED.view, name)}
    source = {name: value for name, value in fields.items() if hasattr(SOURCE, name)}
    seen = msgspec.structs.replace(NAMED.view, **view)
    capture = Capture(
        seen, bytes(seen.width * seen.height * 3), bytes(seen.width * seen.height * 4)
    )
    return Sourced(capture, msgspec.structs.replace(SOURCE, **{"capture": "new", **source}))


def test_a_kept_capture_is_taken_where_it_is_the_one(tmp_path: Path):
    picture = tmp_path / "a.png"
    assert replays.kept_capture(picture, SOURCE) is None
    path = _keep(tmp_path, NAMED)
    assert path == tmp_path / "captures" / f"{SOURCE.capture[:16]}.maquette"
    kept = replays.kept_capture(picture, SOURCE)
    assert kept is not None and digest(kept) == SOURCE.capture


@pytest.mark.parametrize("captures", [[CAPTURE], [NAMED, NAMED]])
def test_another_capture_under_its_name_is_not(tmp_path: Path, captures: list[Capture]):
    _keep(tmp_path, *captures)
    assert replays.kept_capture(tmp_path / "a.png", SOURCE) is None


def test_a_damaged_one_is_not(tmp_path: Path):
    path = _keep(tmp_path, NAMED)
    path.write_bytes(path.read_bytes()[:-9])
    assert replays.kept_capture(tmp_path / "a.png", SOURCE) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sha256": "2"}, ["house.blend has other content"]),
        (
            {"sha256": "2", "view_matrix": (2.0, *NAMED.view.view_matrix[1:])},
            ["house.blend has other content", "the camera 'A' stands elsewhere"],
        ),
        ({"kind": "orthographic"}, ["the camera 'A' has another lens"]),
        ({"width": 9}, ["it has 9 x 24 pixels and had 32 x 24"]),
        ({"view": None}, ["house.blend is as it was, but is read in another way"]),
        ({"capture": SOURCE.capture, "sha256": "2"}, []),
    ],
)
def test_what_has_changed_is_named(fields: dict[str, object], said: list[str]):
    source = msgspec.structs.replace(SOURCE, view=fields.get("view", "A"))
    assert replays.changes(source, NAMED.view, _now(**fields)) == said


def test_another_blender_or_another_estimator_is_named():
    (said,) = replays.changes(SOURCE, NAMED.view, _now())
    assert "this Blender draws it otherwise" in said and "--blender" in said
    source = msgspec.structs.replace(SOURCE, view=None, estimator="pocket")
    (said,) = replays.changes(source, NAMED.view, _now())
    assert said == "the model 'pocket' estimates another depth"


def test_a_changed_depth_map_is_named():
    source = msgspec.structs.replace(SOURCE, depth="/m/d.exr", depth_sha256="3")
    now = _now(depth="/m/d.exr", depth_sha256="4")
    assert replays.changes(source, NAMED.view, now) == ["d.exr has other content"]


def test_a_moved_picture_is_found_and_its_depth_map_beside_it(tmp_path: Path):
    (tmp_path / "new.png").touch()
    (tmp_path / "d.exr").touch()
    source = msgspec.structs.replace(SOURCE, file="/gone/old.png", depth="/gone/d.exr")
    found = replays.moved(source, tmp_path / "new.png")
    assert (found.file, found.depth) == (str(tmp_path / "new.png"), str(tmp_path / "d.exr"))
    with pytest.raises(MaquetteError, match=r"/gone/old\.png.*--source"):
        replays.moved(source, None)
    (tmp_path / "d.exr").unlink()
    with pytest.raises(MaquetteError, match=r"d\.exr, which .* put the depth map beside it"):
        replays.moved(source, tmp_path / "new.png")


def test_a_picture_is_captured_again_also_under_another_name(tmp_path: Path):
    pixels = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3)
    Image.fromarray(pixels).save(tmp_path / "old.png")
    levels = np.arange(1, 48 * 64 + 1, dtype=np.uint16).reshape(48, 64)
    Image.fromarray(levels).save(tmp_path / "d.png")
    sources = Sources(Home(tmp_path / "home"), print)
    first = sources.of_picture(tmp_path / "old.png", tmp_path / "d.png", metres_per_level=0.01)
    (tmp_path / "old.png").rename(tmp_path / "new.png")
    source = replays.moved(first.source, tmp_path / "new.png")
    _keep(tmp_path, first.capture, name=source.capture)
    assert replays.kept_capture(tmp_path / "a.png", source) is not None
    again = replays.captured_again(sources, source, first.capture.view)
    assert again.source.capture == first.source.capture
    assert replays.changes(first.source, first.capture.view, again) == []
    assert again.source.metres_per_level == 0.01


@pytest.mark.parametrize(
    ("name", "opening", "words"),
    [
        ("house.blend", (), ["--size=768x512", "--camera=-A b", "--frame=-3"]),
        (
            "house.glb",
            ("--up", "z"),
            ["--size=768x512", "--all-cameras", "--up", "z", "--frame=-3"],
        ),
        ("house.blend", ("--around", "2"), ["--size=768x512", "--around", "2", "--frame=-3"]),
    ],
)
def test_a_view_is_asked_for_as_it_was(
    monkeypatch, tmp_path: Path, name: str, opening: tuple[str, ...], words: list[str]
):
    """By its camera's name; a model's own views, and those from around, are found among all."""
    (tmp_path / name).touch()
    wanted = Capture(msgspec.structs.replace(NAMED.view, name="-A b"), NAMED.color, NAMED.depth)
    asked: list[list[str]] = []
    found = Blender(tmp_path, True, (4, 5, 0))
    monkeypatch.setattr(Extension, "find", lambda home, *_: Extension(found, tmp_path, home))
    monkeypatch.setattr(
        Extension,
        "capture",
        lambda _self, _scene, words, _say: asked.append(words) or [NAMED, wanted],
    )
    file = str(tmp_path / name)
    source = msgspec.structs.replace(SOURCE, file=file, view="-A b", frame=-3, opening=opening)
    made = Sources(Home(tmp_path), print).again(source, (768, 512))
    assert asked == [words]
    assert made.capture is wanted and made.source.opening == opening
    with pytest.raises(MaquetteError, match="no view 'gone'"):
        gone = msgspec.structs.replace(source, view="gone")
        Sources(Home(tmp_path), print).again(gone, (768, 512))


def _verdict(tmp_path: Path, after: np.ndarray, changed: list[str] | None = None, **fields) -> str:
    before = np.full((6, 8, 3), 100, np.uint8)
    png.write(tmp_path / "a.png", before.tobytes(), 8, 6)
    recipe = msgspec.structs.replace(RECIPE, **fields.get("then", {}))
    said = Metadata(recipe, NAMED.view, SOURCE, fields.get("software", SOFTWARE))
    return replays.verdict(tmp_path / "a.png", said, RECIPE, after, changed or [])


def test_the_same_pixels_are_the_same_to_the_last_bit(tmp_path: Path):
    same = np.full((6, 8, 3), 100, np.uint8)
    assert _verdict(tmp_path, same, ["x"]) == "the same to the last bit"
    same[5, 7, 2] += 1
    assert _verdict(tmp_path, same).startswith("differs, PSNR 69.7 dB: nothing it says")


def test_a_difference_comes_with_what_is_known_of_its_cause(tmp_path: Path):
    other = np.full((6, 8, 3), 110, np.uint8)
    said = _verdict(tmp_path, other, ["it moved"], then={"model_hash": "cd"}, software="Maquette 0")
    assert said == (
        "differs, PSNR 28.1 dB: it moved; the model 'pocket' has other weights now; "
        "it was made by Maquette 0"
    )
    assert "prompts given" in _verdict(tmp_path, other, then={"prompt": ""})


def test_a_picture_of_another_size_is_not_compared(tmp_path: Path):
    said = _verdict(tmp_path, np.zeros((12, 16, 3), np.uint8))
    assert said == "can't be compared: the file has 8 x 6 pixels and the picture made again 16 x 12"


def test_psnr():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert replays.psnr(black, white) == 0.0
    assert replays.psnr(white, white) == math.inf
