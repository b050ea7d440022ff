"""The pipeline of Stable Diffusion 2 depth, for depth that is already encoded.

diffusers' `StableDiffusionDepth2ImgPipeline` stretches every picture's depth to [-1, 1] by that
picture's own extremes, after resizing it without a filter: two views of one building get two
meanings of one number, a flat wall divides by zero, and distances overflow in half precision.
`Depth2ImgPipeline` takes the channel that `maquette.depth` made, at latent size, and passes it on
as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_depth2img import (
    StableDiffusionDepth2ImgPipeline,
)

from .loop import Predictor, guide
from .mixed import body_dtype


class Depth2ImgPipeline(StableDiffusionDepth2ImgPipeline):
    """diffusers' pipeline with `depth_map` given as the encoded channel: float [B, h, w] or
    [B, 1, h, w] in [-1, 1] at latent size."""

    def prepare_depth_map(
        self,
        image: Any,
        depth_map: torch.Tensor | None,
        batch_size: int,
        do_classifier_free_guidance: bool,
        dtype: torch.dtype,
        device: torch.device,
    ) -> torch.Tensor:
        """The depth channel [B or 2 B, 1, h, w] in the UNet's precision, values unchanged.

        Raises ValueError without a depth map, or for one that is not finite or not in [-1, 1].
        """
        if depth_map is None:
            raise ValueError("This pipeline needs depth_map, encoded by maquette.depth.")
        if depth_map.ndim == 3:
            depth_map = depth_map.unsqueeze(1)
        if not bool((depth_map.abs() <= 1.0).all()):  # false for NaN as well
            raise ValueError("The depth map has values outside [-1, 1]; use maquette.depth.")
        depth_map = depth_map.to(device=device, dtype=dtype)
        if depth_map.shape[0] < batch_size:
            depth_map = depth_map.repeat(batch_size // depth_map.shape[0], 1, 1, 1)
        return torch.cat([depth_map] * 2) if do_classifier_free_guidance else depth_map

    def predictor(
        self,
        batch: int,
        depth: torch.Tensor,
        prompt_embeds: torch.Tensor,
        negative_embeds: torch.Tensor | None,
        guidance: float,
    ) -> Predictor:
        """The UNet with what is the same at every step.

        depth: float32 [B, 1, h, w]. prompt_embeds: [B, tokens, width]. negative_embeds: [1, tokens,
        width]; without them there is no guidance and half the work.
        """
        device, dtype = self.unet.conv_in.weight.device, self.unet.conv_in.weight.dtype
        guided = negative_embeds is not None
        embeds = prompt_embeds
        if negative_embeds is not None:
            embeds = torch.cat([negative_embeds.expand(batch, -1, -1), embeds])
        embeds = embeds.to(device=device, dtype=body_dtype(self.unet))
        mask = self.prepare_depth_map(None, depth, batch, guided, dtype, device)

        def predict(latents: torch.Tensor, timestep: torch.Tensor, _: float) -> torch.Tensor:
            entry = (torch.cat([latents] * 2) if guided else latents).to(dtype)
            output = self.unet(
                torch.cat([entry, mask], dim=1),
                timestep,
                encoder_hidden_states=embeds,
                return_dict=False,
            )[0].float()
            return guide(output, guidance) if guided else output

        return predict
