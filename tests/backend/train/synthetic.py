"""Scenes in the dataset's format (docs/dataset.md), ray-cast in NumPy, for tests of the trainer.

Boxes on a ground plane whose wall colour, windows and light follow the caption, so that a trainer
that works learns something a test can see.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WALLS = {
    "red brick": (0.62, 0.27, 0.2),
    "white render": (0.92, 0.91, 0.88),
    "timber": (0.6, 0.42, 0.25),
}
LIGHTS = {
    "day": ((1.0, 1.0, 1.0), (0.45, 0.65, 0.95)),
    "dusk": ((0.45, 0.42, 0.6), (0.85, 0.5, 0.45)),
}
GROUNDS = {"lawn": (0.3, 0.5, 0.2), "plaza": (0.7, 0.68, 0.65)}


def camera(seed: int) -> dict[str, object]:
    """The camera of the rays in `cast`: at its eye, looking along Y, its lens shifted upwards."""
    height = float(np.random.default_rng(seed).uniform(1.6, 6.0))
    world = [[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, height], [0, 0, 0, 1]]
    return {
        "kind": "perspective",
        "lens_mm": 30.0,
        "sensor_mm": 36.0,
        "shift_x": 0.0,
        "shift_y": 0.12,
        "ortho_scale": None,
        "matrix_world": world,
    }


def cast(seed: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """depth [h, w] m, part [h, w], normal axis, world position [h, w, 3], object number."""
    rng = np.random.default_rng(seed)
    ys, xs = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij")
    rays = np.stack([(xs / size - 0.5) * 1.2, np.ones_like(xs), (0.62 - ys / size) * 1.2], -1)
    eye = np.array([0.0, 0.0, rng.uniform(1.6, 6.0)])
    with np.errstate(divide="ignore"):
        depth = np.where(rays[..., 2] < 0, -eye[2] / rays[..., 2], np.inf)
    depth[depth > 500] = np.inf
    part = np.where(np.isfinite(depth), 1, 0).astype(np.uint8)
    axis = np.full(depth.shape, 2)
    number = np.zeros(depth.shape, np.uint8)
    for i in range(int(rng.integers(1, 5))):
        low = np.array([rng.uniform(-15, 5), rng.uniform(12, 45), 0.0])
        high = low + rng.uniform(4, 16, 3)
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (low - eye) / rays, (high - eye) / rays
        near, far = np.minimum(a, b), np.maximum(a, b)
        entry, hit_axis = near.max(-1), near.argmax(-1)
        hit = (entry < far.min(-1)) & (entry > 0) & (entry < depth)
        depth[hit], axis[hit], number[hit] = entry[hit], hit_axis[hit], i + 1
        part[hit] = np.where(hit_axis[hit] == 2, 3, 2)
    position = eye + rays * np.where(np.isfinite(depth), depth, 0.0)[..., None]
    return depth.astype(np.float32), part, axis, position, number


def panes(part: np.ndarray, axis: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Where walls have openings: bool [h, w]."""
    along = np.where(axis == 0, position[..., 1], position[..., 0])
    high = position[..., 2] % 3.0
    return (part == 2) & (along % 2.5 < 1.2) & (high > 1.0) & (high < 2.4)


def finish(part, axis, position, wall: str, light: str, ground: str) -> np.ndarray:
    tint, sky = LIGHTS[light]
    picture = np.broadcast_to(np.array(sky), (*part.shape, 3)).copy()
    picture[part == 1] = GROUNDS[ground]
    picture[part == 3] = (0.35, 0.35, 0.38)
    picture[part == 2] = WALLS[wall]
    picture[panes(part, axis, position)] = (1.0, 0.85, 0.5) if light == "dusk" else (0.2, 0.25, 0.3)
    shade = np.where(axis == 0, 0.6, np.where(axis == 1, 0.85, 1.0))
    lit = part > 0
    picture[lit] *= shade[lit, None] * np.array(tint)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def outlines(part: np.ndarray, axis: np.ndarray, number: np.ndarray) -> np.ndarray:
    """1 where the next pixel, to the right or below, is of another part, box or face."""
    code = part.astype(int) * 1000 + axis * 300 + number
    edges = np.zeros(part.shape, np.uint8)
    edges[:, :-1] |= code[:, 1:] != code[:, :-1]
    edges[:-1] |= code[1:] != code[:-1]
    return edges


def write_scene(folder: Path, seed: int, size: int = 64, split: str = "train") -> Path:
    depth, part, axis, position, number = cast(seed, size)
    rng = np.random.default_rng(seed + 10_000)
    finishes, described = [], []
    for _ in range(3):
        wall, light, ground = (str(rng.choice(list(d))) for d in (WALLS, LIGHTS, GROUNDS))
        finishes.append(finish(part, axis, position, wall, light, ground))
        described.append(
            {
                "attributes": {
                    "type": "row",
                    "wall": wall,
                    "roof": "flat",
                    "windows": "grid",
                    "ground": ground,
                    "light": light,
                    "style": "photo",
                    "view": "street",
                    "extras": [],
                },
                "captions": [
                    f"{wall} row at {light}, {ground}",
                    f"a row in {wall} on a {ground}, {light}",
                ],
            }
        )
    grey = np.where(part == 0, 0.25, 0.55 + 0.3 * (axis == 2) - 0.1 * (axis == 0))
    solid = np.repeat(np.rint(grey * 255).astype(np.uint8)[..., None], 3, -1)
    meta = {
        "format": 1,
        "generator": 1,
        "seed": seed,
        "split": split,
        "type": "row",
        "view": "street",
        "camera": camera(seed),
        "looks": [{"name": "solid", "ground": True}],
        "finishes": described,
    }
    path = folder / f"scene_{seed:06d}.npz"
    np.savez_compressed(
        path,
        massing=solid[None],
        depth=depth,
        finishes=np.stack(finishes),
        openings=np.stack([panes(part, axis, position) * np.uint8(255)] * len(finishes)),
        parts=part,
        objects=number,
        normals=np.zeros((size, size, 3), np.int8),
        edges=outlines(part, axis, number),
        meta=np.frombuffer(json.dumps(meta).encode(), np.uint8),
    )
    return path


def write_dataset(folder: Path, count: int, size: int = 64) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(
        json.dumps({"format": 1, "generator": 1, "resolution": size})
    )
    for seed in range(count):
        write_scene(folder, seed, size, "scene" if seed % 10 == 0 else "train")
    return folder
