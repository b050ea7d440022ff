"""Points all over a surface, cameras that may see it, and what each of them sees, by rays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from .pieces import pieces_of
from .poses import Array, Camera, looking, ways
from .surface import Shape
from .view import SENSOR

WELL_SEEN = float(np.cos(np.radians(75.0)))
"""Cosine from which a point counts as seen, as in the figures of a bake."""
SAMPLES = 2048
TURNS = 16
RISES = (5.0, 20.0, 35.0, 50.0)
"""Degrees above the horizon of the rings; the highest look into courtyards. From steeper above, a
model of pictures takes roofs for façades or ground."""
LENSES = (50.0, 24.0)
"""Millimetres on the rings: from afar, and from nearer, before what stands around."""
STREET_LENSES = (24.0, 85.0)
"""Millimetres, the widest and the longest at eye level."""
FACADES = 24
"""Places on façades that a view at eye level is looked for in front of."""
EYE = 1.6
"""Metres above the ground."""
REACHES = (0.8, 1.6)
"""Heights of a façade that a view at eye level stands away, where there is room."""
MARGIN = 1.05
CLEARANCE = 0.5
"""Metres that a camera keeps from everything."""
OPEN = 0.25
"""Share of the sky that a camera sees from where it stands; there is none inside a building."""
SEEN, SQUARE, CLOSE = 0.8, 0.15, 0.05
"""What a point is worth to a view: for being seen at all, for how squarely, and for how closely."""
CLOSEST = 8.0
"""Times the density of a view of the whole, from which a view is no closer."""
CHUNK = 1 << 13
"""Points at a time, with as much for each as a processor has at hand."""


class Survey:
    """Points all over a surface, each for the same area, and what hides them from a camera.

    Coordinates are about the surface's middle, where single precision holds them.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        made: Shape,
        proportions: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        self.sides = np.array(proportions) / min(proportions)
        corners = np.ascontiguousarray(np.moveaxis(made.corners, 0, 2))
        low, high = corners.min((0, 2)), corners.max((0, 2))
        self.middle = (low + high) / 2
        self.size = float(np.linalg.norm(high - low))
        corners -= self.middle[:, None]
        self.points, self.normals, chosen, self.area = _spread(corners)
        self.objects = made.objects[chosen]
        first = np.flatnonzero(np.diff(made.objects, prepend=-1))
        self.tops = np.full(int(made.objects[-1]) + 1, -np.inf)
        self.tops[made.objects[first]] = np.maximum.reduceat(corners[:, 2].max(0), first)
        self.extremes = _extremes(corners)
        self.tree = self._tree(context)
        self.normals *= self._outsides()[:, None]

    def _tree(self, context: bpy.types.Context) -> BVHTree:
        """Everything that the scene shows."""
        vertices, triangles, count = [], [], 0
        for piece in pieces_of(context.evaluated_depsgraph_get(), set()):
            # Of tuples, which garbage collection leaves alone: a million lists take seconds.
            vertices += zip(*(piece.vertices - self.middle).T.tolist(), strict=True)
            triangles += zip(*(piece.vertex_triangles + count).T.tolist(), strict=True)
            count += len(piece.vertices)
        return BVHTree.FromPolygons(vertices, triangles, all_triangles=True)

    def _outsides(self) -> Array:
        """For each point 1, or -1 where only the inner side of its object's faces is seen, or of
        the faces there: normals point inwards. A bake decides much the same of what views see."""
        seen = np.zeros((2, len(self.points)))
        for way in ways(TURNS // 2, RISES[1]):
            cosines = self._cosines(np.broadcast_to(way * self.size, self.points.shape))
            seen += cosines.clip(min=0.0), -cosines.clip(max=0.0)
        sides = [np.bincount(self.objects, each, len(self.tops)) for each in seen]
        whole = np.where(sides[1] > 2.0 * sides[0], -1.0, 1.0)[self.objects]
        outer, inner = np.where(whole > 0.0, seen, seen[::-1])
        return np.where((outer == 0.0) & (inner > 0.0), -whole, whole)

    def _cosines(self, eyes: Array, wanted: NDArray[np.bool_] | None = None) -> Array:
        """[s], of the angle under which each point's eye [s, 3] sees it: negative from behind, 0
        where something stands between or where it isn't `wanted`."""
        way = eyes - self.points
        distances = np.linalg.norm(way, axis=1)
        way = way / np.maximum(distances, 1e-9)[:, None]
        cosines = (way * self.normals).sum(1)
        asked = np.abs(cosines) >= WELL_SEEN
        asked = asked if wanted is None else asked & wanted & (cosines > 0)
        # Off the surface a little, on the side of the eye.
        off = 1e-4 * self.size
        starts = self.points + off * np.sign(cosines)[:, None] * self.normals
        result = np.zeros(len(cosines))
        cast = self.tree.ray_cast
        rays = np.flatnonzero(asked)
        for number, start, toward, far in zip(
            rays.tolist(),
            starts[rays].tolist(),
            way[rays].tolist(),
            (distances[rays] - off).tolist(),
            strict=True,
        ):
            if cast(start, toward, far)[3] is None:
                result[number] = cosines[number]
        return result

    def worths(self, cameras: Sequence[Camera]) -> NDArray[np.float32]:
        """[cameras, s], from 0 for a point that a camera doesn't see well to 1."""
        result = np.zeros((len(cameras), len(self.points)), np.float32)
        for camera, worth in zip(cameras, result, strict=True):
            framed, density = camera.frames(self.points)
            cosines = self._cosines(camera.eyes(self.points), framed)
            close = np.log(np.maximum(density * self.size / 2, 1.0)) / np.log(CLOSEST)
            value = SEEN + SQUARE * cosines + CLOSE * close.clip(max=1.0)
            worth[:] = np.where(cosines > 0.0, value, 0.0)
        return result

    def candidates(self) -> Iterator[Camera]:
        """Cameras to choose from, all where one can stand."""
        turn = self.front
        for rise in RISES:
            for way in ways(TURNS, rise, turn):
                for lens in LENSES:
                    camera = self.framing_all(way, lens)
                    if self.stands_free(camera.eye):
                        yield camera
        for eye, way in self.street():
            if self.stands_free(eye):
                yield self.framing_seen(eye, way)

    @cached_property
    def front(self) -> float:
        """Radians, the direction that most façades face, modulo a quarter turn."""
        level = self.normals[:, :2] @ [1.0, 1j]
        return float(np.angle((level**4).sum()) / 4)

    def framing_all(self, way: Array, lens: float) -> Camera:
        """The nearest camera in a direction that frames the surface."""
        axes, halves = looking(way), SENSOR / (2 * lens) * self.sides
        x, y, z = (self.extremes @ axes.T).T
        # A point is in the picture where |x - eye x| <= half * (eye z - z), and for y alike.
        across, upright = halves
        right, left = (x + across * z).max(), (across * z - x).max()
        up, down = (y + upright * z).max(), (upright * z - y).max()
        back = max((right + left) / (2 * across), (up + down) / (2 * upright))
        eye = np.array([(right - left) / 2, (up - down) / 2, back])
        eye[2] += (MARGIN - 1.0) * (eye[2] - z.min())
        return Camera.at(eye @ axes, axes, halves)

    def stands_free(self, eye: Array) -> bool:
        """Whether a camera stands in the open there, with room around it."""
        room = min(CLEARANCE, 0.02 * self.size)
        if self.tree.find_nearest(eye.tolist(), room)[3] is not None:
            return False
        ways = _sphere(64)
        up = ways[ways[:, 2] > 0.1].tolist()
        free = sum(self.tree.ray_cast(eye.tolist(), way)[3] is None for way in up)
        return free >= OPEN * len(up)

    def street(self) -> Iterator[tuple[Array, Array]]:
        """(eye, direction back from what it looks at) at eye level in front of façades."""
        level = np.linalg.norm(self.normals[:, :2], axis=1)  # 0 too for a face without an area
        walls = np.flatnonzero((np.abs(self.normals[:, 2]) < 0.3) & (level > 0.0))
        if not len(walls):
            return
        # Far from each other, in place and direction.
        places = np.concatenate(
            [self.points[walls, :2], self.normals[walls, :2] * self.size / 4], 1
        )
        for number in walls[_farthest(places, FACADES)]:
            out = self.normals[number] * [1.0, 1.0, 0.0] / level[number]
            foot = self.standing(self.points[number] + 2 * CLEARANCE * out)
            height = max(float(self.tops[self.objects[number]] - foot[2]), EYE)
            struck = self.tree.ray_cast(foot.tolist(), out.tolist())[3]
            room = np.inf if struck is None else struck - 2 * CLEARANCE
            for away in sorted({min(reach * height, room) for reach in REACHES}):
                if away > EYE:
                    yield self.standing(foot + away * out), out

    def standing(self, place: Array) -> Array:
        """Eye level above the ground under a place; without ground, above the surface's foot."""
        struck = self.tree.ray_cast(place.tolist(), (0.0, 0.0, -1.0))[0]
        ground = self.extremes[:, 2].min() if struck is None else struck.z
        return np.array([place[0], place[1], ground + EYE])

    def framing_seen(self, eye: Array, way: Array) -> Camera:
        """A camera at an eye that looks against `way` and frames what it sees within 45 degrees."""
        axes = looking(way)
        at = (self.points - eye) @ axes.T
        ahead = np.all(np.abs(at[:, :2]) < -at[:, 2:], axis=1)
        seen = self._cosines(np.broadcast_to(eye, at.shape), ahead) > 0
        if seen.any():
            flat = at[seen, :2] / -at[seen, 2:]
            axes = looking(axes[2] - (flat.min(0) + flat.max(0)) / 2 @ axes[:2])
            at = (self.points[seen] - eye) @ axes.T
        half = np.abs(at[:, :2] / at[:, 2:] / self.sides).max() * MARGIN
        longest, widest = (SENSOR / (2 * lens) for lens in STREET_LENSES[::-1])
        return Camera.at(eye, axes, float(np.clip(half, longest, widest)) * self.sides)


def _spread(corners: Array) -> tuple[Array, Array, NDArray[np.int64], float]:
    """Points on triangles [3, 3, n] (corner, axis), evenly over their area: (points [s, 3],
    normals, triangles, area of all).

    Stratified by area from triangle to triangle; within one, along the additive recurrence of the
    plastic number (Roberts, "The Unreasonable Effectiveness of Quasirandom Sequences", 2018).
    """
    (ax, ay, az), (bx, by, bz) = corners[1:] - corners[0]
    across = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    areas = np.sqrt(np.einsum("xn,xn->n", across, across))
    ends = np.cumsum(areas)
    number = np.arange(SAMPLES) + 0.5
    chosen = np.searchsorted(ends, number / SAMPLES * ends[-1]).clip(max=len(areas) - 1)
    root = 1.324717957244746
    u, v = (number / root) % 1.0, (number / root**2) % 1.0
    over = u + v > 1.0
    u, v = np.where(over, 1.0 - u, u), np.where(over, 1.0 - v, v)
    weights = np.stack([1.0 - u - v, u, v])
    normals = (across[:, chosen] / np.maximum(areas[chosen], 1e-30)).T
    points = np.einsum("ks,kxs->sx", weights, corners[..., chosen])
    return points, normals, chosen, float(ends[-1]) / 2


def _sphere(count: int) -> Array:
    """[count, 3] unit vectors spread over the sphere: a Fibonacci lattice."""
    number = np.arange(count) + 0.5
    up, turns = 1.0 - 2.0 * number / count, np.pi * (1.0 + 5.0**0.5) * number
    flat = np.sqrt(1.0 - up**2)
    return np.stack([flat * np.cos(turns), flat * np.sin(turns), up], 1)


def _extremes(corners: Array) -> Array:
    """The outermost of triangles' corners [3, 3, n] (corner, axis), in directions all around."""
    ways = _sphere(64)
    found = []
    for points in corners:
        for start in range(0, points.shape[1], CHUNK):
            some = points[:, start : start + CHUNK]
            found.append(some[:, (ways @ some).argmax(1)])
    found = np.concatenate(found, 1)
    return found[:, np.unique((ways @ found).argmax(1))].T


def _farthest(places: Array, count: int) -> NDArray[np.int64]:
    """At most `count` of places [n, d] that lie far from each other, by farthest point sampling
    (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985)."""
    chosen = [0]
    apart = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return np.array(chosen)
