"""Picture arithmetic shared by looks, finishes and styles; arrays are float32 [H, W(, C)] unless
told otherwise."""

from __future__ import annotations

import numpy as np


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear 0..1 to sRGB 0..1."""
    clipped = np.clip(linear, 0.0, 1.0)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)


def to_bytes(srgb: np.ndarray) -> np.ndarray:
    """0..1 to uint8."""
    return np.clip(np.rint(srgb * 255.0), 0, 255).astype(np.uint8)


def halve(picture: np.ndarray) -> np.ndarray:
    """Mean of 2 × 2 pixels."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return picture.reshape(height, 2, width, 2, *picture.shape[2:]).mean((1, 3))


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, edges repeated."""
    radius = max(1, int(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    taps /= taps.sum()
    for axis in (0, 1):
        pad = [(0, 0)] * picture.ndim
        pad[axis] = (radius, radius)
        padded = np.pad(picture, pad, mode="edge")
        size = picture.shape[axis]
        result = np.zeros_like(picture)
        for i, tap in enumerate(taps):
            index = [slice(None)] * picture.ndim
            index[axis] = slice(i, i + size)
            result += tap * padded[tuple(index)]
        picture = result
    return picture


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Rec. 709 weights on the last axis."""
    return rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def step(picture: np.ndarray) -> np.ndarray:
    """Largest difference to the right and lower neighbour, [H, W]."""
    right = np.abs(np.diff(picture, axis=1, append=picture[:, -1:]))
    down = np.abs(np.diff(picture, axis=0, append=picture[-1:]))
    return np.maximum(right, down)
