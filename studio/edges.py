"""Edges of the massing from its exact maps."""

from __future__ import annotations

import numpy as np

SILHOUETTE, CREASE, BOUNDARY = 1, 2, 4


def edge_map(
    depth: np.ndarray, normals: np.ndarray, parts: np.ndarray, objects: np.ndarray
) -> np.ndarray:
    """Edge bits, uint8 [H, W], on the nearer side of each step.

    A silhouette is where inverse depth leaves the plane of its neighbourhood (second difference,
    relative), so that a ground seen at a grazing angle is none; a crease is a turn of more than 20
    degrees; a boundary a change of object or part.
    """
    inverse = np.where(np.isfinite(depth), 1.0 / np.maximum(depth, 1e-6), 0.0)
    result = np.zeros(depth.shape, np.uint8)
    for axis in (0, 1):
        near, far = _pairs(axis)
        bend = np.zeros_like(inverse)
        padded = np.pad(inverse, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        before = np.take(padded, range(inverse.shape[axis]), axis)
        after = np.take(padded, range(2, inverse.shape[axis] + 2), axis)
        bend = np.abs(before - 2 * inverse + after)
        curved = bend > 0.04 * np.maximum(inverse, np.maximum(before, after))
        jump = np.abs(inverse[near] - inverse[far]) > 0.03 * np.maximum(inverse[near], inverse[far])
        silhouette = jump & (curved[near] | curved[far])
        turn = (normals[near] * normals[far]).sum(-1) < 0.94
        both = np.isfinite(depth[near]) & np.isfinite(depth[far])
        other = (objects[near] != objects[far]) | (parts[near] != parts[far])
        bits = SILHOUETTE * silhouette + CREASE * (turn & both) + BOUNDARY * (other & both)
        first = inverse[near] >= inverse[far]
        result[near] |= np.where(first, bits, 0).astype(np.uint8)
        result[far] |= np.where(first, 0, bits).astype(np.uint8)
    return result


def _pairs(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    if axis == 0:
        return (slice(None, -1), slice(None)), (slice(1, None), slice(None))
    return (slice(None), slice(None, -1)), (slice(None), slice(1, None))
