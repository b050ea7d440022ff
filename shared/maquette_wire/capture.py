"""Capture: a View and what it saw, as plain buffers.

No NumPy here. A frame of a capture always has its shape, so the NumPy side writes
``np.asarray(capture.depth)`` and gets float32 [height, width] without a copy, whether the frame
came from the wire, from a mapped file or from an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .errors import MaquetteError
from .messages import Dtype, FrameHeader, Submit
from .view import View

if TYPE_CHECKING:
    from typing_extensions import Buffer
else:
    Buffer = Any

FORMATS: dict[Dtype, Literal["B", "H", "f"]] = {"u1": "B", "u2": "H", "f4": "f"}
ITEM_BYTES: dict[Dtype, int] = {"u1": 1, "u2": 2, "f4": 4}


@dataclass(frozen=True, eq=False)
class Capture:
    """What one View saw.

    Attributes:
        view: the camera and its pixel grid.
        color: uint8 [height, width, 3], sRGB, row 0 at the top.
        depth: float32 [height, width], metres along the view axis, +inf where nothing.

    ``color`` and ``depth`` may be given as anything with the buffer protocol: an array of that
    shape and type is kept as it is, flat bytes are given the shape. Raises
    MaquetteError("bad-capture") for another type, shape or memory order.
    """

    view: View
    color: Any
    depth: Any

    def __post_init__(self) -> None:
        height, width = self.view.height, self.view.width
        object.__setattr__(self, "color", shaped("color", self.color, "u1", (height, width, 3)))
        object.__setattr__(self, "depth", shaped("depth", self.depth, "f4", (height, width)))


def shaped(name: str, buffer: Buffer, dtype: Dtype, shape: tuple[int, ...]) -> Any:
    """``buffer`` itself where it has this type and shape, else a memoryview on it that does.

    Raises MaquetteError("bad-capture") where its bytes can't be read so.
    """
    try:
        view = memoryview(buffer)
    except TypeError as error:
        raise MaquetteError(
            "bad-capture",
            f"The {name} frame is a {type(buffer).__name__}, which gives no access to its memory.",
            "Pass bytes or an array.",
        ) from error
    item = view.format.lstrip("<=@")
    expected = " x ".join(map(str, shape))
    if not view.c_contiguous:
        raise MaquetteError(
            "bad-capture",
            f"The {name} frame is not contiguous in memory.",
            "Pass a C-ordered array (numpy.ascontiguousarray).",
        )
    if item == FORMATS[dtype] and view.shape == shape:
        return buffer
    size = ITEM_BYTES[dtype]
    for side in shape:
        size *= side
    # Flat memory takes any shape of its size; an array of another shape is a mistake.
    if item not in ("B", FORMATS[dtype]) or view.ndim != 1 or view.nbytes != size or not size:
        raise MaquetteError(
            "bad-capture",
            f"The {name} frame is {view.format!r} {list(view.shape or ())}, "
            f"its view needs {dtype} {expected}.",
            "Capture the frame at the size of its view.",
        )
    cast: Any = view.cast("B").cast  # its stub knows no shape of mixed length
    return cast(FORMATS[dtype], shape)


def flat(buffer: Buffer) -> memoryview:
    """The bytes of a contiguous buffer, without a copy."""
    return memoryview(buffer).cast("B")


def frames_of(captures: Sequence[Capture]) -> tuple[tuple[FrameHeader, ...], list[memoryview]]:
    """Headers and bytes of the frames that a Submit of these captures carries."""
    headers: list[FrameHeader] = []
    buffers: list[memoryview] = []
    for index, capture in enumerate(captures):
        size = (capture.view.height, capture.view.width)
        headers.append(FrameHeader(name="color", index=index, dtype="u1", shape=(*size, 3)))
        headers.append(FrameHeader(name="depth", index=index, dtype="f4", shape=size))
        buffers += [flat(capture.color), flat(capture.depth)]
    return tuple(headers), buffers


def captures_of(submit: Submit, buffers: Sequence[Buffer]) -> list[Capture]:
    """The captures of a Submit: the reverse of :func:`frames_of`.

    Raises MaquetteError("bad-message") where a view lacks a frame or has one twice.
    """
    frames: dict[tuple[str, int], Buffer] = {}
    for header, buffer in zip(submit.frames, buffers, strict=True):
        frames[header.name, header.index] = buffer
    if len(frames) != len(submit.frames):
        raise MaquetteError("bad-message", "A submit carries the same frame twice.")
    captures = []
    for index, view in enumerate(submit.views):
        if ("color", index) not in frames or ("depth", index) not in frames:
            raise MaquetteError("bad-message", f"View {index} of a submit lacks a frame.")
        captures.append(Capture(view, frames["color", index], frames["depth", index]))
    return captures
