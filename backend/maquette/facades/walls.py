"""Walls: pieces of one plane joined across what hides them, across captures, and around curves."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from .patches import Patches, find_patches, joined
from .sight import PAST, Floats, Sight, see_past

_MOST = 1500
"""Patches, the largest of them: the others are too small to show windows."""
_TURN = np.cos(np.radians(0.7))
_OFFSET, _OFFSET_SHARE = 0.04, 0.05
"""Metres that patches of one plane may lie apart, and share of the metres between samples beside.
"""
_GAP = 1.0
"""Metres between patches of one wall; further apart only where something hides what is between."""
_CURVE = np.cos(np.radians(32.0))
"""The most that neighbours turn within a curved wall."""
_JOINT = 0.3
"""Metres between the ends of neighbours of one curved wall, beside the samples."""
_LEVEL = 0.5
"""Metres between their heights."""
_HIDDEN = 0.06
"""Share of the depth, beside `PAST`, by which what hides a wall's end is nearer than what the wall
meets there."""


@dataclass(frozen=True)
class Wall:
    """One wall, straight or made of straight pieces around a curve, from left to right for who
    stands before it.

    Attributes:
        pieces: a patch for each.
        starts: [pieces], metres along the wall where each begins. length: metres.
        bottom, top: metres above zero.
        ends: whether the wall is seen to end at its left, right, bottom and top; elsewhere
            something hides it, or the picture ends.
    """

    pieces: Patches
    starts: Floats
    length: float
    bottom: float
    top: float
    ends: tuple[bool, bool, bool, bool]

    @property
    def spacing(self) -> float:
        """Metres between the samples that it was found by."""
        return float(self.pieces.spacing.min())

    def places(self, along: Floats, up: Floats) -> tuple[Floats, Floats]:
        """World positions [n, 3] of places on the wall, metres along it and above zero, and the
        wall's normals there [n, 2]."""
        piece = (np.searchsorted(self.starts, along, side="right") - 1).clip(0)
        of = self.pieces.pick(piece)
        return of.corners(of.left + along - self.starts[piece], up), of.normals


def find_walls(sights: Sequence[Sight]) -> list[Wall]:
    """The walls that captures of one scene show, without what is too small to have a window."""
    patches = joined([find_patches(sight) for sight in sights])
    if len(patches) > _MOST:
        patches = patches.pick(np.argsort(-patches.area)[:_MOST])
    whole = _whole(patches, sights)
    walls = _with_ends([_wall(whole.pick(chain)) for chain in _chains(whole)], sights)
    return [wall for wall in walls if not _is_section(wall, sights)]


