"""The command that saves a copy of a file with a texture on it, for a shell."""

# Blender's stubs call optional what these scenes have.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false

from __future__ import annotations

import hashlib
from pathlib import Path

import bpy
import numpy as np
import pytest
from maquette_wire import container, metadata, png
from maquette_wire.capture import captures_of
from maquette_wire.messages import Submit, Texture
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.surface import Surface, surface_of

from blender_addon import command, layers, texture_command, textures
from tests.blender_addon.capture import scenes
from tests.blender_addon.conftest import arrived, turn
from tests.blender_addon.textured_scene import looks

RECIPE = Recipe(prompt="brick", seed=4)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A file with two houses that share a mesh, a picture on ground, and an instance."""
    scenes.box((0, 0, -0.05), (400, 400, 0.1), "Ground")
    one = scenes.box((0, 0, 5), (10, 10, 10), "House")
    other = bpy.data.objects.new("Annex", one.data)
    other.location = (20, 0, 0)
    bpy.context.scene.collection.objects.link(other)
    kit = bpy.data.collections.new("Kit")
    column = scenes.box((0, 0, 1), (1, 1, 2), "Column")
    bpy.context.scene.collection.objects.unlink(column)
    kit.objects.link(column)
    copy = bpy.data.objects.new("Copy", None)
    copy.instance_type, copy.instance_collection = "COLLECTION", kit
    copy.location = (0, 20, 0)
    bpy.context.scene.collection.objects.link(copy)
    (tmp_path / "scene").mkdir()
    png.write(tmp_path / "scene" / "lawn.png", bytes(3 * 16), 4, 4)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene" / "house.blend"))
    image = bpy.data.images.load("//lawn.png")
    image.use_fake_user = True
    bpy.ops.wm.save_mainfile()
    return Path(bpy.data.filepath)


def textured(folder: Path, *words: str) -> list[str]:
    """Capture the surface, paint a texture for each tile, and lay it on; the words of the second
    command."""
    folder.mkdir()
    surface = folder / "s.npz"
    views = ["--around", "1", "--long-side", "64", "--output", str(folder / "c.maquette")]
    assert command.main(["--surface", str(surface), *views, *words]) == 0
    with np.load(surface) as file:
        tiles = 3 if "--each" in words else 1
        assert len(file["objects"]) == 36
    found = ["--surface", str(surface)]
    for tile in range(tiles):
        path = folder / (f"t.{1001 + tile}.png" if tiles > 1 else "t.png")
        text = metadata.texts(RECIPE, software="test")
        png.write(path, bytes([200, 60, 20 + tile]) * 64**2, 64, 64, text)
        found += ["--texture", str(path)]
    return found


@pytest.mark.parametrize("words", [(), ("--each",)])
def test_the_copy_has_the_texture_and_the_file_stays(
    scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
):
    before = hashlib.sha256(scene.read_bytes()).digest()
    target = tmp_path / "out" / "copy.blend"
    given = textured(tmp_path / "out", *words)
    capfd.readouterr()
    assert texture_command.main([*given, "--output", str(target)]) == 0
    assert "Without the texture in copy.blend: Copy. Instances" in capfd.readouterr().err
    assert hashlib.sha256(scene.read_bytes()).digest() == before
    bpy.ops.wm.open_mainfile(filepath=str(target))
    (layer,) = layers.layers()
    image = layers.image_of(layer)
    assert image.filepath == ("//t.<UDIM>.png" if words else "//t.png"), "moves with the copy"
    assert tuple(image.size) == (64, 64) and image.name == "Texture – brick – seed 4"
    for name in ("House", "Annex"):
        assert looks(name)[1] == {layer.name}
    assert bpy.data.objects["House"].data == bpy.data.objects["Annex"].data
    assert {thing.name for thing, _ in layers.modifiers(layer)} == {"House", "Annex"}
    lawn = Path(bpy.path.abspath(bpy.data.images["lawn.png"].filepath))
    assert lawn.resolve() == (scene.parent / "lawn.png").resolve(), "other files are found again"


def with_job(given: list[str]) -> list[str]:
    """The words, with a job as well: the views' pictures are grey, the texture has 16 bits."""
    folder = Path(given[1]).parent
    submit, frames = container.read(folder / "c.maquette", kind=Submit)
    captures = captures_of(submit, frames)
    texture = Texture(size=64, objects=(36,), origin=(0.0, 0.0, 0.0), bits=16)
    with np.load(given[1]) as file:
        corners, uvs = (file[name].astype(np.float32) for name in ("corners", "uvs"))
    grey = {n: np.full((64, 64, 3), 90, np.uint8) for n, _ in enumerate(captures)}
    packet = submission(RECIPE, captures, Surface(texture, corners, uvs), grey)
    container.write(folder / "j.maquette", packet.message, packet.frames)
    return [*given, "--job", str(folder / "j.maquette")]


