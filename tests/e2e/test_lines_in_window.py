"""An architect restyles by lines with a model of Stable Diffusion XL."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette_wire import png
from maquette_wire.home import Home
from PIL import Image

from tests.backend.tiny import make_tiny_sdxl

from .conftest import InWindow


def _with_and_without_lines(home: Home) -> None:
    settings: dict[str, object] = {"native_size": 64, "steps": 4}
    make_tiny_sdxl(home.models / "lines", settings=settings)
    make_tiny_sdxl(home.models / "plain", settings=settings, lines=False)


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_restyles_by_lines_in_a_window(in_window: InWindow):
    user = in_window("drawing_lines.py", prepare=_with_and_without_lines).user
    assert user["plain"] == [False, False] and user["lines"] == [True, True]
    recipe = png.read_recipe(Path(user["file"]))
    assert (recipe.model, recipe.lines, recipe.lines_influence) == ("lines", "exact", 0.62)
    with Image.open(user["grid"]) as image:
        width, height = image.size
    assert width > 3 * 128 and height > 2 * 96, "two kinds of lines down, three values across"
