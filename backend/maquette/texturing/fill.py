"""Colours for texels that no view sees, and for the texture around its islands.

An unseen texel is coloured by its neighbours on the model, which may lie on another island: the
nearest seen points in space, of its own object where there are any, that face as it does. Then
every island is continued outwards, so that no mip level mixes in another colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from .surface import Surface, Texels

_NEIGHBOURS = 48
"""So many that a fill is a gradient of what surrounds it rather than streaks from its edge."""
_SOFTNESS = 0.25
_KNOWN = 1 << 14
"""Seen texels that unseen ones look among, spread over the surface."""
_TURN = 0.5
"""How far off, in sizes of the object, a point counts that faces the opposite way."""
_QUERIES = 1 << 18


def fill(
    linear: NDArray[np.float32], seen: NDArray[np.bool_], surface: Surface, texels: Texels
) -> NDArray[np.float32]:
    """Colours [size², 3] for every texel, from those that are `seen` [size²]."""
    whole = linear.copy()
    places = texels.places
    known = seen[places]
    if not known.all():
        objects = surface.objects[texels.triangles]
        seen_objects = np.unique(objects[known])
        # An object that no view sees takes the colours of what stands nearest to it.
        lost = ~np.isin(objects, seen_objects)
        for each in seen_objects:
            own = objects == each
            if (own & ~known).any():
                _from_neighbours(whole, surface, texels, own & known, own & ~known)
        if lost.any():
            _from_neighbours(whole, surface, texels, known, lost)
    covered = np.zeros(len(seen), bool)
    covered[places] = True
    size = texels.size
    nearest: Any = ndimage.distance_transform_edt(
        ~covered.reshape(size, size), return_distances=False, return_indices=True
    )
    return whole.reshape(size, size, 3)[nearest[0], nearest[1]].reshape(-1, 3)


def _from_neighbours(
    whole: NDArray[np.float32],
    surface: Surface,
    texels: Texels,
    known: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
) -> None:
    """Colour the texels `wanted` from those `known` (both bool, over the texels), in place."""
    sources = np.flatnonzero(known)
    sources = sources[:: max(1, len(sources) // _KNOWN)]
    normals = surface.normals()
    scale = np.ptp(surface.corners[texels.triangles[np.flatnonzero(known | wanted)]], (0, 1)).max()

    def place(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        triangles = texels.triangles[chosen]
        points = np.einsum("mk,mkx->mx", texels.weights[chosen], surface.corners[triangles])
        return np.concatenate([points, normals[triangles] * (_TURN / 2 * scale)], 1)

    tree = KDTree(place(sources))
    targets = np.flatnonzero(wanted)
    count = min(_NEIGHBOURS, len(sources))
    for start in range(0, len(targets), _QUERIES):
        part = targets[start : start + _QUERIES]
        distance, index = tree.query(place(part), k=count, workers=-1)
        distance, index = distance.reshape(-1, count), index.reshape(-1, count)
        # Softened by the reach of the neighbours, so that none of them stands out.
        weight = 1.0 / (distance + _SOFTNESS * distance[:, -1:] + 1e-9) ** 2
        weight /= weight.sum(1, keepdims=True)
        colors = whole[texels.places[sources[index]]]
        whole[texels.places[part]] = (colors * weight[:, :, None]).sum(1)
