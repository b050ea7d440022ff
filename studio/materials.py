"""Materials by word: walls, roofs, trim, planting, figures; set on one set of shaders for each
finish."""

from __future__ import annotations

import bpy

from .facade import dress_windows, make_wall_material
from .ground import lay_out, make_grounds
from .model import Part
from .nodes import Socket, linear, new_material, set_parameter
from .palette import CARD, ROOFS, WALLS, Rgb, WallLook

DEFAULT_DOOR: Rgb = (58, 74, 70)


class Palette:
    """All materials of a session, made once; `dress` sets them for one finish."""

    def __init__(self) -> None:
        self.wall = make_wall_material()
        self.grounds = make_grounds()
        self.roof = _make_roof()
        self.foliage = _make_foliage()
        self.trim = _make_plain("trim", 0.0)
        self.plain = {
            Part.TRUNK: _make_plain("trunk", 0.0),
            Part.PERSON: _make_plain("person", 0.0),
            Part.CAR: _make_plain("car", 0.35),
            Part.BACKDROP: _make_plain("backdrop", 0.0),
        }

    def slots(self) -> list[bpy.types.Material]:
        """Materials in the order of `Part`."""
        by_part = {
            Part.GROUND: self.grounds["lawn"],
            Part.WALL: self.wall,
            Part.ROOF: self.roof,
            Part.TRIM: self.trim,
            Part.FOLIAGE: self.foliage,
            **self.plain,
        }
        return [by_part.get(part, self.trim) for part in Part]

    def dress(
        self,
        mesh: bpy.types.Mesh,
        wall: str,
        roof: str,
        windows: str,
        ground: str,
        house: bool,
        front: float,
        corridor: tuple[float, float] | None,
    ) -> None:
        """Set every material for a photographic finish; `ground` "snow" also covers roofs and
        trees."""
        look = WALLS[wall]
        snow = float(ground == "snow")
        self._dress_wall(look)
        dress_windows(self.wall, windows, glass_doors=not house)
        for name, value in (
            ("interior", (36, 44, 54)),
            ("glass_tint", (226, 236, 244)),
            ("door_colour", DEFAULT_DOOR),
        ):
            set_parameter(self.wall.node_tree, name, value)
        set_parameter(self.wall.node_tree, "reflect", 1.0)
        set_parameter(self.wall.node_tree, "mirror", 0.34 if windows == "curtain wall" else 0.2)
        self._dress_roof(*ROOFS[roof], green=float(roof == "green"), snow=snow)
        _paint(self.trim, look.trim, snow)
        set_parameter(self.foliage.node_tree, "snow", snow)
        set_parameter(self.foliage.node_tree, "leaf", (84, 116, 48))
        set_parameter(self.foliage.node_tree, "leaf_dark", (48, 80, 34))
        for part, colour in (
            (Part.TRUNK, (84, 66, 50)),
            (Part.PERSON, (38, 38, 44)),
            (Part.CAR, (62, 70, 84)),
            (Part.BACKDROP, (78, 98, 70)),
        ):
            _paint(self.plain[part], colour, snow * (part == Part.BACKDROP) * 0.6)
        lay_out(self.grounds[ground], front, corridor)
        mesh.materials[Part.GROUND] = self.grounds[ground]

    def dress_card(self, mesh: bpy.types.Mesh, windows: str, house: bool) -> None:
        """Set every material to white card with slightly darker openings."""
        self._dress_wall(CARD)
        dress_windows(self.wall, windows, glass_doors=not house)
        set_parameter(self.wall.node_tree, "reflect", 0.0)
        for name, value in (("interior", (150, 150, 152)), ("door_colour", (170, 168, 166))):
            set_parameter(self.wall.node_tree, name, value)
        self.light_up(0.0)
        self._dress_roof(
            (232, 230, 226), (232, 230, 226), (206, 204, 200), 9.0, 9.0, green=0.0, snow=0.0
        )
        set_parameter(self.roof.node_tree, "deck", (232, 230, 226))
        _paint(self.trim, (240, 238, 234), 0.0)
        set_parameter(self.foliage.node_tree, "snow", 0.0)
        for name in ("leaf", "leaf_dark"):
            set_parameter(self.foliage.node_tree, name, (222, 220, 214))
        for part, colour in (
            (Part.TRUNK, (214, 210, 204)),
            (Part.PERSON, (120, 120, 122)),
            (Part.CAR, (206, 204, 200)),
            (Part.BACKDROP, (222, 220, 216)),
        ):
            _paint(self.plain[part], colour, 0.0)
        mesh.materials[Part.GROUND] = self.grounds["card"]

    def light_up(self, strength: float) -> None:
        """Brightness of the lit interiors behind all windows."""
        set_parameter(self.wall.node_tree, "lit", strength)
        set_parameter(self.wall.node_tree, "lamp", (255, 184, 104))

    def _dress_wall(self, look: WallLook) -> None:
        tree = self.wall.node_tree
        values = {
            "wall_a": look.a,
            "wall_b": look.b,
            "joint": look.joint,
            "unit_width": look.width,
            "unit_height": look.height,
            "joint_size": look.joint_size,
            "swap": float(look.swap),
            "gloss": look.gloss,
            "ledge_colour": look.trim,
            "frame_colour": look.frame,
            "spandrel_colour": look.spandrel,
            "course": float(look.course),
        }
        for name, value in values.items():
            set_parameter(tree, name, value)

    def _dress_roof(
        self, a: Rgb, b: Rgb, joint: Rgb, width: float, height: float, green: float, snow: float
    ) -> None:
        tree = self.roof.node_tree
        values = {
            "tile_a": a,
            "tile_b": b,
            "joint": joint,
            "unit_width": width,
            "unit_height": height,
            "snow": snow,
            "deck": (104, 136, 66) if green else (158, 156, 152),
        }
        for name, value in values.items():
            set_parameter(tree, name, value)


