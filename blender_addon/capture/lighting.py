"""The light of Blender's Solid shading, "Studio": four lights that go with the camera.

The pictures that models are used to are Workbench's, so this follows its shading: wrapped diffuse
light, Blinn highlights that widen with a light's smoothness, and no shadows. Colours are scene
linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPECULAR = 0.05
"""Share of the light that a surface which is no metal reflects like a mirror."""
DIFFUSE = 0.935
"""What Workbench makes of the lights' diffuse colours, as measured in Blender 4.2 to 5.0."""


@dataclass(frozen=True)
class Light:
    """One light.

    Attributes:
        direction: [3], towards the light, in camera coordinates.
        diffuse, specular: [3], its colours.
        smooth: 0 ... 1, how far it reaches around edges.
    """

    direction: Floats
    diffuse: Floats
    specular: Floats
    smooth: float


@dataclass(frozen=True)
class Studio:
    """What lights the model.

    Attributes:
        lights: those that are on; none for flat colours.
        ambient: [3], from everywhere.
        highlights: whether surfaces shine.
    """

    lights: Sequence[Light]
    ambient: Floats
    highlights: bool


FLAT = Studio((), np.ones(3), False)
"""Colours as they are."""


def shade(
    studio: Studio,
    base: Floats,
    roughness: Floats,
    metallic: Floats,
    normals: Floats,
    towards_eye: Floats,
) -> Floats:
    """What points on surfaces look like [n, 3].

    base: their colours [n, 3]; roughness, metallic: [n]; normals, towards_eye: unit vectors
    [n, 3] in camera coordinates.
    """
    diffuse, specular = np.tile(studio.ambient, (2, len(base), 1))
    matt, shiny = base, np.zeros_like(base)
    if studio.highlights:
        metal = metallic[:, None]
        matt = base * (1 - metal)
        shiny = SPECULAR * (1 - metal) + base * metal
        facing = _dot(normals, towards_eye)
        # Surfaces that are seen from the side reflect all light.
        grazing = (np.exp2(-8.35 * facing.clip(0, 1)) * (1 - roughness))[:, None]
        shiny = shiny + (1 - shiny) * grazing
        mirrored = 2 * facing[:, None] * normals - towards_eye
        for light in studio.lights:
            amount = _highlight(light, roughness, normals, towards_eye, mirrored)
            specular = specular + amount[:, None] * light.specular
    for light in studio.lights:
        amount = _wrapped(normals @ light.direction, light.smooth)
        diffuse = diffuse + DIFFUSE * amount[:, None] * light.diffuse
    left = 1 - shiny.mean(1, keepdims=True)
    return diffuse * matt * left + specular * shiny


def _highlight(
    light: Light, roughness: Floats, normals: Floats, towards_eye: Floats, mirrored: Floats
) -> Floats:
    """How much of a light a surface reflects towards the eye [n]."""
    half = towards_eye + light.direction
    half = half / np.linalg.norm(half, axis=1, keepdims=True).clip(1e-9)
    shininess = np.exp2(10 * (1 - roughness) * (1 - light.smooth) + 1)
    sharp = _dot(half, normals).clip(0, 1) ** shininess * (shininess / 8 + 1)
    sharp = sharp * (normals @ light.direction).clip(0, 1)
    wide = _wrapped(mirrored @ light.direction, light.smooth + (1 - light.smooth) * roughness)
    return sharp + (wide - sharp) * light.smooth**2


def _wrapped(cosine: Floats, wrap: Floats | float) -> Floats:
    """Diffuse light that reaches around the edge by `wrap`, without getting brighter in all."""
    return ((cosine + wrap) / (wrap + 1.0) ** 2).clip(0, 1)


def _dot(one: Floats, other: Floats) -> Floats:
    return np.einsum("ij,ij->i", one, other)
