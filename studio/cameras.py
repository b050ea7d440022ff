"""One camera for a scene: at street level, two-point, from above, or an orthographic elevation,
fitted to the building."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .massing.site import Site

SENSOR = 36.0
LENSES = {
    "street": (20.0, 24.0, 28.0, 35.0),
    "two-point": (20.0, 24.0, 28.0, 35.0, 50.0),
    "bird": (24.0, 28.0, 35.0, 50.0, 85.0),
}
VIEWS = ("street", "two-point", "bird", "street", "two-point", "bird", "two-point", "elevation")


@dataclass(frozen=True)
class Camera:
    """A camera: right, up, back axes and position in the world, and its optics (square sensor
    fit of 36 mm)."""

    view: str
    position: tuple[float, float, float]
    heading: float
    """Radians from +Y, positive towards -X (as Blender's Z rotation)."""
    pitch: float
    """Radians above the horizon."""
    lens: float = 35.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    ortho_scale: float | None = None

    def matrix(self) -> np.ndarray:
        """World matrix, 4 × 4: Blender camera (looks along -Z, Y up)."""
        ch, sh = math.cos(self.heading), math.sin(self.heading)
        cp, sp = math.cos(self.pitch), math.sin(self.pitch)
        right = np.array([ch, sh, 0.0])
        forward = np.array([-sh * cp, ch * cp, sp])
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 2] = right, -forward
        matrix[:3, 1] = np.cross(right, forward)
        matrix[:3, 3] = self.position
        return matrix


def project(camera: Camera, points: np.ndarray) -> np.ndarray:
    """Image coordinates of world points, -0.5..0.5 over the picture's width; NaN behind the
    camera."""
    matrix = camera.matrix()
    local = (points - matrix[:3, 3]) @ matrix[:3, :3]
    if camera.ortho_scale is not None:
        image = local[:, :2] / camera.ortho_scale
    else:
        depth = -local[:, 2]
        image = (
            np.where(depth[:, None] > 0.1, local[:, :2] / np.maximum(depth, 0.1)[:, None], np.nan)
            * camera.lens
            / SENSOR
        )
    return image - [camera.shift_x, camera.shift_y]


def approach(
    make: Callable[[float], Camera], points: np.ndarray, width: float, height: float
) -> Camera:
    """Nearest camera of `make(distance)` in which the points span at most the given shares of
    the picture's width."""
    low, high = 1.0, 2000.0
    for _ in range(40):
        middle = math.sqrt(low * high)
        span = np.ptp(project(make(middle), points), axis=0)
        fits = bool(np.all(np.isfinite(span))) and span[0] <= width and span[1] <= height
        low, high = (low, middle) if fits else (middle, high)
    return make(high)


def choose(site: Site, seed: int, attempt: int = 0) -> Camera:
    """Camera of a seed for its site; another `attempt` gives another camera of the same kind."""
    rng = random.Random(f"camera-{seed}-{attempt}")
    views = list(VIEWS)
    block, index = divmod(seed, len(views))
    random.Random(f"views-{block}").shuffle(views)
    view = views[index]
    points = np.array(site.focus)
    if site.corridor is not None and view != "bird":
        return _in_street(site, rng, "street" if view == "elevation" else view)
    if view == "elevation":
        return _elevation(points, rng)
    if view == "bird":
        return _bird(points, rng)
    return _street(points, rng, view)


def _in_street(site: Site, rng: random.Random, view: str) -> Camera:
    assert site.corridor is not None, "only scenes with a corridor are seen from within it"
    left, right = site.corridor
    lens = rng.choice([20.0, 24.0, 28.0, 35.0])
    heading = math.radians(rng.choice([-14.0, -8.0, 0.0, 0.0, 8.0, 14.0]))
    position = (
        rng.uniform(left * 0.45, right * 0.45),
        rng.uniform(-4.0, 0.0),
        rng.choice([1.6, 1.6, 3.0]),
    )
    if view == "two-point":
        return Camera(view, position, heading, 0.0, lens, shift_y=rng.choice([0.12, 0.2, 0.26]))
    return Camera(view, position, heading, math.radians(rng.choice([4.0, 9.0, 14.0])), lens)


def _elevation(points: np.ndarray, rng: random.Random) -> Camera:
    low, high = points.min(0), points.max(0)
    scale = max((high[0] - low[0]) / rng.choice([0.7, 0.84]), high[2] / rng.choice([0.6, 0.68]))
    centre = high[2] / 2 + scale * rng.choice([0.04, 0.1])
    centre = min(centre, scale * 0.44)
    position = ((low[0] + high[0]) / 2, low[1] - 80.0, centre)
    return Camera("elevation", position, 0.0, 0.0, ortho_scale=scale)


def _bird(points: np.ndarray, rng: random.Random) -> Camera:
    """From any side; some steep, and some so close that the building runs out of the picture."""
    lens = rng.choice(LENSES["bird"])
    side = rng.choice([0.0, 0.0, 180.0])
    heading = math.radians(side + rng.choice([-1, 1]) * rng.uniform(12.0, 60.0))
    pitch = -math.radians(rng.choice([rng.uniform(14.0, 42.0), rng.uniform(30.0, 66.0)]))
    fill = rng.choice([rng.uniform(0.6, 0.8), rng.uniform(0.6, 0.8), rng.uniform(0.85, 1.2)])
    middle = (points.min(0) + points.max(0)) / 2

    def make(distance: float) -> Camera:
        back = np.array(
            [
                math.sin(heading) * math.cos(pitch),
                -math.cos(heading) * math.cos(pitch),
                -math.sin(pitch),
            ]
        )
        return Camera("bird", tuple(middle + back * distance), heading, pitch, lens)

    camera = approach(make, points, fill, fill * 0.8)
    image = project(camera, points)
    shift = (image.min(0) + image.max(0)) / 2
    lift = rng.choice([0.0, 0.03, 0.08])
    return Camera(
        "bird", camera.position, heading, pitch, lens, float(shift[0]), float(shift[1] + lift)
    )


def _street(points: np.ndarray, rng: random.Random, view: str) -> Camera:
    lens = rng.choice(LENSES[view])
    heading = math.radians(rng.choice([-1, 1]) * rng.choice([0.0, 18.0, 28.0, 38.0, 48.0]))
    eye, fill = rng.choice([1.6, 1.6, 1.6, 2.6]), rng.uniform(0.72, 0.9)
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2

    def make(distance: float) -> Camera:
        position = (
            middle[0] + math.sin(heading) * distance,
            middle[1] - math.cos(heading) * distance,
            eye,
        )
        return Camera(view, position, heading, 0.0, lens)

    camera = approach(make, points, fill, rng.uniform(0.58, 0.7))
    image = project(camera, points)
    centre_x = float(image[:, 0].min() + image[:, 0].max()) / 2
    base = rng.uniform(0.17, 0.26)
    shift_y = float(image[:, 1].min()) + 0.5 - base
    top = float(image[:, 1].max()) - shift_y
    if top > 0.44:
        shift_y += top - 0.44
    if view == "two-point":
        return Camera(view, camera.position, heading, 0.0, lens, centre_x, shift_y)
    pitch = math.atan(shift_y * SENSOR / lens)
    return Camera(view, camera.position, heading - math.atan(centre_x * SENSOR / lens), pitch, lens)