def _whole(patches: Patches, sights: Sequence[Sight]) -> Patches:
    """Patches of one plane and wall, joined."""
    if not len(patches):
        return patches
    first, second = np.nonzero(_coplanar(patches))
    kept = first < second
    first, second = first[kept], second[kept]
    near = _near(patches, first, second, sights)
    count, wall = _groups(len(patches), first[near], second[near])
    order = np.argsort(wall, kind="stable")
    starts = np.searchsorted(wall[order], np.arange(count))
    weight = np.bincount(wall, patches.area, count).astype(np.float64)

    def mean(values: Floats) -> Floats:
        return np.bincount(wall, values * patches.area, count) / weight

    normals = np.stack([mean(patches.normals[:, 0]), mean(patches.normals[:, 1])], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middle = patches.corners((patches.left + patches.right) / 2, patches.bottom)
    offsets = mean((middle[:, :2] * normals[wall]).sum(1))
    ends = [patches.corners(end, patches.bottom)[:, :2] for end in (patches.left, patches.right)]
    sideways = np.stack([-normals[:, 1], normals[:, 0]], 1)[wall]
    left, right = ((end * sideways).sum(1) for end in ends)
    return Patches(
        normals,
        offsets,
        np.minimum.reduceat(left[order], starts),
        np.maximum.reduceat(right[order], starts),
        np.minimum.reduceat(patches.bottom[order], starts),
        np.maximum.reduceat(patches.top[order], starts),
        np.minimum.reduceat(patches.spacing[order], starts),
        weight,
    )


def _coplanar(patches: Patches) -> NDArray[np.bool_]:
    """Which two patches [n, n] lie in one plane and face the same way."""
    middle = patches.corners((patches.left + patches.right) / 2, patches.bottom)[:, :2]
    apart = np.abs(middle @ patches.normals.T - patches.offsets[None, :])
    allowed = _OFFSET + _OFFSET_SHARE * np.maximum(
        patches.spacing[:, None], patches.spacing[None, :]
    )
    same = patches.normals @ patches.normals.T > _TURN
    return same & (np.maximum(apart, apart.T) < allowed)


def _near(
    patches: Patches, first: NDArray[np.intp], second: NDArray[np.intp], sights: Sequence[Sight]
) -> NDArray[np.bool_]:
    """Which pairs of one plane are of one wall: next to each other, or with something hiding what
    is between them."""
    a, b = patches.pick(first), patches.pick(second)
    # In the first one's axes; the two tangents are all but the same.
    shift = b.corners(b.left, b.bottom)[:, :2] * a.tangents
    left = shift.sum(1)
    right = left + b.right - b.left
    aside = np.maximum(left - a.right, a.left - right)
    above = np.maximum(b.bottom - a.top, a.bottom - b.top)
    room = _GAP + np.maximum(a.spacing, b.spacing)
    near = (aside < room) & (above < room)
    hidden = (aside >= room) & (above < 0.0) & ~near
    which = np.flatnonzero(hidden)
    if not len(which):
        return near
    one, low, high = (
        a.pick(which),
        np.minimum(a.right, right)[which],
        np.maximum(a.left, left)[which],
    )
    up = (np.maximum(a.bottom, b.bottom) + np.minimum(a.top, b.top))[which] / 2
    open_ = np.zeros(len(which), bool)
    unseen = np.zeros(len(which), bool)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        points = one.corners(low + (high - low) * share, up)
        open_ |= see_past(sights, points, one.normals)
        unseen |= np.all([np.isnan(s.behind(points, one.normals)) for s in sights], axis=0)
    near[which] = ~open_ & ~unseen
    return near


def _groups(
    count: int, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[int, NDArray[np.int32]]:
    links = sparse.coo_array((np.ones(len(first), bool), (first, second)), (count, count))
    groups, of = csgraph.connected_components(links, directed=False)
    return int(groups), of


def _chains(patches: Patches) -> list[NDArray[np.intp]]:
    """Patches that go on around a curve, from left to right; most stand alone."""
    if not len(patches):
        return []
    right = patches.corners(patches.right, patches.bottom)[:, :2]
    left = patches.corners(patches.left, patches.bottom)[:, :2]
    apart = np.linalg.norm(right[:, None] - left[None, :], axis=-1)
    turn = patches.normals @ patches.normals.T
    level = np.abs(patches.bottom[:, None] - patches.bottom[None, :])
    level = np.maximum(level, np.abs(patches.top[:, None] - patches.top[None, :]))
    fits = apart < _JOINT + patches.spacing[:, None] + patches.spacing[None, :]
    fits &= (turn > _CURVE) & (turn < 1.0 - 1e-6) & (level < _LEVEL + patches.spacing[:, None])
    np.fill_diagonal(fits, False)
    following = np.where(fits.any(1), np.where(fits, apart, np.inf).argmin(1), -1)
    before = np.full(len(patches), -1)
    for number, after in enumerate(following):
        if after >= 0 and before[after] < 0:
            before[after] = number
        else:
            following[number] = -1
    chains, seen = [], np.zeros(len(patches), bool)
    firsts = [*np.flatnonzero(before < 0), *range(len(patches))]  # those of closed rings last
    for number in firsts:
        chain = []
        while number >= 0 and not seen[number]:
            seen[number] = True
            chain.append(number)
            number = following[number]
        if chain:
            chains.append(np.array(chain))
    return chains


def _wall(pieces: Patches) -> Wall:
    lengths = pieces.right - pieces.left
    return Wall(
        pieces=pieces,
        starts=np.concatenate([[0.0], np.cumsum(lengths)[:-1]]),
        length=float(lengths.sum()),
        bottom=float(pieces.bottom.min()),
        top=float(pieces.top.max()),
        ends=(True, True, True, True),
    )


def _with_ends(walls: Sequence[Wall], sights: Sequence[Sight]) -> list[Wall]:
    """The walls, with what is seen of their ends."""
    if not walls:
        return []
    beside = [_beside(wall, side) for wall in walls for side in range(4)]
    points, normals = (np.concatenate(each) for each in zip(*beside, strict=True))
    seen = np.zeros(len(points), bool)
    for sight in sights:
        behind = sight.behind(points, normals)
        depth = sight.locate(points)[2]
        # Something far nearer hides the end; what is a little nearer is what the wall meets there.
        seen |= behind > -PAST - _HIDDEN * np.abs(depth)  # false out of the picture
    ends = seen.reshape(len(walls), 4, -1).mean(2) > 0.5
    return [
        dataclasses.replace(wall, ends=(bool(left), bool(right), bool(bottom), bool(top)))
        for wall, (left, right, bottom, top) in zip(walls, ends, strict=True)
    ]


def _beside(wall: Wall, side: int) -> tuple[Floats, Floats]:
    """Places just outside of a wall's left, right, bottom or top (0 to 3), as `Wall.places`."""
    share = np.linspace(0.08, 0.92, 7)
    out = 1.2 * wall.spacing
    up = wall.bottom + share * (wall.top - wall.bottom)
    along = share * wall.length
    if side == 0:
        return wall.places(np.full(7, -out), up)
    if side == 1:
        return wall.places(np.full(7, wall.length + out), up)
    return wall.places(along, np.full(7, wall.bottom - out if side == 2 else wall.top + out))


def _is_section(wall: Wall, sights: Sequence[Sight]) -> bool:
    """Whether it is the ground's own face, as an elevation shows it below the buildings: it goes on
    to both sides and down out of the picture."""
    left, right, bottom, top = wall.ends
    parallel = all(sight.view.kind == "orthographic" for sight in sights)
    return parallel and top and not (left or right or bottom)
