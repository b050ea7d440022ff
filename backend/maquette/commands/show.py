"""Print what pictures say of themselves.

For concepts, textures and maps of materials: the recipe with all that was filled in, the camera,
the scene or picture and whether it is still as it was, and the model and whether its weights are
the ones here.

examples:
  maquette show concepts/house-Street-red-brick-0.png
  maquette show concepts/*.png --json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.metadata import Metadata
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source, file_digest, is_url
from maquette_wire.view import View

from ..catalogue import Catalogue
from ..console import facts
from .options import metadata_of

SENSOR = 36.0
"""Millimetres of the long side that focal lengths are given for, as Blender's own camera has it."""
LEFT_OUT = "(left out of the file)"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "maquette show PICTURE... [--json]"
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="PNG files")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each picture")


def run(arguments: argparse.Namespace) -> int:
    catalogue = Catalogue(Home.default())
    status = 0
    for number, path in enumerate(arguments.pictures):
        try:
            told = described(path, metadata_of(path), catalogue)
        except MaquetteError as error:
            print(f"maquette: {error}", file=sys.stderr)
            status = 1
            continue
        if arguments.json:
            print(json.dumps(told, ensure_ascii=False), flush=True)
        else:
            print(("\n" if number else "") + facts(_rows(told)), flush=True)
    return status


def described(path: Path, said: Metadata, catalogue: Catalogue) -> dict[str, Any]:
    """All that is known of a picture, as what JSON can hold."""
    kind = "concept" if said.view is not None else "texture"
    return {
        "file": str(path),
        "kind": kind if said.of_material is None else "material",
        "software": said.software,
        "prompt_left_out": said.prompt_left_out,
        "recipe": msgspec.to_builtins(said.recipe),
        "model_state": model_state(said.recipe, catalogue),
        "view": None if said.view is None else _view(said.view, said.source),
        "source": None if said.source is None else _source(said.source),
        "material": None if said.of_material is None else msgspec.to_builtins(said.of_material),
    }


def model_state(recipe: Recipe, catalogue: Catalogue) -> str:
    """Whether the weights that a picture was made with are on this machine: "installed", "other
    weights", "not installed", or "unknown" where the picture doesn't tell its model's hash."""
    try:
        entry = catalogue.present(recipe.model)
    except MaquetteError:
        return "not installed"
    if recipe.model_hash is None:
        return "unknown"
    return "installed" if catalogue.hash_of(entry) == recipe.model_hash else "other weights"


def file_state(name: str, sha256: str) -> str:
    """Whether a file is still what it was: "unchanged", "changed" or "gone"; "at a URL" for what
    would have to be fetched to be known."""
    if is_url(name):
        return "at a URL"
    try:
        return "unchanged" if file_digest(Path(name)) == sha256 else "changed"
    except OSError:
        return "gone"


def lens(view: View) -> dict[str, float]:
    """A camera's focal length in millimetres on a sensor of 36 mm, or the metres that an
    orthographic one is wide; both of the long side."""
    long = 0 if view.width >= view.height else 5  # the diagonal of a row-major 4 x 4
    scale = view.projection_matrix[long]
    if view.kind == "orthographic":
        return {"orthographic_scale": round(2.0 / scale, 3)}
    return {"focal_length": round(scale * SENSOR / 2.0, 1)}


def _view(view: View, source: Source | None) -> dict[str, Any]:
    told = {"camera": view.name, "width": view.width, "height": view.height, "kind": view.kind}
    # A picture's camera is assumed: no file says what took it.
    seen = source is None or source.view is not None
    return {**told, **lens(view)} if seen else told


def _source(source: Source) -> dict[str, Any]:
    told = {**msgspec.to_builtins(source), "state": file_state(source.file, source.sha256)}
    if source.depth is not None:
        told["depth_state"] = file_state(source.depth, source.depth_sha256 or "")
    return told


def _rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values for a person."""
    recipe, view, source = told["recipe"], told["view"], told["source"]
    prompt, negative = recipe["prompt"], recipe["negative_prompt"]
    if told["prompt_left_out"]:
        prompt = negative = LEFT_OUT
    digest = recipe["model_hash"]
    weights = f"{digest[:10]}, {told['model_state']}" if digest else told["model_state"]
    rows = [
        ("file", told["file"]),
        ("kind", f"{told['kind']}, by {told['software'] or 'an unknown version'}"),
        ("prompt", prompt),
        ("negative prompt", negative or "-"),
        ("model", f"{recipe['model']} ({weights})"),
        ("seed", str(recipe["seed"])),
    ]
    for name in ("steps", "sampler", "guidance", "geometry", "strength", "depth_influence"):
        value = recipe[name]
        rows.append((name.replace("_", " "), "the model's own" if value is None else str(value)))
    if told["material"] is None:
        rows.append(("windows", _facades(recipe)))
    if recipe["lines"] is not None:
        rows.append(("lines", _lines(recipe)))
    rows += [("LoRA", f"{lora['name']}, weight {lora['weight']:g}") for lora in recipe["loras"]]
    if recipe["size"]:
        rows.append(("size", "{} x {}".format(*recipe["size"])))
    if view is not None:
        parts = [f"{view['camera']!r}" if view["camera"] else "the viewport"]
        parts.append(f"{view['width']} x {view['height']}")
        if "focal_length" in view:
            parts.append(f"{view['focal_length']:g} mm (on 36 mm)")
        if "orthographic_scale" in view:
            parts.append(f"orthographic, {view['orthographic_scale']:g} m wide")
        rows.append(("camera", ", ".join(parts)))
    if told["material"] is not None:
        return rows + _material_rows(told["material"])
    if source is None:
        rows.append(("source", "the picture doesn't say"))
        return rows
    rows.append(("source", f"{source['file']} ({source['state']})"))
    if "depth" in source:
        rows.append(("depth", f"{source['depth']} ({source['depth_state']})"))
    if "estimator" in source:
        rows.append(("depth", f"estimated by the model {source['estimator']}"))
    if "frame" in source:
        rows.append(("frame", str(source["frame"])))
    return rows


def _facades(recipe: dict[str, Any]) -> str:
    """How the openings of walls were asked for."""
    if recipe["windows"] == "free":
        return "free"
    return "{windows}, storey {storey:g} m, bay {bay:g} m".format(**recipe)


def _lines(recipe: dict[str, Any]) -> str:
    """The lines that it was held to."""
    if recipe["lines"] == "none" or recipe["lines_influence"] is None:
        return recipe["lines"]
    return "{lines}, influence {lines_influence:g}".format(**recipe)


def _material_rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    material, span = told["material"], told["range"]
    rows = [
        ("map", told["name"]),
        ("tile", f"{material['size']:g} x {material['size']:g} m, {material['pixels']} pixels"),
        ("pattern", material["pattern"]),
        ("unit", "{:g} x {:g} m".format(*material["unit"])),
        ("joint", f"{material['joint']:g} m"),
        ("relief", f"{material['relief']:g} m"),
    ]
    return rows + ([("black to white", f"{span[0]:.6f} to {span[1]:.6f} m")] if span else [])
