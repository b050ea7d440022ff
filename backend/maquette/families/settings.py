"""`maquette.json`: what a checkpoint's own files don't say about how it wants to be run.

A directory without that file is run with its family's defaults, so that any finetune in a known
layout works as it comes. The format is described in docs/pocket.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from maquette_wire.errors import MaquetteError

from .. import samplers
from ..depth import DepthEncoding
from ..geometry import SD2_DEPTH, SDXL_CONTROL, GeometryCurve
from .layouts import family_of
from .openings import Opening

FORMAT = 1
FILE = "maquette.json"


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one model is run.

    Attributes:
        title: its name in a menu.
        licence: SPDX identifier or name of the licence of its weights.
        native_size: side in pixels of the pictures it was trained on.
        steps, sampler, guidance: what a recipe's None stands for.
        least_strength: the least strength it was trained to paint a massing with.
        own_colors: whether all of a picture is painted at any strength, and given what the strength
            leaves of the capture's colours afterwards (`maquette.retouching.own_colors`).
        depth: encoding of metric depth.
        margin: pixels that are painted around a picture and cut off again, as convolutions leave
            stripes along the border.
        outlines: pixels from an edge of the captured surfaces within which colours are put on their
            own side of it (`maquette.retouching.outlines`); 0 for a model that is sharp enough.
        even_sky: whether skies are freed of the stains that convolutions leave along borders and
            buildings (`maquette.retouching.even_sky`).
        even_surfaces: whether surfaces are freed of the blots that are as large as cells of latents
            (`maquette.retouching.even_surfaces`).
        drawn: words of a prompt for a drawing, whose lines and washes stay as they are painted.
        light_scale: painted pixels over which what varies within one surface is taken for painted
            light rather than material, where it is to be taken out
            (`maquette.retouching.even_light`).
        dropped_depth: the constant depth channel that it was trained to read as "no depth"; None
            for a model that was never trained without depth.
        geometry: what the Geometry value means for it.
        precision: "half" for a model that runs in what suits the device, "mixed" for one that sees
            too little of its depth channel in 16 bits (`families.mixed`), "full" for one that runs
            in float32 everywhere.
        vocabulary: the words it was trained on, lower case; None for an open vocabulary.
        openings: what the seed adds to a prompt that leaves it open (`families.openings`).
        material_lora: name of the LoRA by which it paints surfaces instead of buildings.
        tile_size: side in pixels of the largest tile of a surface that it paints well; twice the
            native size where None.
        shared_attention: whether views of one scene also attend to one of them; for a model whose
            pictures follow their self-attention.
    """

    format: int = FORMAT
    title: str = ""
    licence: str = "unknown"
    native_size: int = 512
    steps: int = 30
    sampler: str = "dpm++-2m"
    guidance: float = 7.5
    least_strength: float = 0.0
    own_colors: bool = False
    margin: int = 0
    outlines: int = 0
    even_sky: bool = False
    even_surfaces: bool = False
    drawn: tuple[str, ...] = ()
    light_scale: float = 24.0
    depth: DepthEncoding = DepthEncoding()
    dropped_depth: float | None = None
    geometry: GeometryCurve = SD2_DEPTH
    precision: Literal["full", "mixed", "half"] = "half"
    vocabulary: frozenset[str] | None = None
    openings: tuple[Opening, ...] = ()
    material_lora: str | None = None
    tile_size: int | None = None
    shared_attention: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (
            ("native_size", 8, 65536),
            ("tile_size", 8, 65536),
            ("steps", 1, 1000),
            ("guidance", 0.0, 100.0),
            ("least_strength", 0.0, 1.0),
            ("margin", 0, 256),
            ("outlines", 0, 64),
            ("light_scale", 0.5, 4096),
            ("dropped_depth", -1.0, 1.0),
        ):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} is {value}; give {low} to {high}")
        if self.sampler not in samplers.NAMES:
            known = ", ".join(samplers.NAMES)
            raise ValueError(f"sampler is {self.sampler!r}; give one of {known}")

    @property
    def largest_tile(self) -> int:
        """Side in pixels of the largest tile that it is given to paint."""
        return self.tile_size or 2 * self.native_size


class SdxlSettings(ModelSettings, frozen=True, kw_only=True):
    """With the defaults of Stable Diffusion XL with ControlNets.

    These learned from estimators' depth, which is flatter than true inverse depth: with that, all
    of the range would go to the ground before the building.
    """

    native_size: int = 1024
    guidance: float = 6.0
    depth: DepthEncoding = DepthEncoding(power=0.5, near_percentile=90.0)
    geometry: GeometryCurve = SDXL_CONTROL


SETTINGS: dict[str, type[ModelSettings]] = {
    "sd2-depth": ModelSettings,
    "sdxl-controlnet": SdxlSettings,
}
"""By the name of a family."""


def read_settings(directory: Path) -> ModelSettings:
    """The settings of a model's directory. Raises MaquetteError("bad-checkpoint")."""
    path = directory / FILE
    kind = SETTINGS[family_of(directory)]
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return kind(title=directory.name)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise MaquetteError(
            "bad-checkpoint", f"{path} can't be used: {error}.", "Correct it, or fetch it again."
        ) from error
    if settings.format > FORMAT:
        raise MaquetteError(
            "bad-checkpoint",
            f"{path} has format {settings.format}, this version of Maquette knows {FORMAT}.",
            "Update Maquette.",
        )
    return settings
