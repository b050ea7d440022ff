"""Sampler: runs jobs on one device, bakes their pictures onto textures, and makes materials."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import torch
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.material import Material
from maquette_wire.messages import Coverage
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.surface import Surface
from numpy.typing import NDArray

from .families.settings import read_settings
from .materials.making import MadeMaterial, maps_of
from .materials.patterns import lay
from .runner import Runner, never, no_progress
from .running import JobCancelled, ProgressCallback
from .texturing.bake import PaintedView, bake
from .texturing.surface import of_wire

_SMALLER_TEXTURE = "Use a smaller texture, or texture fewer objects at a time."


class Sampler(Runner):
    """All that a worker does on one device."""

    def bake(
        self,
        surface: Surface,
        captures: Sequence[Capture],
        pictures: Sequence[NDArray[np.uint8]],
        *,
        progress: ProgressCallback | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> tuple[list[NDArray[Any]], Coverage]:
        """Carry one picture of each capture onto the surface's texture: for each of its tiles a
        picture, sRGB [size, size, 3], uint8 or uint16 as its `bits` say.

        progress is called with the stage "baking", and cancelled asked, for each chunk of texels.
        Raises JobCancelled, and MaquetteError("bad-surface", "no-faces", "not-seen",
        "out-of-memory").
        """
        # Matching needs double precision, which Apple's devices don't have.
        device = torch.device("cpu") if self.device.type == "mps" else self.device
        progress = progress or no_progress
        cancelled = cancelled or never

        def on_chunk(done: int, texels: int) -> None:
            if cancelled():
                raise JobCancelled
            progress("baking", done, texels, {})

        on_chunk(0, 1)
        painted = [
            PaintedView(capture.view, np.asarray(capture.depth), picture)
            for capture, picture in zip(captures, pictures, strict=True)
        ]
        size = surface.texture.size
        with self._memory_for(f"a texture of {size} pixels", device, _SMALLER_TEXTURE):
            baked = bake(
                of_wire(surface),
                painted,
                size,
                device=device,
                even=surface.texture.even,
                progress=on_chunk,
            )
        filled = 1.0 - float(baked.seen.sum() / baked.covered.sum())
        dtype = np.dtype(f"u{surface.texture.bits // 8}")
        levels = baked.picture  # in place: at 8192 pixels a copy is most of a gigabyte
        levels *= np.iinfo(dtype).max
        levels = np.rint(levels, out=levels).astype(dtype)
        return list(levels.reshape(-1, size, size, 3)), Coverage(
            seen=baked.share_seen, filled=filled
        )

    def material(
        self,
        recipe: Recipe,
        material: Material,
        *,
        progress: ProgressCallback | None = None,
        cancelled: Callable[[], bool] | None = None,
        previews: bool = False,
    ) -> MadeMaterial:
        """Paint a tile on the relief of its pattern, and make its maps.

        progress and cancelled are as for `run`, and with the stage "baking" for each step of the
        maps. Raises JobCancelled, and MaquetteError: "bad-material", and all that `run` raises.
        """
        progress = progress or no_progress
        cancelled = cancelled or never
        material = material.filled(recipe.prompt)
        recipe = self._with_swatches(recipe)

        def on_step(step: int, steps: int) -> None:
            if cancelled():
                raise JobCancelled
            progress("baking", step, steps, {})

        try:
            relief = lay(material, material.pixels)
            outcome = self.run(
                recipe,
                [relief.capture()],
                progress=progress,
                cancelled=cancelled,
                previews=previews,
                seamless=True,
            )
            ((_, _, picture),) = outcome.pictures
            start = time.perf_counter()
            maps = maps_of(picture, relief, material, recipe, on_step)
        except MemoryError as error:
            raise MaquetteError(
                "out-of-memory",
                f"This machine has not enough memory for maps of {material.pixels} pixels.",
                "Use fewer pixels, or close other programs.",
            ) from error
        warnings = list(outcome.warnings)
        if len(picture) != material.pixels:
            warnings.append(
                f"The model {recipe.model!r} paints {len(picture)} pixels a side at most, so the "
                f"colours were enlarged to {material.pixels}; the relief is exact at that size."
            )
        seconds = {**outcome.seconds, "baking": round(time.perf_counter() - start, 4)}
        return MadeMaterial(outcome.recipe, material, maps, warnings, seconds)

    def _with_swatches(self, recipe: Recipe) -> Recipe:
        """With the LoRA by which its model paints surfaces, where it has one and the recipe
        doesn't say how much of it."""
        name = read_settings(self.catalogue.present(recipe.model).directory).material_lora
        if name is None or name in (lora.name for lora in recipe.loras):
            return recipe
        return msgspec.structs.replace(recipe, loras=(*recipe.loras, Lora(name=name)))
