"""Trainings as the command line runs them, and the weights that they leave."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser
from pathlib import Path

import torch
from maquette.train.command import configure, run
from safetensors.torch import load_file


def train(recipe: Path, data: Path, out: Path, *extra: str) -> int:
    parser = ArgumentParser()
    configure(parser)
    given = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu", *extra]
    return run(parser.parse_args(given))


def give_tokenizer(source: Path, target: Path) -> None:
    """Learning a tokenizer may break ties either way; two runs are alike from there on."""
    shutil.copytree(
        source / "model" / "tokenizer", target / "model" / "tokenizer", dirs_exist_ok=True
    )


def weights(out: Path, part: str = "unet") -> dict[str, torch.Tensor]:
    name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
    return load_file(out / "model" / part / f"{name}.safetensors")
