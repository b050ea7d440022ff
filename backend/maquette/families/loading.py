"""A pipeline of diffusers from a directory, with all that can be wrong with it said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from . import checkpoint, layouts
from .libraries import loading


def load_pipeline(kind: Any, directory: Path, dtype: torch.dtype, **options: Any) -> Any:
    """A pipeline of diffusers from a directory of its layout, all tensors of which are there.

    kind: its class. options: for `from_pretrained`; parts that aren't wanted are None.

    Raises MaquetteError naming the file for everything wrong with the directory.
    """
    variant = layouts.check(directory)
    with loading(directory):
        pipeline = kind.from_pretrained(
            directory,
            dtype=dtype,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            **options,
        )
    for part in ("unet", "vae"):
        files = checkpoint.weight_files(directory / part, variant)
        checkpoint.check_keys(part, list(getattr(pipeline, part).state_dict()), files)
    return pipeline
