"""The façade grammar as a shader: openings in bays and floors, with reveals that have depth.

A wall is flat geometry. The shader finds where a ray would meet the glass behind the opening (a
parallax offset by the depth of the reveal), so that jambs and heads show as they would on built
windows, while the depth map stays the massing's own. Everything follows from bay width, storey
height, the kind of bay, and the parameters of `WINDOWS`.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy

from .model import Cell
from .nodes import Socket, Tree, new_material, set_parameter

WINDOWS: dict[str, dict[str, float]] = {
    # width and height limits are shares of the bay and of the storey; lengths in metres
    "punched": {
        "width": 0.44,
        "sill": 0.30,
        "head": 0.80,
        "panes": 2,
        "frame": 0.07,
        "recess": 0.22,
        "ledge": 1,
    },
    "tall": {
        "width": 0.42,
        "sill": 0.08,
        "head": 0.86,
        "panes": 2,
        "frame": 0.06,
        "recess": 0.25,
        "ledge": 0,
    },
    "ribbon": {
        "width": 9.0,
        "sill": 0.34,
        "head": 0.82,
        "panes": 2,
        "frame": 0.06,
        "recess": 0.2,
        "ledge": 0,
    },
    "grid": {
        "width": 0.80,
        "sill": 0.08,
        "head": 0.90,
        "panes": 2,
        "frame": 0.06,
        "recess": 0.5,
        "ledge": 0,
    },
    "curtain wall": {
        "width": 9.0,
        "sill": 0.14,
        "head": 0.985,
        "panes": 2,
        "frame": 0.07,
        "recess": 0.05,
        "ledge": 0,
    },
}

OPENING = "opening"
"""The pass that the wall material writes: 1 where the wall has an opening, whatever is seen through
it."""


def _both(*masks: Socket) -> Socket:
    result = masks[0]
    for mask in masks[1:]:
        result = result * mask
    return result


def _either(a: Socket, b: Socket) -> Socket:
    return a.max(b)


def _wall_colour(t: Tree, u: Socket, v: Socket) -> Socket:
    """Courses, blocks, planks, panels or seams, all from one brick texture with named measures."""
    swap = t.value("swap")
    along = u + (v - u) * swap
    up = v + (u - v) * swap
    node = t.node("ShaderNodeTexBrick", name="courses", offset=0.5, squash=1.0)
    t.plug(t.join(along, up), node.inputs["Vector"])
    node.inputs["Scale"].default_value = 1.0
    for name, socket in (("wall_a", "Color1"), ("wall_b", "Color2"), ("joint", "Mortar")):
        t.plug(t.colour(name), node.inputs[socket])
    for name, socket in (
        ("unit_width", "Brick Width"),
        ("unit_height", "Row Height"),
        ("joint_size", "Mortar Size"),
    ):
        t.plug(t.value(name, 0.1), node.inputs[socket])
    node.inputs["Mortar Smooth"].default_value = 0.1
    weather = t.noise(t.join(u * 0.3, v * 0.12), 1.0) * 0.24 + 0.88
    return t.scale(Socket(t, node.outputs["Color"]), weather)


@dataclass(frozen=True)
class _Wall:
    """Where on a wall a shading point lies: metres in its bay, on the wall and on the glass
    behind."""

    x: Socket
    y: Socket
    x_glass: Socket
    y_glass: Socket
    u: Socket
    v: Socket
    bay: Socket
    storey: Socket
    kind: Socket
    recess: Socket


@dataclass(frozen=True)
class _Opening:
    """Masks (0 or 1) and limits in metres of the opening at a shading point."""

    half: Socket
    low: Socket
    high: Socket
    openable: Socket
    is_door: Socket
    opening: Socket
    clear: Socket
    bars: Socket
    door_leaf: Socket
    glass: Socket


def _locate(t: Tree) -> _Wall:
    """Façade coordinates, and their parallax on a plane behind the wall by the depth of the
    reveal."""
    uv = t.node("ShaderNodeUVMap", uv_map="facade")
    bays, floors, _ = t.split(uv.outputs[0])
    bay, storey, kind = t.attribute("bay"), t.attribute("storey"), t.attribute("kind")
    geometry = t.node("ShaderNodeNewGeometry")
    normal, incoming = geometry.outputs["True Normal"], geometry.outputs["Incoming"]
    tangent = t.vector("NORMALIZE", t.vector("CROSS_PRODUCT", (0.0, 0.0, 1.0), normal))
    bitangent = t.vector("CROSS_PRODUCT", normal, tangent)
    facing = t.vector("DOT_PRODUCT", incoming, normal).max(0.12)
    recess = t.value("recess", 0.2)
    x = bays.fract() * bay - bay * 0.5
    y = floors.fract() * storey
    shift = recess / facing
    x_glass = x - t.vector("DOT_PRODUCT", incoming, tangent) * shift
    y_glass = y - t.vector("DOT_PRODUCT", incoming, bitangent) * shift
    return _Wall(x, y, x_glass, y_glass, bays * bay, floors * storey, bay, storey, kind, recess)


def _open(t: Tree, w: _Wall) -> _Opening:
    """The opening of the bay: its limits, and what of it is reveal, frame, door leaf and glass."""
    is_window, is_shop = w.kind.near(Cell.WINDOW), w.kind.near(Cell.STOREFRONT)
    is_door, is_lancet = w.kind.near(Cell.DOOR), w.kind.near(Cell.LANCET)
    openable = w.kind > 0.5
    width = is_window * t.value("width", 0.4) + is_shop * t.value("shop_width", 0.86)
    half = w.bay * 0.5 * (width + is_lancet * 0.36) + is_door * (w.bay * 0.24).min(0.9)
    sill = is_window * t.value("sill", 0.3) + is_shop * 0.06 + is_lancet * 0.24
    head = is_window * t.value("head", 0.8) + is_shop * 0.84 + is_lancet * 0.84
    low = w.storey * sill
    high = w.storey * head + is_door * (w.storey * 0.82).min(2.6)

    def inside(px: Socket, py: Socket) -> Socket:
        arch = is_lancet * (px / half.max(0.05)).power(2.0) * half * 1.3
        return _both(half > px.abs(), py > low, (high - arch) > py)

    opening = _both(inside(w.x, w.y), openable)
    clear = _both(inside(w.x_glass, w.y_glass), opening)
    frame, reach = t.value("frame", 0.06), half.min(w.bay * 0.5)
    pane = (reach * 2.0) / t.value("panes", 2.0)
    across = (((w.x_glass + reach) / pane + 0.5).fract() - 0.5).abs() * pane
    transom = ((w.y_glass - (low + (high - low) * 0.70)).abs() < frame * 0.4) * t.value("transom")
    bars = _either(
        _either(across < frame * 0.5, (half - w.x_glass.abs()) < frame),
        _either((w.y_glass - low) < frame, (high - w.y_glass) < frame),
    )
    bars = _either(bars, transom) * clear
    door_leaf = clear * is_door * (1.0 - t.value("glass_door"))
    glass = clear * (1.0 - bars) * (1.0 - door_leaf)
    return _Opening(half, low, high, openable, is_door, opening, clear, bars, door_leaf, glass)


def _solid(t: Tree, w: _Wall, o: _Opening, shade: Socket) -> Socket:
    """Everything but the glass: wall, ledges, courses, reveals, frames and door leaves."""
    wall = _wall_colour(t, w.u, w.v)
    spandrel = t.value("spandrel") * o.openable * (1.0 - o.opening)
    wall = t.mix(spandrel, wall, t.colour("spandrel_colour"))
    below = _both((o.half + 0.12) > w.x.abs(), w.y > (o.low - 0.13), o.low > w.y)
    ledge = below * o.openable * (1.0 - o.is_door) * t.value("ledge")
    course = (w.y < 0.22) * t.value("course") * o.openable
    wall = t.mix(_either(ledge, course), wall, t.colour("ledge_colour"))
    wall = t.scale(wall, 1.0 - o.opening * (1.0 - o.clear) * 0.35)
    colour = t.mix(o.bars, wall, t.colour("frame_colour"))
    colour = t.scale(t.mix(o.door_leaf, colour, t.colour("door_colour")), shade)
    return t.blend(
        t.value("gloss") * (1.0 - o.clear),
        t.shader("BsdfDiffuse", Color=colour),
        t.shader("BsdfAnisotropic", Color=colour, Roughness=0.35),
    )


def _glazing(t: Tree, w: _Wall, o: _Opening, shade: Socket) -> Socket:
    """Glass before a dark interior by day, before a lit one by night."""
    rise = (w.y_glass - o.low) / (o.high - o.low).max(0.1)
    inner = t.scale(t.colour("interior"), (1.15 - rise * 0.6) * shade)
    fresnel = t.node("ShaderNodeFresnel")
    fresnel.inputs[0].default_value = 1.6
    mirror = (Socket(t, fresnel.outputs[0]) + t.value("mirror", 0.2)).min(0.9)
    pane = t.blend(
        mirror * t.value("reflect", 1.0),
        t.shader("BsdfDiffuse", Color=inner),
        t.shader("BsdfAnisotropic", Color=t.colour("glass_tint"), Roughness=0.03),
    )
    strength = t.value("lit") * (0.55 + rise * 0.75)
    return t.both(pane, t.shader("Emission", Color=t.colour("lamp"), Strength=strength))


def make_wall_material() -> bpy.types.Material:
    """The one wall material; `dress_windows` and `materials.Palette` set its parameters."""
    material, t = new_material("wall")
    wall = _locate(t)
    opening = _open(t, wall)
    shade = 1.0 - opening.clear * 0.5 * ((opening.high - wall.y_glass) < wall.recess * 0.8)
    solid = _solid(t, wall, opening, shade)
    t.plug(opening.opening, t.node("ShaderNodeOutputAOV", aov_name=OPENING).inputs["Value"])
    t.surface(t.blend(opening.glass, solid, _glazing(t, wall, opening, shade)))
    material.cycles.emission_sampling = "NONE"
    return material


def dress_windows(material: bpy.types.Material, windows: str, glass_doors: bool) -> None:
    """Set the openings of the wall material."""
    tree = material.node_tree
    assert tree is not None, "the wall material has a tree"
    for name, value in WINDOWS[windows].items():
        set_parameter(tree, name, float(value))
    curtain = windows == "curtain wall"
    set_parameter(tree, "shop_width", 9.0 if curtain or windows == "ribbon" else 0.86)
    set_parameter(tree, "spandrel", float(curtain))
    set_parameter(tree, "glass_door", float(glass_doors))
    set_parameter(tree, "transom", float(windows in ("punched", "tall")))
