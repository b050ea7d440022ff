"""The nodes of a material: its maps laid on a surface at true scale, without UV maps.

Coordinates are those of the object in metres: what its scale, its parents and its instance make of
them is counted, so that a stretched box shows more bricks and no longer ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy

from .commissions import MappingKind

GROUP = "Maquette Metres"
BLEND = 0.15
"""How wide the planes of a box mapping fade into each other, as a share of all directions."""
FLAT = 0.05
"""Sine of the slope below which a face is a floor: it has no direction that is up."""
OCCLUSION = 0.5
OUTPUTS: dict[MappingKind, str] = {"FACES": "Along Faces", "BOX": "Object"}
SIZE, RELIEF, SHIFT, SHADE = "Size in Metres", "Relief in Metres", "Shift in Metres", "Occlusion"
"""Labels, and names, of the nodes that a user may change."""
COLUMN = 240


def build(
    material: Any,
    images: Mapping[str, bpy.types.Image],
    size: float,
    relief: float,
    mapping: MappingKind,
) -> None:
    """Give a material its nodes, in place of those that it has.

    Args:
        images: "albedo", "roughness", "height" and "occlusion".
        size: metres of a tile's side.
        relief: metres between the height map's darkest and brightest value.
    """
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    place = _Maker(tree)
    metres = place("ShaderNodeGroup", 0, 0, node_tree=_group())
    shift = place("ShaderNodeVectorMath", 1, 0, operation="ADD", label=SHIFT)
    size_node = place("ShaderNodeValue", 1, 2, label=SIZE)
    size_node.outputs[0].default_value = size
    tiles = place("ShaderNodeVectorMath", 2, 0, operation="DIVIDE", label="Tiles")
    relief_node = place("ShaderNodeValue", 3, 5, label=RELIEF)
    relief_node.outputs[0].default_value = relief
    maps = {
        name: place("ShaderNodeTexImage", 3, row, label=name.capitalize(), image=images[name])
        for row, name in enumerate(("albedo", "occlusion", "roughness", "height"))
    }
    shade = place("ShaderNodeMix", 4, 0, data_type="RGBA", blend_type="MULTIPLY", label=SHADE)
    shade.inputs["Factor"].default_value = OCCLUSION
    bump = place("ShaderNodeBump", 4, 3)
    surface = place("ShaderNodeBsdfPrincipled", 5, 0)
    output = place("ShaderNodeOutputMaterial", 6, 0)
    place.link(shift, 0, tiles, 0)
    place.link(size_node, 0, tiles, 1)
    for node in maps.values():
        place.link(tiles, 0, node, "Vector")
    place.link(maps["albedo"], "Color", shade, "A")
    place.link(maps["occlusion"], "Color", shade, "B")
    place.link(maps["height"], "Color", bump, "Height")
    place.link(relief_node, 0, bump, "Distance")
    place.link(shade, "Result", surface, "Base Color")
    place.link(maps["roughness"], "Color", surface, "Roughness")
    place.link(bump, "Normal", surface, "Normal")
    place.link(surface, "BSDF", output, "Surface")
    # With the nodes of a texture none is active, or Solid would lay that on whatever UV map there
    # is; so it shows the material's own colour.
    tree.nodes.active = surface
    bump.inputs["Strength"].default_value = 1.0
    metres.width = COLUMN - 60
    set_mapping(material, mapping)


def set_mapping(material: Any, mapping: MappingKind) -> None:
    """Lay a material's maps along each face, or from six sides."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    metres = next(node for node in nodes if node.type == "GROUP" and _is_ours(node.node_tree))
    links.new(metres.outputs[OUTPUTS[mapping]], nodes[SHIFT].inputs[0])
    for node in nodes:
        if node.type == "TEX_IMAGE":
            node.projection = "BOX" if mapping == "BOX" else "FLAT"
            node.projection_blend = BLEND


class _Maker:
    """Makes nodes of a tree, in columns and rows, and links between them."""

    def __init__(self, tree: Any) -> None:
        self._tree = tree

    def __call__(self, kind: str, column: int, row: int, **settings: Any) -> Any:
        node = self._tree.nodes.new(kind)
        node.location = column * COLUMN, -row * 290
        for name, value in settings.items():
            setattr(node, name, value)
        if "label" in settings:
            node.name = settings["label"]
        return node

    def link(self, source: Any, output: str | int, target: Any, entry: str | int) -> None:
        self._tree.links.new(_socket(source.outputs, output), _socket(target.inputs, entry))