def test_the_copy_can_be_baked_again_also_where_it_was_moved(
    session, server, scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    target = tmp_path / "out" / "copy.blend"
    given = with_job(textured(tmp_path / "out"))
    capfd.readouterr()
    assert texture_command.main([*given, "--output", str(target)]) == 0
    assert "press Bake Again in Blender" in capfd.readouterr().err
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    bpy.ops.wm.open_mainfile(filepath=str(moved / "copy.blend"))
    (layer,) = layers.layers()
    folder = layers.folder_of(layer)
    assert folder == moved / "t"
    (picture,) = folder.glob("view-*.png")
    assert (textures.pixels_of(picture, 64, 64) == 90).all()
    assert metadata.read(picture).recipe == RECIPE
    png.write(picture, bytes([10, 250, 30]) * 64**2, 64, 64)
    assert bpy.ops.maquette.bake_again(layer=layer.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    packet = [p for p in server.packets if isinstance(p.message, Submit)][-1]
    surface, sent = surface_of(packet.message, packet.frames)
    assert surface is not None and surface.texture.bits == 16
    assert [np.asarray(each).reshape(-1, 3)[0].tolist() for each in sent.values()] == [
        [10, 250, 30]
    ], "the retouched picture of the view, and nothing is painted"
    assert layers.layers() == [layer] and layers.folder_of(layer) == folder
    baked = Path(bpy.path.abspath(layers.image_of(layer).filepath))
    assert baked == folder / "texture.png" and baked.read_bytes()[24] == 16
    assert (moved / "t.png").is_file(), "the texture of before stays"
    assert bpy.ops.maquette.bake_again(layer=layer.name) == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert layers.image_of(layer).filepath.endswith("texture-2.png")


def test_a_copy_that_can_t_be_saved_leaves_no_folder(scene: Path, tmp_path: Path):
    given = with_job(textured(tmp_path / "out"))
    before = sorted((tmp_path / "out").iterdir())
    assert texture_command.main([*given, "--output", str(tmp_path / "no" / "copy.blend")]) == 1
    assert sorted((tmp_path / "out").iterdir()) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "s.npz").write_bytes(b"PK"), "can't be read"),
        (lambda folder: (folder / "t.png").unlink(), "There is no file"),
        (lambda folder: (folder / "t.png").write_bytes(b"no"), "is not a PNG file"),
    ],
)
def test_what_is_wrong_is_one_line(
    scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], change, said: str
):
    given = textured(tmp_path / "out")
    change(tmp_path / "out")
    capfd.readouterr()
    assert texture_command.main([*given, "--output", str(tmp_path / "out" / "copy.blend")]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("maquette: ") and said in last


def test_a_folder_that_is_not_there_is_said(
    scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    given = textured(tmp_path / "out")
    assert texture_command.main([*given, "--output", str(tmp_path / "no" / "copy.blend")]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("maquette: The scene could not be saved as") and "copy.blend" in last


def test_a_texture_too_few_is_said(scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    given = textured(tmp_path / "out", "--each")[:-2]
    assert texture_command.main([*given, "--output", str(tmp_path / "copy.blend")]) == 1
    assert "The surface has 3 tiles, and 2 textures were given" in capfd.readouterr().err
