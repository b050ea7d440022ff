"""What there is to draw over the 3D views: running jobs' previews, last concepts, the live picture.

A picture's texture is made when it is first drawn, and goes with the picture.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

import bpy
import gpu
import msgspec
import numpy as np
from maquette_wire.view import View
from numpy.typing import NDArray

from .. import results
from ..properties import settings_of
from .relief import Relief, relief

REFRESH_SECONDS = 0.2


class Picture:
    """A picture and the View that it is of.

    Args:
        pixels: float32 [height, width, 4], sRGB from 0 to 1, row 0 at the bottom.
        depth: that of its capture, float32 [h, w] in metres, row 0 at the top, where it is known.

    Attributes:
        batch: its relief as the GPU has it, once that was drawn.
    """

    def __init__(
        self, view: View, pixels: NDArray[np.float32], depth: NDArray[np.float32] | None = None
    ) -> None:
        self.view = view
        self.batch: gpu.types.GPUBatch | None = None
        self._depth = depth
        self._relief: Relief | None = None
        self._pixels: NDArray[np.float32] | None = pixels
        self._texture: gpu.types.GPUTexture | None = None

    @classmethod
    def of_bytes(
        cls, view: View, colors: NDArray[np.uint8], depth: NDArray[np.float32] | None = None
    ) -> Picture:
        """Of uint8 sRGB [height, width, 3], row 0 at the top, as the server sends it."""
        pixels = np.ones((*colors.shape[:2], 4), np.float32)
        np.multiply(colors[::-1], np.float32(1 / 255), out=pixels[..., :3])
        return cls(view, pixels, depth)

    def texture(self) -> gpu.types.GPUTexture:
        """To be called while something is drawn."""
        if self._texture is None:
            assert self._pixels is not None
            height, width = self._pixels.shape[:2]
            data = gpu.types.Buffer("FLOAT", self._pixels.size, self._pixels.ravel())
            self._texture = gpu.types.GPUTexture((width, height), format="RGBA8", data=data)
            self._pixels = None
        return self._texture

    def relief(self) -> Relief | None:
        """What it shows as a mesh; None where its depth isn't known."""
        if self._relief is None and self._depth is not None:
            self._relief = relief(self.view, self._depth)
        return self._relief


@dataclass
class Live:
    """What Live shows, and what it says at the lower edge of its 3D view."""

    area: int
    """The area's address: no other one shows a picture of a view that was left."""
    text: str = ""
    picture: Picture | None = None
    made_of: object = None


@dataclass
class Concept:
    """A scene's last concept; without a picture where its file can't be read.

    Attributes:
        image: the datablock's ``session_uid``.
        meanwhile: what its job had painted, until the file is read.
    """

    image: int
    view: View | None
    picture: Picture | None = None
    meanwhile: Picture | None = None
    read: bool = False


live: Live | None = None
_previews: dict[str, tuple[int, Picture]] = {}
_concepts: dict[int, Concept] = {}
_meanwhile: dict[int, Picture] = {}
_unread: set[int] = set()
_stale, _refreshed = False, 0.0


def keep_preview(job: str, scene: int, view: View, colors: NDArray[np.uint8]) -> None:
    """Show what a job has painted so far. ``scene``: the ``session_uid`` of the one it is of."""
    _previews.pop(job, None)
    _previews[job] = scene, Picture.of_bytes(view, colors)


def drop_preview(job: str, done: bool = False) -> None:
    """Forget what a job had painted; ``done``: as soon as its concept is there to be shown."""
    scene, picture = _previews.pop(job, (0, None))
    if done and picture is not None:
        _meanwhile[scene] = picture


def set_live(shown: Live | None) -> None:
    """What Live shows; None where it is off."""
    global live
    live = shown


def clear() -> None:
    """Forget all pictures: another file is open."""
    _previews.clear()
    _concepts.clear()
    _meanwhile.clear()
    _unread.clear()
    set_live(None)


def previews(scene: int) -> list[Picture]:
    """What running jobs of a scene have painted so far, the newest first."""
    return [picture for of, picture in reversed(_previews.values()) if of == scene]


def concept(scene: bpy.types.Scene) -> Concept | None:
    """The last concept of a scene; its pixels follow once ``want`` was called."""
    uid = scene.session_uid
    image = settings_of(scene).last_result
    if image is None:
        _concepts.pop(uid, None)
        return None
    known = _concepts.get(uid)
    if known is None or known.image != image.session_uid:
        meanwhile = _meanwhile.pop(uid, None)
        known = _concepts[uid] = Concept(image.session_uid, _view_of(image), meanwhile=meanwhile)
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
