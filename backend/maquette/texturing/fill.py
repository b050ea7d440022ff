"""Colours for texels that no view sees, and for the texture around its islands.

An unseen texel is coloured by its neighbours on the model, which may lie on another island: the
nearest seen points in space, of its own object where there are any, that face as it does. Then
every island is continued outwards, so that no mip level mixes in another colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
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
_BLOCK = 4, 16
"""Least and greatest side of a square of texels that look for their neighbours among those of one
of them; about as far apart as the seen texels are that are looked among."""
_SPARE = 2
"""Times the neighbours that a block looks among."""
_MEMBERS = 1 << 14
"""Texels at a time, with as much for each as a processor has at hand."""


def fill(
    linear: NDArray[np.float32], seen: NDArray[np.bool_], surface: Surface, texels: Texels
) -> NDArray[np.float32]:
    """Colours [texels, 3] for every texel, from those that are `seen` [texels]."""
    whole = linear.copy()
    places = texels.places
    known = seen[places]
    if not known.all():
        normals = surface.normals()
        objects = surface.objects[texels.triangles]
        order = np.argsort(objects, kind="stable")
        ends = np.cumsum(np.bincount(objects))
        lost = []
        for own in np.split(order, ends[:-1]):
            wanted = own[~known[own]]
            if len(wanted) == len(own):
                lost.append(own)
            elif len(wanted):
                sources = own[known[own]]
                _from_neighbours(whole, surface, normals, texels, sources, wanted)
        # An object that no view sees takes the colours of what stands nearest to it.
        if sum(map(len, lost)):
            wanted = np.sort(np.concatenate(lost))
            _from_neighbours(whole, surface, normals, texels, np.flatnonzero(known), wanted)
    covered = np.zeros(len(seen), bool)
    covered[places] = True
    size = texels.size
    tiles = whole.reshape(-1, size, size, 3)
    for tile, islands in zip(tiles, covered.reshape(-1, size, size), strict=True):
        if islands.any():
            nearest: Any = ndimage.distance_transform_edt(
                ~islands, return_distances=False, return_indices=True
            )
            tile[...] = tile[nearest[0], nearest[1]]
    return whole


def _from_neighbours(
    whole: NDArray[np.float32],
    surface: Surface,
    normals: NDArray[np.float64],
    texels: Texels,
    sources: NDArray[np.int64],
    wanted: NDArray[np.int64],
) -> None:
    """Colour the texels `wanted` from `sources` (both places in the texels), in place.

    Neighbours are looked for in blocks of texels, whose neighbours are much the same: one of them
    asks the tree for more than it needs, and the others choose among these. A texel that may have
    neighbours beyond them waits for the next round, in which one of those left asks.
    """
    within = np.zeros(len(normals), bool)
    within[texels.triangles[sources]] = within[texels.triangles[wanted]] = True
    corners = surface.corners[within]
    middle, scale = corners.mean((0, 1)), np.ptp(corners, (0, 1)).max()
    stride = max(1, len(sources) // _KNOWN)
    sources = sources[::stride]

    def place(chosen: NDArray[np.int64]) -> NDArray[np.float32]:
        triangles = texels.triangles[chosen]
        corners = (surface.corners[triangles] - middle).astype(np.float32)
        points = np.einsum("mk,mkx->mx", texels.weights[chosen], corners)
        turned = (normals[triangles] * (_TURN / 2 * scale)).astype(np.float32)
        return np.concatenate([points, turned], 1)

    there = place(sources)
    tree: Any = KDTree(there)
    threads = torch.get_num_threads()
    colors = torch.from_numpy(whole[texels.places[sources]])
    count, asked = (min(each, len(sources)) for each in (_NEIGHBOURS, _SPARE * _NEIGHBOURS))
    block = int(np.clip(stride**0.5, *_BLOCK))
    rows, columns = np.divmod(texels.places[wanted], texels.size)
    blocks = rows // block * texels.size + columns // block
    order = np.argsort(blocks, kind="stable")
    wanted, blocks = wanted[order], blocks[order]
    while len(wanted):
        _, begins, sizes = np.unique(blocks, return_index=True, return_counts=True)
        left = []
        step = max(1, _MEMBERS // int(sizes.max()))
        for start in range(0, len(begins), step):
            begin, size = begins[start : start + step, None], sizes[start : start + step, None]
            slots = np.arange(size.max())
            members = begin + np.minimum(slots, size - 1)
            asking = np.arange(len(begin)), size[:, 0] // 2
            here = place(wanted[members].ravel()).reshape(*members.shape, -1)
            # A list, which keeps the last axis where one is asked for.
            reach, index = tree.query(here[asking], list(range(1, asked + 1)), workers=threads)
            # Exact differences: by products, points close to each other would be rounded away.
            distance = torch.cdist(
                torch.from_numpy(here),
                torch.from_numpy(there[index]),
                compute_mode="donot_use_mm_for_euclid_dist",
            )
            farthest = distance.kthvalue(count, 2, keepdim=True).values
            # What was not found is beyond the reach of the texel that asked, and taken to be closer
            # to another by no more than any that was found.
            square = torch.from_numpy(reach.astype(np.float32) ** 2)[:, None]
            beyond = square[..., -1] - (square - distance**2).amax(2)
            alike = (farthest[..., 0] ** 2 <= beyond).numpy()
            alike[asking] = True
            alike |= asked == len(sources)
            neighbours = distance <= farthest
            # Softened by the reach of the neighbours, so that none of them stands out.
            distance += _SOFTNESS * farthest + 1e-9
            weight = distance.pow_(-2).mul_(neighbours)
            mixed = weight @ colors[torch.from_numpy(index)]
            mixed = (mixed / weight.sum(2, keepdim=True)).numpy()
            real = slots < size
            whole[texels.places[wanted[members[real & alike]]]] = mixed[real & alike]
            left.append(members[real & ~alike])
        rest = np.concatenate(left)
        wanted, blocks = wanted[rest], blocks[rest]
