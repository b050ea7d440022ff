"""Runs in a Blender with a window and the extension: an architect textures a church, and once
more to match a concept.

Arguments after ``--``: the .blend, folder for screenshots. Prints one line of JSON about what the
user has in the end.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.append(str(Path(__file__).parent))
from hands import SECONDS, do, rest, wait
from screen import area_of, between, in_view_area
from window import ADD_ON, begin, locate, open_panel, perform, picture, press, shot

JOB_SECONDS = 400.0
SIDE, TEXTURE = (512, "2048") if "MAQUETTE_DOCS" in os.environ else (256, "1024")
"""Of a view and of the texture: as sharp as the docs show it, or as quick as a test needs it."""

session = importlib.import_module(f"{ADD_ON}.session").current()
layers = importlib.import_module(f"{ADD_ON}.layers")
entries = importlib.import_module(f"{ADD_ON}.gallery.entries")
pictures = importlib.import_module(f"{ADD_ON}.pictures")
coverage = importlib.import_module(f"{ADD_ON}.overlay.coverage")
user: dict[str, object] = {}


def names() -> list[str]:
    return [material.name for material in layers.layers()]


def texels() -> float:
    """How colourful the texture is."""
    image = layers.image_of(layers.layers()[0])
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return float(pixels.reshape(-1, 4)[:, :3].std())


def greens() -> float:
    """How much of the texture is of the green that nothing was painted in."""
    image = layers.image_of(layers.layers()[0])
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return float((np.abs(pixels.reshape(-1, 4)[:, :3] - (0, 1, 0)).max(1) < 0.01).mean())


def bake_again() -> Iterator[float]:
    """Retouch the picture of a view as a paint program would, and lay it on again."""
    path = layers.folder_of(layers.layers()[0]) / "view-1.png"
    picture = bpy.data.images.load(str(path))
    size: Any = picture.size
    green = np.tile(np.array([0, 1, 0, 1], np.float32), size[0] * size[1])
    picture.pixels.foreach_set(green)  # pyright: ignore[reportArgumentType]
    picture.save()
    bpy.data.images.remove(picture)
    before = greens()
    # The button without words in the texture's row, which is above this one.
    yield from press("Texture of a File...", lambda: session.jobs or greens(), icon=2, below=-1)
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    user["green"] = [before, greens()]
    user["layers in the end"] = len(names())
    user["told in the end"] = [notice.text for notice in session.notices]
    yield from rest()
    yield 1
    shot("baked-again", in_view_area)


def match_a_concept() -> Iterator[float]:
    """Let the texture shine by itself, then texture the whole building as a concept has it."""
    settings = bpy.context.scene.maquette
    layer = layers.layers()[0]
    # The layer's row is above; its name is too long to be shown whole.
    lamp = {"below": -1, "icon": 3}
    yield from press("Texture of a File...", lambda: not layers.is_lit(layer), **lamp)
    shot("unlit")
    settings.long_side, settings.texture_views = 256, 1
    yield from press("Restyle", lambda: session.jobs or len(settings.pictures))
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    yield from open_panel("Gallery")
    yield from press("Texture from This", lambda: session.jobs or names()[1:])
    shot("from a concept")
    yield from wait(lambda: not session.jobs, JOB_SECONDS)
    matched = layers.folder_of(layers.layers()[-1])
    concept = entries.saved_of(bpy.context.scene, settings.pictures[0]).path
    user["matched"] = [len(names()), sorted(path.name for path in matched.glob("view-*"))]
    user["laid on as it is"] = bool(
        (pictures.read_pixels(matched / "view-1.png") == pictures.read_pixels(concept)).all()
    )
    shot("matched")


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    settings = bpy.context.scene.maquette
    settings.seed, settings.seed_locked = 3, True
    settings.prompt = "white render church, tile roof, lawn, day"
    settings.texture_views, settings.texture_side, settings.texture_size = 5, SIDE, TEXTURE
    yield from open_panel("Texture on the Model")
    yield from locate("Texture of a File...")
    yield from picture("textures-panel", between("Texture on the Model", "Texture of a File..."))
    yield from press("Preview Views", lambda: coverage.shown)
    preview = coverage.shown
    yield from locate(f"{preview.plan.seen[-1]:.0%} seen by 5 views")
    user["previewed"] = [len(preview.views), preview.plan.seen[-1], len(session.jobs)]
    yield from picture("textures-preview", in_view_area)
    shot("previewed")
    yield from press("Texture All", lambda: session.jobs or names())
    user["preview_left"] = coverage.shown is not None
    user["pressed"] = [job.title for job in session.jobs.values()]
    end = time.monotonic() + JOB_SECONDS
    while session.jobs and time.monotonic() < end:
        yield 0.1
    user["told"] = [notice.text for notice in session.notices if notice.level != "INFO"]
    user["layers"] = names()
    space = area_of("VIEW_3D").spaces.active
    assert isinstance(space, bpy.types.SpaceView3D)
    space.shading.color_type = "TEXTURE"
    yield from picture("textures-model", in_view_area)
    user["colours"] = texels()
    yield from rest()
    do("key", "ctrl+z")
    yield from wait(lambda: not names(), SECONDS)
    user["undone"] = names()
    do("key", "ctrl+shift+z")
    yield from wait(names, SECONDS)
    user["redone"] = names()
    shot("redone")
    yield from bake_again()
    yield from match_a_concept()


perform(scenario(), user)
