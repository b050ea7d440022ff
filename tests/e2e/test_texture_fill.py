"""No texel of a texture is left without a colour, on the samples.

MAQUETTE_TEST_MODELS names more models, as PATH does folders.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from maquette.extension import Extension
from maquette.texturing.bake import PaintedView, bake
from maquette.texturing.surface import read_surface
from maquette_wire.home import Home

SAMPLES = ("church", "courtyard", "gabled_house", "office_slab", "street_tower")
MORE = [Path(each) for each in os.environ.get("MAQUETTE_TEST_MODELS", "").split(os.pathsep) if each]
PAINT = (190, 120, 60)


@pytest.mark.parametrize("model", [*map(Path, SAMPLES), *MORE], ids=lambda path: path.stem)
def test_every_texel_has_a_colour_that_was_painted(
    one_blender: Path, extension: Path, home: Path, samples: Path, tmp_path: Path, model: Path
):
    """Two views see half of it; of all the rest, margins and the space between islands too, each
    texel has the paint's colour, on every mip level."""
    file = tmp_path / "surface.npz"
    words = ["--surface", str(file), "--around", "2", "--long-side", "96"]
    source = model if model.suffix else samples / f"{model}.blend"
    scenes = Extension.find(Home(home), one_blender, extension)
    captures = scenes.capture(source, words, lambda _sentence: None)
    picture = np.full((96, 96, 3), PAINT, np.uint8)
    views = [PaintedView(each.view, np.asarray(each.depth), picture) for each in captures]
    surface, _names, _left_out = read_surface(file)
    made = bake(surface, views, 512)
    assert not made.seen[made.covered].all() and not made.covered.all()
    level = made.picture * 255
    assert np.abs(level - PAINT).max() <= 2
    while len(level) > 4:
        level = level.reshape(len(level) // 2, 2, -1, 2, 3).mean((1, 3))
        assert np.abs(level - PAINT).max() <= 2
