"""Reads and writes the training dataset (docs/dataset.md) with NumPy alone."""

from __future__ import annotations

import json
import logging
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray

log = logging.getLogger(__name__)

FORMAT = 1
SPLITS = ("scene", "type", "style")
"""The held-out ones, which are never trained on."""
GROUND, WALL = 1, 2
"""Their numbers in `parts`."""
_ARRAYS = ("depth", "parts", "objects", "edges", "massing", "finishes")


class DamagedScene(Exception):
    """One scene's file cannot be read; the message names it and the cause."""


@dataclass(frozen=True)
class Finish:
    """One finished picture [h, w, 3] uint8 sRGB, how it may be described, and what it shows.

    openings: uint8 [h, w], how much of each pixel is an opening of a wall; None where a dataset
    doesn't say.
    """

    picture: NDArray[np.uint8]
    captions: list[str]
    attributes: dict[str, Any]
    openings: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Scene:
    """One view of one massing: its camera (`meta["camera"]`), its depth (metres, +inf sky), its
    looks (`grounds`: whether each shows the ground) and its finishes."""

    name: str
    split: str
    camera: dict[str, Any]
    depth: NDArray[np.float32]
    parts: NDArray[np.uint8]
    objects: NDArray[np.uint8]
    edges: NDArray[np.uint8]
    massing: NDArray[np.uint8]
    grounds: list[bool]
    finishes: list[Finish]

    def depth_without_ground(self) -> NDArray[np.float32]:
        """As a viewport without a ground plane has it."""
        return np.where(self.parts == GROUND, np.float32(np.inf), self.depth)


def read_scene(path: Path) -> Scene:
    """Read one scene file. Raises DamagedScene where it is cut off or of another format."""
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(file["meta"].tobytes().decode())
            arrays = {key: file[key] for key in _ARRAYS}
            openings = file["openings"] if "openings" in file.files else None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        raise DamagedScene(f"{path} is damaged or cut off ({error})") from error
    if meta.get("format") != FORMAT:
        raise DamagedScene(f"{path} has format {meta.get('format')}; this trainer reads {FORMAT}")
    described = meta["finishes"]
    if len(described) != len(arrays["finishes"]):
        raise DamagedScene(f"{path} describes {len(described)} of its finishes only")
    finishes = [
        Finish(
            arrays["finishes"][number],
            list(entry["captions"]),
            entry["attributes"],
            None if openings is None else openings[number],
        )
        for number, entry in enumerate(described)
    ]
    return Scene(
        path.stem,
        meta["split"],
        meta["camera"],
        arrays["depth"],
        arrays["parts"],
        arrays["objects"],
        arrays["edges"],
        arrays["massing"],
        [bool(look["ground"]) for look in meta["looks"]],
        finishes,
    )


def write_scene(path: Path, arrays: dict[str, NDArray[Any]], meta: dict[str, Any]) -> None:
    """Write a scene file so that it appears under `path` only when it is complete."""
    described = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, meta=described, **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class Dataset:
    """The scenes of a folder, which may grow while a training reads it.

    `names` only grows, and only in `refresh`: with the same names a training draws the same
    batches. Damaged scenes are named in the log once and left out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self._held_out: dict[str, list[str]] = {split: [] for split in SPLITS}
        self._left_out: set[str] = set()
        if not folder.is_dir():
            raise MaquetteError(
                "no-data", f"There is no dataset at {folder}.", "Make it, or name it with --data."
            )

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def refresh(self) -> list[str]:
        """Look for new scenes; returns the names of the new training scenes."""
        known = {*self.names, *self._left_out}.union(*self._held_out.values())
        new: list[str] = []
        for path in sorted(self.folder.glob("scene_*.npz")):
            if path.stem in known:
                continue
            try:
                split = read_split(path)
            except DamagedScene as error:
                log.warning("Left out: %s. Delete it and render it again.", error)
                self._left_out.add(path.stem)
                continue
            if split == "train":
                new.append(path.stem)
            else:
                self._held_out.setdefault(split, []).append(path.stem)
        self.names.extend(new)
        return new

    def state(self) -> dict[str, Any]:
        """Which scenes there are to train on, as JSON."""
        return {"names": self.names}

    def restore(self, state: dict[str, Any]) -> None:
        """Have the same to train on as when `state` was taken."""
        self.refresh()
        self.names = list(state["names"])

    def no_scenes(self) -> MaquetteError:
        """What to raise where there are none to train on."""
        return MaquetteError(
            "no-data",
            f"The dataset at {self.folder} has no training scene yet.",
            "Render some scenes first.",
        )

    @property
    def held_out(self) -> list[str]:
        """Names of held-out scenes of types and styles that are trained on."""
        return self._held_out["scene"]

    def of_split(self, split: str) -> list[str]:
        """Names of the scenes of one of ``SPLITS``."""
        return self._held_out[split]

    def scene(self, name: str) -> Scene:
        return read_scene(self.path(name))


def read_split(path: Path) -> str:
    """The split of a scene, without unpacking its pictures."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if "finishes" not in file.files:
                raise DamagedScene(f"{path} has no finished pictures")
            return str(json.loads(file["meta"].tobytes().decode())["split"])
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        raise DamagedScene(f"{path} is damaged or cut off ({error})") from error
