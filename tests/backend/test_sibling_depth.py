"""Which file beside a picture is its depth."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest
from maquette.depth_files import sibling_depth, without_depth_files
from maquette_wire.errors import MaquetteError


def touched(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return paths


@pytest.mark.parametrize(
    "name",
    [
        "house_depth.exr",
        "house-depth.npy",
        "house.depth.png",
        "house_z.tif",
        "house_zdepth.tiff",
        "depth_house.exr",
        "HOUSE_Depth.EXR",
        "depth/house.exr",
        "Depth/house.PNG",
        "depth/house_depth.npy",
    ],
)
def test_a_depth_file_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    picture, other, depth = touched(tmp_path, "house.jpg", "garage.jpg", name)
    assert sibling_depth(picture) == depth
    assert sibling_depth(other) is None
    assert without_depth_files([picture, other, depth]) == [picture, other]


@pytest.mark.parametrize(
    "name", ["house.exr", "house_depth.jpg", "house2_depth.exr", "z_house.exr", "depths/house.exr"]
)
def test_other_files_are_none(tmp_path: Path, name: str) -> None:
    picture, other = touched(tmp_path, "house.jpg", name)
    assert sibling_depth(picture) is None
    assert without_depth_files([picture, other]) == [picture, other]


def test_a_depth_file_without_its_picture_is_a_picture(tmp_path: Path) -> None:
    depth, other = touched(tmp_path, "house_depth.png", "garage.png")
    assert without_depth_files([depth, other]) == [depth, other]
    assert sibling_depth(depth) is None


def test_two_candidates_are_named(tmp_path: Path) -> None:
    picture, _, _ = touched(tmp_path, "house.png", "house_depth.exr", "house-depth.npy")
    with pytest.raises(MaquetteError, match=r"house\.png .*house-depth\.npy and .*_depth\.exr"):
        sibling_depth(picture)


def test_accents_are_the_same_in_either_spelling(tmp_path: Path) -> None:
    names = [unicodedata.normalize("NFD", "Süd.png"), unicodedata.normalize("NFC", "Süd_depth.exr")]
    picture, depth = touched(tmp_path, *names)
    assert sibling_depth(picture) == depth


def test_a_folder_is_no_depth_and_a_missing_one_no_error(tmp_path: Path) -> None:
    (picture,) = touched(tmp_path, "house.png")
    (tmp_path / "house_depth.exr").mkdir()
    assert sibling_depth(picture) is None
    assert sibling_depth(tmp_path / "nowhere" / "house.png") is None


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    (picture,) = touched(tmp_path, "house.png")
    assert sibling_depth(picture) is None
    time.sleep(0.02)  # a file system's clock is coarse
    (depth,) = touched(tmp_path, "house_depth.exr")
    assert sibling_depth(picture) == depth
