"""What there is to draw over the 3D views: running jobs' previews, last concepts, the live picture.

A picture's texture is made when it is first drawn, and goes with the picture.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from ..properties import settings_of
from .relief import Relief, relief

REFRESH_SECONDS = 0.2


class Picture:
    """A picture and the View that it is of.

    Args:
        pixels: sRGB, as float32 [height, width, 4] from 0 to 1 with row 0 at the bottom, or as
            uint8 [height, width, 3] with row 0 at the top.
        depth: that of its capture, float32 [h, w] in metres, row 0 at the top, where it is known.

    Attributes:
        batch: its relief as the GPU has it, once that was drawn.
    """

    def __init__(
        self,
        view: View,
        pixels: NDArray[np.float32] | NDArray[np.uint8],
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
            pixels = self._pixels
            height, width = pixels.shape[:2]
            if pixels.dtype == np.uint8:
                pixels = np.empty((height, width, 4), np.float32)
                for channel in range(3):  # which takes half as long as all of them at once
                    values = self._pixels[::-1, :, channel]
                    np.multiply(values, np.float32(1 / 255), out=pixels[..., channel])
                pixels[..., 3] = 1
            data = gpu.types.Buffer("FLOAT", pixels.size, pixels.ravel())
            self._texture = gpu.types.GPUTexture((width, height), format="RGBA8", data=data)
            self._pixels = None
        return self._texture

    def relief(self) -> Relief | None:
        """What it shows as a mesh; None where its depth isn't known."""
        if self._relief is None and self._depth is not None:
            self._relief = relief(self.view, self._depth)
        return self._relief


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
_unread: set[int] = set()
_stale, _refreshed = False, 0.0


def keep(
    job: str, scene: int, view: View, colors: NDArray[np.uint8], seed: int | None = None
) -> None:
    """Show what a job has painted so far, or with its ``seed`` the first of its pictures.

    Args:
        scene: the ``session_uid`` of the one it is of.
        colors: uint8 sRGB [height, width, 3], row 0 at the top, as the server sends it.
    """
    _painted.pop(job, None)
    _painted[job] = Painted(scene, Picture(view, colors), seed)


def take(job: Job, message: Progress | Result, frames: Sequence[memoryview]) -> None:
    """Show the first preview or concept of a message, over the 3D views that see the same."""
    if not job.views:
        return  # a material's
    scene = scene_of(job.target)
    name, view, seed = "preview", 0, None
    if isinstance(message, Result) and message.pictures:
        name, view, seed = "concept", message.pictures[0].view, message.pictures[0].seed
    for header, frame in zip(message.frames, frames, strict=True):
        if header.name == name and header.index == 0 and scene is not None:
            colors = np.frombuffer(frame, np.uint8).reshape(header.shape)
            keep(job.name, scene.session_uid, job.views[view], colors, seed)


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
    _unread.clear()
    set_live(None)


def painted(scene: int) -> list[Picture]:
    """What running jobs of a scene have painted so far, the newest first."""
    return [each.picture for each in reversed(_painted.values()) if each.scene == scene]


def concept(scene: bpy.types.Scene) -> Concept | None:
    """The last concept of a scene; its pixels follow once ``want`` was called."""
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


def want(scene: bpy.types.Scene) -> None:
    """Read the last concept soon: not while something is drawn, as that takes a moment."""
    _unread.add(scene.session_uid)
    if not bpy.app.timers.is_registered(read_wanted):
        bpy.app.timers.register(read_wanted, first_interval=0.0)


def read_wanted() -> None:
    """Read the concepts that were wanted."""
    for scene in bpy.data.scenes:
        known = concept(scene) if scene.session_uid in _unread else None
        if known is not None and known.view is not None and not known.read:
            known.picture = _read(settings_of(scene).last_result, known.view)
            known.read, known.meanwhile = True, None
    _unread.clear()
    redraw()


def redraw() -> None:
    """Draw the 3D views again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "WINDOW":
                        region.tag_redraw()


def refresh(changed: bool, at_once: bool, now: float) -> None:
    """Draw the 3D views again where jobs have changed what is over them: a few times a second, as
    a large model takes long to draw. Called as long as there are jobs, ``at_once`` for the last
    time."""
    global _stale, _refreshed
    _stale |= changed
    if _stale and (at_once or now - _refreshed >= REFRESH_SECONDS):
        _stale, _refreshed = False, now
        redraw()


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


def _read(image: bpy.types.Image, view: View) -> Picture | None:
    had_pixels = image.has_data
    width, height = tuple(image.size)
    if not (width and height and len(image.pixels) == width * height * 4):
        return None  # the file is gone
    pixels = np.empty((height, width, 4), np.float32)
    image.pixels.foreach_get(pixels.ravel())
    pixels[..., 3] = 1
    if not had_pixels:
        image.buffers_free()
    return Picture(view, pixels)
