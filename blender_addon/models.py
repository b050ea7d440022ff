"""Models of other programs, imported into an empty file by Blender's own importers.

glTF, USD and FBX say which way is up and how long their unit is; OBJ, STL and PLY say neither. An
OBJ stands along Y, as most exporters write it, or along Z where its walls and roofs tell that it
does; STL and PLY stand along Z.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import addon_utils
import bpy
import numpy as np
from maquette_wire.errors import MaquetteError
from mathutils import Matrix
from numpy.typing import NDArray

from .capture import pieces_of

Up = Literal["y", "z"]

AGAIN = "Export it again."
CARRIER = "Maquette model"
TALLEST = 2000.0
"""Metres; no building is as high, so the unit is another."""
SMALLEST = 0.5
"""Metres across; no building is as small."""
FAR = 5000.0
"""Metres from the origin, where single precision still holds half a millimetre."""
BLURRED = 2e-4
"""Share of a model's size: coordinates that are coarser than that have lost its shape."""
STANDING, LYING = 0.85, 0.6
"""Shares of a building's faces that are upright or level: at least where an axis is up, and at most
along one that then can't be."""


def open_model(path: Path, up: Up | None, unit: float, say: Callable[[str], None]) -> None:
    """Make an empty file, and put a model into it: Z up, in metres, about the origin.

    Args:
        up: of the file's axes; None where the file, or its objects, say so.
        unit: metres of one of the file's units; of glTF, USD and FBX, of a metre of theirs.
        say: is called with what a user should know.

    Raises MaquetteError("bad-model", "bad-arguments").
    """
    suffix = path.suffix.lower()
    if suffix not in IMPORTERS:
        raise _bad(f"{path.name} is no kind of model that is understood", KINDS)
    if up is not None and suffix not in AXES:
        raise MaquetteError(
            "bad-arguments",
            f"{path.name} says itself which way is up.",
            "Leave --up out, or export it again the right way up.",
        )
    if not path.is_file() or not path.stat().st_size:
        what = "is empty" if path.is_file() else "isn't there"
        raise _bad(f"The file {path} {what}", "Export it again, or correct its name.")
    bpy.ops.wm.read_homefile(use_empty=True)
    try:
        finished = IMPORTERS[suffix](str(path)) == {"FINISHED"}
    except AttributeError as error:
        raise _bad(
            f"This Blender has no importer for {suffix}",  # distributions leave some out
            "Take the Blender of blender.org, or export another format.",
        ) from error
    except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
        print(file=sys.stderr)  # Blender may not have ended the line of its own report
        raise _bad(f"Blender can't import {path.name}: {_reason(error)}", AGAIN) from error
    if not finished:
        raise _bad(f"Blender can't import {path.name}", AGAIN)
    bpy.context.scene.name = path.name
    bpy.context.scene.world = bpy.data.worlds.new("World")  # for the sky: an empty file has none
    shading: Any = bpy.context.scene.display.shading
    shading.color_type = "TEXTURE"  # what has none shows its material
    _stand(path, up, unit, say)


def _reason(error: Exception) -> str:
    """What an importer reported, without what it says to programmers."""
    if "Traceback" in str(error):
        return "its parts contradict each other"
    return str(error).strip().splitlines()[-1].removeprefix("Error: ").rstrip(".")


def _stand(path: Path, up: Up | None, unit: float, say: Callable[[str], None]) -> None:
    """Turn, scale and move what was imported. Raises MaquetteError("bad-model")."""
    corners = _corners()
    if not len(corners):
        raise _bad(f"{path.name} holds no faces", "Export it with its meshes.")
    suffix = path.suffix.lower()
    axis = up or AXES.get(suffix, "z")
    if up is None and suffix == ".obj" and _stands_along_z(corners):
        axis = "z"
        say(f"{path.name} stands along Z, by its walls and roofs; --up y says otherwise.")
    turn = Matrix.Rotation(math.pi / 2 if axis == "y" else 0.0, 4, "X")
    low, high = corners.min((0, 1)), corners.max((0, 1))
    blur = float(np.spacing(np.float32(np.abs([low, high]).max()))) / np.linalg.norm(high - low)
    _check_size(path, (high - low) * unit, axis)
    middle = (low + high) / 2
    if float(np.abs(middle).max()) * unit <= FAR:
        middle = np.zeros(3)
    elif blur > BLURRED:
        raise _bad(
            f"{path.name} lies so far from its origin that single precision has lost its shape",
            "Move it to the origin, and export it again.",
        )
    whole = Matrix.Scale(unit, 4) @ turn @ Matrix.Translation((-middle).tolist())
    if whole != Matrix.Identity(4):
        _carry(whole)


