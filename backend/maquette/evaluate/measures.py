"""Measures on pictures: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..edges import image_edges

_SKY, _WALL, _ROOF = 0, 2, 3
_CLEARANCE = 3.0  # pixels from a model edge within which a picture's edge belongs to it


def plane_edges(
    picture: NDArray[np.uint8], edges: NDArray[np.uint8], parts: NDArray[np.uint8]
) -> float | None:
    """The share of the building's planes that is covered with edges the massing does not have.

    picture: uint8 [H, W, 3]. edges, parts: of the scene, as in docs/dataset.md. Windows and courses
    are such edges, so the number is read beside that of finished renders: far more is invented
    structure, far less is a blank. None where no plane is seen.
    """
    away = np.asarray(ndimage.distance_transform_edt(edges == 0)) > _CLEARANCE
    planes = away & ((parts == _WALL) | (parts == _ROOF))
    return float(image_edges(picture)[planes].mean()) if planes.any() else None


def openings_followed(
    picture: NDArray[np.uint8], openings: NDArray[np.floating], tolerance: float = 2.0
) -> float | None:
    """The share of the edges of openings with a picture's edge within `tolerance` pixels.

    picture: uint8 [H, W, 3]. openings: [H, W], how much of each pixel is one, 0 to 1. None where
    there is none.
    """
    holes = openings > 0.5
    rims = holes & ~np.asarray(ndimage.binary_erosion(holes, border_value=1), bool)
    if not rims.any():
        return None
    away = np.asarray(ndimage.distance_transform_edt(~image_edges(picture)))
    return float((away[rims] <= tolerance).mean())


def kernel_distance(left: NDArray[np.floating], right: NDArray[np.floating]) -> float:
    """Squared maximum mean discrepancy of two sets of features [n, d], unbiased, with the cubic
    kernel (x y / d + 1)³: KID (Binkowski et al., "Demystifying MMD GANs", 2018).

    Raises ValueError for fewer than two of either.
    """
    if min(len(left), len(right)) < 2:
        raise ValueError("A kernel distance needs two pictures of each kind at least.")
    x, y = np.asarray(left, np.float64), np.asarray(right, np.float64)

    def kernel(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return (a @ b.T / a.shape[1] + 1.0) ** 3

    def within(a: NDArray[np.float64]) -> float:
        inside = kernel(a, a)
        return float((inside.sum() - np.trace(inside)) / (len(a) * (len(a) - 1)))

    return within(x) + within(y) - 2.0 * float(kernel(x, y).mean())


def psnr(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one size."""
    error = np.square(picture.astype(np.float64) - other).mean()
    return float(10.0 * np.log10(255.0**2 / max(error, 1e-10)))


def diversity(pictures: Sequence[NDArray[np.uint8]]) -> float:
    """Mean distance of pictures of one size to each other: RMS over pixels, of 255 levels."""
    stacked = np.stack(pictures).astype(np.float64)
    distances = [
        float(np.sqrt(np.square(stacked[i] - stacked[j]).mean()))
        for i in range(len(stacked))
        for j in range(i)
    ]
    return float(np.mean(distances))


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
