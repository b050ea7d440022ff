"""Which scenes are trained on and which are held out."""

from __future__ import annotations

HELD_OUT_TYPES = frozenset({"rotunda", "terraced building"})
HELD_OUT_STYLE = "blueprint"
SCENE_STRIDE = 50
STYLE_PHASE = 25


def shows_held_out_style(seed: int) -> bool:
    """Whether the scene of `seed` gets one finish in the held-out style."""
    return seed % SCENE_STRIDE == STYLE_PHASE


def split_of(seed: int, building_type: str) -> str:
    """Return `train`, or the held-out set that a scene belongs to: `type`, `style` or `scene`."""
    if building_type in HELD_OUT_TYPES:
        return "type"
    if shows_held_out_style(seed):
        return "style"
    if seed % SCENE_STRIDE == 0:
        return "scene"
    return "train"
