"""OpenEXR files as renderers write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

HEIGHT, WIDTH = 6, 8
METRES = np.linspace(4.0, 60.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
SHADES = np.linspace(0.0, 1.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)

Channels = dict[str, np.ndarray]


def flat(value: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), value, np.float32)


def rgb(layer: str, red: float, green: float, blue: float, alpha: float | None = None) -> Channels:
    """Channels of one colour; ``layer`` ends with its dot."""
    made = {f"{layer}R": flat(red), f"{layer}G": flat(green), f"{layer}B": flat(blue)}
    return made if alpha is None else {**made, f"{layer}A": flat(alpha)}


def write(path: Path, channels: Channels, **header: Any) -> Path:
    """A file of one part, in scan lines where ``header`` doesn't say otherwise."""
    given = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    with OpenEXR.File(given, channels) as file:
        file.write(str(path))
    return path


def write_parts(path: Path, parts: dict[str, Channels]) -> Path:
    """A file of several parts, by their names."""
    kind = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File([OpenEXR.Part({**kind}, made, name) for name, made in parts.items()]) as file:
        file.write(str(path))
    return path


def box(left: int, top: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A window of a header."""
    return np.array([left, top], "i4"), np.array([left + width - 1, top + height - 1], "i4")
