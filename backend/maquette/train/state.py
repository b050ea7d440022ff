"""The state of a training on disk: complete or absent, never half-written, never pickled."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from maquette_wire.errors import MaquetteError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

KEEP = 2
"""States kept: the latest, and the one before it in case its file is lost."""


@dataclass
class TrainingState:
    """Everything that a step depends on: tensors by name, and what is not a tensor."""

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def save_state(folder: Path, state: TrainingState) -> Path:
    """Write a state beside the earlier ones; the newest KEEP remain."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{state.step:08d}.safetensors"
    temporary = path.with_suffix(".tmp")
    contiguous = {name: tensor.detach().contiguous() for name, tensor in state.tensors.items()}
    metadata = {"step": str(state.step), "facts": json.dumps(state.facts)}
    try:
        save_file(contiguous, temporary, metadata)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        cause = "the disk is full" if full else str(error)
        kept = [p.name for p in states(folder)]
        raise MaquetteError(
            "state-not-saved",
            f"The training's state at step {state.step} could not be written to {folder}: {cause}.",
            f"Free some space and run the command again; it goes on from {kept[-1]}."
            if kept
            else "Free some space and run the command again.",
        ) from error
    for old in states(folder)[:-KEEP]:
        old.unlink()
    return path


def states(folder: Path) -> list[Path]:
    """Complete states, oldest first."""
    return sorted(folder.glob("step_*.safetensors"))


def load_state(folder: Path) -> TrainingState | None:
    """The newest state that can be read; None where there is none at all."""
    damaged: list[str] = []
    for path in reversed(states(folder)):
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return TrainingState(int(metadata["step"]), tensors, json.loads(metadata["facts"]))
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            damaged.append(f"{path.name} ({error})")
    if damaged:
        raise MaquetteError(
            "state-damaged",
            f"No state in {folder} can be read: {', '.join(damaged)}.",
            "Delete these files to start this stage again.",
        )
    return None


def module_tensors(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}


def restore_module(prefix: str, module: nn.Module, tensors: dict[str, Tensor]) -> None:
    start = len(prefix) + 1
    own = {n[start:]: t for n, t in tensors.items() if n.startswith(f"{prefix}.")}
    module.load_state_dict(own)


def optimizer_tensors(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments and counters of an optimiser by parameter number, all as tensors."""
    return {
        f"{prefix}.{index}.{key}": value if isinstance(value, Tensor) else torch.tensor(value)
        for index, entry in optimizer.state_dict()["state"].items()
        for key, value in entry.items()
    }


def restore_optimizer(
    prefix: str, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(f"{prefix}."):
            index, key = name[len(prefix) + 1 :].split(".", 1)
            state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    # Saved row by row; a step rounds differently where they lie otherwise than their parameter.
    for parameter, entry in optimizer.state.items():
        for key, value in entry.items():
            if value.shape == parameter.shape:
                entry[key] = torch.empty_like(parameter).copy_(value)
