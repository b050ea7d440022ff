"""Procedural pictures on which an image autoencoder is pretrained before any render exists.

The dead-leaves model (Lee, Mumford, Huang, "Occlusion Models for Natural Images", IJCV 2001):
shapes that hide one another have the edge statistics of photographs, and autoencoders trained on
them transfer. The leaves here are filled with what façades are made of: courses, panes, boards,
foliage and plain plaster, under gradients and cast shadows, lit by warm, neutral or blue light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

_OVERSAMPLING = 2


def leaves_picture(seed: int, size: int = 128) -> NDArray[np.uint8]:
    """One picture [size, size, 3] uint8 sRGB, a function of its seed alone."""
    rng = np.random.default_rng(seed)
    full = size * _OVERSAMPLING
    top, bottom = _color(rng), _color(rng)
    ramp = np.linspace(0.0, 1.0, full, dtype=np.float32)[:, None, None]
    canvas = np.ascontiguousarray(
        np.broadcast_to(top + (bottom - top) * ramp, (full, full, 3)), dtype=np.float32
    )
    for _ in range(int(rng.integers(4, 26))):
        _paint_leaf(canvas, rng)
    for _ in range(int(rng.integers(0, 4))):
        rows, columns, mask = _shape(rng, full, 0.5)
        canvas[rows, columns] *= 1.0 - mask[..., None] * np.float32(rng.uniform(0.2, 0.6))
    tint = np.float32(rng.choice([0.35, 0.7, 1.0, 1.0, 1.1])) * (
        1.0 + rng.normal(0.0, 0.12, 3).astype(np.float32)
    )
    shaded = np.clip(canvas * tint, 0.0, 1.0)
    blocks = shaded.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING, 3)
    return np.rint(blocks.mean((1, 3)) * 255.0).astype(np.uint8)


def _color(rng: np.random.Generator) -> NDArray[np.float32]:
    grey = rng.uniform(0.05, 1.0)
    return np.clip(grey + rng.normal(0.0, rng.choice([0.02, 0.08, 0.25]), 3), 0, 1).astype(
        np.float32
    )


def _shape(
    rng: np.random.Generator, full: int, largest: float
) -> tuple[slice, slice, NDArray[np.float32]]:
    """A polygon or ellipse: its bounding box in the canvas and its coverage there."""
    span = full * largest * rng.beta(1.0, 2.0) + 6
    height, width = (int(span * np.exp(rng.normal(0.0, 0.5))) + 4 for _ in range(2))
    top, left = (int(i) for i in rng.integers(-full // 4, full, 2))
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    kind = rng.random()
    if kind < 0.45:
        draw.rectangle((0, 0, width, height), fill=255)
    elif kind < 0.9:
        corners = rng.uniform(0.0, 1.0, (int(rng.integers(3, 6)), 2)) * (width, height)
        center = corners.mean(0)
        order = np.argsort(np.arctan2(*(corners - center).T))
        draw.polygon([(float(x), float(y)) for x, y in corners[order]], fill=255)
    else:
        draw.ellipse((0, 0, width - 1, height - 1), fill=255)
    mask = np.asarray(image, np.float32) / 255.0
    rows = slice(max(0, top), max(0, min(full, top + height)))
    columns = slice(max(0, left), max(0, min(full, left + width)))
    inside = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return rows, columns, inside


def _paint_leaf(canvas: NDArray[np.float32], rng: np.random.Generator) -> None:
    rows, columns, mask = _shape(rng, canvas.shape[0], 1.2)
    if mask.size == 0:
        return
    y, x = np.meshgrid(
        np.arange(mask.shape[0], dtype=np.float32),
        np.arange(mask.shape[1], dtype=np.float32),
        indexing="ij",
    )
    angle = rng.choice([0.0, 0.0, rng.normal(0.0, 0.3)])
    u = x * np.cos(angle) + y * np.sin(angle) * rng.uniform(0.5, 1.5)
    v = y * np.cos(angle) - x * np.sin(angle)
    base, second = _color(rng), _color(rng)
    fill = _pattern(rng, u.astype(np.float32), v.astype(np.float32))
    color = base + (second - base) * fill[..., None]
    color = color * (1.0 + rng.normal(0.0, 0.15) * (x / mask.shape[1] - 0.5))[..., None]
    canvas[rows, columns] += mask[..., None] * (color.astype(np.float32) - canvas[rows, columns])


def _pattern(
    rng: np.random.Generator, u: NDArray[np.float32], v: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How much of the second colour shows, in [0, 1]: plaster, courses, panes, boards, foliage."""
    kind = rng.random()
    if kind < 0.3:
        return np.full_like(u, rng.random())
    if kind < 0.45:
        height = rng.uniform(3.0, 12.0)
        length = height * rng.uniform(2.0, 4.0)
        course = np.floor(v / height)
        joint = (v % height < 1.0) | ((u + (course % 2) * length / 2) % length < 1.0)
        tone = _noise(np.floor(u / length), course) * rng.uniform(0.0, 0.4)
        return np.where(joint, 1.0, tone).astype(np.float32)
    if kind < 0.7:
        bay, floor = rng.uniform(8.0, 60.0, 2)
        pane = (u % bay < bay * rng.uniform(0.3, 0.9)) & (v % floor < floor * rng.uniform(0.3, 0.9))
        lit = 0.6 + 0.4 * _noise(np.floor(u / bay), np.floor(v / floor))
        return np.where(pane, lit, 0.0).astype(np.float32)
    if kind < 0.82:
        period = rng.uniform(3.0, 30.0)
        return ((u % period) / period < rng.uniform(0.05, 0.6)).astype(np.float32)
    scale = rng.uniform(1.0, 16.0)
    cloud = sum(
        _noise(np.floor(u / (scale * octave)), np.floor(v / (scale * octave)))
        for octave in (1.0, 2.3, 5.1)
    )
    return (np.asarray(cloud) / 3.0 * rng.uniform(0.2, 1.0)).astype(np.float32)


def _noise(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeatable noise in [0, 1) for a cell (a, b)."""
    phase = np.sin(a * 127.1 + b * 311.7) * np.float32(43758.547)
    return phase - np.floor(phase)
