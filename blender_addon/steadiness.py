"""What the frames of one render have in common: the frame before, and what was said already.

A frame that is to be steady takes the colours of the one before wherever both see the same
surface. Nothing of this outlives a render. No bpy here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from maquette_wire.capture import Capture
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """A painted frame: what it shows, and its picture, uint8 sRGB [height, width, 3]."""

    capture: Capture
    picture: NDArray[np.uint8]


@dataclass
class Memory:
    """What a render remembers from frame to frame.

    Attributes:
        frames: the last one of each view layer, with the camera that saw it.
        said: sentences that the user knows.
    """

    frames: dict[str, tuple[str, Frame]] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def before(self, layer: str, camera: str, capture: Capture) -> Frame | None:
        """The frame before one that is to be painted; None at the start and after a cut."""
        seen_by, frame = self.frames.get(layer, ("", None))
        if frame is None or seen_by != camera:
            return None
        view, other = frame.capture.view, capture.view
        same = (view.width, view.height, view.kind) == (other.width, other.height, other.kind)
        return frame if same else None

    def keep(self, layer: str, camera: str, frame: Frame) -> None:
        """Remember a frame for the next one."""
        self.frames[layer] = camera, frame

    def is_news(self, sentence: str) -> bool:
        """Whether a sentence wasn't said in this render yet; it is then."""
        new = sentence not in self.said
        self.said.add(sentence)
        return new

    def clear(self) -> None:
        """A render begins or ends."""
        self.frames.clear()
        self.said.clear()
