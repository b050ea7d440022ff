"""What a model is asked: held-out scenes as captures, and prompts of known meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from maquette_wire.capture import Capture
from maquette_wire.recipe import Windows
from maquette_wire.view import View
from numpy.typing import NDArray

from ..train.scenes import Scene

Item = TypeVar("Item")


@dataclass(frozen=True)
class Prompt:
    """A prompt, the windows that its recipe asks for, and the attributes (docs/dataset.md) that a
    picture of it should show."""

    text: str
    windows: Windows
    wanted: Mapping[str, str]


def _prompt(text: str, windows: Windows, wall: str, ground: str, light: str) -> Prompt:
    wanted = {"style": "photo", "wall": wall, "ground": ground, "light": light}
    return Prompt(text, windows, wanted)


PROMPTS = (
    _prompt("red brick building on a lawn, day", "punched", "red brick", "lawn", "day"),
    _prompt(
        "white render building at dusk, wet plaza", "grid", "white render", "wet plaza", "dusk"
    ),
    _prompt("timber building in snow, overcast", "tall", "timber", "snow", "overcast"),
    _prompt(
        "concrete building on a street, golden hour", "ribbon", "concrete", "street", "golden hour"
    ),
    _prompt("stone building on a plaza at night", "punched", "stone", "plaza", "night"),
    _prompt("pale brick building by the water, fog", "tall", "pale brick", "water", "fog"),
)
"""Every light and every ground once."""


def capture_of(scene: Scene, look: int = 0) -> Capture:
    """The capture that a user would have made of a scene, with one of its viewport looks."""
    return Capture(
        view=view_of(scene.camera, scene.depth.shape[1], scene.depth.shape[0], scene.name),
        color=np.ascontiguousarray(scene.massing[look]),
        depth=scene.depth,
    )


def view_of(camera: Mapping[str, Any], width: int, height: int, name: str) -> View:
    """The View of a scene's `meta["camera"]`, whose sensor's width fits the longer side.

    Projections as in Blender's manual: a lens of f mm before a sensor of s mm, shifted by shares of
    the longer side.
    """
    longer = max(width, height)
    across, down = longer / width, longer / height
    shift_x, shift_y = camera["shift_x"], camera["shift_y"]
    projection = np.zeros((4, 4))
    near, far = 0.1, 10_000.0
    if camera["kind"] == "perspective":
        zoom = 2.0 * camera["lens_mm"] / camera["sensor_mm"]
        projection[0, 0], projection[1, 1] = zoom * across, zoom * down
        projection[0, 2], projection[1, 2] = 2.0 * shift_x * across, 2.0 * shift_y * down
        projection[2, 2] = -(far + near) / (far - near)
        projection[2, 3] = -2.0 * far * near / (far - near)
        projection[3, 2] = -1.0
        kind = "perspective"
    else:
        zoom = 2.0 / camera["ortho_scale"]
        projection[0, 0], projection[1, 1] = zoom * across, zoom * down
        projection[0, 3], projection[1, 3] = -2.0 * shift_x * across, -2.0 * shift_y * down
        projection[2, 2] = -2.0 / (far - near)
        projection[2, 3] = -(far + near) / (far - near)
        projection[3, 3] = 1.0
        kind = "orthographic"
    matrix = np.linalg.inv(np.array(camera["matrix_world"], np.float64))
    flat: list[Any] = [tuple(each.ravel().tolist()) for each in (matrix, projection)]
    return View(
        view_matrix=flat[0],
        projection_matrix=flat[1],
        width=width,
        height=height,
        kind=kind,
        name=name,
    )


@dataclass(frozen=True)
class Shown:
    """A picture uint8 [H, W, 3], the `parts` [H, W] of its scene, and what it shows, or should."""

    picture: NDArray[np.uint8]
    parts: NDArray[np.uint8]
    attributes: Mapping[str, Any]


def renders_of(scene: Scene) -> list[Shown]:
    """A scene's finished pictures and what they show."""
    return [Shown(finish.picture, scene.parts, finish.attributes) for finish in scene.finishes]


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most ``count`` of the items, evenly over the list."""
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]
