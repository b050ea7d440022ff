"""Runs in a Blender with a window and the extension: an architect goes through the gallery.

Arguments after ``--``: the .blend, folder for screenshots. The pictures lie in the folder beside
the .blend, as after work on the command line. Prints one line of JSON about what the user has seen.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire import metadata, png
from maquette_wire.recipe import Recipe

sys.path.append(str(Path(__file__).parent))
import screen
from hands import PACE, SECONDS, click_at, do, rest, until, wait
from screen import area_of, box_of, in_areas, in_sidebar
from window import ADD_ON, begin, locate, open_panel, perform, press, shot, type_into

COUNT = 26
NEWEST, NAME = f"Bird {COUNT - 1}", f"Bird – seed {COUNT - 1}"
"""The label and the name of the newest picture."""
LOOKS = (
    ("red brick at dusk", (1.0, 0.62, 0.5), (230, 128, 115)),
    ("white render, clear day", (1.05, 1.05, 1.0), (140, 190, 255)),
    ("timber, winter morning", (0.95, 0.8, 0.6), (204, 216, 242)),
    ("pencil drawing", (0.95, 0.95, 0.95), (250, 250, 250)),
    ("concrete, overcast", (0.7, 0.78, 0.85), (153, 165, 178)),
)
"""Prompts, and how a massing model is coloured to stand for such a picture: model and sky."""

capture = importlib.import_module(f"{ADD_ON}.capture")
compare = importlib.import_module(f"{ADD_ON}.gallery.compare")
results = importlib.import_module(f"{ADD_ON}.results")
session = importlib.import_module(f"{ADD_ON}.session").current()
user: dict[str, object] = {}


def fill() -> None:
    """Pictures of all cameras, beside the .blend."""
    scene = bpy.context.scene
    folder = Path(bpy.data.filepath).parent / "maquette"
    folder.mkdir()
    cameras = [thing for thing in scene.objects if thing.type == "CAMERA"]
    size = capture.camera_size(scene, 512)
    seen = [capture.capture_camera(bpy.context, camera, *size) for camera in cameras]
    for seed in range(COUNT):
        one, (prompt, model, sky) = seen[seed % len(seen)], LOOKS[seed % len(LOOKS)]
        pixels = np.asarray(one.color) * np.array(model)
        ramp = np.linspace(0.55, 1.0, size[1])[:, None, None] * np.array(sky)
        pixels = np.where(np.isinf(one.depth)[..., None], ramp, pixels)
        recipe, view = Recipe(prompt=prompt, seed=seed), one.view
        path = folder / f"concept-{results.slug(view.name)}-seed{seed}.png"
        text = metadata.texts(recipe, view, software="Maquette")
        written: Any = pixels.clip(0, 255).astype(np.uint8)
        png.write(path, written, view.width, view.height, text)
        when = 1_780_000_000 + seed * 3600
        os.utime(path, (when, when))


def pictures() -> Any:
    return bpy.context.scene.maquette.pictures


def state() -> Any:
    return bpy.context.window_manager.maquette_gallery


def shown() -> str:
    """The picture in the image editor."""
    space: Any = area_of("IMAGE_EDITOR").spaces.active
    return space.image.name


def chosen() -> str:
    return pictures()[state().chosen].title if state().chosen else ""


def colours(place: screen.Box) -> np.ndarray:
    """The mean colour of a place on the screen."""
    path = Path(sys.argv[-1]) / "colours.png"
    screen.save(path, place)
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels).reshape(-1, image.channels)[:, :3]
    bpy.data.images.remove(image)
    path.unlink()
    return pixels.mean(0) * 255


def halves() -> list[list[float]]:
    """The mean colours of the left and the right of the image editor's picture."""
    box = box_of("IMAGE_EDITOR")
    width, middle = box.width // 8, box.y + box.height // 2
    places = [box.x + width, box.x + box.width - 2 * width]
    return [colours(screen.Box(x, middle, width, 20)).round(1).tolist() for x in places]


def ctrl_click(label: str) -> Iterator[float]:
    spot = yield from locate(label)
    do("keydown", "ctrl")
    yield from click_at(*spot.middle)
    do("keyup", "ctrl")