def _socket(sockets: Any, name: str | int) -> Any:
    """A socket by place, or by name: of several types the node has one enabled."""
    if isinstance(name, int):
        return sockets[name]
    return next(each for each in sockets if each.name == name and each.enabled)


def _is_ours(group: Any) -> bool:
    return group is not None and group.name.partition(".")[0] == GROUP and GROUP in group


def _group() -> Any:
    """The nodes that all materials share, made where the file has none yet.

    With n the face's normal and p a place on it, both along the object's axes in metres: *Object*
    is p; *Along Faces* is p along the level direction of its face and the one that goes up it, so
    that courses are level and slopes aren't foreshortened. The normal is the one for shading: EEVEE
    makes the true one of differences between pixels, whose noise a bump would show far from the
    object's origin.
    """
    found = next((group for group in bpy.data.node_groups if _is_ours(group)), None)
    if found is not None and found.library is None:
        return found
    tree: Any = bpy.data.node_groups.new(GROUP, "ShaderNodeTree")
    tree[GROUP] = True
    for name in OUTPUTS.values():
        tree.interface.new_socket(name, in_out="OUTPUT", socket_type="NodeSocketVector")
    place = _Maker(tree)
    coordinates = place("ShaderNodeTexCoord", 0, 0)
    geometry = place("ShaderNodeNewGeometry", 0, 2)
    lengths = place("ShaderNodeCombineXYZ", 3, 0, label="Metres of a Unit")
    facing = place("ShaderNodeCombineXYZ", 3, 2)
    for axis in range(3):
        turned = place("ShaderNodeVectorTransform", 1, axis, vector_type="VECTOR")
        turned.convert_from, turned.convert_to = "OBJECT", "WORLD"
        turned.inputs[0].default_value = [float(each == axis) for each in range(3)]
        length = place("ShaderNodeVectorMath", 2, axis, operation="LENGTH")
        along = place("ShaderNodeVectorMath", 2, axis + 3, operation="DOT_PRODUCT")
        place.link(turned, 0, length, 0)
        place.link(length, "Value", lengths, axis)
        place.link(turned, 0, along, 0)
        place.link(geometry, "Normal", along, 1)
        place.link(along, "Value", facing, axis)
    metres = place("ShaderNodeVectorMath", 4, 0, operation="MULTIPLY")
    normal = place("ShaderNodeVectorMath", 4, 2, operation="DIVIDE")
    place.link(coordinates, "Object", metres, 0)
    place.link(lengths, 0, metres, 1)
    place.link(facing, 0, normal, 0)
    place.link(lengths, 0, normal, 1)
    level = place("ShaderNodeVectorMath", 5, 2, operation="CROSS_PRODUCT")
    level.inputs[0].default_value = 0.0, 0.0, 1.0
    place.link(normal, 0, level, 1)
    slope = place("ShaderNodeVectorMath", 6, 3, operation="LENGTH")
    place.link(level, 0, slope, 0)
    floor = place("ShaderNodeMath", 7, 3, operation="LESS_THAN", label="Is a Floor")
    floor.inputs[1].default_value = FLAT
    place.link(slope, "Value", floor, 0)
    chosen = place("ShaderNodeMix", 8, 2, data_type="VECTOR")
    chosen.inputs[5].default_value = 1.0, 0.0, 0.0
    place.link(floor, 0, chosen, "Factor")
    place.link(level, 0, chosen, "A")
    across = place("ShaderNodeVectorMath", 9, 2, operation="NORMALIZE", label="Level")
    place.link(chosen, "Result", across, 0)
    upwards = place("ShaderNodeVectorMath", 10, 3, operation="CROSS_PRODUCT", label="Up the Face")
    place.link(normal, 0, upwards, 0)
    place.link(across, 0, upwards, 1)
    along = place("ShaderNodeCombineXYZ", 12, 1)
    for axis, direction in enumerate((across, upwards)):
        part = place("ShaderNodeVectorMath", 11, 1 + axis, operation="DOT_PRODUCT")
        place.link(metres, 0, part, 0)
        place.link(direction, 0, part, 1)
        place.link(part, "Value", along, axis)
    out = place("NodeGroupOutput", 13, 0)
    place.link(along, 0, out, OUTPUTS["FACES"])
    place.link(metres, 0, out, OUTPUTS["BOX"])
    return tree
