"""The folder of a training: the model as it grows, the stages' states, and the latent cache.

OUT/model/          a model directory of the sd2-depth layout, written after each stage, or a LoRA
OUT/vae, text, unet each stage's states and validation sheets
OUT/cache/          latents and encoded depth
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import diffusers
import msgspec
import torch
import transformers
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from maquette_wire.errors import MaquetteError
from transformers import CLIPTextModel, CLIPTokenizer, DPTForDepthEstimation, DPTImageProcessor

from ..families.settings import read_settings
from . import architecture as fresh
from .recipe import TrainingRecipe
from .scenes import Dataset
from .vocabulary import (
    Vocabulary,
    described,
    load_vocabulary,
    make_vocabulary,
    save_vocabulary,
)

log = logging.getLogger(__name__)

LORA = "lora.safetensors"
PARTS = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
_CAPTION_SCENES = 4000


class Workspace:
    def __init__(self, folder: Path, recipe: TrainingRecipe, dataset: Dataset) -> None:
        self.folder, self.recipe, self.dataset = folder, recipe, dataset
        self.model = folder / "model"
        self.model.mkdir(parents=True, exist_ok=True)

    def part(self, name: str) -> Any:
        """A part of the model: as trained so far, else of the base, else made from nothing."""
        if name == "vae":
            return self._load(AutoencoderKL, name) or self._fresh_vae()
        if name == "tokenizer":
            return self._load(CLIPTokenizer, name) or self._fresh_tokenizer()
        if name == "text_encoder":
            found = self._load(CLIPTextModel, name)
            return found or self._seeded(fresh.make_text_encoder, self.part("tokenizer"))
        if name == "depth_estimator":
            return self._estimator()
        if name == "unet":
            return self._load(UNet2DConditionModel, name) or self._fresh_unet()
        return self._scheduler()

    def parts(self) -> dict[str, Any]:
        return {name: self.part(name) for name in PARTS}

    def save(self, name: str, part: Any) -> None:
        part.save_pretrained(self.model / name)

    def vocabulary(self) -> Vocabulary:
        """Made from the captions on first use, and kept: a model's words do not change."""
        path = self.model / "vocabulary.json"
        if not path.exists():
            examples = self._captions()
            save_vocabulary(make_vocabulary(examples), path)
        return load_vocabulary(path)

    def words(self) -> list[str] | None:
        """Every word the model was trained with, lower case; None for an open vocabulary.

        A finetune adds its captions' words to those of its base, and an open vocabulary stays open.
        """
        path = self.model / "vocabulary.json"
        own = set(load_vocabulary(path).words) if path.exists() else None
        if self.recipe.base is None or own is None:
            return sorted(own) if own is not None else None
        known = read_settings(Path(self.recipe.base)).vocabulary
        return sorted(own | known) if known is not None else None

    def settings(self) -> dict[str, Any]:
        """The model's `maquette.json` as far as training decides it."""
        path = self.model / "training.json"
        return msgspec.json.decode(path.read_bytes()) if path.exists() else {}

    def save_settings(self, **changed: Any) -> None:
        path = self.model / "training.json"
        settings = {**self.settings(), "depth": asdict(self.recipe.depth), **changed}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(settings), indent=1))

    def _captions(self) -> list[tuple[str, dict[str, Any]]]:
        self.dataset.refresh()
        examples = described(self.dataset, self.dataset.names[:_CAPTION_SCENES])
        if not examples:
            raise self.dataset.no_scenes()
        return examples

    def has_estimator(self) -> bool:
        """Whether one was trained here, or comes with the base."""
        return self._folder("depth_estimator") is not None

    def image_processor(self, estimator: DPTForDepthEstimation) -> DPTImageProcessor:
        """What brings a picture to the estimator: the base's, where the estimator is its own."""
        found = self._folder("feature_extractor")
        if found is not None and not (self.model / "depth_estimator").is_dir():
            return DPTImageProcessor.from_pretrained(found)
        size = estimator.config.image_size
        assert isinstance(size, int)
        return fresh.make_image_processor(size)

    def _folder(self, name: str) -> Path | None:
        """Where a part is: in the training, else in the base."""
        for root in (self.model, self.recipe.base and Path(self.recipe.base)):
            if root and (root / name).is_dir():
                return root / name
        return None

    def _estimator(self) -> DPTForDepthEstimation:
        """As trained so far, else of the base where it has one, else made from nothing."""
        if self.has_estimator():
            return self._load(DPTForDepthEstimation, "depth_estimator")
        assert self.recipe.depth_estimator is not None
        torch.manual_seed(self.recipe.seed)
        return fresh.make_estimator(
            self.recipe.depth_estimator.width, self.recipe.depth_estimator.size
        )

    def _load(self, kind: Any, name: str) -> Any:
        folder = self._folder(name)
        if folder is not None:
            try:
                return kind.from_pretrained(folder)
            except (OSError, ValueError, KeyError, RuntimeError) as error:
                raise MaquetteError(
                    "damaged-model",
                    f"{folder} cannot be read: {error}.",
                    "Fetch or make this directory again.",
                ) from error
        if self.recipe.base:
            raise MaquetteError(
                "not-a-model",
                f"{self.recipe.base} has no folder {name}.",
                "Give a directory of the Stable Diffusion 2 depth layout as `base`.",
            )
        return None

    def _scheduler(self) -> Any:
        folder = self._folder("scheduler")
        if folder is None:
            return fresh.make_scheduler()
        config = msgspec.json.decode((folder / "scheduler_config.json").read_bytes())
        return getattr(diffusers, config["_class_name"]).from_pretrained(folder)

    def _seeded(self, make: Any, *arguments: Any) -> Any:
        assert self.recipe.architecture is not None
        torch.manual_seed(self.recipe.seed)
        return make(self.recipe.architecture, *arguments)

    def _size(self) -> int:
        config = self.dataset.folder / "dataset.json"
        return (
            int(msgspec.json.decode(config.read_bytes())["resolution"]) if config.exists() else 256
        )

    def _fresh_vae(self) -> AutoencoderKL:
        return self._seeded(fresh.make_vae, self._size())

    def _fresh_unet(self) -> UNet2DConditionModel:
        factor = 2 ** (len(self.part("vae").config.block_out_channels) - 1)
        return self._seeded(fresh.make_unet, self._size() // factor)

    def _fresh_tokenizer(self) -> CLIPTokenizer:
        assert self.recipe.architecture is not None
        captions = (caption for caption, _ in self._captions())
        tokenizer = fresh.make_tokenizer(captions, self.recipe.architecture)
        self.save("tokenizer", tokenizer)
        return tokenizer


transformers.logging.set_verbosity_error()
