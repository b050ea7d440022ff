"""What there is to draw over the 3D views: running jobs' previews, last concepts, the live picture.

A picture's texture is made when it is first drawn, and goes with the picture. What it is made of is
made ready in a thread, as that takes longer than a frame of the display for a large one.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import gpu
import msgspec
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Progress, Result
from maquette_wire.view import View
from numpy.typing import NDArray

from .. import results
from ..delivery import scene_of
from ..jobs import Job
from ..pictures import read_own
from ..properties import settings_of
from ..redrawing import redraw_views
from .relief import Relief, relief

REFRESH_SECONDS = 0.2

Pixels = NDArray[np.float32] | NDArray[np.uint8]
Errand = Callable[[Callable[[], Any], Callable[[Future[Any]], None]], None]
"""Does the first in a thread, and the second on the main thread then (``Session.errand``)."""


class Picture:
    """A picture and the View that it is of.

    Args:
        pixels: sRGB, as ``drawable`` makes them, or as uint8 [height, width, 3] with row 0 at the
            top, which suits small ones.
        depth: that of its capture, float32 [h, w] in metres, row 0 at the top, where it is known.

    Attributes:
        batch: its relief as the GPU has it, once that was drawn.
    """

    def __init__(
        self,
        view: View,
        pixels: Pixels,
        depth: NDArray[np.float32] | None = None,
    ) -> None:
        self.view = view
        self.batch: gpu.types.GPUBatch | None = None
        self._depth = depth
        self._relief: Relief | None = None
        self._pixels: NDArray[Any] | None = pixels
        self._texture: gpu.types.GPUTexture | None = None

    def texture(self) -> gpu.types.GPUTexture:
        """To be called while something is drawn."""
        if self._texture is None:
            assert self._pixels is not None
            pixels = self._pixels if self._pixels.dtype == np.float32 else drawable(self._pixels)
            height, width = pixels.shape[:2]
            data = gpu.types.Buffer("FLOAT", pixels.size, pixels.ravel())
            self._texture = gpu.types.GPUTexture((width, height), format="RGBA8", data=data)
            self._pixels = None
        return self._texture

    def relief(self) -> Relief | None:
        """What it shows as a mesh; None where its depth isn't known."""
        if self._relief is None and self._depth is not None:
            self._relief = relief(self.view, self._depth)
        return self._relief


