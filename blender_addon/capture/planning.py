"""Views that together see a surface: few, and placed by what they see.

Candidates stand on rings around the surface, at a distance that just frames it, and at eye level in
front of its façades. What each sees is found by rays from points spread evenly over the surface,
past everything that the scene shows. The views are then chosen one by one, each for what it adds:
the greedy cover of a monotone submodular function, which is within 1 - 1/e of the best choice
(Nemhauser, Wolsey and Fisher, "An analysis of approximations for maximizing submodular set
functions", Mathematical Programming 14, 1978). No randomness: the same scene gives the same views.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import bpy
import numpy as np
from maquette_wire.view import View
from mathutils import Matrix
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from .pieces import pieces_of
from .surface import Shape
from .view import SENSOR, posed_view

Array = NDArray[np.float64]

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
LEAST_GAIN = 6e-3
"""Worth of a view, averaged over the surface, from which it is taken. One that adds less still
paints whole façades anew where it is the closest, and makes seams."""
CHUNK = 1 << 13
"""Points at a time, with as much for each as a processor has at hand."""
NEAR, FAR = 1e-4, 1e2
"""Clipping distances of a planned view, in sizes of the surface."""


@dataclass(frozen=True)
class Pose:
    """A camera where none of the user's is.

    Attributes:
        matrix: rigid, camera to world.
        lens: millimetres, before a sensor of `SENSOR` along the picture's shorter side.
    """

    matrix: Matrix
    lens: float

    def view(self, width: int, height: int, clip: tuple[float, float], name: str) -> View:
        """The View of this camera; width, height: pixels; clip: metres."""
        return posed_view(self.matrix, self.lens, SENSOR, clip, (width, height), name)


@dataclass(frozen=True)
class Sampled:
    """Points spread evenly over a surface.

    Attributes:
        points: float64 [s, 3], metres in the world.
        normals: float64 [s, 3], outwards.
        seen: bool [s], by the planned and the given views under 75 degrees.
        reachable: bool [s], by any candidate.
        area: square metres that each stands for.
    """

    points: Array
    normals: Array
    seen: NDArray[np.bool_]
    reachable: NDArray[np.bool_]
    area: float


@dataclass(frozen=True)
class Plan:
    """Views of a surface in the order of what they add.

    Attributes:
        poses: at most as many as were asked for; none adds next to nothing.
        seen: for each number of poses from none on, the share of the surface's area that they and
            the views that were there already see under 75 degrees.
        reachable: the share that all candidates together see so; the rest faces downwards, or is
            hidden by what stands before it.
        size: metres across the surface.
        sampled: the points that this was found by.
    """

    poses: list[Pose]
    seen: list[float]
    reachable: float
    size: float
    sampled: Sampled = field(compare=False)

    def views(self, width: int, height: int) -> list[View]:
        """Of all poses, in the proportions that they were planned for."""
        clip = NEAR * self.size, FAR * self.size
        return [
            pose.view(width, height, clip, f"around {number + 1}")
            for number, pose in enumerate(self.poses)
        ]


def plan(
    context: bpy.types.Context,
    made: Shape,
    count: int,
    given: Sequence[View] = (),
    proportions: tuple[float, float] = (1.0, 1.0),
) -> Plan:
    """At most `count` poses that see what `given` views of the same scene don't see as well.

    proportions: width and height of their pictures, in any unit.
    """
    survey = Survey(context, made, proportions)
    candidates = list(survey.candidates())
    here = survey.worths([Camera.of(view, survey.middle) for view in given])
    there = survey.worths(candidates)
    best = here.max(0, initial=0.0)
    reached = np.maximum(best, there.max(0, initial=0.0))
    poses, seen = [], [float((best > 0).mean())]
    while len(poses) < count and candidates:
        gains = np.maximum(there, best).mean(1) - best.mean()
        first = int(gains.argmax())
        if gains[first] < LEAST_GAIN:
            break
        best = np.maximum(best, there[first])
        poses.append(candidates[first].pose(survey.middle))
        seen.append(float((best > 0).mean()))
    points = survey.points + survey.middle
    sampled = Sampled(points, survey.normals, best > 0, reached > 0, survey.area / len(points))
    return Plan(poses, seen, float((reached > 0).mean()), survey.size, sampled)


@dataclass(frozen=True)
class Camera:
    """A camera in the coordinates of a survey.

    Attributes:
        to_camera, clip: [4, 4], world to camera, and camera to clip coordinates.
        perspective: or orthographic.
    """

    to_camera: Array
    clip: Array
    perspective: bool = True

    @classmethod
    def of(cls, view: View, middle: Array) -> Camera:
        to_camera = np.reshape(view.view_matrix, (4, 4)).astype(np.float64)
        to_camera[:3, 3] += to_camera[:3, :3] @ middle
        clip = np.reshape(view.projection_matrix, (4, 4)).astype(np.float64)
        return cls(to_camera, clip, view.kind == "perspective")

    @classmethod
    def at(cls, eye: Array, axes: Array, halves: Array) -> Camera:
        """axes: rows are camera x, y and z in the world; halves: tangents of half the field,
        across and up."""
        to_camera = np.eye(4)
        to_camera[:3, :3], to_camera[:3, 3] = axes, -axes @ eye
        clip = np.zeros((4, 4))
        clip[0, 0], clip[1, 1] = 1.0 / halves
        clip[3, 2] = -1.0
        return cls(to_camera, clip)

    def frames(self, points: Array) -> tuple[NDArray[np.bool_], Array]:
        """Which of points [s, 3] lie in the picture, and the density there [s]: the inverse of
        half the picture's width in metres."""
        at = points @ self.to_camera[:3, :3].T + self.to_camera[:3, 3]
        clipped = at @ self.clip[:, :3].T + self.clip[:, 3]
        inside = np.all(np.abs(clipped[:, :3]) <= clipped[:, 3:], axis=1)
        return inside, abs(self.clip[0, 0]) / np.maximum(clipped[:, 3], 1e-9)

    @property
    def eye(self) -> Array:
        return -self.to_camera[:3, :3].T @ self.to_camera[:3, 3]

    def eyes(self, points: Array) -> Array:
        """[s, 3], from where each point is seen."""
        if self.perspective:
            return np.broadcast_to(self.eye, points.shape)
        back = self.to_camera[2, :3]
        return points - (points @ back + self.to_camera[2, 3])[:, None] * back

    def pose(self, middle: Array) -> Pose:
        matrix = np.linalg.inv(self.to_camera)
        matrix[:3, 3] += middle
        return Pose(
            Matrix(matrix.tolist()), SENSOR * float(max(self.clip[0, 0], self.clip[1, 1])) / 2
        )


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
        self.normals *= self._outsides()[self.objects][:, None]

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
        """For each object 1, or -1 where only the inner side of its faces is seen: its normals
        point inwards. A bake decides by the same rule."""
        sides = np.zeros((2, len(self.tops)))
        for way in ways(TURNS // 2, RISES[1]):
            cosines = self._cosines(np.broadcast_to(way * self.size, self.points.shape))
            np.add.at(sides[0], self.objects, cosines.clip(min=0.0))
            np.add.at(sides[1], self.objects, -cosines.clip(max=0.0))
        return np.where(sides[1] > 2.0 * sides[0], -1.0, 1.0)

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


def ways(count: int, rise: float, turn: float = 0.0) -> Array:
    """[count, 3] unit vectors, at an even turn, `rise` degrees above the horizon."""
    turns, up = turn + 2 * np.pi * np.arange(count) / count, float(np.radians(rise))
    flat = np.stack([np.cos(turns), np.sin(turns)], 1) * np.cos(up)
    return np.insert(flat, 2, np.sin(up), axis=1)


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


def looking(back: Array) -> Array:
    """Camera axes as rows, upright, of a camera whose z axis is `back`."""
    z: Array = back / np.linalg.norm(back)
    x: Array = np.array([-z[1], z[0], 0.0]) / np.hypot(z[0], z[1])
    return np.stack([x, np.cross(z, x), z])


def _farthest(places: Array, count: int) -> NDArray[np.int64]:
    """At most `count` of places [n, d] that lie far from each other, by farthest point sampling
    (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985)."""
    chosen = [0]
    apart = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return np.array(chosen)
