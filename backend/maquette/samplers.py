"""Sampler names, as users of diffusers and of A1111 know them, and which of them suit a model.

What each one does is in `schedulers`; no model library is imported here, so that the server's loop
can tell clients at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError

NAMES: tuple[str, ...] = (
    "ddim",
    "pndm",
    "euler",
    "euler-karras",
    "euler-a",
    "heun",
    "lms",
    "dpm++-2m",
    "dpm++-2m-karras",
    "dpm++-2m-sde",
    "dpm++-2m-sde-karras",
    "unipc",
    "lcm",
    "tcd",
)
"""All sampler names, in the order that a menu shows them."""

FROM_SIGMA = frozenset(
    {"pndm", "euler-karras", "heun", "lms", "dpm++-2m-karras", "dpm++-2m-sde-karras"}
)
"""Those that can't start at pure noise (zero terminal SNR), which has no finite sigma: schedulers
in sigma space that don't rescale would start from an infinite one, and the Karras spacing would
spend most of its steps there."""


def canonical(name: str) -> str:
    """The name as listed in `NAMES` for any common spelling ("DPM++ 2M Karras", "euler_a").

    Raises MaquetteError("unknown-sampler").
    """
    key = re.sub(r"[\s_]+", "-", name.strip().lower())
    if key in NAMES:
        return key
    raise MaquetteError(
        "unknown-sampler", f"There is no sampler {name!r}.", f"Use one of {', '.join(NAMES)}."
    )


def able(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The samplers that can run the noise schedule of a model's scheduler configuration."""
    if not config.get("rescale_betas_zero_snr"):
        return NAMES
    return tuple(name for name in NAMES if name not in FROM_SIGMA)


def offered(directory: Path, own: str, steps: int) -> tuple[str, ...]:
    """The samplers that a menu should show for the model of a directory.

    own, steps: its defaults. How a single step is taken makes no difference, so a model of one
    step has only its own.
    """
    if steps == 1:
        return (canonical(own),)
    try:
        config = json.loads((directory / "scheduler" / "scheduler_config.json").read_bytes())
    except (OSError, ValueError):
        return NAMES  # the model is damaged, which running it will say
    return able(config if isinstance(config, dict) else {})
