"""The families by name, and a model of any of them loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .family import Family
from .layouts import family_of
from .sd2_depth import Sd2Depth
from .sdxl_control import SdxlControl
from .settings import read_settings

FAMILIES: dict[str, type[Family[Any]]] = {"sd2-depth": Sd2Depth, "sdxl-controlnet": SdxlControl}


def load_model(directory: Path, device: torch.device, dtype: torch.dtype) -> Family[Any]:
    """The model of a directory. dtype: its precision, where it doesn't want all of it. Raises
    MaquetteError naming the file for everything wrong with it."""
    settings = read_settings(directory)
    precision = torch.float32 if settings.precision == "full" else dtype
    return FAMILIES[family_of(directory)].load(directory, settings, device, precision)
