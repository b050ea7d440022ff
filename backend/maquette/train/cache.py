"""Latents and encoded depth of a dataset, computed once and kept on disk.

A UNet's step then costs the UNet alone. The folder's name holds a hash of the encoder's weights
and of the depth encoding, so that another autoencoder never reads these latents.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from maquette_wire.errors import MaquetteError
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..depth import DepthEncoding, area_resize, depth_range, encode_depth
from .parts import on_device
from .scenes import DamagedScene, Dataset, Scene
from .tinting import tinted_massing
from .vae import to_tensor

log = logging.getLogger(__name__)

_CONTENTS = 3
"""What a file holds; another number makes every cache anew."""


@dataclass(frozen=True)
class CachedScene:
    """latents [finishes, c, h, w] float16, unscaled means; tinted, the same of the massing in each
    finish's colours, or the latents again where a training has no use for it; depth [2, h, w]
    float32 in [-1, 1], with and without ground; captions and attributes for each finish; openings
    [finishes, h, w] float16, the share of each cell that is an opening of a wall, where the dataset
    says."""

    name: str
    latents: Tensor
    tinted: Tensor
    depth: Tensor
    captions: list[list[str]]
    attributes: list[dict[str, Any]]
    openings: Tensor | None


class LatentCache:
    """tinted: whether massings in the finishes' colours are encoded as well."""

    def __init__(
        self,
        folder: Path,
        vae: AutoencoderKL,
        encoding: DepthEncoding,
        device: torch.device,
        tinted: bool = True,
    ) -> None:
        self.tinted = tinted
        self.vae, self.encoding, self.device = on_device(vae, device), encoding, device
        self.factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.folder = folder / f"latents_{self._key()}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def _key(self) -> str:
        contents = _CONTENTS if self.tinted else f"{_CONTENTS} plain"
        digest = hashlib.sha256(json.dumps([contents, asdict(self.encoding)]).encode())
        for name, tensor in sorted(self.vae.state_dict().items()):
            if name.startswith(("encoder.", "quant_conv.")):
                digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:12]

    def get(self, dataset: Dataset, name: str) -> CachedScene | None:
        """A scene from the cache, encoded first where it is new; None where it is damaged."""
        path = self.folder / f"{name}.safetensors"
        if path.exists():
            try:
                return _read(path)
            except (SafetensorError, OSError, KeyError, ValueError) as error:
                log.warning("%s is damaged (%s); encoding its scene again.", path, error)
        try:
            scene = dataset.scene(name)
            self._write(path, scene)
        except DamagedScene as error:
            log.warning("Left out: %s. Delete it and render it again.", error)
            return None
        except ValueError as error:
            log.warning("Left out: %s: %s", name, error)
            return None
        return _read(path)

    @torch.no_grad()
    def _encode(self, pictures: list[NDArray[np.uint8]]) -> Tensor:
        latents = self.vae.encode(to_tensor(np.stack(pictures)).to(self.device)).latent_dist.mean
        return latents.to("cpu", torch.float16).contiguous()

    def _write(self, path: Path, scene: Scene) -> None:
        latents = self._encode([finish.picture for finish in scene.finishes])
        size = (latents.shape[2], latents.shape[3])
        # One range for both: without the ground, the building keeps its values.
        metres = depth_range(scene.depth, self.encoding, scene.name)
        depth = [
            encode_depth(d, metres, self.encoding, size, scene.name)
            for d in (scene.depth, scene.depth_without_ground())
        ]
        tensors = {"latents": latents, "depth": torch.from_numpy(np.stack(depth))}
        if self.tinted:
            # The same colours whenever a cache is made anew.
            rng = np.random.default_rng(zlib.crc32(scene.name.encode()))
            massings = [tinted_massing(scene, n, rng) for n in range(len(scene.finishes))]
            tensors["tinted"] = self._encode(massings)
        openings = [each.openings for each in scene.finishes if each.openings is not None]
        if len(openings) == len(scene.finishes):
            shares = [
                area_resize(each.astype(np.float32) / np.float32(255), size) for each in openings
            ]
            tensors["openings"] = torch.from_numpy(np.stack(shares)).half()
        described = {
            "captions": [finish.captions for finish in scene.finishes],
            "attributes": [finish.attributes for finish in scene.finishes],
        }
        temporary = path.with_suffix(".tmp")
        try:
            save_file(tensors, temporary, {"described": json.dumps(described)})
            temporary.replace(path)
        except (OSError, SafetensorError) as error:
            temporary.unlink(missing_ok=True)
            raise MaquetteError(
                "cache-not-written",
                f"The latents of {scene.name} could not be written to {self.folder}: {error}.",
                "Free some space and run the command again; it goes on where it stopped.",
            ) from error


def _read(path: Path) -> CachedScene:
    with safe_open(path, "pt") as file:
        described = json.loads(file.metadata()["described"])
        latents = file.get_tensor("latents")
        tinted, openings = (name in file.keys() for name in ("tinted", "openings"))  # noqa: SIM118
        return CachedScene(
            path.stem,
            latents,
            file.get_tensor("tinted") if tinted else latents,
            file.get_tensor("depth"),
            described["captions"],
            described["attributes"],
            file.get_tensor("openings") if openings else None,
        )
