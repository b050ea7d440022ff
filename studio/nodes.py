"""Shader node trees written as arithmetic: `Socket` overloads operators, each making one Math
node."""

from __future__ import annotations

from typing import Any

import bpy

Operand = "Socket | float"


def linear(rgb: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """sRGB of 0..255 to linear RGBA."""
    channels = [c / 255.0 for c in rgb]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return r, g, b, 1.0


class Socket:
    """An output socket that can be calculated with."""

    def __init__(self, tree: Tree, socket: bpy.types.NodeSocket) -> None:
        self.tree, self.socket = tree, socket

    def __add__(self, other: Any) -> Socket:
        return self.tree.math("ADD", self, other)

    def __radd__(self, other: Any) -> Socket:
        return self.tree.math("ADD", other, self)

    def __sub__(self, other: Any) -> Socket:
        return self.tree.math("SUBTRACT", self, other)

    def __rsub__(self, other: Any) -> Socket:
        return self.tree.math("SUBTRACT", other, self)

    def __mul__(self, other: Any) -> Socket:
        return self.tree.math("MULTIPLY", self, other)

    def __rmul__(self, other: Any) -> Socket:
        return self.tree.math("MULTIPLY", other, self)

    def __truediv__(self, other: Any) -> Socket:
        return self.tree.math("DIVIDE", self, other)

    def __neg__(self) -> Socket:
        return self.tree.math("MULTIPLY", self, -1.0)

    def __gt__(self, other: Any) -> Socket:
        return self.tree.math("GREATER_THAN", self, other)

    def __lt__(self, other: Any) -> Socket:
        return self.tree.math("LESS_THAN", self, other)

    def abs(self) -> Socket:
        """Absolute value."""
        return self.tree.math("ABSOLUTE", self)

    def fract(self) -> Socket:
        """Fractional part."""
        return self.tree.math("FRACT", self)

    def floor(self) -> Socket:
        """Next whole number below."""
        return self.tree.math("FLOOR", self)

    def min(self, other: Any) -> Socket:
        """The smaller one."""
        return self.tree.math("MINIMUM", self, other)

    def max(self, other: Any) -> Socket:
        """The larger one."""
        return self.tree.math("MAXIMUM", self, other)

    def power(self, exponent: float) -> Socket:
        """This to a power."""
        return self.tree.math("POWER", self, exponent)

    def near(self, value: float) -> Socket:
        """1 where within a half of `value`, else 0."""
        return self.tree.math("COMPARE", self, value, 0.5)


class Tree:
    """A node tree under construction."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        self.tree = tree
        tree.nodes.clear()

    def node(self, kind: str, **settings: Any) -> bpy.types.Node:
        """A new node with attributes set."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def plug(self, value: Any, socket: bpy.types.NodeSocket) -> None:
        """Connect a socket, or set a constant."""
        if isinstance(value, Socket):
            self.tree.links.new(value.socket, socket)
        elif isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value  # type: ignore[attr-defined]

    def math(self, operation: str, *operands: Any) -> Socket:
        """One Math node."""
        node = self.node("ShaderNodeMath", operation=operation)
        for operand, socket in zip(operands, node.inputs, strict=False):
            self.plug(operand, socket)
        return Socket(self, node.outputs[0])

    def vector(self, operation: str, *operands: Any) -> Socket:
        """One Vector Math node; the scalar output for dot products and lengths."""
        node = self.node("ShaderNodeVectorMath", operation=operation)
        for operand, socket in zip(operands, node.inputs, strict=False):
            self.plug(operand, socket)
        return Socket(
            self, node.outputs["Value" if operation in ("DOT_PRODUCT", "LENGTH") else "Vector"]
        )

    def split(self, vector: Any) -> tuple[Socket, Socket, Socket]:
        """Components of a vector."""
        node = self.node("ShaderNodeSeparateXYZ")
        self.plug(vector, node.inputs[0])
        x, y, z = (Socket(self, output) for output in node.outputs)
        return x, y, z

    def join(self, x: Any, y: Any, z: Any = 0.0) -> Socket:
        """A vector of three components."""
        node = self.node("ShaderNodeCombineXYZ")
        for value, socket in zip((x, y, z), node.inputs, strict=True):
            self.plug(value, socket)
        return Socket(self, node.outputs[0])

    def attribute(self, name: str) -> Socket:
        """A float attribute of the mesh."""
        node = self.node("ShaderNodeAttribute", attribute_name=name)
        return Socket(self, node.outputs["Fac"])

    def value(self, name: str, default: float = 0.0) -> Socket:
        """A named number that a finish sets."""
        node = self.node("ShaderNodeValue", name=name)
        node.outputs[0].default_value = default
        return Socket(self, node.outputs[0])

    def colour(self, name: str) -> Socket:
        """A named colour that a finish sets."""
        return Socket(self, self.node("ShaderNodeRGB", name=name).outputs[0])

    def mix(self, factor: Any, a: Any, b: Any) -> Socket:
        """Mix two colours; constants are linear RGBA."""
        node = self.node("ShaderNodeMix", data_type="RGBA")
        self.plug(factor, node.inputs["Factor"])
        self.plug(a, node.inputs[6])
        self.plug(b, node.inputs[7])
        return Socket(self, node.outputs[2])

    def scale(self, colour: Any, factor: Any) -> Socket:
        """A colour times a number."""
        node = self.node("ShaderNodeVectorMath", operation="SCALE")
        self.plug(colour, node.inputs[0])
        self.plug(factor, node.inputs["Scale"])
        return Socket(self, node.outputs[0])

    def noise(self, vector: Any, scale: float, detail: float = 2.0) -> Socket:
        """Perlin noise, about 0.3..0.7."""
        node = self.node("ShaderNodeTexNoise")
        self.plug(vector, node.inputs["Vector"])
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = detail
        return Socket(self, node.outputs[0])

    def shader(self, kind: str, **inputs: Any) -> Socket:
        """A closure; input names with spaces are written with underscores."""
        node = self.node(f"ShaderNode{kind}")
        for name, value in inputs.items():
            self.plug(value, node.inputs[name.replace("_", " ")])
        return Socket(self, node.outputs[0])

    def blend(self, factor: Any, a: Socket, b: Socket) -> Socket:
        """Mix two closures."""
        node = self.node("ShaderNodeMixShader")
        self.plug(factor, node.inputs[0])
        self.plug(a, node.inputs[1])
        self.plug(b, node.inputs[2])
        return Socket(self, node.outputs[0])

    def both(self, a: Socket, b: Socket) -> Socket:
        """Add two closures."""
        node = self.node("ShaderNodeAddShader")
        self.plug(a, node.inputs[0])
        self.plug(b, node.inputs[1])
        return Socket(self, node.outputs[0])

    def surface(self, shader: Socket) -> None:
        """Make `shader` the material's surface."""
        node = self.node("ShaderNodeOutputMaterial")
        self.plug(shader, node.inputs["Surface"])


def new_material(name: str) -> tuple[bpy.types.Material, Tree]:
    """An empty node material."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    assert material.node_tree is not None, "a node material has a tree"
    return material, Tree(material.node_tree)


def set_parameter(tree: bpy.types.NodeTree | None, name: str, value: Any) -> None:
    """Set a number or an sRGB colour made with `Tree.value` or `Tree.colour`."""
    assert tree is not None, "only node materials and worlds have parameters"
    output = tree.nodes[name].outputs[0]
    output.default_value = linear(value) if isinstance(value, tuple) else value  # type: ignore[attr-defined]
