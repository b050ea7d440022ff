"""Results on disk: each picture repeats itself, and none replaces another."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from maquette import outputs
from maquette_wire import metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import FrameHeader, Picture, Result
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View
from PIL import Image

IDENTITY = (
    *(1.0, 0.0, 0.0, 0.0),
    *(0.0, 1.0, 0.0, 0.0),
    *(0.0, 0.0, 1.0, 0.0),
    *(0.0, 0.0, 0.0, 1.0),
)
RECIPE = Recipe(prompt="Red brick library, at dusk: wet plaza", seed=4, count=2, model_hash="ab")


def _views(*names: str) -> list[View]:
    return [
        View(view_matrix=IDENTITY, projection_matrix=IDENTITY, width=6, height=4, name=name)
        for name in names
    ]


def _result() -> tuple[Result, list[memoryview]]:
    """Two views of different sizes with two pictures each, and what the model saw."""
    sizes = [(4, 6), (8, 2)]
    pictures, headers, frames = [], [], []
    for view, (height, width) in enumerate(sizes):
        for seed in (4, 5):
            shape = (height, width, 3)
            header = FrameHeader(name="concept", index=len(pictures), dtype="u1", shape=shape)
            headers.append(header)
            frames.append(np.full(shape, 10 * view + seed, np.uint8).data)
            pictures.append(Picture(view=view, seed=seed))
        headers.append(FrameHeader(name="encoded_depth", index=view, dtype="u1", shape=(2, 2)))
        frames.append(np.full((2, 2), 99, np.uint8).data)
    result = Result(job="0" * 32, recipe=RECIPE, pictures=tuple(pictures), frames=tuple(headers))
    return result, frames


def test_each_picture_has_its_own_name_pixels_and_recipe(tmp_path):
    paths = outputs.write_result(*_result(), tmp_path, "church", _views("Street", "church"))
    assert [path.name for path in paths] == [
        "church-Street-Red-brick-library-at-dusk-4.png",
        "church-Street-Red-brick-library-at-dusk-5.png",
        "church-Red-brick-library-at-dusk-4.png",
        "church-Red-brick-library-at-dusk-5.png",
    ]
    assert [np.asarray(Image.open(path)).max() for path in paths] == [4, 5, 14, 15]
    assert [Image.open(path).size for path in paths] == [(6, 4), (6, 4), (2, 8), (2, 8)]
    recipes = [png.read_recipe(path) for path in paths]
    assert [(recipe.seed, recipe.count) for recipe in recipes] == [(4, 1), (5, 1)] * 2
    assert {recipe.model_hash for recipe in recipes} == {"ab"}
    assert '"name":"Street"' in png.read_text(paths[0])[png.VIEW_KEY]


def test_each_picture_names_the_source_of_its_own_view(tmp_path):
    sources = [Source(file=f"/m/{n}.blend", sha256="1", capture=str(n)) for n in range(2)]
    views = _views("Street", "Bird")
    paths = outputs.write_result(*_result(), tmp_path, "church", views, sources=sources)
    found = [metadata.read(path) for path in paths]
    assert [each.source for each in found] == [sources[0]] * 2 + [sources[1]] * 2
    assert [each.view for each in found] == [views[0]] * 2 + [views[1]] * 2
    assert {each.software for each in found} == {outputs.SOFTWARE}


def test_a_prompt_that_is_left_out_is_neither_in_a_file_nor_in_its_name(tmp_path):
    views = _views("Street", "Bird")
    paths = outputs.write_result(*_result(), tmp_path, "church", views, prompt=False)
    assert [path.name for path in paths[:2]] == ["church-Street-4.png", "church-Street-5.png"]
    header = FrameHeader(name="texture", dtype="u1", shape=(2, 2, 3))
    result = Result(job="0" * 32, recipe=RECIPE, pictures=(), frames=(header,))
    textures = outputs.write_texture(
        tmp_path, "x-texture", result, [memoryview(bytes(12))], prompt=False
    )
    for path in (*paths, *textures):
        assert metadata.read(path).prompt_left_out
        assert b"library" not in path.read_bytes()


def test_depth_is_written_on_request(tmp_path):
    paths = outputs.write_result(
        *_result(), tmp_path, "church", _views("Street", "Bird"), depth=True
    )
    assert [path.name for path in paths[-2:]] == [
        "church-Street-depth.png",
        "church-Bird-depth.png",
    ]
    assert np.asarray(Image.open(paths[-1])).tolist() == [[99, 99], [99, 99]]


def test_no_picture_replaces_another(tmp_path):
    first = outputs.write_result(*_result(), tmp_path, "church", _views("Street", "Bird"))
    before = [path.read_bytes() for path in first]
    second = outputs.write_result(*_result(), tmp_path, "church", _views("Street", "Bird"))
    assert not set(first) & set(second)
    assert [path.read_bytes() for path in first] == before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("Kirche: Süd/Ost", "Kirche-Süd-Ost"),
        ("东 立面", "东-立面"),
        ("???", "untitled"),
        ("x" * 500, "x" * 48),
    ],
)
def test_names_come_from_any_text_and_stay_in_the_folder(text, name):
    assert outputs.slug(text) == name


def test_a_folder_that_is_in_the_way_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MaquetteError, match="--output"):
        outputs.prepared(tmp_path / "file" / "concepts")


def test_room_is_looked_for_before_anything_is_painted(tmp_path, small_disk):
    views = [msgspec.structs.replace(view, width=800, height=800) for view in _views("Street")]
    outputs.check_room(small_disk, views)
    with pytest.raises(MaquetteError, match=r"may take 3\.8 MB.*2\.1 MB left.*--output"):
        outputs.check_room(small_disk, views * 2)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with pytest.raises(MaquetteError, match=r"Nothing can be written into the folder.*--output"):
        outputs.check_room(tmp_path / "gone", [])


def test_a_full_disk_is_said_and_leaves_no_half_picture(tmp_path, monkeypatch):
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MaquetteError, match=r"No space left .*same recipe gives the same picture"):
        outputs.write_result(*_result(), tmp_path, "church", _views("Street", "Bird"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_another_program_holds_is_to_be_closed(tmp_path, monkeypatch):
    def held(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(MaquetteError, match=r"manifest.csv can't be written.*Close it in other"):
        outputs.write_bytes(tmp_path / "manifest.csv", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_texture_of_16_bits_has_a_file_for_each_tile(tmp_path):
    values = np.arange(2 * 2 * 3, dtype="<u2").reshape(2, 2, 3) * 5000
    headers = [FrameHeader(name="texture", index=n, dtype="u2", shape=(2, 2, 3)) for n in range(2)]
    result = Result(job="0" * 32, recipe=RECIPE, pictures=(), frames=tuple(headers))
    frames = [memoryview(values.tobytes()), memoryview((values + 7).tobytes())]
    first = outputs.write_texture(tmp_path, "x", result, frames, tiles=(1001, 1012))
    assert [path.name for path in first] == ["x.1001.png", "x.1012.png"]
    for path, wanted in zip(first, (values, values + 7), strict=True):
        # The reader keeps the upper byte of each.
        assert np.array_equal(np.asarray(Image.open(path)), wanted >> 8)
    (tmp_path / "x-2.blend").touch()
    again = outputs.write_texture(tmp_path, "x", result, frames, tiles=(1001, 1012))
    assert again[0].name == "x-3.1001.png", "no name that another file begins with"
