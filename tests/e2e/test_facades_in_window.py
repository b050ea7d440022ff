"""An architect lays windows out in the panel; Live follows, and the picture's recipe has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette_wire import png
from maquette_wire.home import Home

from tests.backend.tiny import make_tiny_sd2_depth

from .conftest import InWindow


def _with_and_without_facades(home: Home) -> None:
    make_tiny_sd2_depth(
        home.models / "sees", settings={"native_size": 64, "depth": {"recess": 0.25}}
    )
    make_tiny_sd2_depth(home.models / "blind")


@pytest.mark.blender
@pytest.mark.slow
def test_an_architect_lays_windows_out_in_a_window(in_window: InWindow):
    user = in_window("laying_out.py", prepare=_with_and_without_facades).user
    assert (user["blind"], user["sees"]) == (False, True)
    assert user["live"] == [True, True]
    recipe = png.read_recipe(Path(user["file"]))
    assert (recipe.windows, recipe.storey, recipe.bay) == ("ribbon", 3.2, 4.5)
    assert user["told"] == []
