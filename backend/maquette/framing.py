"""From a capture's pixel grid to a model's and back, without moving an edge.

Models want sides that are multiples of 8 and more. Rescaling to them would shift every silhouette
by parts of a pixel against the 3D model, so a picture is padded by repeating the outermost pixels,
at its right and lower edge or, for models that paint borders badly, all around, and cropped
afterwards. Only a result size that a recipe asks for resamples, by area.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from PIL import Image

Scalar = TypeVar("Scalar", bound=np.generic)


def result_size(
    view: tuple[int, int], wanted: tuple[int, int] | None, name: str
) -> tuple[int, int]:
    """(width, height) of the pictures of a view of that size.

    Raises MaquetteError("bad-recipe") where the wanted size has other proportions: the picture
    would be stretched against the model.
    """
    if wanted is None or wanted == view:
        return view
    width, height = wanted
    # The one side that follows from the other, rounded up or down.
    off = min(abs(view[0] * height / view[1] - width), abs(view[1] * width / view[0] - height))
    if off > 1.0:
        fitting = (width, max(1, round(view[1] * width / view[0])))
        raise MaquetteError(
            "bad-recipe",
            f"The recipe's size {width} x {height} has other proportions than {name}, "
            f"which is {view[0]} x {view[1]}.",
            f"Use {fitting[0]} x {fitting[1]}, or leave the size to the view.",
        )
    return wanted


def within(size: tuple[int, int], most: int | None) -> tuple[int, int]:
    """(width, height) of the same proportions, with sides of `most` pixels at most."""
    if most is None or max(size) <= most:
        return size
    width, height = (max(1, round(side * most / max(size))) for side in size)
    return width, height


def padded_size(size: tuple[int, int], multiple: int, margin: int = 0) -> tuple[int, int]:
    """(width, height) with a margin all around, rounded up to multiples."""
    width, height = (-(-(side + 2 * margin) // multiple) * multiple for side in size)
    return width, height


def tile_size(size: tuple[int, int], multiple: int, most: int) -> tuple[int, int]:
    """(width, height) in which a picture that goes on at its opposite edge, so that it can't be
    padded, is painted: down to multiples, with sides of `most` pixels at most."""
    width, height = (max(1, min(side, most) // multiple) * multiple for side in size)
    return width, height


def resample(color: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] → [h, w, 3] for size (w, h): by area down, linearly up."""
    height, width = color.shape[:2]
    if (width, height) == size:
        return color
    shrinks = size[0] <= width and size[1] <= height
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(color).resize(size, method))


def pad(array: NDArray[Scalar], size: tuple[int, int], margin: int = 0) -> NDArray[Scalar]:
    """[h, w, ...] → the size (width, height) by repeating the outermost rows and columns, `margin`
    of them above and on the left."""
    width, height = size
    rows = margin, height - array.shape[0] - margin
    columns = margin, width - array.shape[1] - margin
    if not any((*rows, *columns)):
        return array
    return np.pad(array, (rows, columns, *((0, 0),) * (array.ndim - 2)), mode="edge")
