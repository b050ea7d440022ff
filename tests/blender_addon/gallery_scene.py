"""A gallery with pictures on disk, as its tests have it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import pytest
from maquette_wire import container, metadata, png
from maquette_wire.recipe import Recipe

from blender_addon import results
from blender_addon.gallery import entries
from blender_addon.results import Saved
from tests.blender_addon.conftest import a_capture, turn


def put_picture(folder: Path, seed: int = 1, name: str = "Street", prompt: str = "brick") -> Saved:
    """A picture in a folder, as the add-on saves one, with its capture."""
    folder.mkdir(parents=True, exist_ok=True)
    capture = a_capture(name)
    recipe = Recipe(prompt=prompt, seed=seed)
    path = results.free_name(folder, f"concept-{results.slug(name)}-seed{seed}")
    kept = path.with_name(f"{path.stem}-capture{container.SUFFIX}")
    text = metadata.texts(recipe, capture.view, software="Maquette")
    png.write(path, bytes([seed % 256]) * (32 * 24 * 3), 32, 24, text)
    results.write_capture(kept, capture, recipe)
    made = f"2026-01-01 {seed // 60:02}:{seed % 60:02}"
    return Saved(path, None, recipe, capture.view, f"job{seed}", kept, results.new_key(), made)


def save_as(path: Path, copy: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=copy)


def files(scene: Any = None, name: str = "path") -> list[Path]:
    """Where a scene's pictures are (the open one's), or their depths or captures."""
    scene = scene or bpy.context.scene
    found = [entries.place(scene, getattr(entry, name)) for entry in scene.maquette.pictures]
    return [path for path in found if path is not None]


def load_scene(blend: str, link: bool) -> None:
    libraries: Any = bpy.data.libraries
    with libraries.load(blend, link=link) as (_there, here):
        here.scenes = ["House"]


def settle(session) -> None:
    """Let the gallery's background work end."""
    session.gallery._looked = 0.0
    session.gallery.look()
    turn(session, lambda: not session.gallery.busy)


@pytest.fixture
def gallery(session, tmp_path: Path) -> list[Saved]:
    """A saved file with three pictures beside it."""
    save_as(tmp_path / "project" / "house.blend")
    saved = [put_picture(tmp_path / "project" / "maquette", seed) for seed in (1, 2, 3)]
    for each in saved:
        entries.add(bpy.context.scene, each)
        session.delivery.concepts.add(bpy.context.scene, each)
    return saved


@pytest.fixture
def view() -> bpy.types.PropertyGroup:
    """What the gallery shows."""
    view = bpy.context.window_manager.maquette_gallery
    view.search, view.shown, view.chosen, view.marked, view.page = "", "ALL", "", "", 0
    return view
