"""From a painted tile and its relief to all maps of a material, with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from maquette_wire.material import Material
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from . import maps
from .patterns import Relief

STEPS = maps.DIRECTIONS + 3


@dataclass(frozen=True)
class MadeMaterial:
    """A finished material.

    Attributes:
        recipe: with the model's hash and every default filled in.
        material: likewise.
        maps: of `maquette_wire.material.MAPS`, by name, all [pixels, pixels, ...].
        warnings: sentences for the user.
        seconds: by stage.
    """

    recipe: Recipe
    material: Material
    maps: dict[str, NDArray[Any]]
    warnings: list[str]
    seconds: dict[str, float]


def maps_of(
    picture: NDArray[np.uint8],
    relief: Relief,
    material: Material,
    prompt: str,
    on_step: Callable[[int, int], None],
) -> dict[str, NDArray[Any]]:
    """All maps of a tile painted on a relief.

    picture: uint8 sRGB [h, h, 3], of any size. relief: at the size of the maps. material: filled
    in. on_step: called with each step and their number before it begins; what it raises ends this.
    """
    assert material.relief is not None
    pitch = material.size / material.pixels
    step = 0

    def stepped() -> None:
        nonlocal step
        on_step(step, STEPS)
        step += 1

    stepped()
    albedo = maps.enlarged(picture, material.pixels)
    stepped()
    detail = maps.fine_detail(albedo, relief.units, pitch)
    roughness = maps.roughness_map(prompt, detail, relief.units)
    height = maps.height_map(relief.height, detail, material.relief, pitch)
    stepped()
    normal = maps.normal_map(height, pitch)
    occlusion = maps.occlusion_map(height, material.relief, pitch, stepped)
    return {
        "albedo": albedo,
        "normal": normal,
        "height": height,
        "roughness": roughness,
        "occlusion": occlusion,
    }
