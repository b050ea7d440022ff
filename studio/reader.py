"""Scene files of the dataset: writing and reading them, with NumPy alone (format in
docs/dataset.md)."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import FORMAT

ARRAYS = ("massing", "depth", "finishes", "openings", "parts", "objects", "normals", "edges")


class SceneFileError(Exception):
    """A scene file cannot be used; the message names the file and what to do."""


@dataclass(frozen=True)
class SceneFile:
    """One scene: arrays as in docs/dataset.md, and its metadata."""

    massing: np.ndarray
    depth: np.ndarray
    finishes: np.ndarray
    openings: np.ndarray
    parts: np.ndarray
    objects: np.ndarray
    normals: np.ndarray
    edges: np.ndarray
    meta: dict[str, Any]


def scene_path(folder: Path, seed: int) -> Path:
    """Path of the scene of `seed` in the dataset `folder`."""
    return folder / f"scene_{seed:06d}.npz"


def write_scene(path: Path, scene: SceneFile) -> None:
    """Write a scene file so that it appears under `path` only when it is complete."""
    meta = np.frombuffer(json.dumps(scene.meta).encode(), np.uint8)
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            arrays = {name: getattr(scene, name) for name in ARRAYS}
            np.savez_compressed(file, meta=meta, **arrays)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_scene(path: Path) -> SceneFile:
    """Read one scene file; raise `SceneFileError` naming it where it is damaged or of another
    format."""
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(file["meta"].tobytes().decode())
            arrays = {name: file[name] for name in ARRAYS}
    except FileNotFoundError as error:
        raise SceneFileError(f"{path} does not exist; render it with studio.dataset.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        raise SceneFileError(
            f"{path} is damaged or cut off ({error}); delete it and run studio.dataset again."
        ) from error
    if meta.get("format") != FORMAT:
        raise SceneFileError(
            f"{path} has format {meta.get('format')}, this reader knows {FORMAT}; "
            "render the dataset again with this version."
        )
    return SceneFile(meta=meta, **arrays)


def scene_files(folder: Path) -> list[Path]:
    """Finished scene files of a dataset, ordered by seed."""
    return sorted(folder.glob("scene_*.npz"))


def read_scenes(folder: Path, split: str | None = None) -> Iterator[tuple[Path, SceneFile]]:
    """Go through a dataset, of one split if given."""
    for path in scene_files(folder):
        scene = read_scene(path)
        if split is None or scene.meta["split"] == split:
            yield path, scene
