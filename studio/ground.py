"""Grounds: one material for each word, laid out from the main front or along a street."""

from __future__ import annotations

import bpy

from .nodes import Socket, Tree, linear, new_material
from .surroundings import ROAD


def _plan(t: Tree) -> tuple[Socket, Socket, Socket]:
    """Plan coordinates x, y and the signed position across the road (0 in its middle)."""
    geometry = t.node("ShaderNodeNewGeometry")
    x, y, z = t.split(geometry.outputs["Position"])
    y = y + z  # unrolls the cut ground of elevations, which is upright
    before = y - t.value("front") - sum(ROAD) / 2
    across = before + (x - before) * t.value("corridor")
    return x, y, across


def _joints(t: Tree, x: Socket, y: Socket, size: float, joint: float) -> Socket:
    gap_x = ((x / size).fract() - 0.5).abs() > 0.5 - joint / size / 2
    gap_y = ((y / size).fract() - 0.5).abs() > 0.5 - joint / size / 2
    return gap_x.max(gap_y)


def _paving(t: Tree, x: Socket, y: Socket, light: tuple, dark: tuple, size: float = 1.6) -> Socket:
    chequer = ((x / size).floor() + (y / size).floor()) * 0.5
    tile = t.mix((chequer.fract() > 0.25) * 0.5, linear(light), linear(dark))
    tile = t.scale(tile, t.noise(t.join(x, y), 0.35) * 0.3 + 0.85)
    return t.mix(_joints(t, x, y, size, 0.07) * 0.55, tile, linear((90, 86, 82)))


def _lawn(t: Tree) -> Socket:
    x, y, _across = _plan(t)
    plan = t.join(x, y)
    grass = t.mix(
        t.noise(plan, 0.25, 3.0) * 2.4 - 0.7, linear((72, 108, 42)), linear((120, 150, 66))
    )
    grass = t.scale(grass, t.noise(plan, 6.0, 2.0) * 0.8 + 0.6)
    path = (x.abs() < 0.95) * (y < t.value("front_path")) * (1.0 - t.value("no_path"))
    return t.shader("BsdfDiffuse", Color=t.mix(path, grass, linear((196, 188, 172))))


def _plaza(t: Tree) -> Socket:
    x, y, _ = _plan(t)
    return t.shader("BsdfDiffuse", Color=_paving(t, x, y, (206, 198, 186), (178, 170, 160)))


def _wet(t: Tree) -> Socket:
    x, y, _ = _plan(t)
    stone = t.shader("BsdfDiffuse", Color=_paving(t, x, y, (104, 102, 102), (84, 82, 84)))
    film = t.noise(t.join(x, y), 0.22, 1.0)
    fresnel = t.node("ShaderNodeFresnel")
    fresnel.inputs[0].default_value = 1.5
    mirror = (Socket(t, fresnel.outputs[0]) * 1.0 + 0.16).min(0.85) * ((film - 0.3) * 4.0).min(
        1.0
    ).max(0.45)
    return t.blend(
        mirror, stone, t.shader("BsdfAnisotropic", Color=(0.95, 0.96, 1.0, 1.0), Roughness=0.06)
    )


def _street(t: Tree) -> Socket:
    x, y, across = _plan(t)
    along = x + (y - x) * t.value("corridor_again")
    half = t.value("road_half", (ROAD[1] - ROAD[0]) / 2)
    asphalt = t.scale(
        t.mix(0.0, linear((76, 77, 80)), linear((76, 77, 80))),
        t.noise(t.join(x, y), 0.6) * 0.4 + 0.8,
    )
    dash = (across.abs() < 0.09) * ((along / 6.0).fract() < 0.5)
    road = t.mix(dash, asphalt, linear((235, 232, 225)))
    walk = _paving(t, x, y, (188, 184, 176), (176, 172, 166), 1.2)
    colour = t.mix(across.abs() > half, road, walk)
    kerb = (across.abs() > half) * (across.abs() < half + 0.3)
    return t.shader("BsdfDiffuse", Color=t.mix(kerb, colour, linear((214, 212, 206))))


def _water(t: Tree) -> Socket:
    x, y, across = _plan(t)
    canal = t.value("corridor_again")
    edge_front = y < t.value("front_path") - 4.0
    edge_canal = across.abs() < t.value("road_half", 3.5)
    wet = edge_front + (edge_canal - edge_front) * canal
    waves = t.node("ShaderNodeBump")
    t.plug(t.noise(t.join(x * 0.5, y * 1.2), 0.9, 2.0), waves.inputs["Height"])
    waves.inputs["Strength"].default_value = 0.12
    waves.inputs["Distance"].default_value = 0.25
    fresnel = t.node("ShaderNodeFresnel")
    fresnel.inputs[0].default_value = 1.33
    mirror = (Socket(t, fresnel.outputs[0]) * 1.1 + 0.25).min(0.92)
    gloss = t.shader(
        "BsdfAnisotropic", Color=(0.9, 0.95, 1.0, 1.0), Roughness=0.04, Normal=waves.outputs[0]
    )
    pool = t.blend(mirror, t.shader("BsdfDiffuse", Color=linear((38, 78, 92))), gloss)
    quay = t.shader("BsdfDiffuse", Color=_paving(t, x, y, (186, 178, 164), (172, 164, 150), 1.0))
    return t.blend(wet, quay, pool)


def _snow(t: Tree) -> Socket:
    x, y, _ = _plan(t)
    drift = t.mix(
        t.noise(t.join(x, y), 0.18, 3.0) * 1.6 - 0.3,
        linear((214, 224, 240)),
        linear((247, 249, 252)),
    )
    return t.shader("BsdfDiffuse", Color=drift)


def _card(t: Tree) -> Socket:
    t.value("front")
    return t.shader("BsdfDiffuse", Color=linear((228, 226, 222)))


MAKERS = {
    "lawn": _lawn,
    "plaza": _plaza,
    "wet plaza": _wet,
    "street": _street,
    "water": _water,
    "snow": _snow,
    "card": _card,
}
GROUNDS = tuple(name for name in MAKERS if name != "card")


def make_grounds() -> dict[str, bpy.types.Material]:
    """Ground materials by name; `card` is the white base of a model."""
    made = {}
    for name, maker in MAKERS.items():
        material, tree = new_material(f"ground {name}")
        tree.surface(maker(tree))
        made[name] = material
    return made


def lay_out(
    material: bpy.types.Material, front: float, corridor: tuple[float, float] | None
) -> None:
    """Place a ground's road, path or quay before the main front, or along the street of a
    corridor."""
    assert material.node_tree is not None, "grounds are node materials"
    along = 0.0 if corridor is None else 1.0
    half = (ROAD[1] - ROAD[0]) / 2 if corridor is None else corridor[1] - 3.0
    values = {
        "front": front,
        "front_path": front,
        "corridor": along,
        "corridor_again": along,
        "no_path": along,
        "road_half": half,
    }
    for name, value in values.items():
        node = material.node_tree.nodes.get(name)
        if node is not None:
            node.outputs[0].default_value = value  # type: ignore[attr-defined]
