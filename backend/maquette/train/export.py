"""Writes a trained model as a directory that the family and plain diffusers load."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from maquette_wire.errors import MaquetteError

from .lora import add_lora, write_lora
from .parts import train_only
from .recipe import TrainingRecipe
from .scenes import Dataset
from .sheets import make_pipeline
from .state import load_state, states
from .workspace import Workspace

NO_DEPTH = -1.0
"""The constant depth channel that `depth_dropout` trains to mean "no depth"."""


def export_model(recipe: TrainingRecipe, out: Path, directory: Path) -> Path:
    """Write the model in `out` (a training's folder) to `directory`, as fp16 safetensors.

    The directory is written beside and then renamed, so that a reader never sees half of it; what
    else is in an existing one (a model card) is kept.
    """
    if not (out / "model" / "unet").is_dir() and not states(out / "unet"):
        raise MaquetteError(
            "not-trained", f"There is no trained model in {out}.", "Run `maquette train` first."
        )
    workspace = Workspace(out, recipe, Dataset(out))
    parts = workspace.parts()
    if recipe.unet is not None:
        train_only(parts["unet"], recipe.unet.only)
    _take_averages(parts["unet"], out / "unet")
    if workspace.has_estimator():
        estimator = workspace.part("depth_estimator")
        parts["depth_estimator"] = estimator.to(torch.float16)
        parts["feature_extractor"] = workspace.image_processor(estimator)
    for name in ("vae", "text_encoder", "unet"):
        parts[name] = parts[name].to(torch.float16)
    temporary = directory.with_name(f"{directory.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    make_pipeline(parts).save_pretrained(temporary, safe_serialization=True)
    _name_parts(temporary / "model_index.json")
    for name in ("text_encoder", "depth_estimator"):
        if (temporary / name).is_dir():
            _keep_float32(temporary / name / "config.json")
    for config in temporary.rglob("config.json"):
        _forget_origin(config)
    described = _settings(recipe, workspace)
    (temporary / "maquette.json").write_text(json.dumps(described, indent=1) + "\n", "utf-8")
    if directory.is_dir():
        for kept in directory.iterdir():
            if kept.is_file() and not (temporary / kept.name).exists():
                shutil.copy2(kept, temporary / kept.name)
        shutil.rmtree(directory)
    temporary.replace(directory)
    return directory


def export_lora(recipe: TrainingRecipe, out: Path, path: Path) -> Path:
    """Write the adapter in `out` (a training's folder) to `path`, a file that diffusers loads."""
    assert recipe.unet is not None
    if not states(out / "unet"):
        raise MaquetteError(
            "not-trained", f"There is no trained adapter in {out}.", "Run `maquette train` first."
        )
    workspace = Workspace(out, recipe, Dataset(out))
    unet = workspace.part("unet")
    add_lora(unet, recipe.unet.lora)
    _take_averages(unet, out / "unet")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lora(unet, workspace.vocabulary().words, path)
    return path


def _take_averages(unet: UNet2DConditionModel, folder: Path) -> None:
    """The averaged weights of the newest state, which a training that still runs has saved."""
    state = load_state(folder)
    if state is None:
        return
    with torch.no_grad():
        trained = [each for each in unet.parameters() if each.requires_grad]
        for index, parameter in enumerate(trained):
            parameter.copy_(state.tensors[f"average.{index}"])


def _name_parts(path: Path) -> None:
    """Say in the index that the depth estimator is left out, else the pipeline looks for it; and
    name its image processor as it is called wherever torchvision is there."""
    index = json.loads(path.read_text("utf-8"))
    if "feature_extractor" in index and index["feature_extractor"][0]:
        index["feature_extractor"] = ["transformers", "DPTImageProcessor"]
    for name in ("depth_estimator", "feature_extractor"):
        index.setdefault(name, [None, None])
    path.write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def _keep_float32(path: Path) -> None:
    """Stored in half, run in full precision: transformers runs in the type that is named here,
    diffusers in float32 unless told, and the two must agree."""
    config = json.loads(path.read_text("utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _forget_origin(path: Path) -> None:
    """Leave out the folder that a part was loaded from, which is a path of this machine."""
    config = json.loads(path.read_text("utf-8"))
    config.pop("_name_or_path", None)
    path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _settings(recipe: TrainingRecipe, workspace: Workspace) -> dict[str, Any]:
    unet = recipe.unet
    return {
        "format": 1,
        "title": recipe.name,
        "native_size": workspace.part("vae").config.sample_size,
        "depth": asdict(recipe.depth),
        "precision": "mixed",
        "dropped_depth": NO_DEPTH if unet is not None and unet.depth_dropout > 0 else None,
        "vocabulary": workspace.words(),
        **recipe.settings,
    }
