"""Light: for each word one sky, one sun fixed relative to the camera, one exposure, one amount of
lit windows.

The sky and the sun turn with the camera's heading, so that a picture's light follows from the word
alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import bpy

from .nodes import Socket, Tree, linear, set_parameter

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """How a word of light looks; angles in degrees, relative to the camera's heading."""

    sky: tuple[tuple[float, Rgb], ...]
    """Sky colours (sRGB) by sine of the elevation, from the horizon up."""
    sun_turn: float = 135.0
    """Where the sun stands: 0 ahead, positive to the left, 180 behind the camera."""
    sun_height: float = 42.0
    sun: float = 3.0
    sun_colour: Rgb = (255, 244, 228)
    sun_size: float = 1.5
    sky_strength: float = 1.0
    ambient: float = 1.0
    """Strength of the sky's diffuse light over what is seen of it."""
    exposure: float = 1.0
    lit: float = 0.0
    clouds: float = 0.0
    cloud_colour: Rgb = (255, 255, 255)
    glow: float = 0.0
    glow_turn: float = 25.0
    glow_colour: Rgb = (255, 190, 120)
    haze: float = 30.0
    """Distance, in distances of the camera from what it frames, after which the haze takes 63%."""
    haze_colour: Rgb = (205, 220, 236)
    bloom: float = 0.0


LIGHTS: dict[str, Light] = {
    "day": Light(
        ((0.0, (206, 224, 242)), (0.25, (142, 186, 232)), (1.0, (62, 118, 196))), clouds=0.85
    ),
    "golden hour": Light(
        (
            (0.0, (255, 214, 160)),
            (0.18, (248, 206, 168)),
            (0.5, (168, 186, 212)),
            (1.0, (98, 130, 180)),
        ),
        sun_turn=-138.0,
        sun_height=18.0,
        sun=5.0,
        sun_colour=(255, 200, 136),
        sky_strength=0.9,
        lit=0.2,
        clouds=0.6,
        cloud_colour=(255, 222, 190),
        glow=0.4,
        glow_turn=-40.0,
        haze=14.0,
        haze_colour=(250, 212, 168),
        exposure=1.0,
        bloom=0.08,
    ),
    "dusk": Light(
        (
            (0.0, (255, 158, 96)),
            (0.10, (236, 138, 118)),
            (0.32, (122, 102, 156)),
            (0.6, (62, 72, 134)),
            (1.0, (34, 46, 100)),
        ),
        sun=0.12,
        sun_height=25.0,
        sun_colour=(150, 160, 255),
        sky_strength=0.8,
        ambient=1.7,
        exposure=1.15,
        lit=1.25,
        clouds=0.5,
        cloud_colour=(240, 140, 120),
        glow=0.35,
        glow_turn=20.0,
        haze=18.0,
        haze_colour=(196, 124, 116),
        bloom=0.22,
    ),
    "night": Light(
        ((0.0, (44, 52, 92)), (0.3, (24, 32, 68)), (1.0, (10, 15, 38))),
        sun=0.4,
        sun_height=40.0,
        sun_colour=(120, 150, 255),
        sky_strength=1.0,
        ambient=4.0,
        exposure=1.6,
        lit=0.85,
        haze=40.0,
        haze_colour=(36, 44, 80),
        bloom=0.3,
    ),
    "overcast": Light(
        ((0.0, (222, 226, 230)), (0.4, (198, 203, 209)), (1.0, (176, 182, 190))),
        sun=0.5,
        sun_height=65.0,
        sun_size=40.0,
        sun_colour=(245, 248, 255),
        sky_strength=1.05,
        exposure=1.0,
        clouds=0.35,
        cloud_colour=(150, 156, 166),
        haze=16.0,
        haze_colour=(214, 218, 223),
    ),
    "fog": Light(
        ((0.0, (216, 219, 221)), (0.5, (209, 213, 217)), (1.0, (198, 204, 210))),
        sun=0.3,
        sun_height=60.0,
        sun_size=60.0,
        sky_strength=1.0,
        exposure=1.0,
        lit=0.3,
        haze=2.3,
        haze_colour=(214, 217, 219),
    ),
}
STUDIO = Light(
    ((0.0, (240, 239, 236)), (1.0, (232, 233, 236))),
    sun=2.3,
    sun_height=48.0,
    sun_turn=130.0,
    sun_size=10.0,
    ambient=0.55,
    haze=1e6,
    haze_colour=(236, 235, 232),
    exposure=1.05,
)


