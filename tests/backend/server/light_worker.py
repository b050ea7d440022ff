"""A worker process without a model: it paints noise, never the same twice.

Noise shows what an exactly-once delivery hides: a job that ran twice and was delivered from both
runs comes as two different pictures. The prompt says how the job goes, for instance
``"steps=20 pause=0.05"``, ``"until=FILE"`` (which goes on when that file is there) or ``"die"``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from maquette.server import worker_messages as wm
from maquette.server.worker import Equipment, work
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS, Material
from maquette_wire.messages import Coverage
from maquette_wire.recipe import Recipe
from maquette_wire.surface import Surface


class Stopped(Exception):
    """The job was cancelled."""


@dataclass
class Noise:
    """What the sampler returns."""

    recipe: Recipe
    pictures: list[tuple[int, int, Any]]
    encoded_depth: list[Any]
    warnings: list[str] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=lambda: {"sampling": 0.1})
    pack: int = 1


@dataclass
class NoiseMaterial:
    """What the sampler returns of a material."""

    recipe: Recipe
    material: Material
    maps: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=lambda: {"baking": 0.1})


class LightSampler:
    """Does what the prompt says."""

    def run(
        self,
        recipe: Recipe,
        captures: Sequence[Capture],
        *,
        progress: Callable[[str, int, int, dict[int, Any]], None],
        cancelled: Callable[[], bool],
        previews: bool,
        together: bool,
        given: Mapping[int, Any],
        painted: int | None,
        even: bool,
    ) -> Noise:
        """Sleep through the steps, then return noise."""
        words: dict[str, str] = {}
        for word in recipe.prompt.split():
            name, _, value = word.partition("=")
            words[name] = value
        if "die" in words:
            os.kill(os.getpid(), signal.SIGKILL)
        if "fail" in words:
            raise MaquetteError("out-of-memory", "The device is too small.", "Use a smaller size.")
        if "bug" in words:
            raise ValueError("a fault in the sampler")
        if "hang" in words:
            time.sleep(3600)
        if "until" in words:
            progress("loading", 0, 0, {})
            while not Path(words["until"]).exists():
                time.sleep(0.02)
        steps = int(words.get("steps", 2))
        small = np.zeros((8, 8, 3), np.uint8)
        for step in range(1, steps + 1):
            if cancelled():
                raise Stopped
            time.sleep(float(words.get("pause", 0.01)))
            shown = dict.fromkeys(range(len(captures)), small) if previews else {}
            progress("sampling", step, steps, shown)
        return self._paint(recipe, captures, given)

    def bake(
        self,
        surface: Surface,
        captures: Sequence[Capture],
        pictures: Sequence[Any],
        *,
        progress: Callable[[str, int, int, dict[int, Any]], None],
        cancelled: Callable[[], bool],
    ) -> tuple[Any, Coverage]:
        """A texture in the mean colour of the pictures."""
        if cancelled():
            raise Stopped
        progress("baking", 1, 1, {})
        side = surface.texture.size
        color = np.mean([picture.mean((0, 1)) for picture in pictures], 0)
        tile = np.full((side, side, 3), color).astype(np.uint8)
        return [tile for _ in surface.texture.tiles], Coverage(seen=1.0, filled=0.0)

    def material(
        self,
        recipe: Recipe,
        material: Material,
        *,
        progress: Callable[[str, int, int, dict[int, Any]], None],
        cancelled: Callable[[], bool],
        previews: bool,
    ) -> NoiseMaterial:
        """Sleep through the steps, then return maps of noise."""
        material = material.filled(recipe.prompt)
        self.run(
            recipe,
            [],
            progress=progress,
            cancelled=cancelled,
            previews=previews,
            together=False,
            given={},
            painted=None,
            even=False,
        )
        random = np.random.default_rng()
        maps = {
            name: random.integers(0, 256, (material.pixels, material.pixels, *rest)).astype(
                {"u1": np.uint8, "f4": np.float32}[dtype]
            )
            for name, (dtype, rest) in MAPS.items()
        }
        return NoiseMaterial(recipe, material, maps)

    def _paint(
        self, recipe: Recipe, captures: Sequence[Capture], given: Mapping[int, Any]
    ) -> Noise:
        random = np.random.default_rng()
        pictures = []
        for number, capture in enumerate(captures):
            width, height = recipe.size or (capture.view.width, capture.view.height)
            for place in range(recipe.count):
                noise = random.integers(0, 256, (height, width, 3), np.uint8)
                picture = given.get(number, noise)
                pictures.append((number, recipe.seed + place, picture))
        depths = [np.zeros((4, 4), np.uint8) for _ in captures]
        return Noise(recipe, pictures, depths)


def equip(enlistment: wm.Enlistment) -> Equipment:
    """A sampler at once; the device ``broken`` has none."""
    if enlistment.device == "broken":
        raise MaquetteError("unknown-device", "There is no device 'broken'.", "Use cpu.")
    devices = ("cpu", "second") if enlistment.device == "auto" else (enlistment.device,)
    return Equipment(
        sampler=LightSampler(),
        job_cancelled=Stopped,
        device=devices[0],
        devices=devices,
        samplers=("ddim",),
    )


if __name__ == "__main__":
    if "--crash" in sys.argv:
        sys.exit(3)
    work(equip)
