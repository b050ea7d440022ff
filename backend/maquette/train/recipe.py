"""The recipe of a training: one TOML file that says everything which decides the weights."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec
from maquette_wire.errors import MaquetteError

from ..depth import DepthEncoding

StageName = Literal["vae", "text", "unet", "depth_estimator"]
STAGES: tuple[StageName, ...] = ("vae", "text", "unet", "depth_estimator")


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one stage is optimised. Everything is counted in steps, so that a resumed run is exact.

    The learning rate rises for `warmup` steps, stays, and falls linearly to `final_rate` over the
    last `decay` steps (Hu et al., "MiniCPM", 2024: warm-up, stable, decay), so that a run can be
    prolonged by giving more steps. `momentum` is AdamW's first moment; `clip` bounds the norm of
    each module's gradient.
    """

    steps: int
    batch: int = 16
    rate: float = 1e-3
    final_rate: float = 0.0
    warmup: int = 100
    decay: int = 0
    momentum: float = 0.9
    optimizer: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = 0.01
    ema: float = 0.999
    clip: float = 1.0
    save_every: int = 200
    sheet_every: int = 400


class VaeStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The autoencoder: the schedule, the crop's side in pixels, and the weights of its losses.

    leaves: how many procedural pictures to pretrain on, for the first `leaves_until` steps.
    sharpness: weight of the gradient loss; latent: weight that ties channels 0-2 to mean RGB.
    decoder_only: leaves the encoder as it is, so that cached latents and a UNet stay valid.
    noise: standard deviation of noise on the latents that the decoder learns to bear.
    """

    schedule: Schedule
    crop: int = 96
    leaves: int = 6000
    leaves_until: int = 0
    sharpness: float = 0.5
    latent: float = 0.5
    noise: float = 0.02
    decoder_only: bool = False


class TextStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The text encoder, taught to tell a scene's attributes from its captions."""

    schedule: Schedule


class Adversary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A discriminator beside the UNet (`adversary.PatchDiscriminator`), for velocity prediction.

    It judges the clean latents that are predicted at t >= `late_from`. weight: of being held for
    real; likeness: of the distance between its features of the made and of the real picture.
    grain: the squared error is that of means over so many latent pixels each way, since of what is
    finer it would ask for the mean of all possible pictures, which the discriminator must not
    accept; fine: weight of the squared error of single latent pixels beside it. rate: the
    discriminator's learning rate as a multiple of the UNet's.
    """

    weight: float = 0.5
    likeness: float = 2.0
    grain: int = 4
    fine: float = 0.2
    rate: float = 1.0
    widths: tuple[int, int, int] = (48, 96, 192)


Attribute = Literal["light", "style", "ground", "wall", "roof"]
"""What a reader reads (docs/dataset.md)."""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A reader of attributes beside the UNet (`reader.AttributeReader`), for velocity prediction.

    It reads the clean latents that are predicted at t >= `late_from`. weight: of what it misses in
    them; weights: of single attributes, where it is another; alone: for how many steps it learns
    before the UNet does; noise: the largest deviation of noise that it reads under; rate: its
    learning rate as a multiple of the UNet's.
    """

    weight: float = 0.5
    weights: dict[Attribute, float] = {}
    alone: int = 0
    noise: float = 0.5
    rate: float = 1.0
    widths: tuple[int, int, int] = (64, 96, 160)


class UnetStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The UNet: schedule, what is dropped, and which timesteps and sizes are trained.

    subject: extra weight of the loss on what stands on the ground, against ground and sky.
    encode_at_once: how many new scenes are encoded between two saves, 0 for all of them; where the
        encoder is slow, training begins with some of a dataset and takes in the rest as it goes.
    crops: share of steps that train crops of `crop` latent pixels instead of whole pictures; a
    crop's depth keeps the range of the whole picture. A step on whole pictures takes a batch
    smaller by the ratio of areas.
    late: share of timesteps drawn from t >= `late_from`, the rest evenly from all.
    weighting: "uniform" for velocity, or "min-snr" (Hang et al., ICCV 2023) with gamma 5.
    tinted: share of samples that begin from the noised latents of the massing in the picture's
        colours (`tinting`) instead of the picture's own, at timesteps from `tinted_from` on, and
        that learn the picture in one step: what a strength below 1 asks of a one-step model. Of
        these, `tinted_dropout` have no caption, since what the text says too is not learned from
        colours.
    openings: share of samples whose depth has the openings of walls set back by the encoding's
        `recess`, for a dataset that knows them.
    blind: the UNet does not see the latents, whose filters become zero: a regression from depth and
        text in one step (`late_from = 999`), which learns far faster than denoising and which
        denoising can go on from. Seeds make no difference to such a model.
    only: patterns of the names of parameters that are trained, such as "up_blocks.2.*"; the others
        stay as they are, to the bit. All are trained where it is empty.
    lora: rank of an adapter that is trained in place of the UNet's own weights, 0 for those.
    begin: a file of such an adapter to go on from, instead of from nothing.
    precision: "bf16" for mixed precision, faster where the hardware has it, or "full". The first
        convolution is always computed in float32, since it takes differences of depth.
    adversary: a discriminator that asks for one sharp picture where several are possible.
    reading: a reader of attributes that asks for pictures that show what their captions say.
    """

    schedule: Schedule
    crops: float = 0.75
    crop: int = 32
    late: float = 0.35
    late_from: int = 950
    weighting: Literal["uniform", "min-snr"] = "uniform"
    tinted: float = 0.0
    tinted_from: int = 250
    tinted_dropout: float = 0.5
    caption_dropout: float = 0.1
    depth_dropout: float = 0.02
    depth_jitter: float = 0.3
    ground_dropout: float = 0.1
    openings: float = 0.0
    subject: float = 0.0
    flips: bool = True
    encode_at_once: int = 0
    blind: bool = False
    precision: Literal["full", "bf16"] = "full"
    train_text: bool = False
    only: tuple[str, ...] = ()
    lora: int = 0
    begin: str | None = None
    adversary: Adversary | None = None
    reading: Reading | None = None


class EstimatorStage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The depth estimator for pictures without depth. width: of its first level, in units of 8;
    size: side of what it sees of a picture, in units of 32 pixels; halved: steps for which it sees
    half of that, at a quarter of the work; slopes: weight of the error of slopes; precision: as of
    the UNet."""

    schedule: Schedule
    width: int = 32
    size: int = 256
    halved: int = 0
    slopes: float = 1.0
    precision: Literal["full", "bf16"] = "full"


class Architecture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Widths of a model made from nothing. Absent from a recipe that finetunes a directory."""

    vae: tuple[int, ...] = (16, 48, 96)
    unet: tuple[int, ...] = (32, 96, 192, 256)
    unet_layers: int = 1
    text: int = 256
    text_layers: int = 3
    tokens: int = 40
    vocabulary: int = 1100


class TrainingRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A training. `base` is the directory to start from; without it `architecture` is built.

    settings: what the model's `maquette.json` says beyond what training decides: title, licence,
    steps, sampler, guidance, geometry (docs/pocket.md).
    """

    name: str
    seed: int = 0
    base: str | None = None
    architecture: Architecture | None = None
    depth: DepthEncoding = DepthEncoding()
    data: str = "data"
    stages: tuple[StageName, ...] = ("unet",)
    vae: VaeStage | None = None
    text: TextStage | None = None
    unet: UnetStage | None = None
    depth_estimator: EstimatorStage | None = None
    settings: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if (self.base is None) == (self.architecture is None):
            raise ValueError("give either `base` (to finetune) or `[architecture]` (to begin)")
        for stage in self.stages:
            if getattr(self, stage) is None:
                raise ValueError(f"the stage `{stage}` is asked for, but has no [{stage}] table")
        if self.unet is not None and self.unet.openings and not self.depth.recess:
            raise ValueError("`openings` in [unet] needs a `recess` in [depth]")
        if self.unet is not None and self.unet.begin and not self.unet.lora:
            raise ValueError("`begin` is an adapter's file, and needs its rank (`lora`)")
        if self.unet is not None and self.unet.lora:
            if self.base is None:
                raise ValueError("an adapter (`lora`) needs a `base` that it is for")
            if self.unet.blind or self.unet.train_text:
                raise ValueError("an adapter (`lora`) can't be `blind`, nor `train_text`")
            if self.unet.only:
                raise ValueError(
                    "an adapter (`lora`) is for all of a UNet, so not for `only` a part"
                )


def load_recipe(path: Path) -> TrainingRecipe:
    """Read a recipe; a MaquetteError names the file and the field that is wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), TrainingRecipe)
    except FileNotFoundError as error:
        raise MaquetteError(
            "no-recipe", f"There is no recipe {path}.", "Give the path of a recipe's TOML file."
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MaquetteError(
            "bad-recipe", f"The recipe {path} cannot be used: {error}.", "Correct it and try again."
        ) from error
