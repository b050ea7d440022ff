"""A window for what needs one in its context."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import bpy


def windowed() -> AbstractContextManager[Any]:
    """A context that has a window if there is any: a timer's has none after a file was opened.

    Nothing is overridden needlessly. In an overriding context, Blenders with Python 3.11 (up to
    5.0) look members up without Python's lock where an operator or an evaluation has let go of it,
    and crash if a thread of any add-on computes just then.
    """
    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not len(windows):
        return nullcontext()
    return bpy.context.temp_override(window=windows[0])
