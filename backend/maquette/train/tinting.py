"""The massing as a user colours it: what a picture of less than full strength begins from.

A painter of massings gives a wall, a roof, a lawn one colour each and leaves the rest grey. The
colours of a finished picture, one for each surface, under the massing's own shading, are such a
massing for that picture: a model that learns to finish it keeps hues it is given and makes up what
is grey.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .scenes import Scene

_ALL_GREY = 0.35
"""Share of massings without any colour: the commonest of all."""
_GREY = 0.2
"""Share of surfaces left grey in the others."""
_BRIGHTNESS = (0.45, 0.95)
"""A colour's largest channel. Its own brightness is the light's doing rather than the user's."""
_SHADED = 0.75
"""A viewport's grey where it is lit squarely, about."""


def tinted_massing(scene: Scene, finish: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture [h, w, 3] uint8 sRGB of the scene's massing in the colours of one finish."""
    look = scene.massing[int(rng.integers(len(scene.massing)))]
    if rng.random() < _ALL_GREY:
        return look
    grey = scene.massing[0].astype(np.float32).mean(2)
    surfaces = scene.objects.astype(np.int64) * 256 + scene.parts
    numbers, places = np.unique(surfaces, return_inverse=True)
    places = places.reshape(surfaces.shape)
    counts = np.bincount(places.ravel())
    picture = scene.finishes[finish].picture.astype(np.float32)
    means = np.stack(
        [np.bincount(places.ravel(), picture[..., c].ravel()) / counts for c in range(3)], 1
    )
    largest = np.maximum(means.max(1, keepdims=True), 1.0)
    colors = means / largest * rng.uniform(*_BRIGHTNESS, (len(numbers), 1))
    colored = (numbers % 256 > 0) & (rng.random(len(numbers)) >= _GREY)
    shading = (grey / (_SHADED * 255.0)).clip(0.0, 1.2)
    tinted = shading[..., None] * colors[places] * 255.0
    chosen = np.where(colored[places][..., None], tinted, look)
    return np.rint(chosen.clip(0.0, 255.0)).astype(np.uint8)
