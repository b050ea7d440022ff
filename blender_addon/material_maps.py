"""What is made of a material's maps in Blender: levels of 16 bits, a colour, a small picture. No
bpy here."""

from __future__ import annotations

import numpy as np
from maquette_wire.material import Material
from maquette_wire.material_files import LEVELS
from numpy.typing import NDArray

SWATCH = 128
"""Side in pixels of a material's small picture, at least where its maps have as many there."""
UNITS = 4
"""How many units a small picture shows across, about; a whole tile of bricks would be a grey."""
LIGHT = np.array([-0.45, 0.55, 0.7], np.float32)
"""Where the small picture's light comes from: right, up, out of the surface."""
BRIGHTEST = 1.15
"""The light on a flat place, so that the picture as a whole is no darker than the albedo."""


def levels_of(height: NDArray[np.float32]) -> tuple[bytes, tuple[float, float]]:
    """Metres [n, n] as big-endian uint16 [n, n], and the metres of 0 and ``LEVELS``."""
    low, high = float(height.min()), float(height.max())
    scale = LEVELS / (high - low) if high > low else 0.0
    return np.rint((height - low) * scale).astype(">u2").tobytes(), (low, high)


def mean_color(albedo: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The mean of an albedo [n, n, 3] in linear light."""
    srgb = np.arange(256) / 255
    # IEC 61966-2-1
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    means = [
        np.bincount(albedo[..., channel].ravel(), minlength=256) @ light for channel in range(3)
    ]
    red, green, blue = np.array(means) / (albedo.shape[0] * albedo.shape[1])
    return float(red), float(green), float(blue)


def swatch(
    albedo: NDArray[np.uint8],
    normal: NDArray[np.uint8],
    occlusion: NDArray[np.uint8],
    material: Material,
) -> NDArray[np.float32]:
    """A few units of a tile, lit from the upper left: sRGB float32 [m, m, 4] with row 0 at the
    bottom, as previews are.

    Args:
        albedo, normal: uint8 [n, n, 3].
        occlusion: uint8 [n, n].
        material: with everything decided.
    """
    width, height = material.unit or (material.size, material.size)
    share = min(1.0, UNITS * (width * height) ** 0.5 / material.size)
    side = round(albedo.shape[0] * share)
    every = max(1, side // SWATCH)
    color, facing, open_sky = (
        _shrunk(each[:side, :side], every) for each in (albedo, normal, occlusion)
    )
    facing = facing * 2 - 1
    light = LIGHT / np.linalg.norm(LIGHT)
    lit = (facing @ light) / light[2] * BRIGHTEST * (0.5 + 0.5 * open_sky)
    side = color.shape[0]
    found = np.ones((side, side, 4), np.float32)
    found[..., :3] = (color * lit.clip(0.3, 1.6)[..., None]).clip(0, 1)
    return np.ascontiguousarray(found[::-1])


def _shrunk(values: NDArray[np.uint8], every: int) -> NDArray[np.float32]:
    """Means of squares of ``every`` pixels, in 0 to 1; what is left over at the edge is cut off."""
    side = values.shape[0] // every
    cut = values[: side * every, : side * every].astype(np.float32) / 255
    return cut.reshape(side, every, side, every, *values.shape[2:]).mean((1, 3))
