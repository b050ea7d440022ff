"""From scene-linear renders to finished photographs: haze by depth, bloom of lit windows, and a
film curve."""

from __future__ import annotations

import numpy as np

from .images import blur, halve, luminance, to_bytes, to_srgb
from .nodes import linear
from .sky import Light


def develop(picture: np.ndarray, depth: np.ndarray, focus: float, light: Light) -> np.ndarray:
    """Photograph, uint8 [H, W, 3].

    `picture` is scene-linear [H, W, 3]; `depth` in metres at twice the size, +inf for sky; `focus`
    is the distance of what is framed, so that fog is as thick for a tower far away as for a house
    nearby.
    """
    return to_bytes(to_srgb(film(expose(picture, depth, focus, light) * light.exposure)))


def expose(picture: np.ndarray, depth: np.ndarray, focus: float, light: Light) -> np.ndarray:
    """Scene-linear picture with haze and bloom."""
    reach = np.where(np.isfinite(depth), depth / (focus * light.haze), np.inf)
    veil = np.where(np.isfinite(depth), 1.0 - np.exp(-(reach**1.5)), 0.0)
    if light.haze < 2.0:
        veil = np.where(np.isfinite(depth), veil, 0.75)
    veil = halve(veil.astype(np.float32))[..., None]
    haze = np.array(linear(light.haze_colour)[:3], np.float32)
    result = picture * (1.0 - veil) + haze * veil
    if light.bloom:
        bright = np.clip(result - 0.75, 0.0, 3.0)
        size = picture.shape[0] / 256.0
        result = result + light.bloom * (
            0.6 * blur(bright, 2.5 * size) + 0.6 * blur(bright, 9.0 * size)
        )
    return result


def film(scene_linear: np.ndarray) -> np.ndarray:
    """A film-like curve on scene-linear colour: slope one in the middle, a soft shoulder, colours
    kept.

    Applied to a mix of per-channel values and their luminance, so that highlights fade to white
    without shifting hue.
    """
    x = np.maximum(scene_linear, 0.0)

    def curve(value: np.ndarray) -> np.ndarray:
        knee = 0.6
        over = np.maximum(value - knee, 0.0)
        return np.minimum(value, knee) + (1.0 - knee) * (1.0 - np.exp(-over / (1.0 - knee)))

    per_channel = curve(x)
    brightness = luminance(x)[..., None]
    kept = x * (curve(brightness) / np.maximum(brightness, 1e-6))
    return np.clip(0.6 * per_channel + 0.4 * np.minimum(kept, 1.0), 0.0, 1.0)
