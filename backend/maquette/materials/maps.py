"""A painted tile and its relief → the maps of a physically based material.

Everything wraps: what lies beyond an edge is the opposite edge. Lengths are metres, and slopes are
those of the real surface. Row 0 is the top.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft

Map = NDArray[np.float32]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
DETAIL_REACH = 0.02
"""Metres: what the picture shows that is wider than this is colour, not relief."""
DETAIL_CONTRAST = 0.15
"""Of white: the contrast of the picture that makes most of the detail."""
DETAIL_MOST = 0.002
"""Metres that the detail is high or deep, at most;"""
DETAIL_OF_RELIEF = 0.2
"""and this share of the relief, so that a joint stays below its units;"""
DETAIL_OF_PIXEL = 0.5
"""and this share of a pixel, so that it stays finer than it is wide."""

ROUGHNESS = {
    "mirror": 0.04,
    "glass": 0.08,
    "glazed": 0.22,
    "polished": 0.22,
    "glossy": 0.22,
    "lacquered": 0.28,
    "wet": 0.28,
    "ceramic": 0.3,
    "porcelain": 0.25,
    "marble": 0.3,
    "terrazzo": 0.35,
    "steel": 0.35,
    "aluminium": 0.4,
    "aluminum": 0.4,
    "copper": 0.4,
    "brass": 0.35,
    "bronze": 0.4,
    "zinc": 0.45,
    "metal": 0.4,
    "varnished": 0.4,
    "painted": 0.6,
    "slate": 0.65,
    "wood": 0.65,
    "timber": 0.65,
    "oak": 0.65,
}
"""Words of a prompt and how rough what they name is; the smoothest one decides."""
ROUGH, JOINT_ROUGH = 0.82, 0.9
"""Of units that no word makes smoother, and of joints."""
ROUGHNESS_DETAIL = 0.08

OCCLUSION_REACH = 4.0
"""Times the relief's depth: how far a pixel looks for what hides the sky from it."""
DIRECTIONS = 12


def enlarged(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A tile [h, h, 3] at another size [side, side, 3], by Lanczos filtering."""
    own = picture.shape[0]
    if own == side:
        return picture
    # The filter looks three pixels of the coarser grid far.
    beyond = min(own, 4 * max(1, -(-own // side)))
    whole = Image.fromarray(np.pad(picture, ((beyond,) * 2, (beyond,) * 2, (0, 0)), mode="wrap"))
    box = (beyond, beyond, beyond + own, beyond + own)
    return np.asarray(whole.resize((side, side), Image.Resampling.LANCZOS, box))


def blurred(values: Map, sigma: float) -> Map:
    """[n, n] filtered by a Gaussian of so many pixels, which wraps: in the frequency domain, where
    its width costs nothing."""
    count = values.shape[0]
    rows, columns = fft.fftfreq(count)[:, None], fft.rfftfreq(count)[None]
    kept = np.exp(-2.0 * (np.pi * sigma) ** 2 * (rows**2 + columns**2)).astype(np.float32)
    spectrum = np.asarray(fft.rfft2(values)) * kept
    return np.asarray(fft.irfft2(spectrum, values.shape), np.float32)


def fine_detail(albedo: NDArray[np.uint8], units: NDArray[np.int32], pitch: float) -> Map:
    """What a picture [n, n, 3] shows that is finer than `DETAIL_REACH`, by its brightness:
    float32 [n, n] in -1 to 1.

    units: [n, n], below 0 in joints, which are compared with joints alone: that mortar is lighter
    than brick says nothing of which stands out. pitch: metres a pixel.
    """
    light = albedo.astype(np.float32) @ (LUMA / np.float32(255.0))
    sigma = max(DETAIL_REACH / pitch, 2.0)
    around = np.empty_like(light)
    joint = units < 0
    for part in (joint, ~joint):
        if part.any():
            share = blurred(part.astype(np.float32), sigma)
            lit = blurred(np.where(part, light, np.float32(0.0)), sigma)
            around[part] = lit[part] / share[part].clip(1e-4)
    return np.tanh((light - around) / np.float32(DETAIL_CONTRAST), dtype=np.float32)


def height_map(relief: Map, detail: Map, depth: float, pitch: float) -> Map:
    """Metres [n, n], with mean 0: the relief and what the picture shows beside it.

    relief: metres [n, n]. detail: -1 to 1. depth: metres from the bottom of the joints to the top
    of the units.
    """
    most = min(DETAIL_MOST, DETAIL_OF_RELIEF * depth, DETAIL_OF_PIXEL * pitch)
    height = relief + np.float32(most) * detail
    return height - height.mean(dtype=np.float64).astype(np.float32)


def normal_map(height: Map, pitch: float) -> NDArray[np.uint8]:
    """Tangent-space normals uint8 [n, n, 3] of a height [n, n] in metres: red to the right, green
    upwards (as OpenGL has it), blue out of the surface."""
    per_metre = np.float32(0.5 / pitch)
    right = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) * per_metre
    up = (np.roll(height, 1, 0) - np.roll(height, -1, 0)) * per_metre
    normal = np.stack([-right, -up, np.ones_like(height)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return _levels(0.5 + 0.5 * normal)


def roughness_map(prompt: str, detail: Map, units: NDArray[np.int32]) -> NDArray[np.uint8]:
    """uint8 linear [n, n]: as what the prompt names usually is, darker spots a little rougher."""
    words = re.findall(r"[a-z]+", prompt.lower())
    base = min((ROUGHNESS[word] for word in words if word in ROUGHNESS), default=ROUGH)
    rough = np.where(units < 0, np.float32(JOINT_ROUGH), np.float32(base))
    return _levels(rough - np.float32(min(ROUGHNESS_DETAIL, base / 2)) * detail)


def occlusion_map(
    height: Map, depth: float, pitch: float, each: Callable[[], None] | None = None
) -> NDArray[np.uint8]:
    """Share of the sky's light that reaches each pixel, uint8 linear [n, n], 255 in the open.

    By horizons: in each of `DIRECTIONS` the steepest rise within reach hides what is below it,
    1 - sin² of its angle being left of light from everywhere (Bavoil, Sainz and Dimitrov,
    "Image-space horizon-based ambient occlusion", SIGGRAPH 2008 talks). height: metres [n, n].
    depth: metres, of the relief, which its reach follows from. each: called for each direction.
    """
    count = height.shape[0]
    reach = int(np.clip(OCCLUSION_REACH * depth / pitch, 2, count // 4))
    around = np.pad(height, reach, mode="wrap")
    seen = np.zeros_like(height)
    for direction in range(DIRECTIONS):
        if each is not None:
            each()
        steepest = np.zeros_like(height)
        for down, across in _offsets(2.0 * np.pi * direction / DIRECTIONS, reach):
            rows = slice(reach + down, reach + down + count)
            columns = slice(reach + across, reach + across + count)
            run = np.float32(pitch * np.hypot(down, across))
            np.maximum(steepest, (around[rows, columns] - height) / run, out=steepest)
        seen += 1.0 / (1.0 + steepest * steepest)
    return _levels(seen / DIRECTIONS)


def _offsets(angle: float, reach: int) -> Iterator[tuple[int, int]]:
    """Pixels along a direction: each of the nearest, then ever fewer, to the reach."""
    distance, last = 1.0, (0, 0)
    while distance <= reach:
        offset = round(distance * np.sin(angle)), round(distance * np.cos(angle))
        if offset != last:
            yield offset
        last = offset
        distance += max(1.0, distance / 4.0)


def _levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