def over_the_view() -> list[float]:
    """The mean colour of the 3D view where the picture lies over it."""
    box = box_of("VIEW_3D")
    middle = screen.Box(box.x + box.width // 3, box.y + box.height // 2, 60, 20)
    return colours(middle).round(1).tolist()


def over_the_editor() -> None:
    """The mouse over the image editor, for keys."""
    box = box_of("IMAGE_EDITOR")
    do("mousemove", box.x + box.width // 2, box.y + box.height // 2)


def scenario() -> Iterator[float]:
    """The steps; each yields the seconds until the next one."""
    yield from begin()
    fill()
    bpy.context.scene.objects["Bird"].location.z += 3.0  # moved since its pictures were made
    area_of("PROPERTIES").ui_type = "IMAGE_EDITOR"
    yield from open_panel("Gallery")
    yield from press("Find Pictures in the Folder", lambda: len(pictures()) == COUNT)
    yield from wait(lambda: not session.gallery.busy, SECONDS)
    yield from rest()
    session.dismiss()
    yield 2
    yield from locate("1 of 4")
    yield 1
    shot("gallery-page", in_sidebar)
    yield from look()
    yield from star()
    yield from search()
    yield from compare_two()
    yield from camera_back()
    yield from delete_and_undo()
    yield from next_version()
    yield from own_eye()


def look() -> Iterator[float]:
    """Choose one by a click on its picture, and look at the others with the arrow keys."""
    yield from press(NEWEST, lambda: chosen() == NAME, below=-2)
    user["shown"] = [shown()]

    def step() -> Iterator[float]:
        over_the_editor()
        yield PACE
        do("key", "Right")

    yield from until(step, lambda: chosen() != NAME)
    user["shown"].append(shown())
    user["datablocks"] = len([image for image in bpy.data.images if results.KEY in image])


def star() -> Iterator[float]:
    """A star: by its button, and by its key in the image editor."""
    yield from press(NEWEST, lambda: chosen() == NAME)
    yield from press(NEWEST, lambda: pictures()[state().chosen].starred, across=-62)
    over_the_editor()
    yield PACE
    do("key", "s")
    yield from wait(lambda: not pictures()[state().chosen].starred, SECONDS)
    do("key", "s")
    yield from wait(lambda: pictures()[state().chosen].starred, SECONDS)
    user["starred"] = [entry.title for entry in pictures() if entry.starred]


def search() -> Iterator[float]:
    """Search, by words of the prompt."""
    yield from type_into("Search", "pencil", lambda: state().search)
    yield from rest()
    yield 1
    shot("gallery-search", in_sidebar)
    state().search = ""
    yield 1


def compare_two() -> Iterator[float]:
    """Compare two: a wipe whose line is dragged, then side by side."""
    other, box = f"Street {COUNT - 2}", box_of("IMAGE_EDITOR")
    yield from press(other, lambda: chosen() != NAME)
    yield 1
    user["other"] = halves()
    yield from until(lambda: ctrl_click(other), lambda: state().marked)
    yield from press(NEWEST, lambda: chosen() == NAME)
    yield 1
    user["before"] = halves()
    yield from press("Wipe")
    yield from rest()
    yield 2
    user["wipe"] = halves()
    shot("gallery-wipe", in_areas("VIEW_3D", "IMAGE_EDITOR"))

    def drag() -> Iterator[float]:
        y = box.y + box.height // 2
        do("mousemove", box.x + box.width // 2, y)
        yield PACE
        do("mousedown", 1)
        for x in np.linspace(0.5, 0.1, 5):
            do("mousemove", box.x + int(box.width * x), y)
            yield PACE
        do("mouseup", 1)

    yield from until(drag, lambda: state().wipe < 0.4)
    yield 1
    user["dragged"] = halves()
    yield from press("Side by Side")
    yield from rest()
    yield 2
    user["side"] = halves()
    shot("gallery-side")

    def end() -> Iterator[float]:
        over_the_editor()
        yield PACE
        do("key", "Escape")

    yield from until(end, lambda: not compare.keys())
    yield 1
    user["after"] = halves()


def camera_back() -> Iterator[float]:
    """Its camera, which has been moved since."""
    cameras = len(bpy.data.cameras)
    yield from press("Use Camera", lambda: len(bpy.data.cameras) > cameras)
    user["camera"] = bpy.context.scene.camera.name
    user["height"] = round(bpy.context.scene.camera.location.z, 3)
    user["moved"] = round(bpy.context.scene.objects["Bird"].location.z, 3)
    yield from rest()
    yield 1
    shot("gallery-camera")


def delete_and_undo() -> Iterator[float]:
    """Deleted, and undone."""
    key = state().chosen
    yield from press(NAME, lambda: pictures()[key].trashed, icon=0)
    user["trashed"] = pictures()[key].title
    yield from rest()
    do("key", "ctrl+z")
    yield from wait(lambda: not pictures()[key].trashed, SECONDS)
    user["undone"] = not pictures()[key].trashed
    user["count"] = len(pictures())
    user["told"] = [notice.text for notice in session.notices]


def next_version() -> Iterator[float]:
    """The next version of the file leaves this one its pictures."""
    blend = Path(bpy.data.filepath)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend.with_name("next.blend")))
    yield from press(NEWEST, lambda: chosen() == NAME)
    key = state().chosen
    yield from press(NAME, lambda: pictures()[key].trashed, icon=0)
    file = Path(bpy.path.abspath(pictures()[key].path))
    state().shown = "TRASH"
    yield 1
    yield from press("Empty Trash")
    yield 1
    do("key", "Return")
    yield from wait(lambda: len(pictures()) == COUNT - 1 and session.notices, SECONDS)
    yield from rest()
    state().shown = "ALL"
    yield 1
    shot("gallery-next-version")
    user["kept"] = file.is_file()
    user["said"] = [notice.text.replace(blend.name, "BLEND") for notice in session.notices]
    session.dismiss()


def own_eye() -> Iterator[float]:
    """This view's own eye: the scene's stays as it is."""
    yield from press("Bird 17", lambda: chosen() == "Bird – seed 17")
    yield from rest()
    yield 1
    user["over"] = [over_the_view()]
    settings: Any = bpy.context.scene.maquette
    space: Any = area_of("VIEW_3D").spaces.active
    look = space.shading.maquette_look
    yield from press("Opacity", lambda: look.is_own, icon=0)
    yield from press("Opacity", lambda: not look.overlay_shown, across=-44)
    yield from rest()
    yield 1
    user["over"].append(over_the_view())
    user["eye"] = settings.overlay_shown


perform(scenario(), user)
