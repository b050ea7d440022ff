"""A material on disk: a folder with its maps, a glTF plate and a picture to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from maquette_wire import metadata, png
from maquette_wire.material import MAPS
from maquette_wire.messages import Result
from maquette_wire.metadata import MaterialMap
from numpy.typing import NDArray

from ..outputs import SOFTWARE, free_name, write_folder
from .plate import make_plate, packed_maps
from .tiled import tiled

PREVIEW = "preview.png"
LEVELS = 65535
"""Of the height: as black and white are its lowest and highest place, a level is less than a
thousandth of a millimetre for every pattern's own relief."""


def folder_bytes(pixels: int) -> int:
    """Disk space that the files of a material may take: the maps, and in the plate once more."""
    return 20 * pixels**2


def maps_of(result: Result, frames: Sequence[memoryview]) -> dict[str, NDArray[Any]]:
    """The maps of a result by name, as arrays on its frames."""
    return {
        header.name: np.frombuffer(frame, {"u1": np.uint8, "f4": np.float32}[header.dtype]).reshape(
            header.shape
        )
        for header, frame in zip(result.frames, frames, strict=True)
    }


def write_material(
    folder: Path,
    name: str,
    result: Result,
    frames: Sequence[memoryview],
    *,
    prompt: bool = True,
) -> list[Path]:
    """Write a result into a folder `name` of `folder`, numbered where there is one: all of it, or
    nothing.

    Args:
        prompt: False leaves the prompt out of the files.

    Returns:
        The files: the maps, the plate and the preview.

    Raises MaquetteError("output-unusable").
    """
    return write_folder(
        free_name(folder, name, ""), _files(name, result, maps_of(result, frames), prompt)
    )


def _files(
    name: str, result: Result, maps: Mapping[str, NDArray[Any]], prompt: bool
) -> dict[str, bytes]:
    material = result.material
    assert material is not None
    side, size = material.pixels, material.size

    def texts(of: str, span: tuple[float, float] | None = None) -> dict[str, str]:
        said = MaterialMap(name=of, material=material, range=span)
        return metadata.texts(result.recipe, of_material=said, software=SOFTWARE, prompt=prompt)

    files = {}
    for of in MAPS:
        pixels, span = maps[of], None
        if of == "height":
            pixels, span = _levels(pixels)
        files[f"{of}.png"] = png.encode(
            np.ascontiguousarray(pixels).data,
            side,
            side,
            texts(of, span),
            bits=16 if of == "height" else 8,
            linear=of != "albedo",
        )
    packed = packed_maps(maps["occlusion"], maps["roughness"])
    files[f"{name}.glb"] = make_plate(name, size, files["albedo.png"], files["normal.png"], packed)
    look = tiled(maps["albedo"], maps["normal"], maps["occlusion"])
    height, width = look.shape[:2]
    files[PREVIEW] = png.encode(look.data, width, height, texts("preview"))
    return files


def _levels(height: NDArray[np.float32]) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    """Heights as big-endian 16 bits, and the metres that black and white are."""
    low, high = float(height.min()), float(height.max())
    share = (height.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.rint(share * LEVELS).astype(">u2"), (low, high)