class Skies:
    """World and sun of a session; `set` turns them to a camera."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        data = bpy.data.lights.new("sun", "SUN")
        self.sun = bpy.data.objects.new("sun", data)
        scene.collection.objects.link(self.sun)
        self.worlds = {
            name: _make_world(name, light) for name, light in {**LIGHTS, "studio": STUDIO}.items()
        }
        self.scene = scene

    def set(self, name: str, heading: float, ground_line: float | None = None) -> Light:
        """Light the scene for a camera looking along `heading` (radians from +Y towards -X).

        `ground_line` is given for parallel projections: the height of the horizon as a share of the
        picture.
        """
        light = STUDIO if name == "studio" else LIGHTS[name]
        world = self.worlds[name]
        assert world.node_tree is not None, "worlds here have trees"
        world.node_tree.nodes["turn"].inputs["Rotation"].default_value = (0.0, 0.0, -heading)  # type: ignore[attr-defined]
        set_parameter(world.node_tree, "parallel", 0.0 if ground_line is None else 1.0)
        set_parameter(world.node_tree, "ground_line", 0.0 if ground_line is None else ground_line)
        self.scene.world = world
        data: Any = self.sun.data
        data.energy, data.angle = light.sun, math.radians(light.sun_size)
        data.color = linear(light.sun_colour)[:3]
        azimuth = heading + math.radians(light.sun_turn)
        self.sun.rotation_euler = (math.radians(90.0 - light.sun_height), 0.0, azimuth + math.pi)
        return light


def _make_world(name: str, light: Light) -> bpy.types.World:
    world = bpy.data.worlds.new(f"sky {name}")
    world.use_nodes = True
    assert world.node_tree is not None, "a node world has a tree"
    t = Tree(world.node_tree)
    coordinates = t.node("ShaderNodeTexCoord")
    mapping = t.node("ShaderNodeMapping", name="turn")
    t.plug(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    paths = t.node("ShaderNodeLightPath")
    direction = _flat_or_round(
        t, Socket(t, mapping.outputs[0]), coordinates, Socket(t, paths.outputs["Is Camera Ray"])
    )
    x, y, z = t.split(direction)
    up = z.max(0.0)
    colour = _ramp(t, up, light)
    if light.glow:
        turn = math.radians(light.glow_turn)
        towards = t.vector("DOT_PRODUCT", direction, (-math.sin(turn), math.cos(turn), 0.08)).max(
            0.0
        )
        colour = t.mix(towards.power(14.0) * light.glow, colour, linear(light.glow_colour))
    if light.clouds:
        layer = t.join(x / (up + 0.22) * 0.55, y / (up + 0.22) * 1.0, 3.0)
        cover = ((t.noise(layer, 1.15, 4.0) - 0.50) * 4.5).max(0.0).min(1.0)
        cover = cover * (up * 7.0).min(1.0) * light.clouds
        colour = t.mix(cover, colour, linear(light.cloud_colour))
    seen = t.shader("Background", Color=colour, Strength=light.sky_strength)
    diffuse = t.shader(
        "Background", Color=_ramp(t, up, light), Strength=light.sky_strength * light.ambient
    )
    output = t.node("ShaderNodeOutputWorld")
    # clouds are only worth their cost where they are seen
    t.plug(t.blend(paths.outputs["Is Diffuse Ray"], seen, diffuse), output.inputs["Surface"])
    world.cycles.sampling_method = "NONE"  # the sky's importance map costs 2.4 s a frame
    return world


def _flat_or_round(
    t: Tree, direction: Socket, coordinates: bpy.types.Node, is_camera: Socket
) -> Socket:
    """Direction into the sky; for parallel projections, whose rays have one direction, one made
    from picture height."""
    across, height, _ = t.split(coordinates.outputs["Window"])
    flat = t.join((across - 0.5) * 1.1, 1.0, (height - t.value("ground_line", 0.2)) * 0.9)
    flat = t.vector("NORMALIZE", flat)
    return t.mix(t.value("parallel") * is_camera, direction, flat)


def _ramp(t: Tree, up: Socket, light: Light) -> Socket:
    ramp = t.node("ShaderNodeValToRGB")
    elements = ramp.color_ramp.elements
    while len(elements) < len(light.sky):
        elements.new(0.5)
    for element, (position, colour) in zip(elements, light.sky, strict=True):
        element.position, element.color = position, linear(colour)
    t.plug(up, ramp.inputs[0])
    return Socket(t, ramp.outputs[0])
