"""Recipes and captures for the tests of sampling, and how pictures are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from maquette.runner import SamplingResult
from maquette.texturing.projection import Camera, look, points_seen
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from maquette_wire.view import View
from numpy.typing import NDArray

from tests.backend.scenes import frames, massing

STEPS = 4
OUT_OF_MEMORY = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "cpu": lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    "numpy": lambda: MemoryError("Unable to allocate 9 GiB"),
}
"""What the allocators of different devices raise."""


def recipe(**changes: Any) -> Recipe:
    values: dict[str, Any] = {"prompt": "red brick library", "model": "tiny", "steps": STEPS}
    return Recipe(**(values | changes))


def small(**changes: Any) -> Capture:
    return massing(64, 64, **changes)


def with_depth(depth: np.ndarray, name: str = "street") -> Capture:
    capture = small()
    color, _ = frames(capture)
    height, width = depth.shape
    view = View(
        view_matrix=capture.view.view_matrix,
        projection_matrix=capture.view.projection_matrix,
        width=width,
        height=height,
        name=name,
    )
    return Capture(view, np.ascontiguousarray(color[:height, :width]), depth.astype(np.float32))


def same(first: SamplingResult, second: SamplingResult) -> bool:
    return all(
        np.array_equal(a[2], b[2]) for a, b in zip(first.pictures, second.pictures, strict=True)
    )


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def disagreement(captures: list[Capture], pictures: list[NDArray[np.uint8]]) -> float:
    """Mean difference of colours, in levels, of what the first and the second view both see."""
    cameras = [Camera.of(c.view, np.zeros(3), torch.device("cpu")) for c in captures[:2]]
    depths = [torch.from_numpy(frames(c)[1].copy()) for c in captures[:2]]
    height, width = depths[0].shape
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([x, y], -1).reshape(-1, 2).float()
    points, normals = points_seen(cameras[0], depths[0], pixels)
    hit = points.isfinite().all(1) & normals.isfinite().all(1)
    sight = look(cameras[1], depths[1].flatten(), points[hit].T, normals[hit].T, least=0.3)
    flat = [torch.from_numpy(picture.reshape(-1, 3)).float() for picture in pictures[:2]]
    assert len(sight.rows) > 500
    return float((flat[0][hit][sight.rows] - sight.gather(flat[1])).abs().mean())
