"""What is drawn over the 3D view, and Live, in a Blender with a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from .conftest import EVERY_WINDOW, InWindow


@pytest.mark.blender
@pytest.mark.slow
@EVERY_WINDOW
def test_an_architect_compares_and_follows_in_the_3d_view(in_window: InWindow):
    visit = in_window("viewport.py")
    user, shots = visit.user, visit.shots
    # The concept lies in the camera's frame, though that is zoomed and panned.
    camera = user["camera"]
    assert np.abs(np.subtract(camera["edges"], camera["frame"])).max() < 1, camera
    concept = Image.open(user["file"]).convert("RGB")
    assert _shift(shots / "v2-in-register.png", camera, concept) == (0, 0)
    assert user["elsewhere"], "nothing is drawn over another view"
    noise = np.load(shots / "noise.npy")
    seen = _part(shots / "v3-noise.png", user["noise"], noise.shape)
    # The middle of the region: over its edges lie headers, tools and the sidebar.
    middle = np.s_[150:-120, 120:-320]
    apart = np.abs(seen[middle].astype(int) - noise[middle].astype(int))
    # Blender keeps what lies over a view in 8 bits of another curve, in which near black is coarse.
    assert apart[noise[middle] > 6].max() <= 2 and apart.max() <= 5, apart.max()
    assert user["wiped"] == pytest.approx(0.3, abs=0.01)
    assert user["holding"] == [], "the line is let go with the button"
    assert user["after escape"] == pytest.approx(user["wiped"]), "Esc puts the line back"
    assert user["live"] == ["FINISHED"] and user["first"] and user["followed"], user
    assert user["captures"][0] == user["captures"][1], "a view that rests costs nothing"
    assert user["moved"] and user["undone"], user
    assert user["kept"] == ["FINISHED"] and user["concept"] == "Concept – Viewport – seed 12"
    assert user["jobs"], "none of Live's pictures is a job"
    assert user["through the camera"] == "Street"
    assert user["without a camera"] == "Viewport" and user["four views"]
    assert user["another file"] == [False, True] and user["again"]
    assert user["handlers"] == []


def _part(shot: Path, where: dict[str, Any], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """What a screenshot shows of the region, from its lower left corner, of this shape."""
    height, width = shape[:2]
    bottom = where["down"] - where["y"]
    pixels = np.asarray(Image.open(shot).convert("RGB"))
    return pixels[bottom - height : bottom, where["x"] : where["x"] + width]


def _shift(shot: Path, where: dict[str, Any], picture: Image.Image) -> tuple[int, int]:
    """By how many pixels a picture on a screenshot lies beside where it should."""
    left, bottom, right, top = (round(edge) for edge in where["edges"])
    wanted = np.asarray(
        picture.resize((right - left, top - bottom), Image.Resampling.BILINEAR), np.float64
    )
    screen = np.asarray(Image.open(shot).convert("RGB"), np.float64)
    x, y = where["x"] + left, where["down"] - where["y"] - top
    inner = wanted[60:-60, 60:-60]
    errors = {
        (across, down): np.abs(
            screen[
                y + 60 + down : y + 60 + down + inner.shape[0],
                x + 60 + across : x + 60 + across + inner.shape[1],
            ]
            - inner
        ).mean()
        for across in range(-3, 4)
        for down in range(-3, 4)
    }
    best = min(errors, key=errors.__getitem__)
    assert errors[best] < 4, errors
    return best
