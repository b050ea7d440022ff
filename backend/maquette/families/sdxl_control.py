"""The family of Stable Diffusion XL with ControlNets: one that is shown depth and, where the
model has it, one that is shown lines (Zhang et al., "Adding Conditional Control to Text-to-Image
Diffusion Models", ICCV 2023).

A model is a directory in the layout of Stable Diffusion XL's base or a finetune of it, as
safetensors, with the ControlNets as further folders in it (`layouts`). They see maps at the size of
the picture: depth as inverse depth, near white, and lines white on black.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img import (
    StableDiffusionXLImg2ImgPipeline,
)
from numpy.typing import NDArray

from ..geometry import control
from . import checkpoint
from .family import Family, PictureTask
from .layouts import CONTROL_DEPTH, CONTROL_LINES, takes_lines
from .libraries import loading
from .loading import load_pipeline
from .loop import Predictor, guide
from .settings import ModelSettings


class Said(NamedTuple):
    """A prompt as both text encoders have it, [1, tokens, width], and pooled by the second,
    [1, width]."""

    embeds: torch.Tensor
    pooled: torch.Tensor


@dataclass(frozen=True)
class _Control:
    """One ControlNet in a device batch, of which all is doubled where there is guidance.

    Attributes:
        maps: [B, 3, H, W] in [0, 1], what it is shown.
        scales: [B, 1, 1, 1], of what it adds to the UNet, picture by picture.
        ends: [B, 1, 1, 1], the share of the steps in which it does.
    """

    net: ControlNetModel
    maps: torch.Tensor
    scales: torch.Tensor
    ends: torch.Tensor

    def residuals(self, done: float, **given: Any) -> list[torch.Tensor]:
        """What it adds to the UNet's skip connections and, last, to its middle, when a share
        `done` of the steps is behind; nothing where it is over. given: as for the net."""
        scales = self.scales * (done < self.ends)
        if not bool(scales.any()):
            return []
        down, middle = self.net(controlnet_cond=self.maps, return_dict=False, **given)
        return [each * scales.to(each) for each in (*down, middle)]


class SdxlControl(Family[Said]):
    """A loaded model of the family.

    nets: its ControlNets by folder; that of lines is loaded when it is first needed.
    """

    def __init__(
        self,
        pipeline: StableDiffusionXLImg2ImgPipeline,
        nets: dict[str, ControlNetModel],
        directory: Path,
        settings: ModelSettings,
        device: torch.device,
    ) -> None:
        self.nets = nets
        self.directory = directory
        super().__init__(pipeline, settings, device)

    @classmethod
    def load(
        cls, directory: Path, settings: ModelSettings, device: torch.device, dtype: torch.dtype
    ) -> SdxlControl:
        absent = {"image_encoder": None, "feature_extractor": None}
        pipeline = load_pipeline(
            StableDiffusionXLImg2ImgPipeline, directory, dtype, **absent, add_watermarker=False
        )
        if dtype == torch.float16 and pipeline.vae.config.force_upcast:
            pipeline.vae.to(torch.float32)  # it overflows
        nets = {CONTROL_DEPTH: _load_net(directory, CONTROL_DEPTH, dtype)}
        return cls(pipeline, nets, directory, settings, device)

    @property
    def encoders(self) -> Sequence[Any]:
        return (self.pipeline.text_encoder, self.pipeline.text_encoder_2)

    @property
    def painters(self) -> Sequence[Any]:
        return (self.pipeline.unet, *self.nets.values())

    @property
    def takes_lines(self) -> bool:
        return takes_lines(self.directory)

    def prepare(self, lines: bool) -> None:
        if lines and CONTROL_LINES not in self.nets:
            net = _load_net(self.directory, CONTROL_LINES, self.dtype)
            self.nets[CONTROL_LINES] = self.settled(net)

    def depth_channel(self, encoded: NDArray[np.float32], influence: float) -> NDArray[np.float32]:
        return encoded  # the influence is what the ControlNet's output counts

    def picture_bytes(self, height: int, width: int, guided: bool) -> int:
        # A ControlNet is the first half of the UNet again, and its maps are kept for the second.
        return super().picture_bytes(height, width, guided) * (2 + len(self.nets)) // 2

    def _encode(self, text: str) -> Said:
        embeds, _, pooled, _ = self.pipeline.encode_prompt(
            text, device=self.device, do_classifier_free_guidance=False
        )
        return Said(embeds, pooled)

    def _avoided(self, text: str) -> Said:
        """A negative prompt; one that says nothing is nothing, as in training."""
        said = self.encode_prompt(text)
        if text or not self.pipeline.config.force_zeros_for_empty_prompt:
            return said
        return Said(torch.zeros_like(said.embeds), torch.zeros_like(said.pooled))

    def _predictor(
        self, tasks: Sequence[PictureTask], negative_prompt: str, guidance: float
    ) -> Predictor:
        guided = guidance > 1.0
        said = [self.encode_prompt(task.prompt) for task in tasks]
        if guided:
            said = [self._avoided(negative_prompt)] * len(tasks) + said
        unet = self.pipeline.unet
        dtype = unet.dtype
        embeds = torch.cat([each.embeds for each in said]).to(self.device, dtype)
        height, width = tasks[0].depth.shape
        # The size that the picture was trained to have been cut from, where, and its own.
        size = torch.tensor([[height, width, 0, 0, height, width]], device=self.device, dtype=dtype)
        added = {
            "text_embeds": torch.cat([each.pooled for each in said]).to(self.device, dtype),
            "time_ids": size.repeat(len(said), 1),
        }
        controls = self._controls(tasks, guided)

        def predict(latents: torch.Tensor, timestep: torch.Tensor, done: float) -> torch.Tensor:
            entry = (torch.cat([latents] * 2) if guided else latents).to(dtype)
            given: dict[str, Any] = {
                "sample": entry,
                "timestep": timestep,
                "encoder_hidden_states": embeds,
                "added_cond_kwargs": added,
            }
            found = [each.residuals(done, **given) for each in controls]
            summed = [sum(same[1:], same[0]) for same in zip(*filter(None, found), strict=True)]
            if summed:
                given["down_block_additional_residuals"] = tuple(summed[:-1])
                given["mid_block_additional_residual"] = summed[-1]
            output = unet(**given, return_dict=False)[0].float()
            return guide(output, guidance) if guided else output

        return predict

    def _controls(self, tasks: Sequence[PictureTask], guided: bool) -> list[_Control]:
        depths = [(task.depth + 1.0) / 2.0 for task in tasks]
        weights = [task.depth_influence for task in tasks]
        controls = [self._control(CONTROL_DEPTH, depths, weights, guided)]
        lines = [task.lines / np.float32(255.0) for task in tasks if task.lines is not None]
        if lines:
            weights = [task.lines_influence for task in tasks]
            controls.append(self._control(CONTROL_LINES, lines, weights, guided))
        return controls

    def _control(
        self,
        part: str,
        maps: Sequence[NDArray[np.floating]],
        influences: Sequence[float],
        guided: bool,
    ) -> _Control:
        """maps: [H, W] in [0, 1] of each picture."""
        net = self.nets[part]
        times = 2 if guided else 1
        shown = torch.from_numpy(np.stack(maps)).to(self.device, net.dtype)[:, None]
        scales, ends = torch.tensor([control(each) for each in influences]).repeat(times, 1).T
        return _Control(
            net,
            shown.repeat(times, 3, 1, 1),
            scales[:, None, None, None],
            ends[:, None, None, None],
        )


def _load_net(directory: Path, part: str, dtype: torch.dtype) -> ControlNetModel:
    folder = directory / part
    variant = checkpoint.check_parts(directory, [part])
    with loading(folder):
        net = ControlNetModel.from_pretrained(
            folder, dtype=dtype, variant=variant, use_safetensors=True, local_files_only=True
        )
    checkpoint.check_keys(part, list(net.state_dict()), checkpoint.weight_files(folder, variant))
    return net
