"""What the evaluated scene shows as plain arrays: triangles, their colours, light and sky.

Read from a depsgraph, so that it works wherever Blender hands one out: within a render as well,
where neither another render nor a viewport can be drawn.
"""

from __future__ import annotations

import colorsys
import zlib
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .lighting import FLAT, Light, Studio
from .pieces import piece_of, rendered_mesh

GREY = (0.8, 0.8, 0.8)
"""Of a surface without a material."""
ROUGHNESS, METALLIC = 0.4**0.5, 0.0
"""The light takes the root of a material's roughness."""


@dataclass(frozen=True)
class Solid:
    """All that renders.

    Attributes:
        corners: float64 [n, 3, 3], metres in the world.
        normals: float64 [n, 3, 3], in the world, at the corners.
        objects: int32 [n], which object or instance.
        colors: float64 [n, 5]: scene linear colour, roughness, metallic.
    """

    corners: NDArray[np.float64]
    normals: NDArray[np.float64]
    objects: NDArray[np.int32]
    colors: NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """How it is drawn, as the scene's own Solid shading has it.

    Attributes:
        studio: the light.
        outline: colour [3] of the line around objects; None without one.
        sky: colour [3] where nothing is.
    """

    studio: Studio
    outline: NDArray[np.float64] | None
    sky: NDArray[np.float64]


def read_solid(depsgraph: bpy.types.Depsgraph) -> Solid:
    """Everything that the depsgraph's scene and view layer render.

    Raises MaquetteError("bad-mesh").
    """
    scene: Any = depsgraph.scene_eval
    shading = scene.display.shading
    instances: Any = depsgraph.object_instances
    corners, normals, objects, colors = [], [], [], []
    for number, instance in enumerate(instances):
        thing = instance.object
        matrix = np.array(instance.matrix_world, np.float64)
        with rendered_mesh(instance) as mesh:
            piece = piece_of(thing.name, mesh, matrix)
            if piece is None:
                continue
            corners.append(piece.vertices[piece.vertex_triangles])
            normals.append(_normals(mesh, matrix)[piece.triangles])
            slots = np.empty(len(mesh.loop_triangles), np.int32)
            mesh.loop_triangles.foreach_get("material_index", slots)
            palette = _palette(shading, thing)
            colors.append(palette[slots.clip(0, len(palette) - 1)])
        objects.append(np.full(len(slots), number, np.int32))
    if not corners:
        return Solid(np.empty((0, 3, 3)), np.empty((0, 3, 3)), np.empty(0, int), np.empty((0, 5)))
    return Solid(*map(np.concatenate, (corners, normals, objects, colors)))


def read_look(scene: bpy.types.Scene) -> Look:
    """The light, outline and sky of a scene's renders in Workbench; matcaps are taken for the
    default studio."""
    display: Any = scene.display
    shading = display.shading
    outline = np.array(shading.object_outline_color) if shading.show_object_outline else None
    sky = np.array(scene.world.color if scene.world else (0, 0, 0), np.float64)
    return Look(_studio(shading), outline, sky)


def _studio(shading: Any) -> Studio:
    if shading.light == "FLAT":
        return FLAT
    chosen = shading.selected_studio_light if shading.light == "STUDIO" else None
    source = chosen or bpy.context.preferences.system
    lights = [
        Light(
            np.array(light.direction, np.float64),
            np.array(light.diffuse_color, np.float64),
            np.array(light.specular_color, np.float64),
            light.smooth,
        )
        for light in source.solid_lights
        if light.use
    ]
    ambient = np.array(source.light_ambient, np.float64)
    return Studio(lights, ambient, shading.show_specular_highlight)


def _normals(mesh: Any, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals [corners, 3] in the world."""
    normals = np.empty(len(mesh.loops) * 3, np.float32)
    mesh.corner_normals.foreach_get("vector", normals)
    with np.errstate(divide="ignore", invalid="ignore"):
        world = normals.reshape(-1, 3) @ np.linalg.pinv(matrix[:3, :3])
        world /= np.linalg.norm(world, axis=1, keepdims=True)
    return np.nan_to_num(world)


def _palette(shading: Any, thing: Any) -> NDArray[np.float64]:
    """Colour, roughness and metallic [slots, 5] of an object's material slots."""
    materials = [slot.material for slot in thing.material_slots] or [None]
    return np.array([_entry(shading, thing, material) for material in materials], np.float64)


def _entry(shading: Any, thing: Any, material: Any) -> tuple[float, ...]:
    if shading.color_type == "SINGLE":
        return (*shading.single_color, ROUGHNESS, METALLIC)
    if shading.color_type == "OBJECT":
        return (*thing.color[:3], ROUGHNESS, METALLIC)
    if shading.color_type == "RANDOM":
        hue = zlib.crc32(thing.name.encode()) / 2**32
        return (*colorsys.hsv_to_rgb(hue, 0.5, 0.6), ROUGHNESS, METALLIC)
    if material is None:
        return (*GREY, ROUGHNESS, METALLIC)
    return (*material.diffuse_color[:3], material.roughness**0.5, material.metallic)
