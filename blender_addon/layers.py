"""Texture layers: textures that lie on objects of the user's without changing them.

A layer is one modifier at the end of each object's stack. It gives the evaluated mesh the layer's
UV map and material; the object's own mesh, UV maps, material slots and other modifiers stay as
they are, also where objects share a mesh. All UVs of a layer are the vertices of one mesh, which
no scene shows: corner n of an object is vertex `First` + n. Where an object has another number of
corners than it was textured with, its modifier lets it through as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from maquette_wire.limits import FIRST_TILE
from numpy.typing import NDArray

from .layer_nodes import MARK, NAME, get_input, node_group, set_input
from .noted import SESSION, found_again, own_objects

UV_NAME = "UVMap"
"""Of the UV map that an object gets which has none; else the texture's stands in for its own."""
FOLDER = "maquette_folder"
"""Custom property of a layer's material: the name of the folder with the texture's files, where
that is beside its image."""


@dataclass(frozen=True)
class Fit:
    """How a texture lies on objects.

    Attributes:
        names: of the objects.
        corners: number of corners of each object's evaluated mesh.
        uvs: float32 [all corners, 2].
        tiles: UDIM numbers of the texture's pictures, in which the UVs lie.
        uids: `session_uid` of each object, by which `session` still knows it under another name.
        session: of which Blender these are.
    """

    names: list[str]
    corners: list[int]
    uvs: NDArray[np.float32]
    tiles: tuple[int, ...] = (FIRST_TILE,)
    uids: tuple[int, ...] = ()
    session: str = ""

    @classmethod
    def of(
        cls,
        names: list[str],
        corners: list[int],
        uvs: NDArray[np.float32],
        tiles: tuple[int, ...],
    ) -> Fit:
        """On objects of the file that is open."""
        own = own_objects()
        uids = tuple(own[name].session_uid for name in names)
        return cls(names, corners, uvs, tiles, uids, SESSION)

    def objects(self) -> Iterator[Any]:
        """The object of each name, None where there is none any more that can have a layer."""
        for found in found_again(self.names, self.uids, self.session):
            yield found if found is not None and found.type == "MESH" else None

    def write(self, path: Path) -> None:
        """One `.npz`. Raises OSError."""
        with path.open("wb") as file:
            np.savez(
                file,
                names=np.array(self.names, np.str_),
                corners=np.array(self.corners, np.int64),
                uvs=self.uvs,
                tiles=np.array(self.tiles, np.int64),
                uids=np.array(self.uids, np.int64),
                session=np.array(self.session, np.str_),
            )

    @classmethod
    def read(cls, path: Path) -> Fit:
        """Raises OSError, ValueError or KeyError."""
        with np.load(path, allow_pickle=False) as file:
            return cls(
                [str(name) for name in file["names"]],
                [int(count) for count in file["corners"]],
                file["uvs"].astype(np.float32),
                # A texture of an earlier version has none of these.
                tuple(map(int, file["tiles"])) if "tiles" in file else (FIRST_TILE,),
                tuple(map(int, file["uids"])) if "uids" in file else (),
                str(file["session"]) if "session" in file else "",
            )


@dataclass(frozen=True)
class Unfit:
    """Objects of a layer that don't show it.

    Attributes:
        missing: names of those that are not there any more.
        changed: names of those that have other faces than when they were textured.
    """

    missing: list[str]
    changed: list[str]


def put_on(fit: Fit, image: bpy.types.Image) -> tuple[Any, Unfit]:
    """Make a layer; returns its material and what doesn't show it."""
    starts = np.cumsum([0, *fit.corners])
    found, missing = [], []
    for name, thing, start, count in zip(
        fit.names, fit.objects(), starts, fit.corners, strict=False
    ):
        if thing is None:
            missing.append(name)
        else:
            found.append((thing, int(start), count))
    evaluated = bpy.context.evaluated_depsgraph_get()  # once: the first modifier outdates it
    seen = [thing.evaluated_get(evaluated) for thing, _start, _count in found]
    uv_maps = [_uv_maps_of(each.data) for each in seen]
    changed = [
        thing.name
        for (thing, _start, count), each in zip(found, seen, strict=True)
        # One of another scene isn't evaluated here.
        if each.is_evaluated and len(each.data.loops) != count
    ]
    material = _material(image)
    material[MARK] = True
    carrier = _carrier(fit.uvs, image.name)
    group = node_group()
    for (thing, start, count), (uv_map, in_solid) in zip(found, uv_maps, strict=True):
        modifier = _last_modifier(thing)
        modifier.node_group = group
        modifier.show_expanded = False
        set_input(modifier, "UVs", carrier)
        set_input(modifier, "First", start)
        set_input(modifier, "Corners", count)
        set_input(modifier, "UV Map", uv_map)
        set_input(modifier, "Solid UV Map", in_solid)
        set_input(modifier, "Material", material)
        thing.update_tag()
    return material, Unfit(missing, changed)


def layers() -> list[Any]:
    """The materials of all layers in the file, oldest first; not those of other files."""
    found = [each for each in bpy.data.materials if MARK in each and each.library is None]
    return sorted(found, key=lambda material: material.session_uid)


def modifiers(material: bpy.types.Material) -> Iterator[tuple[Any, Any]]:
    """The objects that a layer lies on, each with its modifier."""
    for thing in bpy.data.objects:
        for modifier in thing.modifiers:
            if is_layer(modifier) and get_input(modifier, "Material") == material:
                yield thing, modifier


