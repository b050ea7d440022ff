"""The geometry nodes of texture layers: what a modifier of theirs does, and its inputs."""

from __future__ import annotations

from typing import Any

import bpy

NAME = "Maquette Texture"
MARK = "maquette_layer"
"""Custom property of a layer's material, and of the modifiers' node group."""
SOCKETS = (
    ("Geometry", "Geometry"),
    ("UVs", "Object"),
    ("First", "Int"),
    ("Corners", "Int"),
    ("UV Map", "String"),
    ("Solid UV Map", "String"),
    ("Material", "Material"),
)
"""Inputs of the modifiers' node group, and their types."""


def node_group() -> Any:
    """The nodes of every layer's modifier, made where the file has none yet."""
    wanted = {name for name, _kind in SOCKETS}
    for there in bpy.data.node_groups:
        # An older version's have fewer sockets, and serve the layers that it made.
        if MARK in there and there.library is None and wanted <= set(_inputs_of(there)):
            return there
    group: Any = bpy.data.node_groups.new(NAME, "GeometryNodeTree")
    group[MARK] = True
    group.is_modifier = True
    for name, kind in SOCKETS:
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    nodes = group.nodes

    def node(kind: str, place: tuple[int, int], **settings: Any) -> Any:
        made = nodes.new(kind)
        made.location = place[0] * 200, place[1] * 200
        for name, value in settings.items():
            setattr(made, name, value)
        return made

    given = node("NodeGroupInput", (0, 0))
    carrier = node("GeometryNodeObjectInfo", (1, -1))
    place = node("GeometryNodeInputPosition", (1, -3))
    index = node("GeometryNodeInputIndex", (1, -2))
    shifted = node("ShaderNodeMath", (2, -2), operation="ADD")
    uv = node("GeometryNodeSampleIndex", (3, -1), data_type="FLOAT_VECTOR", domain="POINT")
    stored, in_solid = (
        node("GeometryNodeStoreNamedAttribute", (4 + n, 0), data_type="FLOAT2", domain="CORNER")
        for n in range(2)
    )
    dressed = node("GeometryNodeSetMaterial", (6, 0))
    size = node("GeometryNodeAttributeDomainSize", (1, 1), component="MESH")
    same = node("FunctionNodeCompare", (2, 1), data_type="INT", operation="EQUAL")
    chosen = node("GeometryNodeSwitch", (7, 1), input_type="GEOMETRY")
    out = node("NodeGroupOutput", (8, 1))
    for source, name, target, entry in (
        (given, "UVs", carrier, "Object"),
        (carrier, "Geometry", uv, "Geometry"),
        (place, "Position", uv, "Value"),
        (index, "Index", shifted, 0),
        (given, "First", shifted, 1),
        (shifted, "Value", uv, "Index"),
        (given, "Geometry", stored, "Geometry"),
        (given, "UV Map", stored, "Name"),
        (uv, "Value", stored, "Value"),
        (stored, "Geometry", in_solid, "Geometry"),
        (given, "Solid UV Map", in_solid, "Name"),
        (uv, "Value", in_solid, "Value"),
        (in_solid, "Geometry", dressed, "Geometry"),
        (given, "Material", dressed, "Material"),
        (given, "Geometry", size, 0),
        (size, "Face Corner Count", same, "A"),
        (given, "Corners", same, "B"),
        (same, "Result", chosen, "Switch"),
        (given, "Geometry", chosen, "False"),
        (dressed, "Geometry", chosen, "True"),
        (chosen, "Output", out, "Geometry"),
    ):
        group.links.new(_socket(source.outputs, name), _socket(target.inputs, entry))
    return group


def _socket(sockets: Any, name: str | int) -> Any:
    """A socket by place, or by name: of several types the node has one enabled."""
    if isinstance(name, int):
        return sockets[name]
    return next(each for each in sockets if each.name == name and each.enabled)


def _inputs_of(group: Any) -> dict[str, str]:
    """Names of a group's inputs, with their identifiers."""
    items = group.interface.items_tree
    return {each.name: each.identifier for each in items if each.in_out == "INPUT"}


def _inputs(modifier: Any) -> Any:
    """The modifier's inputs where they are properties (Blender 5.2), else None."""
    return getattr(getattr(modifier, "properties", None), "inputs", None)


def set_input(modifier: Any, name: str, value: Any) -> None:
    identifier, inputs = _inputs_of(modifier.node_group)[name], _inputs(modifier)
    if inputs is None:
        modifier[identifier] = value
    else:
        getattr(inputs, identifier).value = value


def get_input(modifier: Any, name: str) -> Any:
    identifier, inputs = _inputs_of(modifier.node_group)[name], _inputs(modifier)
    return modifier.get(identifier) if inputs is None else getattr(inputs, identifier).value
