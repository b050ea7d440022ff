"""Points all over a surface, cameras that may see it, and what each of them sees, by rays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from .clusters import Part, clusters_of
from .pieces import pieces_of
from .poses import Array, Camera, looking, ways
from .spread import extremes, farthest, sphere, spread
from .surface import Shape
from .view import SENSOR

WELL_SEEN = float(np.cos(np.radians(75.0)))
"""Cosine from which a point counts as seen, as in the figures of a bake."""
SAMPLES = 2048
TURNS, TURNS_EACH = 16, 8
"""Directions on a ring around all of a surface, and around one of its parts."""
RISES, RISES_EACH = (5.0, 20.0, 35.0, 50.0), (20.0, 50.0)
"""Degrees above the horizon of the rings, likewise; the highest look into courtyards. From steeper
above, a model of pictures takes roofs for façades or ground."""
LENSES, LENSES_EACH = (50.0, 24.0), (50.0,)
"""Millimetres on the rings, likewise: from afar, and from nearer, before what stands around."""
STREET_LENSES = (24.0, 85.0)
"""Millimetres, the widest and the longest at eye level."""
FACADES, FACADES_EACH = 24, 8
"""Places on façades that a view at eye level is looked for in front of: at least, and for each
cluster."""
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
"""Times the density of a view of its whole cluster, from which a point is no closer."""
WIDEST = 1.5
"""Sizes of a cluster that a picture is across, from which what it shows of it counts by its
pixels."""
CLUSTERS, MOST_CLUSTERS = 3, 48
"""At most, for each view that is asked for, and in all."""


class Survey:
    """Points all over a surface, each for the same area, and what hides them from a camera.

    Coordinates are about the surface's middle, where single precision holds them.
    """

    def __init__(
        self,
        context: bpy.types.Context,
        made: Shape,
        proportions: tuple[float, float] = (1.0, 1.0),
        count: int = 1,
    ) -> None:
        """proportions: of a picture; count: how many views are asked for."""
        self.sides = np.array(proportions) / min(proportions)
        corners = np.ascontiguousarray(np.moveaxis(made.corners, 0, 2))
        low, high = corners.min((0, 2)), corners.max((0, 2))
        self.middle = (low + high) / 2
        self.size = float(np.linalg.norm(high - low))
        corners -= self.middle[:, None]
        self.points, self.normals, chosen, self.area = spread(corners, SAMPLES)
        self.objects = made.objects[chosen]
        first = np.flatnonzero(np.diff(made.objects, prepend=-1))
        self.tops = np.full(int(made.objects[-1]) + 1, -np.inf)
        self.tops[made.objects[first]] = np.maximum.reduceat(corners[:, 2].max(0), first)
        everything, bounds = np.arange(SAMPLES), (low - self.middle, high - self.middle)
        self.whole = Part(everything, extremes(corners), *bounds)
        most = min(CLUSTERS * max(count, 1), MOST_CLUSTERS)
        self.clusters = clusters_of(self.whole, self.points, self.area, self.front, most)
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
        result = np.zeros(len(eyes))
        some = np.arange(len(eyes)) if wanted is None else np.flatnonzero(wanted)
        way, normals = eyes[some] - self.points[some], self.normals[some]
        distances = np.linalg.norm(way, axis=1)
        way = way / np.maximum(distances, 1e-9)[:, None]
        cosines = (way * normals).sum(1)
        rays = np.flatnonzero((np.abs(cosines) if wanted is None else cosines) >= WELL_SEEN)
        # Off the surface a little, on the side of the eye.
        off = 1e-4 * self.size
        starts = self.points[some] + off * np.sign(cosines)[:, None] * normals
        cast = self.tree.ray_cast
        for number, cosine, start, toward, far in zip(
            some[rays].tolist(),
            cosines[rays].tolist(),
            starts[rays].tolist(),
            way[rays].tolist(),
            (distances[rays] - off).tolist(),
            strict=True,
        ):
            if cast(start, toward, far)[3] is None:
                result[number] = cosine
        return result

    def worths(self, cameras: Sequence[Camera]) -> NDArray[np.float32]:
        """[cameras, s], from 0 for a point that a camera doesn't see well to 1."""
        result = np.zeros((len(cameras), len(self.points)), np.float32)
        number, halves = self.clusters.number, self.clusters.sizes / 2
        for camera, worth in zip(cameras, result, strict=True):
            framed, density = camera.frames(self.points)
            cosines = self._cosines(camera.eyes(self.points), framed)
            close = np.log(np.maximum(density * halves[number], 1.0)) / np.log(CLOSEST)
            value = SEEN + SQUARE * cosines + CLOSE * close.clip(max=1.0)
            large = WIDEST * halves * camera.frames(self.clusters.middles)[1]
            value *= large.clip(max=1.0)[number] ** 2
            worth[:] = np.where(cosines > 0.0, value, 0.0)
        return result

    def candidates(self) -> Iterator[Camera]:
        """Cameras to choose from, all where one can stand."""
        rings = TURNS, RISES, LENSES
        if len(self.clusters.parts) > 1:
            rings = TURNS_EACH, RISES_EACH, LENSES_EACH
        turns, rises, lenses = rings
        for part, rise, lens in product(self.clusters.parts, rises, lenses):
            for way in ways(turns, rise, self.front):
                camera = self.framing(part, way, lens)
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

    def framing(self, part: Part, way: Array, lens: float) -> Camera:
        """The nearest camera in a direction that frames a part of the surface."""
        axes, halves = looking(way), SENSOR / (2 * lens) * self.sides
        x, y, z = (part.extremes @ axes.T).T
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
        ways = sphere(64)
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
        sizes = self.clusters.sizes[self.clusters.number[walls], None]
        places = np.concatenate([self.points[walls, :2], self.normals[walls, :2] * sizes / 4], 1)
        count = max(FACADES, FACADES_EACH * len(self.clusters.sizes))
        for number in walls[farthest(places, count)]:
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
        ground = self.whole.low[2] if struck is None else struck.z
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
