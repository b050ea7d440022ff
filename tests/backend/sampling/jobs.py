"""Recipes and captures for the tests of sampling, and how pictures are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from maquette.sampling import SamplingResult
from maquette_wire.capture import Capture
from maquette_wire.recipe import Recipe
from maquette_wire.view import View

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
