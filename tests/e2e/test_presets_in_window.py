"""An architect chooses presets from pictures and writes the prompt in a window of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from maquette_wire import png
from PIL import Image

from .conftest import InWindow


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_chooses_presets_and_writes_a_prompt_in_a_window(in_window: InWindow):
    user = in_window("presetting.py").user
    assert user["undone"] == "", "a choice is one step to undo"
    assert user["texts"] == ["Prompt of Scene"] and user["texts_after"] == []
    assert user["prompt"] == "church with a tall tower, in a garden"
    assert (user["prompt_undone"], user["prompt_redone"]) == ("", user["prompt"])
    picture = Path(user["file"])
    assert png.read_recipe(picture).prompt == (
        "church with a tall tower, in a garden, white render, golden hour, low warm sun"
    )
    assert np.asarray(Image.open(picture)).std() > 1
    assert user["put_back"] == [user["prompt"], "White render", "Golden hour"]
    assert user["added"] == ["", "Our church"]
    assert user["in_properties"]
