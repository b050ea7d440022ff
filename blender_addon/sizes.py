"""From a view's proportions to a picture's size. No bpy here."""

from __future__ import annotations

SIDE_MIN = 16
"""The shortest side that a server accepts by default."""


def fitted(width: float, height: float, long_side: int) -> tuple[int, int]:
    """(width, height) in pixels with the proportions of ``width`` x ``height``, whose longer side
    is ``long_side``; a very thin view gets a short side of SIDE_MIN.
    """
    scale = long_side / max(width, height)
    return max(SIDE_MIN, round(width * scale)), max(SIDE_MIN, round(height * scale))
