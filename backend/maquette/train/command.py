"""Runs a training recipe stage by stage."""

from __future__ import annotations

import argparse
import importlib
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from maquette_wire.errors import MaquetteError

from .cache import LatentCache
from .estimator import EstimatorTraining
from .export import export_lora, export_model
from .loop import Outcome, Place, Stage, run_stage
from .lora import write_lora
from .recipe import STAGES, StageName, TrainingRecipe, load_recipe
from .scenes import Dataset
from .sheets import draw_sheet, make_pipeline
from .text import TextTraining
from .unet import UnetTraining
from .vae import VaeTraining, normalize_latents
from .workspace import LORA, Workspace

log = logging.getLogger(__name__)

SHEET_SCENES = 6


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `maquette train`."""
    parser.add_argument("recipe", type=Path, help="the recipe, a TOML file")
    parser.add_argument("--data", type=Path, help="folder of the dataset, instead of the recipe's")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training's state")
    parser.add_argument("--stage", choices=STAGES, action="append", help="only this stage")
    parser.add_argument("--minutes", type=float, help="save and stop after so many minutes")
    parser.add_argument("--device", help="cpu, cuda or mps; the best there is by default")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument(
        "--shards", type=int, default=1, help="threads that share a UNet's batch, on a CPU"
    )
    parser.add_argument(
        "--export",
        type=Path,
        metavar="PATH",
        help="train nothing; write what --out holds: a model's directory, or a LoRA's .safetensors",
    )
    parser.add_argument("--tensorboard", action="store_true", help="write figures for TensorBoard")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("train", help="train or finetune a model from a recipe")
    configure(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train; returns the exit status. Raises MaquetteError for what a user can put right."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    recipe = load_recipe(arguments.recipe)
    if arguments.export:
        export = export_lora if recipe.unet and recipe.unet.lora else export_model
        export(recipe, arguments.out, arguments.export)
        return 0
    dataset = Dataset(arguments.data or Path(recipe.data))
    training = Training(
        recipe,
        dataset,
        arguments.out,
        pick_device(arguments.device),
        time.time() + arguments.minutes * 60 if arguments.minutes else math.inf,
        shards=arguments.shards,
        writer=_tensorboard(arguments.out) if arguments.tensorboard else None,
    )
    for stage in arguments.stage or recipe.stages:
        if not training.run(stage).finished:
            break
    return 0


class Training:
    """One recipe on one dataset in one folder."""

    def __init__(
        self,
        recipe: TrainingRecipe,
        dataset: Dataset,
        out: Path,
        device: torch.device,
        deadline: float = math.inf,
        shards: int = 1,
        writer: Callable[[str, float, int], None] | None = None,
    ) -> None:
        self.recipe, self.dataset, self.device = recipe, dataset, device
        self.workspace = Workspace(out, recipe, dataset)
        self.out, self.deadline, self.shards, self.writer = out, deadline, shards, writer

    def run(self, name: StageName) -> Outcome:
        """Run one stage as far as time allows, and write its part of the model."""
        torch.manual_seed(self.recipe.seed)
        if self.device.type == "cpu":
            # A small model's tokens are few: the plain product is a tenth of a step faster.
            torch.backends.cuda.enable_flash_sdp(False)
        if name == "vae":
            return self._vae()
        if name == "text":
            return self._text()
        if name == "depth_estimator":
            return self._estimator()
        return self._unet()

    def _run(self, stage: Stage) -> Outcome:
        place = Place(
            self.out / stage.name,
            self.device,
            self.recipe.seed,
            self.deadline,
            self.shards,
            self.writer,
        )
        return run_stage(stage, place)

    def _vae(self) -> Outcome:
        settings = self.recipe.vae
        assert settings is not None
        vae = self.workspace.part("vae")
        training = VaeTraining(vae, settings, self.dataset, self.device)
        outcome = self._run(training)
        if not settings.decoder_only and training.pool:
            mean, deviation = normalize_latents(vae, np.stack(training.pool[:64]))
            self.workspace.save_settings(
                latent_mean=mean.tolist(), latent_deviation=deviation.tolist()
            )
        self.workspace.save("vae", vae)
        return outcome

    def _text(self) -> Outcome:
        assert self.recipe.text is not None
        encoder, tokenizer = self.workspace.part("text_encoder"), self.workspace.part("tokenizer")
        training = TextTraining(
            encoder,
            tokenizer,
            self.workspace.vocabulary(),
            self.dataset,
            self.recipe.text,
            self.device,
        )
        outcome = self._run(training)
        self.workspace.save("text_encoder", encoder)
        return outcome

    def _estimator(self) -> Outcome:
        assert self.recipe.depth_estimator is not None
        estimator = self.workspace.part("depth_estimator")
        outcome = self._run(
            EstimatorTraining(
                estimator,
                self.recipe.depth_estimator,
                self.recipe.depth,
                self.dataset,
                self.device,
            )
        )
        self.workspace.save("depth_estimator", estimator)
        return outcome

    def _unet(self) -> Outcome:
        assert self.recipe.unet is not None
        parts = self.workspace.parts()
        for name, part in parts.items():
            if name in ("vae", "text_encoder", "unet"):
                part.to(self.device).requires_grad_(name == "unet")
        cache = LatentCache(
            self.out / "cache",
            parts["vae"],
            self.recipe.depth,
            self.device,
            tinted=self.recipe.unet.tinted > 0.0,
        )

        given = self.recipe.settings
        sampling = {name: given[name] for name in ("steps", "guidance") if name in given}

        def sheet(path: Path) -> dict[str, float]:
            scenes = [self.dataset.scene(n) for n in self.dataset.held_out[:SHEET_SCENES]]
            if scenes:
                draw_sheet(path, make_pipeline(parts), scenes, self.recipe.depth, **sampling)
            return {}

        training = UnetTraining(
            parts["unet"],
            parts["text_encoder"],
            parts["tokenizer"],
            parts["scheduler"],
            cache,
            self.dataset,
            self.recipe.unet,
            self.workspace.vocabulary().classes,
            sheet,
        )
        outcome = self._run(training)
        self.workspace.save_settings()
        words = self.workspace.vocabulary().words
        if self.recipe.unet.lora:
            write_lora(parts["unet"], words, self.workspace.model / LORA)
            return outcome
        for name, part in parts.items():
            # What another stage made is left as that stage wrote it.
            if name in training.modules() or not (self.workspace.model / name).is_dir():
                self.workspace.save(name, part)
        return outcome


def pick_device(name: str | None) -> torch.device:
    if name:
        try:
            device = torch.device(name)
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise MaquetteError(
                "no-device", f"The device {name} cannot be used: {error}.", "Try --device cpu."
            ) from error
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _tensorboard(out: Path) -> Callable[[str, float, int], None]:
    try:
        writer = importlib.import_module("torch.utils.tensorboard").SummaryWriter(out / "board")
    except ImportError as error:
        raise MaquetteError(
            "no-tensorboard",
            "TensorBoard is not installed.",
            "Run `pip install tensorboard`, or leave --tensorboard away.",
        ) from error
    return writer.add_scalar
