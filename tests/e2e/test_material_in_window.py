"""Materials in a Blender with a window: an architect makes one and has it on the model."""

from __future__ import annotations

import numpy as np
from maquette_wire import material_files
from PIL import Image

from .conftest import InWindow


def test_an_architect_makes_a_material(in_window: InWindow):
    visit = in_window("tiling.py")
    user = visit.user
    assert user["pressed"] == ["Material"] and user["told"] == []
    assert user["unit"] == [0.22, 0.075]
    assert user["made"] == ["Red brick"]
    assert user["tower"] == ["Red brick"], "in place of what its one slot had"
    assert user["undone"] == [[], user["before"]]
    assert user["redone"] == [["Red brick"], ["Red brick"]]
    made = material_files.read(visit.folder / "maquette" / "materials" / "red-brick")
    assert made.material.pattern == "stack-bond" and made.material.size == 2.4
    albedo = np.asarray(Image.open(made.path("albedo")))
    assert albedo.shape == (512, 512, 3) and albedo.std() > 1
    with Image.open(made.path("height")) as height:
        assert height.mode == "I;16"
        assert np.ptp(np.asarray(height)) == material_files.LEVELS
