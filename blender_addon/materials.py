"""Materials in the file: a node material of a saved one, as an asset, and those that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bpy
import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.material import PATTERN, Material
from maquette_wire.material_files import ALBEDO, MaterialFiles
from maquette_wire.recipe import Recipe

from . import material_nodes
from .commissions import MappingKind
from .results import NAME_BYTES, RECIPE, SOFTWARE, relative
from .saved_materials import SavedMaterial

MATERIAL, MAPPING = "maquette_material", "maquette_mapping"
"""Custom properties of a material beside its Recipe: what it is, as JSON, and how it lies."""
TITLE = 40
"""Characters of a prompt that are a material's name at most."""
USED = (ALBEDO, "occlusion", "roughness", "height")
"""Maps that the nodes use. The normal map is for other programs: a tangent space needs UVs."""


def make(saved: SavedMaterial, mapping: MappingKind) -> Any:
    """A node material of a saved one, marked as an asset. Raises MaquetteError("bad-picture")."""
    files = saved.files
    images = {name: _image(files, name) for name in USED}
    material: Any = bpy.data.materials.new(_title(files.recipe))
    for name, image in images.items():
        image.name = _cut(f"{material.name} {name}")
    low, high = files.heights
    material_nodes.build(material, images, files.material.size, high - low, mapping)
    material[RECIPE] = files.recipe.to_json()
    material[MATERIAL] = msgspec.json.encode(files.material).decode()
    material[MAPPING] = mapping
    material.diffuse_color = (*saved.color, 1.0)
    material.roughness = 0.8
    _make_asset(material, saved)
    return material


def materials() -> list[Any]:
    """All materials of ours in the file, the newest first."""
    found = [material for material in bpy.data.materials if MATERIAL in material]
    return sorted(found, key=lambda material: material.session_uid, reverse=True)


def asked(material: Any) -> tuple[Recipe, Material]:
    """What a material was made with. Raises MaquetteError("bad-recipe")."""
    try:
        made = msgspec.json.decode(material[MATERIAL], type=Material)
    except msgspec.MsgspecError as error:
        raise MaquetteError(
            "bad-recipe",
            f"What {material.name!r} was made with can't be read: {error}.",
            "Make another material.",
        ) from error
    return Recipe.from_json(material[RECIPE]), made


def said(material: Any) -> str:
    """What a material is, in a few words."""
    try:
        _recipe, made = asked(material)
    except MaquetteError:
        return "Made by another version"  # that its settings can't be used is said when they are
    return f"{made.size:g} m – {PATTERN[made.pattern or 'plain'].title}"


def mapping_of(material: Any) -> MappingKind:
    """How a material lies on surfaces."""
    return material[MAPPING]


def lay(material: Any, mapping: MappingKind) -> None:
    """Have a material lie along faces, or from six sides."""
    material_nodes.set_mapping(material, mapping)
    material[MAPPING] = mapping


def albedo_of(material: Any) -> bpy.types.Image | None:
    """The albedo that a material shows."""
    nodes = material.node_tree.nodes if material.node_tree else {}
    node = nodes.get(ALBEDO.capitalize())
    return node.image if node is not None else None


def folder_of(material: Any) -> Path:
    """The folder with a material's maps."""
    image = albedo_of(material)
    if image is None:
        return Path()
    return Path(bpy.path.abspath(image.filepath, library=image.library)).parent


def remove(material: Any) -> None:
    """Take a material out of the file, with its images where nothing else uses them. The slots
    that have it become empty."""
    images = {node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE"}
    bpy.data.materials.remove(material)
    for image in images - {None}:
        if not image.users:
            bpy.data.images.remove(image)


def _title(recipe: Recipe) -> str:
    words = " ".join(recipe.prompt.split())[:TITLE].strip() or "Material"
    return _cut(words[0].upper() + words[1:])


def _cut(name: str) -> str:
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def _image(files: MaterialFiles, name: str) -> Any:
    path = files.path(name)
    try:
        image: Any = bpy.data.images.load(relative(path))
    except RuntimeError as error:
        raise MaquetteError(
            "bad-picture", f"The material's map {path} can't be opened.", "Make the material again."
        ) from error
    image.colorspace_settings.name = "sRGB" if name == ALBEDO else "Non-Color"
    return image


def _make_asset(material: Any, saved: SavedMaterial) -> None:
    recipe, made = saved.files.recipe, saved.files.material
    pattern = PATTERN[made.pattern or "plain"]
    material.asset_mark()
    asset = material.asset_data
    for tag in ("Maquette", pattern.title, *re.findall(r"\w{3,}", recipe.prompt.lower())):
        asset.tags.new(tag, skip_if_exists=True)
    asset.description = (
        f"{recipe.prompt}. A tile of {made.size:g} × {made.size:g} m, {pattern.title.lower()}; "
        f"made by {SOFTWARE} with the model {recipe.model}, seed {recipe.seed}."
    )
    preview = material.preview_ensure()
    side = saved.swatch.shape[0]
    preview.image_size = side, side
    preview.image_pixels_float.foreach_set(saved.swatch.ravel())
