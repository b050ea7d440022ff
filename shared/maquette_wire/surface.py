"""Surface: the triangles that a texture covers, as plain buffers. No NumPy, as in `capture`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .capture import flat, shaped
from .messages import FrameHeader, Submit, Texture
from .view import View

if TYPE_CHECKING:
    from typing_extensions import Buffer

_ENLARGED = 4
"""The most that a painted picture is enlarged: beyond, its capture knows edges finer than anybody
sees on the texture."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What a texture covers.

    Attributes:
        texture: its size and tiles, how many triangles each object has, and the origin.
        corners: float32 [n, 3, 3], metres from the origin in the world, counter-clockwise seen
            from outside.
        uvs: float32 [n, 3, 2], in the texture's tiles, v upwards.

    ``corners`` and ``uvs`` may be given as anything with the buffer protocol, as the frames of a
    Capture. Raises MaquetteError("bad-capture") for another type, shape or memory order.
    """

    texture: Texture
    corners: Any
    uvs: Any

    def __post_init__(self) -> None:
        count = sum(self.texture.objects)
        object.__setattr__(self, "corners", shaped("corners", self.corners, "f4", (count, 3, 3)))
        object.__setattr__(self, "uvs", shaped("uvs", self.uvs, "f4", (count, 3, 2)))


def captured_side(painted: int, size: int) -> int:
    """Pixels of the longer side that views are captured at, which are painted at `painted`, for a
    texture of `size`: as fine as its texels, where a view shows a whole model."""
    return max(painted, min(_ENLARGED * painted, size // 2))


def frames_of(
    surface: Surface | None, given: Mapping[int, Any], views: Sequence[View]
) -> tuple[tuple[FrameHeader, ...], list[memoryview]]:
    """Headers and bytes of the frames that a Submit has beside its captures where its views show
    one scene.

    Args:
        given: pictures of Views that are not to be painted, uint8 sRGB [height, width, 3], by
            their place in ``views``.
    """
    headers: list[FrameHeader] = []
    buffers: list[memoryview] = []
    if surface is not None:
        count = sum(surface.texture.objects)
        headers.append(FrameHeader(name="corners", dtype="f4", shape=(count, 3, 3)))
        headers.append(FrameHeader(name="uvs", dtype="f4", shape=(count, 3, 2)))
        buffers += [flat(surface.corners), flat(surface.uvs)]
    for index, picture in given.items():
        shape = (views[index].height, views[index].width, 3)
        headers.append(FrameHeader(name="picture", index=index, dtype="u1", shape=shape))
        buffers.append(flat(shaped("picture", picture, "u1", shape)))
    return tuple(headers), buffers


def surface_of(submit: Submit, buffers: Sequence[Buffer]) -> tuple[Surface | None, dict[int, Any]]:
    """The surface and the given pictures of a Submit: the reverse of :func:`frames_of`."""
    frames: dict[str, Buffer] = {}
    given: dict[int, Any] = {}
    for header, buffer in zip(submit.frames, buffers, strict=True):
        if header.name == "picture":
            given[header.index] = shaped("picture", buffer, "u1", header.shape)
        else:
            frames[header.name] = buffer
    if submit.texture is None:
        return None, given
    return Surface(submit.texture, frames["corners"], frames["uvs"]), given