def _up(t) -> Socket:
    geometry = t.node("ShaderNodeNewGeometry")
    return t.split(geometry.outputs["Normal"])[2]


def _make_roof() -> bpy.types.Material:
    material, t = new_material("roof")
    uv = t.node("ShaderNodeUVMap", uv_map="facade")
    node = t.node("ShaderNodeTexBrick", offset=0.5)
    t.plug(uv.outputs[0], node.inputs["Vector"])
    node.inputs["Scale"].default_value = 1.0
    node.inputs["Mortar Size"].default_value = 0.03
    for name, socket in (("tile_a", "Color1"), ("tile_b", "Color2"), ("joint", "Mortar")):
        t.plug(t.colour(name), node.inputs[socket])
    for name, socket in (("unit_width", "Brick Width"), ("unit_height", "Row Height")):
        t.plug(t.value(name, 0.3), node.inputs[socket])
    up = _up(t)
    geometry = t.node("ShaderNodeNewGeometry")
    deck = t.scale(t.colour("deck"), t.noise(geometry.outputs["Position"], 0.5) * 0.4 + 0.8)
    colour = t.mix(up > 0.985, Socket(t, node.outputs["Color"]), deck)
    colour = t.mix((up > 0.2) * t.value("snow"), colour, linear((242, 246, 251)))
    t.surface(t.shader("BsdfDiffuse", Color=colour))
    return material


def _make_foliage() -> bpy.types.Material:
    material, t = new_material("foliage")
    geometry = t.node("ShaderNodeNewGeometry")
    leaves = t.noise(geometry.outputs["Position"], 1.8, 3.0) * 3.0 - 1.0
    colour = t.mix(leaves, t.colour("leaf_dark"), t.colour("leaf"))
    colour = t.mix((_up(t) > 0.0) * t.value("snow"), colour, linear((232, 238, 244)))
    bump = t.node("ShaderNodeBump")
    t.plug(t.noise(geometry.outputs["Position"], 2.6, 3.0), bump.inputs["Height"])
    bump.inputs["Strength"].default_value = 0.9
    bump.inputs["Distance"].default_value = 0.5
    t.surface(t.shader("BsdfDiffuse", Color=colour, Normal=bump.outputs[0]))
    return material


def _make_plain(name: str, gloss: float) -> bpy.types.Material:
    material, t = new_material(name)
    up = _up(t)
    colour = t.mix((up > 0.3) * t.value("snow"), t.colour("paint"), linear((242, 246, 251)))
    body = t.shader("BsdfDiffuse", Color=colour)
    if gloss:
        body = t.blend(
            gloss, body, t.shader("BsdfAnisotropic", Roughness=0.12, Color=(0.8, 0.85, 0.9, 1.0))
        )
    t.surface(body)
    return material


def _paint(material: bpy.types.Material, colour: Rgb, snow: float) -> None:
    assert material.node_tree is not None, "materials here have trees"
    set_parameter(material.node_tree, "paint", colour)
    set_parameter(material.node_tree, "snow", float(snow))