def is_layer(modifier: Any) -> bool:
    """Whether a modifier is one of ours."""
    group = modifier.node_group if modifier.type == "NODES" else None
    return group is not None and MARK in group


def is_shown(material: bpy.types.Material) -> bool:
    """Whether a layer is switched on, on any object."""
    return any(modifier.show_viewport for _thing, modifier in modifiers(material))


def show(material: bpy.types.Material, shown: bool) -> None:
    """Switch a layer on or off, in viewports and renders."""
    for _thing, modifier in modifiers(material):
        modifier.show_viewport = modifier.show_render = shown


def is_lit(material: Any) -> bool:
    """Whether the scene's light falls on a layer: a shader gives what is seen of it."""
    output = material.node_tree.get_output_node("ALL")
    links = output.inputs["Surface"].links if output is not None else ()
    return any(link.from_socket.type == "SHADER" for link in links)


def light(material: Any, lit: bool) -> None:
    """Have the scene's light fall on a layer, or show it as it was painted: a colour in place of a
    shader is emitted as it is, and glTF's exporter writes it as a material without light."""
    tree = material.node_tree
    nodes, links = tree.nodes, tree.links
    output = tree.get_output_node("ALL") or nodes.new("ShaderNodeOutputMaterial")
    color = nodes[NAME].outputs["Color"]
    if not lit:
        links.new(color, output.inputs["Surface"])
        return
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if surface is None:
        surface = nodes.new("ShaderNodeBsdfPrincipled")
        surface.location = -300, 0
        surface.inputs["Roughness"].default_value = 1.0
        surface.inputs["Specular IOR Level"].default_value = 0.0
        links.new(color, surface.inputs["Base Color"])
    links.new(surface.outputs["BSDF"], output.inputs["Surface"])


def remove(material: bpy.types.Material) -> None:
    """Take a layer off all objects and out of the file; its image stays as long as it is used."""
    carriers = set()
    for thing, modifier in list(modifiers(material)):
        carriers.add(get_input(modifier, "UVs"))
        thing.modifiers.remove(modifier)
    for carrier in carriers - {None}:
        mesh = carrier.data
        bpy.data.objects.remove(carrier)
        if not mesh.users:
            bpy.data.meshes.remove(mesh)
    bpy.data.materials.remove(material)
    for group in [each for each in bpy.data.node_groups if MARK in each and not each.users]:
        bpy.data.node_groups.remove(group)


def image_of(material: Any) -> bpy.types.Image | None:
    """The texture of a layer."""
    node = material.node_tree.nodes.get(NAME) if material.node_tree else None
    return node.image if node is not None else None


def folder_of(material: Any) -> Path:
    """The folder with the texture's files: where its image is, which Blender keeps right when the
    .blend is saved elsewhere, or the one there that ``set_folder`` named."""
    image = image_of(material)
    if image is None:
        return Path()
    beside = Path(bpy.path.abspath(image.filepath, library=image.library)).parent
    return beside / material.get(FOLDER, "")


def set_folder(material: Any, name: str) -> None:
    """Say which folder beside a layer's image has the texture's files."""
    material[FOLDER] = name


def set_image(material: Any, image: bpy.types.Image) -> None:
    """Give a layer another texture for the same UVs, which lies in the folder of its files."""
    material.node_tree.nodes[NAME].image = image
    if FOLDER in material:
        del material[FOLDER]


def _uv_maps_of(mesh: Any) -> tuple[str, str]:
    """The UV map that renders of an evaluated mesh use, and the one that Solid mode does: ours
    stands in for both."""
    used = next((layer for layer in mesh.uv_layers if layer.active_render), None)
    if used is None:
        return UV_NAME, UV_NAME
    active = mesh.uv_layers.active  # None in Blender 5.2 where nodes made them all
    return used.name, used.name if active is None else active.name


def _last_modifier(thing: Any) -> Any:
    """A new modifier behind all others, pinned ones too."""
    pinned = any(each.use_pin_to_last for each in thing.modifiers)
    modifier = thing.modifiers.new(NAME, "NODES")
    if pinned:
        modifier.use_pin_to_last = True
        last = len(thing.modifiers) - 1
        thing.modifiers.move(thing.modifiers.find(modifier.name), last)
        modifier = thing.modifiers[last]
    return modifier


def _material(image: bpy.types.Image) -> Any:
    """The texture as it was painted: rough, without a highlight of its own."""
    material: Any = bpy.data.materials.new(image.name)
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    texture = nodes.new("ShaderNodeTexImage")
    texture.name = texture.label = NAME
    texture.image = image
    texture.extension = "EXTEND"
    texture.location = -600, 0
    light(material, True)
    nodes.active = texture  # what Solid mode shows
    return material


def _carrier(uvs: NDArray[np.float32], name: str) -> Any:
    """An object in no scene whose vertices are the UVs."""
    mesh: Any = bpy.data.meshes.new(f"{name} UVs")
    mesh.vertices.add(len(uvs))
    places = np.zeros((len(uvs), 3), np.float32)
    places[:, :2] = uvs
    mesh.vertices.foreach_set("co", places.ravel())
    mesh.update()
    return bpy.data.objects.new(mesh.name, mesh)