def _carry(whole: Matrix) -> None:
    """Move everything, what is animated as well."""
    things = list(bpy.context.scene.objects)
    carrier = bpy.data.objects.new(CARRIER, None)
    bpy.context.scene.collection.objects.link(carrier)
    carrier.matrix_world = whole
    for thing in things:
        if thing.parent is None:
            thing.parent = carrier
    bpy.context.view_layer.update()


def _check_size(path: Path, size: NDArray[np.float64], axis: Up) -> None:
    height, across = float(size["xyz".index(axis)]), float(size.max())
    along = f"--up {'z' if axis == 'y' else 'y'}"
    lying = f" Does it lie on its side, say {along}." if path.suffix.lower() in AXES else ""
    if height > TALLEST:
        raise _bad(
            f"{path.name} is {height:,.0f} m high",
            "Say how many metres its unit is: --unit 0.01 for centimetres, 0.001 for millimetres, "
            f"0.0254 for inches.{lying}",
        )
    if across < SMALLEST:
        raise _bad(
            f"{path.name} is {across:.2g} m across",
            "Say how many metres its unit is, for instance --unit 1000.",
        )


def _corners() -> NDArray[np.float64]:
    """Triangles [n, 3, 3] of all that renders, as they were imported."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    pieces = [piece.vertices[piece.vertex_triangles] for piece in pieces_of(depsgraph, set())]
    return np.concatenate([np.empty((0, 3, 3)), *pieces])


def _stands_along_z(corners: NDArray[np.float64]) -> bool:
    """Whether walls are upright and roofs level along Z, and not along Y.

    A model that is all boxes stands along both, and one that is all slopes along neither; for
    these, and for a tent, whose gables alone are level along Z, the answer is no.
    """
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(normals, axis=1)
    cosines = np.abs(normals) / np.maximum(areas, 1e-30)[:, None]
    level, upright = cosines > 0.98, cosines < 0.02
    fits = level | upright
    # Of the rest alone along Y: what is level along Z, a lawn as well, is upright along Y.
    rest = np.where(level[:, 2], 0.0, areas)
    along_z, along_y = areas @ fits[:, 2] / areas.sum(), rest @ fits[:, 1] / max(rest.sum(), 1e-30)
    return bool(
        along_z >= STANDING and along_y <= LYING and areas @ level[:, 2] >= 2 * areas @ level[:, 1]
    )


def _gltf(path: str) -> Any:
    with _enabled("io_scene_gltf2"):
        return bpy.ops.import_scene.gltf(filepath=path)


def _fbx(path: str) -> Any:
    if hasattr(bpy.types, "WM_OT_fbx_import") or "fbx_import" in dir(bpy.ops.wm):
        return bpy.ops.wm.fbx_import(filepath=path)
    with _enabled("io_scene_fbx"):  # before Blender 4.5
        return bpy.ops.import_scene.fbx(filepath=path)


def _usd(path: str) -> Any:
    return bpy.ops.wm.usd_import(filepath=path, import_lights=False, create_world_material=False)


@contextmanager
def _enabled(add_on: str) -> Iterator[None]:
    """Have an add-on of Blender's for the block alone, where the user hasn't enabled it: the bpy
    module of 4.2 crashes at its end where one with a panel is left."""
    _default, was = addon_utils.check(add_on)
    if not was:
        addon_utils.enable(add_on, default_set=False)
    try:
        yield
    finally:
        if not was:
            addon_utils.disable(add_on, default_set=False)


# As the file's own axes have it; `_stand` turns it.
_OWN_AXES: Any = {"forward_axis": "Y", "up_axis": "Z"}

IMPORTERS: dict[str, Callable[[str], Any]] = {
    ".glb": _gltf,
    ".gltf": _gltf,
    ".obj": lambda path: bpy.ops.wm.obj_import(filepath=path, **_OWN_AXES),
    ".usd": _usd,
    ".usda": _usd,
    ".usdc": _usd,
    ".usdz": _usd,
    ".fbx": _fbx,
    ".stl": lambda path: bpy.ops.wm.stl_import(filepath=path, **_OWN_AXES),
    ".ply": lambda path: bpy.ops.wm.ply_import(filepath=path, **_OWN_AXES),
}
"""By suffix: a file's path → what the operator returned."""
KINDS = "Give a .blend, .glb, .gltf, .obj, .usd, .fbx, .stl or .ply."
AXES: dict[str, Up] = {".obj": "y", ".stl": "z", ".ply": "z"}
"""Which way is up in files that don't say so."""


def _bad(what: str, fix: str) -> MaquetteError:
    return MaquetteError("bad-model", f"{what}.", fix)