def drawable(colors: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Colours [height, width, 3] with row 0 at the top, as a texture takes them: [height, width, 4]
    from 0 to 1, row 0 at the bottom."""
    pixels = np.empty((*colors.shape[:2], 4), np.float32)
    for channel in range(3):  # which takes half as long as all of them at once
        np.multiply(colors[::-1, :, channel], np.float32(1 / 255), out=pixels[..., channel])
    pixels[..., 3] = 1
    return pixels


@dataclass(frozen=True)
class Painted:
    """What a job has painted: of which scene, and with which seed where that is finished."""

    scene: int
    picture: Picture
    seed: int | None


@dataclass
class Live:
    """What Live shows, and what it says at the lower edge of its 3D view."""

    area: int
    """The area's address: no other one shows a picture of a view that was left."""
    scene: int
    """The ``session_uid`` of the one it is of."""
    text: str = ""
    picture: Picture | None = None
    made_of: object = None


@dataclass
class Concept:
    """A scene's last concept; without a picture where its file can't be read.

    Attributes:
        image: the datablock's ``session_uid``.
        meanwhile: what its job had painted, until the picture is there.
    """

    image: int
    view: View | None
    picture: Picture | None = None
    meanwhile: Picture | None = None
    read: bool = False


live: Live | None = None
_painted: dict[str, Painted] = {}
_concepts: dict[int, Concept] = {}
_done: dict[int, tuple[str, Painted]] = {}
_reading: set[int] = set()
_stale, _refreshed = False, 0.0


def keep(job: str, scene: int, view: View, pixels: Pixels, seed: int | None = None) -> None:
    """Show what a job has painted so far, or with its ``seed`` the first of its pictures.

    Args:
        scene: the ``session_uid`` of the one it is of.
        pixels: as ``Picture`` takes them.
    """
    _painted.pop(job, None)
    _painted[job] = Painted(scene, Picture(view, pixels), seed)


def take_preview(job: Job, message: Progress, frames: Sequence[memoryview]) -> None:
    """Show the first preview of a message, over the 3D views that see the same."""
    scene, colors = scene_of(job.target), _first("preview", message, frames)
    if job.views and scene is not None and colors is not None:
        keep(job.name, scene.session_uid, job.views[0], colors)


def take_result(
    job: Job,
    message: Result,
    frames: Sequence[memoryview],
    errand: Errand,
    wanted: Callable[[], bool],
) -> None:
    """Show the first concept of a message likewise, once it is ready and if it is still wanted."""
    scene, colors = scene_of(job.target), _first("concept", message, frames)
    if not job.views or scene is None or colors is None:
        return
    uid, first = scene.session_uid, message.pictures[0]

    def ready(pixels: Future[NDArray[np.float32]]) -> None:
        if wanted():
            keep(job.name, uid, job.views[first.view], pixels.result(), first.seed)

    errand(partial(drawable, colors), ready)


def _first(
    name: str, message: Progress | Result, frames: Sequence[memoryview]
) -> NDArray[np.uint8] | None:
    """The first picture of this name that came with a message."""
    for header, frame in zip(message.frames, frames, strict=True):
        if header.name == name and header.index == 0:
            return np.frombuffer(frame, np.uint8).reshape(header.shape)
    return None


def drop(job: str, done: bool = False) -> None:
    """Forget what a job had painted; ``done``: as soon as its concept is there to be shown."""
    painted = _painted.pop(job, None)
    if done and painted is not None:
        _done[painted.scene] = job, painted


def set_live(shown: Live | None) -> None:
    """What Live shows; None where it is off."""
    global live
    live = shown


def clear() -> None:
    """Forget all pictures: another file is open."""
    _painted.clear()
    _concepts.clear()
    _done.clear()
    _reading.clear()
    set_live(None)


def painted(scene: int) -> list[Picture]:
    """What running jobs of a scene have painted so far, the newest first."""
    return [each.picture for each in reversed(_painted.values()) if each.scene == scene]


def concept(scene: bpy.types.Scene) -> Concept | None:
    """The last concept of a scene; its pixels follow some time after ``want``."""
    uid = scene.session_uid
    image = settings_of(scene).last_result
    if image is None:
        _concepts.pop(uid, None)
        return None
    known = _concepts.get(uid)
    if known is None or known.image != image.session_uid:
        known = _concepts[uid] = Concept(image.session_uid, _view_of(image))
        job, painted = _done.pop(uid, ("", None))
        if painted is not None and image.get(results.JOB) == job:
            known.meanwhile = painted.picture
            if painted.seed is not None and painted.seed == _seed_of(image):
                known.picture, known.read = painted.picture, True
    return known


def want(scene: bpy.types.Scene, errand: Errand) -> None:
    """Have the last concept read, which takes a moment."""
    uid, image = scene.session_uid, settings_of(scene).last_result
    if uid in _reading or image is None:
        return
    _reading.add(uid)
    # What the user paints on it in Blender isn't in its file.
    path = "" if image.is_dirty else bpy.path.abspath(image.filepath, library=image.library)
    errand(partial(_read, path), partial(_take_read, uid, image.session_uid))


def _read(path: str) -> NDArray[np.float32] | None:
    """A picture's file, as a texture takes it; None where Blender has to read it."""
    colors = read_own(Path(path)) if path else None
    return None if colors is None else drawable(colors)


def _take_read(uid: int, image: int, reading: Future[NDArray[np.float32] | None]) -> None:
    _reading.discard(uid)
    for scene in bpy.data.scenes:
        known = concept(scene) if scene.session_uid == uid else None
        if known is not None and known.image == image and known.view and not known.read:
            pixels = reading.result()
            if pixels is None:
                pixels = _read_by_blender(settings_of(scene).last_result)
            known.picture = None if pixels is None else Picture(known.view, pixels)
            known.read, known.meanwhile = True, None
    redraw_views()


def refresh(changed: bool, at_once: bool, now: float) -> None:
    """Draw the 3D views again where jobs have changed what is over them: a few times a second, as
    a large model takes long to draw. Called as long as there are jobs, ``at_once`` for the last
    time."""
    global _stale, _refreshed
    _stale |= changed
    if _stale and (at_once or now - _refreshed >= REFRESH_SECONDS):
        _stale, _refreshed = False, now
        redraw_views()


def _view_of(image: bpy.types.Image) -> View | None:
    try:
        return msgspec.json.decode(image.get(results.VIEW, ""), type=View)
    except (msgspec.MsgspecError, TypeError):
        return None  # made by a later version, or edited


def _seed_of(image: bpy.types.Image) -> int | None:
    try:
        return results.recipe_of_image(image).seed
    except MaquetteError:
        return None


def _read_by_blender(image: bpy.types.Image) -> NDArray[np.float32] | None:
    had_pixels = image.has_data
    width, height = tuple(image.size)
    if not (width and height and len(image.pixels) == width * height * 4):
        return None  # the file is gone
    pixels = np.empty((height, width, 4), np.float32)
    image.pixels.foreach_get(pixels.ravel())
    pixels[..., 3] = 1
    if not had_pixels:
        image.buffers_free()
    return pixels
