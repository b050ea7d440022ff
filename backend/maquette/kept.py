"""What was found in the depth of captures, kept for the next jobs that show the same: other prompts
and seeds of one view, of which all but that is the same."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import msgspec
import numpy as np
from maquette_wire.capture import Capture

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """One value for each view, depth map and whatever else is asked; the longest unused go first.

    pixels: of all captures whose values are kept. Several threads may ask; nothing that is kept
    must be changed.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._values: OrderedDict[tuple[bytes, Hashable], tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, capture: Capture, asked: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a capture; `make` makes it where it isn't kept."""
        depth = np.ascontiguousarray(capture.depth)
        seen = hashlib.sha256(msgspec.msgpack.encode(capture.view))
        seen.update(depth.data)
        key = seen.digest(), asked
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = make()
        with self._lock:
            self._values[key] = value, depth.size
            while sum(pixels for _, pixels in self._values.values()) > self._pixels:
                self._values.popitem(last=False)
        return value
